"""The part of a spec that adds tasks of one's own to the loop; `spec.tasks` says what they depend on and if they fit."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from loopwright.spec.declaration import Declaration, Items
from loopwright.spec.notation import text_notation
from loopwright.spec.texts import GlobPattern, Label, Name, RelativePath
from loopwright.spec.units import Bytes, Cores, Duration, PositiveDuration

Command = Annotated[str, Field(min_length=1)]

Variable = Annotated[
    str,
    text_notation(
        "variable", "a name of letters, digits and `_`, such as `DEPTH`", r"[A-Za-z_][A-Za-z0-9_]{0,39}"
    ),
]

ArtifactPath = Annotated[
    str,
    text_notation(
        "artifact",
        "a task, or a task and a path in its artifacts, such as `sweep` or `sweep/result.json`",
        r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?(/(?!(.*/)?\.\.(/|$))[^\u0000-\u001f\u007f]+)?",
    ),
]


class Artifacts(Declaration):
    """What a task hands on, and what it is handed."""

    needed: Items[ArtifactPath] = Field(
        default=(),
        alias="in",
        description="Tasks whose artifacts it reads, as `TASK` or `TASK/PATH`; it runs after them. `{artifacts.TASK}` "
        "is the folder; of a task with a matrix it has a folder for each of its runs.",
    )
    out: Items[RelativePath] = Field(
        default=(),
        description="Files or folders that the task leaves where it runs, to be kept; each must be there. What it "
        "writes to `{outputs}` is kept as well.",
    )


class Retry(Declaration):
    """When a failed task is tried again."""

    attempts: int = Field(default=2, ge=1, le=20, description="How often it is tried in all.")
    delay: Duration = Field(default=0.0, description="The pause before it is tried again.")


class Task(Declaration):
    """A step of one's own: a command that runs as a job."""

    command: Command = Field(
        description="Run without a shell. `{outputs}`, `{matrix.VARIABLE}`, `{artifacts.TASK}`, and of steps that come "
        "before it `{data.NAME.train}`, `{model}`, `{endpoint.ENVIRONMENT}` and `{endpoint.ENVIRONMENT.key}` (a file) "
        "are filled in."
    )
    needs: Items[Name] = Field(default=(), description="Tasks that must be done first.")
    after: Name | None = Field(default=None, description="The step or environment that must be done first.")
    before: Name | None = Field(
        default=None, description="The step or environment that begins only when this task is done."
    )
    always: bool = Field(
        default=False,
        description="A clean-up: it runs once at the change's end, after success, failure and cancellation.",
    )
    cache: bool = Field(
        default=True,
        description="Whether an earlier result for equal inputs counts; `false` for a task that has an effect elsewhere: "
        "it runs once for each change.",
    )
    retry: Retry = Field(
        default=Retry(attempts=1), description="When it is tried again; not where not given."
    )
    timeout: PositiveDuration = Field(default=3600.0, description="An attempt that takes longer is ended.")
    artifacts: Artifacts = Field(default=Artifacts(), description="What it hands on, and is handed.")
    files: Items[GlobPattern] | None = Field(
        default=None,
        description="Patterns of the files that it sees; where not given, all but data sources, the spec and documents.",
    )
    matrix: dict[Variable, Annotated[Items[Label], Field(min_length=1)]] = Field(
        default={}, description="Values to run it with: once for each combination, as steps of their own."
    )
    environment: Literal["workload", "none"] = Field(
        default="workload",
        description="`workload`: the Python environment that training has; `none`: the programs of this machine, with "
        "Loopwright's own Python.",
    )
    cpu: Cores = Field(default=1.0, description="Cores; sets the usual thread-count variables.")
    memory: Bytes | None = Field(default=None, description="A task that uses more is ended.")


class Pipeline(Declaration):
    """Tasks beside the steps of the loop."""

    tasks: dict[Name, Task] = Field(default={}, description="The tasks, by name.")
    parallel: int | None = Field(
        default=None, ge=1, le=1000, description="How many tasks run at once; no limit where not given."
    )
