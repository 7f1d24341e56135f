"""How this machine keeps to each field of a spec: exactly, nearly so, or not at all. Pure; shown by `plan`.

A field of what an engine runs must stand in `EXACT` or have a judge in `JUDGES`: a test sees to it, so that no new field
is silently ignored. A refused field ends `plan` and `up` before anything runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import structs

from loopwright.engines.base import Capability, Machine
from loopwright.spec.models import Workload
from loopwright.spec.units import show_bytes, show_cores

__all__ = ["EXACT", "JUDGES", "capabilities"]

Judge = Callable[[Workload, Machine], Iterator[Capability]]

EXACT = (
    *(
        "training.dependencies.requirements",
        "training.dependencies.pyproject",
        "training.dependencies.extras",
    ),
    *("training.dependencies.python", "training.compute.max_duration"),
    *("serving.workers", "serving.thread_safe", "serving.validate_inputs", "serving.idempotent"),
    *("serving.auth", "serving.grpc", "serving.cors", "packaging.compile"),
    *("serving.batching.rows", "serving.batching.wait", "serving.batching.form"),
    *("serving.observations.rate", "serving.observations.exclude", "serving.observations.extra"),
    *("serving.observations.keep", "serving.observations.max_size"),
    *("serving.limits.concurrency", "serving.limits.queue", "serving.limits.queue_wait"),
    *("serving.limits.timeout", "serving.limits.max_body", "serving.limits.bodies"),
    *("serving.replicas.min", "serving.replicas.target_utilization", "serving.replicas.scale_interval"),
    *("serving.replicas.scale_up_delay", "serving.replicas.scale_down_delay"),
    "serving.replicas.scale_to_zero_after",
)
"""Kept to the letter, whatever their value and whatever the machine."""


def capabilities(spec: Workload, machine: Machine) -> tuple[Capability, ...]:
    """What the local engine makes of a spec's fields on this machine, refused ones first."""
    judged = [found for judge in JUDGES.values() for found in judge(spec, machine)]
    judged += [*_of_environments(spec, machine), *_of_tasks(spec, machine)]
    exact = [Capability(field=field, verdict="exact") for field in EXACT]
    order = ("refused", "approximate", "exact")
    return tuple(sorted([*judged, *exact], key=lambda found: order.index(found.verdict)))


def _of_environments(spec: Workload, machine: Machine) -> Iterator[Capability]:
    """Where an environment has serving settings of its own, and a verdict differs by that."""
    for name, environment in spec.environments.items():
        if environment.serving is None:
            continue
        there = spec.model_copy(update={"serving": spec.serving_in(name)})
        for field in (field for field in JUDGES if field.startswith("serving.")):
            known = list(JUDGES[field](spec, machine))
            for found in JUDGES[field](there, machine):
                if found not in known:
                    yield structs.replace(found, field=f"environments.{name}.{found.field}")


def _of_tasks(spec: Workload, machine: Machine) -> Iterator[Capability]:
    for name, task in spec.pipeline.tasks.items():
        at = f"pipeline.tasks.{name}"
        if "cpu" in task.model_fields_set:
            yield _cores(f"{at}.cpu", task.cpu, machine)
        yield from _memory(f"{at}.memory", task.memory, "ten times a second", machine)


def _conda(spec: Workload, machine: Machine) -> Iterator[Capability]:
    del machine
    if spec.training.dependencies.conda is not None:
        yield Capability(
            field="training.dependencies.conda",
            verdict="approximate",
            value="packages from PyPI",
            sentence="Its pip part, and conda packages that PyPI has under a name that is known; others are refused by name.",
        )


def _nodes(spec: Workload, machine: Machine) -> Iterator[Capability]:
    del machine
    nodes, field = spec.training.compute.nodes, "training.compute.nodes"
    if nodes == 1:
        yield Capability(field=field, verdict="exact")
    else:
        yield Capability(
            field=field,
            verdict="approximate",
            value=f"{nodes} processes on this machine",
            sentence="Each is a node of one process, with a local rank of 0; they share the machine's cores and memory.",
        )


def _gpus(spec: Workload, machine: Machine) -> Iterator[Capability]:
    compute, field = spec.training.compute, "training.compute.gpu"
    wanted = compute.gpu * compute.nodes
    if wanted == 0:
        yield Capability(field=field, verdict="exact")
    elif wanted > machine.gpus:
        has = f"{machine.gpus} GPU{'s' if machine.gpus > 1 else ''}" if machine.gpus else "no GPU"
        each = f" for each of {compute.nodes} nodes, {wanted} in all" if compute.nodes > 1 else ""
        yield Capability(
            field=field,
            verdict="refused",
            value=f"what this machine has: {has}",
            sentence=f"The spec asks for {compute.gpu}{each}. Ask for fewer, or run it on a machine that has them.",
        )
    else:
        yield Capability(
            field=field,
            verdict="approximate",
            value=f"{wanted} of this machine's {machine.gpus}",
            sentence="The first ones, by CUDA_VISIBLE_DEVICES; they are not kept from other jobs.",
        )


def _shared_memory(spec: Workload, machine: Machine) -> Iterator[Capability]:
    wanted, field = spec.training.compute.shared_memory, "training.compute.shared_memory"
    if wanted is None:
        return
    if wanted > machine.shared_memory:
        yield Capability(
            field=field,
            verdict="refused",
            value=f"at most what this machine has in /dev/shm: {show_bytes(machine.shared_memory)}",
            sentence="Ask for less, or enlarge it: mount -o remount,size=SIZE /dev/shm.",
        )
    else:
        yield Capability(
            field=field,
            verdict="approximate",
            value=f"this machine's {show_bytes(machine.shared_memory)}",
            sentence="All jobs share it; none of it is set aside.",
        )


def _cores(field: str, cores: float, machine: Machine) -> Capability:
    threads = max(1, -(-round(cores * 1000) // 1000))
    more = f" This machine has {machine.cores}." if cores > machine.cores else ""
    return Capability(
        field=field,
        verdict="approximate",
        value=f"{threads} thread{'s' if threads > 1 else ''}",
        sentence=f"Sets the thread counts of numerical libraries; it is no quota, and a script may use more.{more}",
    )


def _memory(field: str, memory: int | None, looks: str, machine: Machine) -> Iterator[Capability]:
    if memory is None:
        return
    more = (
        f" This machine has {show_bytes(machine.memory)}, so it is never reached."
        if memory > machine.memory
        else ""
    )
    yield Capability(
        field=field,
        verdict="approximate",
        value=show_bytes(memory),
        sentence=f"Looked at {looks}: more may be in use for that long.{more}",
    )


def _training_cpu(spec: Workload, machine: Machine) -> Iterator[Capability]:
    yield _cores("training.compute.cpu", spec.training.compute.cpu, machine)


def _training_memory(spec: Workload, machine: Machine) -> Iterator[Capability]:
    compute = spec.training.compute
    memory = compute.memory * compute.nodes if compute.memory is not None else None
    yield from _memory("training.compute.memory", memory, "ten times a second", machine)


def _replica_cpu(spec: Workload, machine: Machine) -> Iterator[Capability]:
    yield _cores("serving.resources.cpu", spec.serving.resources.cpu, machine)


def _replica_memory(spec: Workload, machine: Machine) -> Iterator[Capability]:
    yield from _memory(
        "serving.resources.memory", spec.serving.resources.memory, "every two seconds", machine
    )


def _most_replicas(spec: Workload, machine: Machine) -> Iterator[Capability]:
    """More replicas than cores run, but share the cores: scaling beyond them adds queues and no speed."""
    most, cpu, field = spec.serving.replicas.max, spec.serving.resources.cpu, "serving.replicas.max"
    needed = most * max(cpu, 0.001)
    if needed <= machine.cores:
        yield Capability(field=field, verdict="exact")
    else:
        yield Capability(
            field=field,
            verdict="approximate",
            value=f"{most} replicas on {machine.cores} cores",
            sentence=f"{most} replicas of cpu {show_cores(cpu)} would need {show_cores(needed)}; they share this machine's {machine.cores}.",
        )


def _fronts(spec: Workload, machine: Machine) -> Iterator[Capability]:
    """A front is worth a core; where it has none of its own it only takes time from the others."""
    fronts, least, field = spec.serving.fronts, max(1, spec.serving.replicas.min), "serving.fronts"
    if fronts == 1 or fronts * least <= machine.cores:
        yield Capability(field=field, verdict="exact")
    else:
        yield Capability(
            field=field,
            verdict="approximate",
            value=f"{fronts * least} processes on {machine.cores} cores",
            sentence=f"{least} replicas of {fronts} fronts share this machine's cores, and are no faster for it.",
        )


def _stress(spec: Workload, machine: Machine) -> Iterator[Capability]:
    del machine
    if spec.tests.stress is not None:
        yield Capability(
            field="tests.stress",
            verdict="approximate",
            value="on this machine",
            sentence="The load comes from the machine that serves: latencies are longer than clients elsewhere see.",
        )


JUDGES: dict[str, Judge] = {
    "training.dependencies.conda": _conda,
    "training.compute.nodes": _nodes,
    "training.compute.cpu": _training_cpu,
    "training.compute.gpu": _gpus,
    "training.compute.shared_memory": _shared_memory,
    "training.compute.memory": _training_memory,
    "serving.fronts": _fronts,
    "serving.replicas.max": _most_replicas,
    "serving.resources.cpu": _replica_cpu,
    "serving.resources.memory": _replica_memory,
    "tests.stress": _stress,
}
"""Fields whose verdict depends on their value or on the machine."""
