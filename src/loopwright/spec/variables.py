"""Variables: what user code finds in its environment, and the groups that many of them come from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, model_validator

from loopwright.secrets.references import NAME, PREFIX, secret_in
from loopwright.spec.complaints import Complaint, listed, refusal
from loopwright.spec.declaration import Declaration, Items
from loopwright.spec.notation import IN_QUOTES, Notation
from loopwright.spec.texts import Name, RelativePath

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_RESERVED = frozenset(
    (
        *(
            "PATH",
            "HOME",
            "USER",
            "LOGNAME",
            "SHELL",
            "TMPDIR",
            "VIRTUAL_ENV",
            "MODEL_DIR",
            "AZUREML_MODEL_DIR",
        ),
        *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"),
        *("MASTER_ADDR", "MASTER_PORT", "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK"),
    )
)
_RESERVED_PREFIXES = ("LOOPWRIGHT_", "MLFLOW_", "PYTHON", "LD_", "TORCHELASTIC_")
_EXPECTED_NAME = "a name of letters, digits and `_`, such as `API_URL`"
_LONGEST = 32 * 1024
GROUP_SOURCES = ("file", "names", "prefix")


def unfit_name(name: str) -> str:
    """Why a variable may not have this name; empty where it may."""
    if not _NAME.fullmatch(name):
        return f"expected {_EXPECTED_NAME}"
    if name in _RESERVED or name.startswith(_RESERVED_PREFIXES):
        return f"expected another name, since {name} is set by Loopwright or the system"
    return ""


def unfit_value(value: str) -> str:
    """Why a variable may not have this value; empty where it may."""
    if value.startswith(PREFIX) and not secret_in(value):
        return f"expected `{PREFIX}NAME` with a name of letters, digits and `_`"
    if "\0" in value:
        return "expected a text without zero bytes"
    return f"expected at most {_LONGEST} characters" if len(value) > _LONGEST else ""


def _read_name(value: object) -> str:
    unfit = unfit_name(str(value))
    if unfit:
        taken = "It is set by Loopwright or the system; take another." if _NAME.fullmatch(str(value)) else ""
        raise ValueError(taken)
    return str(value)


def _read_value(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(IN_QUOTES if isinstance(value, int | float) else "")
    if unfit_value(value):
        raise ValueError("" if value.startswith(PREFIX) else f"{unfit_value(value).capitalize()}.")
    return value


VariableName = Annotated[
    str,
    Notation(
        "variable's name",
        _EXPECTED_NAME,
        {
            "type": "string",
            "pattern": f"^(?!(?:{'|'.join(sorted(_RESERVED))})$)(?!(?:{'|'.join(_RESERVED_PREFIXES)})){_NAME.pattern}$",
        },
        _read_name,
    ),
]
"""A variable of a process's environment that is not Loopwright's own to set."""

VariableValue = Annotated[
    str,
    Notation(
        "text or secret",
        f"text, or `{PREFIX}NAME` for a secret",
        {"type": "string", "maxLength": _LONGEST, "pattern": f"^((?!{PREFIX})[^\\u0000]*|{PREFIX}{NAME})$"},
        _read_value,
    ),
]
"""A plain value, or the name of a secret."""


class VariableGroup(Declaration):
    """Variables that come from elsewhere, taken when `up` is called."""

    file: RelativePath | None = Field(
        default=None,
        description="A file of lines `NAME=value` (dotenv) in the folder. One of this, `names` and `prefix`.",
    )
    names: Items[VariableName] | None = Field(
        default=None, description="Variables in the environment of whoever calls `up`; each must be there."
    )
    prefix: VariableName | None = Field(
        default=None,
        description="All variables in the environment of whoever calls `up` whose name begins so.",
    )
    environments: Items[Name] | None = Field(
        default=None,
        description="Where its variables count; where not given, everywhere, training and tasks included.",
    )

    @model_validator(mode="after")
    def _one_source(self) -> VariableGroup:
        given = [name for name in GROUP_SOURCES if getattr(self, name) is not None]
        if len(given) != 1:
            found = f"{listed(given, 'and')} together" if given else "a group without a source"
            raise refusal([Complaint("", found, f"one of {listed(GROUP_SOURCES)}")])
        return self


def placeholder_fault(inner: str, stated: Mapping[str, object], groups: bool) -> str:
    """Why a command may not name `{variables.NAME}`; empty where it may, as far as the spec alone can tell.

    `stated` are the variables that the spec states for it; `groups` says whether others may come from groups.
    """
    name = inner.removeprefix("variables.")
    value = stated.get(name)
    if isinstance(value, str) and secret_in(value):
        return "Others on this machine can read command lines, so no secret belongs there: let the script read its environment."
    return "" if name in stated or groups else f"No variable {name} is declared."
