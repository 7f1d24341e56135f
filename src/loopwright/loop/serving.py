"""A revision: a package with its serving settings, as an environment runs it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from loopwright.engines.base import ReplicaSet
from loopwright.errors import StepFailed
from loopwright.loop.case import Case, Services
from loopwright.loop.change import digest
from loopwright.loop.variables import environment_variables, served
from loopwright.secrets.references import referred
from loopwright.spec.front import Observations
from loopwright.spec.models import Workload
from loopwright.spec.serving import Serving
from loopwright.state import replace_file
from loopwright.training import threads

START_TIMEOUT = 120.0  # seconds that a replica may take from start to ready
_SINCE_0_1: Mapping[str, Any] = {  # fields of `serving` that are newer, as what served before had them
    "replicas.scale_up_delay": None,
    "replicas.scale_down_delay": 60.0,
    "replicas.scale_to_zero_after": 300.0,
    "limits.bodies": 256 * 1024 * 1024,
    "batching": None,
    "fronts": 1,
    "grpc": False,
    "cors": (),
    "observations": Observations().model_dump(),
}
_GRACE_PERIOD = 10.0  # seconds that a replica may take to finish what it has begun


def revision_of(case: Case, environment: str) -> str:
    """The revision's digest: equal where the package and all that decides how it serves are equal."""
    if environment in case.revisions:
        return case.revisions[environment]
    return digest(revision_parts(case, environment))


def revision_parts(case: Case, environment: str) -> dict[str, Any]:
    """What a revision consists of; its digest names it."""
    return {
        "package": case.outputs["package"]["digest"],
        "serving": _settings_digested(case.spec.serving_in(environment)),
        "environment": environment,
    } | served(environment_variables(case.spec, case.change, environment), case.change)


def _settings_digested(serving: Serving) -> dict[str, Any]:
    """All that decides how it serves. What newer versions of Loopwright know is left out where it is as it always was:
    an upgrade must not make a new revision of what serves."""
    settings = serving.model_dump(exclude={"entry", "model", "flavor", "files", "auth"})
    for path, default in _SINCE_0_1.items():
        *above, name = path.split(".")
        part = settings[above[0]] if above else settings
        if part[name] == default:
            del part[name]
    return settings


def example_request(package: Mapping[str, Any]) -> dict[str, Any]:
    """The package's example row, its columns in the data's order: facts keep no order, and user code may need it."""
    example: dict[str, Any] = package["example"]["request"]
    return {
        column["name"]: example[column["name"]] for column in package["columns"] if column["name"] in example
    }


def replica_set_name(environment: str, workload: str, revision: str) -> str:
    """The engine's name for the replicas of a revision in an environment."""
    return f"{environment}--{workload}--{revision[:12]}"


def settings_of(
    case: Case,
    services: Services,
    environment: str,
    revision: str,
    serving: Serving,
    variables: Mapping[str, str],
) -> dict[str, Any]:
    """The content of serving.json; of its `variables` it names the secret ones, whose values are to be masked."""
    package = case.outputs["package"]
    version = case.outputs.get("register", {}).get("version")
    return {
        "workload": case.change.workload,
        "environment": environment,
        "revision": revision,
        "version": f"{case.change.workload}:{version}" if version else None,
        "package": str(services.store.tree(package["tree"])),
        **_answering(package, serving),
        "python": "" if package.get("compiled") else str(services.python(package["environment"])),
        "workers": serving.workers,
        "thread_safe": serving.thread_safe,
        "idempotent": serving.idempotent,
        "fronts": serving.fronts,
        "grpc": serving.grpc,
        "cors": serving.cors,
        "batching": _batching(serving),
        "inputs": package["columns"] if serving.validate_inputs else None,
        "limits": serving.limits.model_dump(),
        "threads": threads(serving.resources.cpu),
        "grace_period": _GRACE_PERIOD,
        "secrets": sorted(referred(variables)),
    }


def probability_in(spec: Workload, package: Mapping[str, Any]) -> str | None:
    """Where an answer has the probability: as declared, else where a model that gives one has it."""
    named = [output["name"] for output in package.get("outputs") or ()]
    return spec.evaluation.probability or ("probability" if "probability" in named else None)


def _observing(case: Case, services: Services, environment: str, revision: str) -> dict[str, Any]:
    """What the revision's replicas keep of requests, and where; raises StepFailed for a column that is misspelled and would
    be kept."""
    wanted, package = case.spec.serving_in(environment).observations, case.outputs["package"]
    names = [column["name"] for column in package["columns"]]
    unknown = [name for name in wanted.exclude if name not in names]
    if unknown:
        raise StepFailed(
            f"serving.observations.exclude names {', '.join(unknown)}, which the model does not take: its inputs are "
            f"{', '.join(names)}. Correct the name.",
            ["serving.observations.exclude"],
        )
    folder = services.state.observations / environment / case.change.workload / revision[:12]
    return {
        "folder": str(folder),
        "rate": wanted.rate,
        "exclude": wanted.exclude,
        "extra": wanted.extra,
        "keep": wanted.keep,
        "max_bytes": wanted.max_size,
        "prediction": case.spec.evaluation.prediction,
        "probability": probability_in(case.spec, package),
    }


def _batching(serving: Serving) -> dict[str, Any] | None:
    wanted = serving.batching
    return {"rows": wanted.rows, "wait": wanted.wait, "form": wanted.form or ""} if wanted else None


def _answering(package: Mapping[str, Any], serving: Serving) -> dict[str, Any]:
    """What answers in a package: a script, or a model with its outputs."""
    if not package.get("model"):
        return {"entry": serving.entry}
    return {
        "model": package["model"],
        "outputs": package["outputs"],
        "compiled": package.get("compiled", False),
    }


def replica_set(case: Case, services: Services, environment: str, released: bool = True) -> ReplicaSet:
    """Write serving.json for a revision and say which replicas are wanted of it: one at least until it is released."""
    serving = case.spec.serving_in(environment)
    revision = revision_of(case, environment)
    path = services.state.revisions / revision[:16] / "serving.json"
    variables = environment_variables(case.spec, case.change, environment)
    settings = settings_of(case, services, environment, revision, serving, variables)
    settings["observations"] = _observing(case, services, environment, revision)
    replace_file(path, json.dumps(settings, indent=2).encode(), durable=True)
    return ReplicaSet(
        name=replica_set_name(environment, case.change.workload, revision),
        workload=case.change.workload,
        environment=environment,
        revision=revision,
        settings=str(path),
        minimum=serving.replicas.min if released else max(1, serving.replicas.min),
        maximum=serving.replicas.max,
        target_utilization=serving.replicas.target_utilization,
        scale_interval=serving.replicas.scale_interval,
        scale_up_delay=serving.replicas.patience_up,
        scale_down_delay=serving.replicas.scale_down_delay,
        scale_to_zero_after=serving.replicas.scale_to_zero_after,
        concurrency=serving.limits.concurrency,
        queue=serving.limits.queue,
        max_body=int(serving.limits.max_body),
        start_timeout=START_TIMEOUT,
        memory=serving.resources.memory,
        variables=variables,
    )
