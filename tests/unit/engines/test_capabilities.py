"""What the local engine can do exactly, nearly, or not: no field of a spec is silently ignored."""

from __future__ import annotations

import pytest

from loopwright.engines.base import Capability, Machine
from loopwright.engines.local.capabilities import EXACT, JUDGES, capabilities
from loopwright.engines.local.machine import this_machine
from loopwright.spec import Workload, load_text
from loopwright.spec.fields import walk

GIB = 1024**3
SMALL = Machine(cores=2, memory=4 * GIB)
BIG = Machine(cores=64, memory=512 * GIB)
SPEC = """
apiVersion: loopwright/v1
workload: toy
owner: ada@example.com
data: {{rows: {{source: rows.csv, label: y}}}}
training: {{command: "python t.py {{data.rows.train}} {{outputs}}", dependencies: {{requirements: r.txt}}, compute: {{{compute}}}}}
serving: {{entry: score.py, replicas: {{min: 2, max: {most}}}, resources: {{{resources}}}}}
tests: {{stress: {{requests: 1000}}}}
environments: {{prod: {{}}}}
"""


def spec(compute: str = "", most: int = 2, resources: str = "") -> Workload:
    return load_text(SPEC.format(compute=compute, most=most, resources=resources))


def found(workload: Workload, machine: Machine) -> dict[str, Capability]:
    return {capability.field: capability for capability in capabilities(workload, machine)}


def test_every_field_of_what_the_engine_runs_has_a_verdict() -> None:
    parts = ("training.compute.", "training.dependencies.", "packaging.", "serving.")
    elsewhere = (
        "serving.entry",
        "serving.model",
        "serving.flavor",
        "serving.files",
    )  # which files: no engine's business
    for place in walk(Workload):
        if place.path.startswith(parts) and place.below is None and place.path not in elsewhere:
            assert place.path in {*EXACT, *JUDGES}, (
                f"say in local/capabilities.py what becomes of {place.path}"
            )


def test_cores_are_threads_and_no_quota() -> None:
    verdict = found(spec("cpu: 1500m"), BIG)["training.compute.cpu"]
    assert (verdict.verdict, verdict.value) == ("approximate", "2 threads")
    assert "no quota" in verdict.sentence


@pytest.mark.parametrize(("machine", "told"), [(SMALL, True), (BIG, False)])
def test_more_cores_than_there_are_is_told(machine: Machine, told: bool) -> None:
    assert ("has 2" in found(spec("cpu: 8"), machine)["training.compute.cpu"].sentence) is told


def test_a_memory_limit_that_is_not_declared_needs_no_verdict() -> None:
    assert "training.compute.memory" not in found(spec(), SMALL)
    assert found(spec("memory: 1Gi"), SMALL)["training.compute.memory"].value == "1Gi"
    assert "never reached" in found(spec(resources="memory: 8Gi"), SMALL)["serving.resources.memory"].sentence


def test_more_replicas_than_cores_share_them() -> None:
    assert found(spec(most=4), BIG)["serving.replicas.max"].verdict == "exact"
    assert found(spec(most=4, resources="cpu: 500m"), SMALL)["serving.replicas.max"].verdict == "exact"
    assert "would need 4" in found(spec(most=4), SMALL)["serving.replicas.max"].sentence


@pytest.mark.parametrize(
    ("fronts", "machine", "verdict"), [(1, SMALL, "exact"), (2, BIG, "exact"), (2, SMALL, "approximate")]
)
def test_fronts_beyond_the_cores_share_them(fronts: int, machine: Machine, verdict: str) -> None:
    declared = spec()
    serving = declared.serving.model_copy(update={"fronts": fronts})
    verdicts = found(declared.model_copy(update={"serving": serving}), machine)
    assert verdicts["serving.fronts"].verdict == verdict


def test_what_is_refused_comes_first() -> None:
    first = capabilities(spec("gpu: 2, nodes: 3"), BIG)[0]
    assert (first.field, first.verdict) == ("training.compute.gpu", "refused")
    assert "no GPU" in first.value
    assert "2 for each of 3 nodes, 6 in all" in first.sentence


def test_gpus_that_are_there_are_shared_out() -> None:
    with_gpus = Machine(cores=8, memory=GIB, gpus=4)
    assert found(spec("gpu: 2, nodes: 2"), with_gpus)["training.compute.gpu"].value == "4 of this machine's 4"
    assert found(spec(), with_gpus)["training.compute.gpu"].verdict == "exact"


@pytest.mark.parametrize(("there", "verdict"), [(GIB, "refused"), (4 * GIB, "approximate")])
def test_shared_memory_must_be_there(there: int, verdict: str) -> None:
    judged = found(spec("shared_memory: 2Gi"), Machine(cores=1, memory=GIB, shared_memory=there))
    assert judged["training.compute.shared_memory"].verdict == verdict
    assert ("1Gi" in judged["training.compute.shared_memory"].value) is (verdict == "refused")


def test_the_memory_of_all_nodes_is_counted_together() -> None:
    assert found(spec("memory: 1Gi, nodes: 3"), SMALL)["training.compute.memory"].value == "3Gi"


def test_this_machine_has_something() -> None:
    machine = this_machine()
    assert machine.cores >= 1
    assert machine.memory > 2**28


def test_an_environment_s_own_settings_have_verdicts_of_their_own() -> None:
    text = SPEC.format(compute="", most=2, resources="").replace(
        "prod: {}", "dev: {}, prod: {serving: {resources: {memory: 8Gi}, replicas: {max: 9}}}"
    )
    judged = found(load_text(text), SMALL)
    assert "never reached" in judged["environments.prod.serving.resources.memory"].sentence
    assert judged["environments.prod.serving.replicas.max"].verdict == "approximate"
    assert "environments.prod.serving.resources.cpu" not in judged  # as everywhere


def test_tasks_have_limits_too() -> None:
    text = SPEC.format(compute="", most=2, resources="")
    tasks = (
        "pipeline: {tasks: {lint: {command: make lint, cpu: 2, memory: 1Gi}, look: {command: make look}}}\n"
    )
    judged = found(load_text(text + tasks), SMALL)
    assert judged["pipeline.tasks.lint.cpu"].value == "2 threads"
    assert judged["pipeline.tasks.lint.memory"].value == "1Gi"
    assert not any(field.startswith("pipeline.tasks.look") for field in judged)
