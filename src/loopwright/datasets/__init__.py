"""Data in: read, checked, versioned, described, and split into what trains and what judges.

Why it exists: most failures of a model begin in its data, and most flattering metrics in rows that were not held out.

What comes in: a CSV or Parquet file and, where the user has one, a schema file (`schema` documents its format).
What goes out: a StepFailed that names columns, counts and example rows; or the training and the held-out rows in files
of the source's own format, the baseline and the profile of the training data, and the signature of the columns.

`infer` writes the first schema file. The step itself is `python -m loopwright.datasets.job FOLDER`.

May import: observations, spec, jobs, errors. pandas, PyArrow and pandera are imported by the modules that work on data,
never by this one: the control plane imports it.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["infer"]


def infer(source: Path, label: str, shown: str | None = None) -> str:
    """The text of a schema file for the data in `source`, made for people to edit; `shown` is the file's name in it.

    Raises StepFailed where the file cannot be read or has no column `label`.
    """
    from loopwright.datasets.inference import infer as write

    return write(source, label, shown or str(source))
