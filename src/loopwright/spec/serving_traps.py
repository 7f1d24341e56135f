"""Known traps of serving: for the workload, and for an environment with values of its own."""

from __future__ import annotations

import re

from loopwright.spec.complaints import listed, quoted
from loopwright.spec.gate_traps import Found
from loopwright.spec.models import Workload
from loopwright.spec.serving import Serving
from loopwright.spec.units import show_duration


def _stated(spec: Workload, part: str) -> dict[str, Serving]:
    """Where a part of serving is stated, each place once, with what then holds; later environments have the last word."""
    found = {}
    for name, environment in spec.environments.items():
        own = environment.serving is not None and part in environment.serving.model_fields_set
        found[f"environments.{name}.serving.{part}" if own else f"serving.{part}"] = spec.serving_in(name)
    return found


def long_queue_wait(spec: Workload) -> Found:
    """Clients have left when it is their turn."""
    for path, serving in _stated(spec, "limits").items():
        limits = serving.limits
        if limits.queue_wait > limits.timeout:
            yield (
                f"{path}.queue_wait",
                f"A request may wait {show_duration(limits.queue_wait)}, longer than the {show_duration(limits.timeout)} that its "
                "answer may take, so clients give up first. Set it below `timeout`.",
            )


_WRITTEN = re.compile(r"\{outputs\}/([^\s'\"]+)")


def model_not_written(spec: Workload) -> Found:
    """The training command says where in `{outputs}` it writes, and the model is not there."""
    model, written = spec.serving.model, _WRITTEN.findall(spec.training.command)
    inside = any(f"{name}/".startswith(f"{model}/") or f"{model}/".startswith(f"{name}/") for name in written)
    if model in (None, ".") or not written or inside:
        return
    yield (
        "serving.model",
        f"The training command writes {listed(written, 'and')} into its outputs, and not {quoted(str(model))}. "
        f"Did you mean `{written[0]}`?",
    )


def idle_workers(spec: Workload) -> Found:
    """Settings of workers that a compiled model does not have."""
    if spec.packaging.compile != "required":
        return
    for part in ("workers", "thread_safe"):
        for path in _stated(spec, part):
            stated = path != f"serving.{part}" or part in spec.serving.model_fields_set
            if stated:
                yield (
                    path,
                    "A compiled model runs in the front, without workers, so this has no effect. Leave it out.",
                )


def beyond_capacity(spec: Workload) -> Found:
    """The stress test runs in the first environment."""
    serving = spec.serving_in(next(iter(spec.environments)))
    stress, replicas, limits = spec.tests.stress, serving.replicas, serving.limits
    least = max(1, replicas.min)  # from zero it goes to one
    room = least * (limits.concurrency + limits.queue)
    if stress is not None and stress.concurrency > room:
        yield (
            "tests.stress.concurrency",
            f"{stress.concurrency} requests at once are more than the {room} that {least} replicas work on or queue, "
            "so some get 503. Raise `serving.limits` or `replicas.min`, or lower it.",
        )


def one_replica(spec: Workload) -> Found:
    """One replica of its own is a choice before the last environment, where nobody's customers wait."""
    last = list(spec.environments)[-1]
    for path, serving in _stated(spec, "replicas").items():
        if serving.replicas.min == 1 and path in (
            "serving.replicas",
            f"environments.{last}.serving.replicas",
        ):
            yield f"{path}.min", "With one replica, requests fail when it dies. Set it to 2."


def never_at_zero(spec: Workload) -> Found:
    """A time that has no effect."""
    for path, serving in _stated(spec, "replicas").items():
        replicas = serving.replicas
        above = path == "serving.replicas" and any(
            spec.serving_in(name).replicas.min == 0 for name in spec.environments
        )
        if replicas.min > 0 and "scale_to_zero_after" in replicas.model_fields_set and not above:
            yield (
                f"{path}.scale_to_zero_after",
                f"There are never fewer than {replicas.min} replicas, so this has no effect. Set `min: 0`, or leave it out.",
            )


def grpc_wakes_nobody(spec: Workload) -> Found:
    """What holds requests for a sleeping endpoint speaks HTTP alone."""
    for path, serving in _stated(spec, "grpc").items():
        if serving.grpc and serving.replicas.min == 0:
            yield (
                path,
                "A gRPC call does not wake an endpoint whose replicas have gone to none: it is UNAVAILABLE until an HTTP "
                "request has. Set `replicas.min: 1`.",
            )


def open_to_all(spec: Workload) -> Found:
    """No key."""
    for path, serving in _stated(spec, "auth").items():
        if serving.auth == "none":
            yield path, "Whoever reaches the endpoint may call it. Set `auth: key`."
