"""An environment's own values of serving."""

from __future__ import annotations

import pytest

from loopwright.errors import SpecError
from loopwright.spec import Workload, load_text, warnings
from loopwright.spec.fields import named_fields, walk
from loopwright.spec.serving import Serving


def with_own(example: str, own: str, environment: str = "dev") -> str:
    old = f"  {environment}: {{engine: local"
    assert old in example
    return example.replace(old, f"{old}, serving: {{{own}}}")


def load_with(example: str, own: str) -> Workload:
    return load_text(with_own(example, own), "f.yaml")


def test_what_an_environment_does_not_state_is_as_in_serving(example: str) -> None:
    spec = load_with(example, "replicas: {min: 1}, limits: {timeout: 20s}, auth: none")
    dev, prod = spec.serving_in("dev"), spec.serving_in("prod")
    assert (dev.replicas.min, dev.replicas.max, dev.limits.timeout, dev.auth) == (1, 4, 20.0, "none")
    assert dev.limits.queue == spec.serving.limits.queue
    assert prod == spec.serving


def test_nothing_takes_a_limit_away_where_nothing_is_a_value(example: str) -> None:
    assert load_with(example, "resources: {memory: null}").serving_in("dev").resources.memory is None


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("replicas: {max: 1}", "environments.dev.serving.replicas.min: found at least 2 replicas, expected at most `max`, which is 1."),
        ("replicas: {mn: 1}", "environments.dev.serving.replicas.mn: found the unknown field `mn`"),
        ("limits: {timeout: 5x}", "environments.dev.serving.limits.timeout: found the text `5x`, expected a duration above 0"),
        ("limits: null", "environments.dev.serving.limits: found nothing, expected fields with values."),
        ("entry: other.py", "environments.dev.serving.entry: found the unknown field `entry`"),
        ("model: m.joblib", "environments.dev.serving.model: found the unknown field `model`"),
        ("files: ['*.py']", "found the unknown field `files`"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_told_where_it_stands(example: str, own: str, expected: str) -> None:
    text = with_own(example, own)
    line = next(number for number, line in enumerate(text.splitlines(), 1) if own in line)
    with pytest.raises(SpecError) as caught:
        load_text(text, "f.yaml")
    assert len(caught.value.problems) == 1
    told = str(caught.value.problems[0])
    assert told.startswith(f"f.yaml:{line}:")
    assert expected in told


def test_every_field_of_serving_can_be_an_environments_own() -> None:
    own = {place.path for place in walk(Workload) if place.path.startswith("environments.*.serving.")}
    all_ = {f"environments.*.serving.{place.path}" for place in walk(Serving)}
    of_the_package = ("entry", "model", "flavor", "files")
    assert all_ - own == {f"environments.*.serving.{name}" for name in of_the_package}
    assert all(info.description for info in named_fields(Serving).values())


@pytest.mark.parametrize(
    ("own", "found"),
    [
        ("limits: {queue_wait: 1m}", [("queue-wait", "environments.dev.serving.limits.queue_wait")]),
        ("limits: {queue: 0}", [("stress-capacity", "tests.stress.concurrency")]),
        ("auth: none", [("open-endpoint", "environments.dev.serving.auth")]),
        ("replicas: {min: 1}", []),
    ],
)
def test_traps_are_seen_in_an_environments_own_values(
    example: str, own: str, found: list[tuple[str, str]]
) -> None:
    assert [(warning.code, warning.path) for warning in warnings(load_with(example, own))] == found


def test_one_replica_in_the_last_environment_is_a_trap(example: str) -> None:
    spec = load_text(with_own(example, "replicas: {min: 1}", "prod"), "f.yaml")
    assert [warning.path for warning in warnings(spec)] == ["environments.prod.serving.replicas.min"]
