"""Answers as a table: named columns, as protocols of tensors and of data frames want them."""

from __future__ import annotations

from typing import Any

import msgspec

from loopwright.scoring.refusals import Failed

_ONLY = "prediction"  # what the answer is called where a script gives it no name


class Answers(msgspec.Struct, frozen=True):
    """Outputs of a request: `columns[i]` holds what `names[i]` is for each row."""

    names: tuple[str, ...]
    columns: list[list[Any]]

    def records(self) -> list[dict[str, Any]]:
        """One object for each row."""
        return [dict(zip(self.names, row, strict=True)) for row in zip(*self.columns, strict=True)]

    @classmethod
    def of_script(cls, answer: Any, rows: int) -> Answers:
        """From what a script answered to `rows` rows; raises Failed where that is no answer for each."""
        listed = _listed(answer)
        if len(listed) != rows:
            raise Failed(
                "The scoring script did not answer each row; the replica's log explains the id.",
                f"run() got a list of {rows} rows and answered with {len(listed)} values, expected a list with one for each",
            )
        if not listed or not all(isinstance(one, dict) for one in listed):
            return cls((_ONLY,), [listed])
        names = tuple(dict.fromkeys(name for one in listed for name in one))
        return cls(names, [[one.get(name) for one in listed] for name in names])


def _listed(answer: Any) -> list[Any]:
    """The list in an answer: itself, or the one that is wrapped, as in {"predictions": [...]}."""
    only = next(iter(answer.values())) if isinstance(answer, dict) and len(answer) == 1 else None
    answer = only if isinstance(only, list) else answer
    return answer if isinstance(answer, list) else [answer]
