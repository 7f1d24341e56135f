"""How a secret is written where its value is meant: `secret:NAME`."""

from __future__ import annotations

import re
from collections.abc import Mapping

PREFIX = "secret:"
NAME = r"[A-Za-z_][A-Za-z0-9_]{0,127}"
"""A name that every provider can have: a variable of the environment, a file, a key of a Kubernetes Secret."""

_REFERENCE = re.compile(rf"{PREFIX}({NAME})")


def secret_in(value: str) -> str:
    """The name of the secret that a variable's value stands for; empty where it is a plain value."""
    match = _REFERENCE.fullmatch(value)
    return match[1] if match else ""


def referred(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables whose value is a secret: variable -> name of the secret."""
    return {variable: name for variable, value in variables.items() if (name := secret_in(value))}
