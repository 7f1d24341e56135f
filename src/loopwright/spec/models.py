"""The declaration of a workload, as frozen values.

`loading` builds these from loopwright.yaml; every other room reads them and none changes them. Field descriptions are
user documentation: the reference in docs/ and the JSON Schema are generated from here.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationError, model_validator

from loopwright.spec import tasks
from loopwright.spec.complaints import Complaint, refusal
from loopwright.spec.compute import Compute
from loopwright.spec.declaration import Declaration, Items
from loopwright.spec.dependencies import Dependencies
from loopwright.spec.environments import Environment
from loopwright.spec.gates import Gate, unfit
from loopwright.spec.overrides import misfits, overridden
from loopwright.spec.packaging import Packaging
from loopwright.spec.pipeline import Pipeline
from loopwright.spec.serving import Serving
from loopwright.spec.texts import AnswerPath, GlobPattern, Label, Name, RelativePath, Text
from loopwright.spec.units import Fraction, PositiveDuration, ProperFraction
from loopwright.spec.variables import VariableGroup, VariableName, VariableValue

STEP_NAMES = frozenset(
    (
        "data",
        "environment",
        "train",
        "package",
        "evaluate",
        "evaluation",
        "register",
        "functional",
        "stress",
        "approval",
    )
)


class Split(Declaration):
    """How rows are held out. A row goes to test by a hash, so it stays there as the data grows."""

    test: ProperFraction = Field(
        default=0.25, description="Share of the rows that is held out for evaluation."
    )
    by: Text = Field(
        default="row",
        description="`row` (hash of the whole row), or the column whose value is hashed: rows that share it stay together.",
    )


class Data(Declaration):
    """A data set."""

    source: RelativePath = Field(description="CSV or Parquet file.")
    label: Text = Field(description="The column to predict.")
    data_schema: RelativePath | None = Field(
        default=None, alias="schema", description="Schema file; `loopwright data infer` makes the first one."
    )
    owner: Text | None = Field(
        default=None, description="Who answers for this data; the workload's owner where not given."
    )
    description: str = Field(default="", description="What a row is, and how it came about.")
    fresh_within: PositiveDuration | None = Field(
        default=None, description="The source must have changed within this time, or the data step fails."
    )
    split: Split = Field(default=Split(), description="How rows are held out.")


class Training(Declaration):
    """The training job."""

    command: Text = Field(
        description="Run without a shell. `{data.NAME.train}` is the file of training rows, "
        "`{outputs}` the folder whose content becomes the model."
    )
    dependencies: Dependencies = Field(description="What the script needs.")
    variables: dict[VariableName, VariableValue] = Field(
        default={}, description="Variables for training and tasks alone."
    )
    files: Items[GlobPattern] | None = Field(
        default=None,
        description="Patterns of the files that the job sees; where not given, all but data sources, spec, schemas, "
        "tests, the serving entry and documents.",
    )
    compute: Compute = Field(default=Compute(), description="Its limits.")


class Evaluation(Declaration):
    """How the package is judged on the held-out rows."""

    prediction: AnswerPath = Field(
        default="prediction",
        description="Where the prediction is in the answer, such as `prediction` or `result.0.label`; "
        "empty where the answer is the prediction.",
    )
    probability: AnswerPath | None = Field(
        default=None,
        description="Where the probability of the positive class is; roc_auc and log_loss need it. Where not given, that of a "
        "`serving.model` is taken.",
    )
    task: Literal["classification", "regression"] | None = Field(
        default=None, description="Found from the label where not given."
    )
    positive: Label | None = Field(
        default=None, description="The positive label of two; the greater where not given."
    )
    gates: Items[Gate] = Field(default=(), description="All must hold, or nothing is registered.")

    @model_validator(mode="after")
    def _gates_fit(self) -> Evaluation:
        complaints = list(unfit(self.gates, self.task))
        if complaints:
            raise refusal(complaints)
        return self


class Stress(Declaration):
    """The load that the first environment must bear."""

    requests: int = Field(default=2000, ge=1, le=10_000_000, description="How many requests in all.")
    concurrency: int = Field(default=32, ge=1, le=10_000, description="How many at once.")
    max_error_rate: Fraction = Field(
        default=0.0, description="Share that may fail; anything but a 2xx with a parsable body is a failure."
    )
    p50: PositiveDuration | None = Field(default=None, description="Median latency allowed.")
    p99: PositiveDuration | None = Field(default=None, description="99th percentile of latency allowed.")
    min_throughput: float | None = Field(
        default=None, gt=0, description="Requests a second that must be reached."
    )


class Tests(Declaration):
    """What the deployed package must pass in the first environment."""

    functional: RelativePath | None = Field(
        default=None, description="File of cases: a request and what is expected of the answer."
    )
    stress: Stress | None = Field(default=None, description="A load test.")


class Workload(Declaration):
    """One loopwright.yaml."""

    api_version: Literal["loopwright/v1"] = Field(
        alias="apiVersion", description="The version of this format."
    )
    workload: Name = Field(description="The workload's name.")
    owner: Text = Field(description="Who answers for it: a mail address or a team.")
    description: str = Field(default="", description="What it is for, in a sentence.")
    data: dict[Name, Data] = Field(min_length=1, max_length=1, description="The data set, by name.")
    variables: dict[VariableName, VariableValue] = Field(
        default={},
        description="What user code finds in its environment: training, tasks and serving. `secret:NAME` stands for a secret; "
        "commands may name the others as `{variables.NAME}`.",
    )
    variable_groups: dict[Name, VariableGroup] = Field(
        default={},
        description="Variables that come from files or from whoever calls `up`, by name of the group.",
    )
    training: Training = Field(description="How the model is made.")
    packaging: Packaging = Field(default=Packaging(), description="What is made of the model.")
    evaluation: Evaluation = Field(default=Evaluation(), description="How it is judged.")
    serving: Serving = Field(description="How it answers.")
    tests: Tests = Field(default=Tests(), description="What the deployed package must pass.")
    pipeline: Pipeline = Field(
        default=Pipeline(), description="Tasks of one's own beside the steps of the loop."
    )
    environments: dict[Name, Environment] = Field(
        min_length=1, description="In order of promotion; tests run in the first."
    )

    @model_validator(mode="after")
    def _own_names(self) -> Workload:
        taken = [
            Complaint(
                f"environments.{name}",
                f"the name {name}",
                "a name that no step of the loop has, such as dev or prod",
            )
            for name in self.environments
            if name in STEP_NAMES or name.startswith("approval-")
        ]
        if taken:
            raise refusal(taken)
        return self

    @model_validator(mode="after")
    def _first_is_reached(self) -> Workload:
        first = next(iter(self.environments))
        if self.environments[first].promotion == "manual":
            expected = "`automatic`, since no environment comes before the first one"
            raise refusal([Complaint(f"environments.{first}.promotion", "`manual`", expected)])
        return self

    @model_validator(mode="after")
    def _compiles_a_model(self) -> Workload:
        if self.packaging.compile == "required" and self.serving.model is None:
            expected = "`auto` or `never` beside `serving.entry`"
            hint = "Scripts are not compiled, only a `serving.model` is."
            raise refusal([Complaint("packaging.compile", "`required`", expected, hint)])
        return self

    @model_validator(mode="after")
    def _overrides_fit(self) -> Workload:
        found: list[Complaint] = []
        for name in self.environments:
            try:
                self.serving_in(name)
            except ValidationError as error:
                found += misfits(error, f"environments.{name}.serving")
        if found:
            raise refusal(found)
        return self

    @model_validator(mode="after")
    def _tasks_fit(self) -> Workload:
        complaints = list(tasks.unfit(self))
        if complaints:
            raise refusal(complaints)
        return self

    def serving_in(self, environment: str) -> Serving:
        """How the model answers in an environment: `serving`, with that environment's own values laid over it."""
        return overridden(self.serving, self.environments[environment].serving)
