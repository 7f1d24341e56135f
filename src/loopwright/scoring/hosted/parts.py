"""What the kinds of host share: their configuration, and the way a request is refused."""

from __future__ import annotations

from typing import Any


class Refused(Exception):  # noqa: N818  (an answer more than an error)
    """The request's own fault: an HTTP status and a sentence for the client."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.loopwright_status = status


class Config:
    """What the front says of the package, as it came over the command line."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.code: str = told["code"]
        self.entry: str = told["entry"]
        self.model: tuple[str, str] | None = told.get("model")  # path and flavor
        inputs: list[tuple[str, str]] | None = told.get(
            "inputs"
        )  # names and types, where a package has a signature
        self.inputs = inputs
        self.batching: bool = told.get("batching", False)  # declared in the spec
        self.form: str = told.get("form", "")
        self.example: dict[str, Any] | None = told.get("example")

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.inputs or ()]

    @property
    def types(self) -> list[str]:
        return [kind for _, kind in self.inputs or ()]

    def example_row(self) -> list[Any] | None:
        """The package's example in the order of the inputs; None where there is none."""
        if self.example is None or self.inputs is None:
            return None
        return [self.example.get(name) for name in self.names]
