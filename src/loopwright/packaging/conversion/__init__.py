"""A model to our plan, inside the user's interpreter and lock: what `conversion_shim.py` runs.

Why it exists: only the user's own scikit-learn, XGBoost or LightGBM can read what it has written. So the walk over the
fitted objects happens there, and what comes out is plain: a description in JSON, and arrays. Nothing newer than Python
3.8 here, no import of Loopwright, and of the user's libraries only what the model needs.

What is exact by design: each input's preprocessing in 64-bit floats and in the original's order of operations; values
of categories by asking the original itself; trees as their thresholds and leaves are, summed in the original's order.
"""

from __future__ import annotations

__all__ = ["CannotCompile"]


class CannotCompile(Exception):  # noqa: N818  (an answer more than an error)
    """Why a model has no compiled form; a clause that begins in lower case, for a person."""
