"""What user code needs: the one file that says so, and the Python version."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from loopwright.spec.complaints import Complaint, listed, refusal
from loopwright.spec.declaration import Declaration, Items
from loopwright.spec.texts import PythonVersion, RelativePath

SOURCES = ("requirements", "pyproject", "conda")
Extra = Annotated[str, Field(min_length=1)]


class Dependencies(Declaration):
    """What user code needs; resolved to a lock, the same in training and in serving."""

    requirements: RelativePath | None = Field(
        default=None,
        description="A pip requirements file; what it includes with `-r` and `-c` is read too. One of this, `pyproject` and `conda`.",
    )
    pyproject: RelativePath | None = Field(
        default=None, description="A pyproject.toml, of which `[project].dependencies` count."
    )
    extras: Items[Extra] = Field(
        default=(), description="With `pyproject`: the optional dependencies that are needed too."
    )
    conda: RelativePath | None = Field(
        default=None,
        description="A conda environment file: its pip part, and the conda packages that PyPI has as well.",
    )
    python: PythonVersion | None = Field(
        default=None,
        description="Python version, in quotes; where not given, that of the lock, else Loopwright's own.",
    )

    @property
    def file(self) -> str:
        """The file that says what is needed."""
        return self.requirements or self.pyproject or self.conda or ""

    @model_validator(mode="after")
    def _one_source(self) -> Dependencies:
        given = [name for name in SOURCES if getattr(self, name) is not None]
        if not given:
            expected = "`requirements: requirements.txt`, `pyproject: pyproject.toml` or `conda: conda_dependencies.yml`"
            raise refusal([Complaint("", "no file of dependencies", expected)])
        if len(given) > 1:
            raise refusal([Complaint(given[1], f"{listed(given, 'and')} together", "one of them")])
        if self.extras and self.pyproject is None:
            found = f"extras with `{given[0]}`"
            raise refusal([Complaint("extras", found, "no extras, or `pyproject`, which can have some")])
        return self
