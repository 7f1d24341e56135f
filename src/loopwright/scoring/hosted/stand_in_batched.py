"""`from loopwright_serving import batched`: marks a function of a scoring script as one that takes batches of rows."""

from __future__ import annotations

from typing import Any, Callable

from .batches import FORMS, MARK


def batched(form: Any = "") -> Any:
    """Mark a function: `@batched`, or `@batched("numpy")` where the annotation does not say the form."""
    if callable(form):
        setattr(form, MARK, "")
        return form
    if form not in ("", *FORMS):
        raise ValueError(f"@batched takes one of {', '.join(FORMS)}, found {form!r}")

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        setattr(function, MARK, form)
        return function

    return mark
