"""A model without a script, asked for batches of rows."""

from __future__ import annotations

import sys
from typing import Any, Callable

from .parts import Config


class HostedModel:
    """Answers rows with columns."""

    told = {"takes": "rows"}  # noqa: RUF012  (nobody changes it)

    def __init__(self, config: Config, beside: Callable[[str], Any]) -> None:
        assert config.model is not None  # noqa: S101  (the caller has looked)
        self._config = config
        sys.path.insert(0, config.code)  # a pickle may name modules of the user's own
        self._names, self._types = config.names, config.types
        models = beside("models")
        self._misfit = models.misfit
        self._model = models.load(*config.model)

    def start(self) -> None:
        """Raises ModelError where the inputs are not the model's, or it cannot answer the package's example."""
        self._model.check(self._names, self._types)
        example = self._config.example_row()
        if example is not None:
            self._model.score([example], self._names, self._types)

    def rows(self, rows: list[list[Any]]) -> Any:
        try:
            return self._model.score(rows, self._names, self._types)
        except Exception as error:
            misfit = self._misfit(error, rows, self._names)
            if misfit is None:
                raise
            raise misfit from error
