"""The text is what Prometheus reads, whatever the labels hold."""

from __future__ import annotations

import io
import os
import re

from hypothesis import given
from hypothesis import strategies as st

from loopwright.scoring.logs import Log
from loopwright.scoring.metrics import Counter, Histogram, render
from loopwright.scoring.settings import Settings
from loopwright.scoring.telemetry import Telemetry

_LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
_SAMPLE = re.compile(rf"([a-zA-Z_:][a-zA-Z0-9_:]*)\{{((?:{_LABEL}(?:,{_LABEL})*)?)\}} (\S+)")
_COMMENT = re.compile(r"# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)")
_KINDS = {"counter", "gauge", "histogram"}


def _parse(text: str) -> dict[str, dict[str, float]]:
    """By the rules of the text format 0.0.4: comments, then samples of the announced family only."""
    assert text.endswith("\n")
    series: dict[str, dict[str, float]] = {}
    family, announced = "", []
    for line in text.removesuffix("\n").split("\n"):
        if comment := _COMMENT.fullmatch(line):
            kind, family, rest = comment.groups()
            announced.append((kind, family))
            assert kind == "HELP" or rest in _KINDS
            continue
        sample = _SAMPLE.fullmatch(line)
        assert sample, line
        name, labels, value = sample.groups()
        assert re.fullmatch(f"{family}(_bucket|_sum|_count)?", name)
        assert labels not in series.setdefault(name, {}), f"twice: {line}"
        series[name][labels] = float(value.replace("+Inf", "inf"))
    assert len(set(announced)) == len(announced)
    return series


def test_counter_counts_by_label() -> None:
    counter = Counter("a_total", "What it is.", "code")
    counter.add("200")
    counter.add("200")
    counter.add("500", 3)
    assert _parse(render([counter], {"w": "x"}).decode()) == {
        "a_total": {'w="x",code="200"': 2, 'w="x",code="500"': 3}
    }


def test_an_unlabelled_counter_begins_at_zero() -> None:
    assert _parse(render([Counter("a_total", "What.")], {}).decode()) == {"a_total": {"": 0}}


def test_histogram_buckets_are_cumulative_and_inclusive() -> None:
    histogram = Histogram("s", "Seconds.", (0.1, 1.0))
    for value in (0.1, 0.5, 0.5, 7.25):
        histogram.observe(value)
    series = _parse(render([histogram], {}).decode())
    assert series["s_bucket"] == {'le="0.1"': 1, 'le="1"': 3, 'le="+Inf"': 4}
    assert series["s_sum"] == {"": 8.35}
    assert series["s_count"] == {"": 4}


@given(st.text())
def test_any_label_and_help_is_escaped(text: str) -> None:
    lines = render([Counter("a_total", text)], {"w": text}).decode().split("\n")
    assert len(lines) == 4
    assert _SAMPLE.fullmatch(lines[2])
    labels = lines[2][len('a_total{w="') : -len('"} 0')]
    unescaped = re.sub(r"\\(.)", lambda match: {"n": "\n"}.get(match[1], match[1]), labels)
    assert unescaped == text


def test_a_replica_names_all_that_it_promises() -> None:
    settings = Settings(
        workload='a"b', environment="dev", revision="r\\1", package="/p", entry="s.py", python="/py"
    )
    telemetry = Telemetry(settings, Log(io.StringIO()))
    telemetry.requests.add("200")
    series = _parse(telemetry.render(queued=3, in_flight=2, pids={"worker-0": os.getpid()}).decode())
    assert set(series) >= {
        "loopwright_requests_total", "loopwright_request_seconds_bucket", "loopwright_queue_length",
        "loopwright_queue_wait_seconds_bucket", "loopwright_in_flight", "loopwright_worker_restarts_total",
        "loopwright_init_seconds", "process_resident_memory_bytes", "process_cpu_seconds_total",
    }  # fmt: skip
    common = 'workload="a\\"b",environment="dev",revision="r\\\\1"'
    assert series["loopwright_queue_length"] == {common: 3}
    assert series["loopwright_in_flight"] == {common: 2}
    assert series["process_resident_memory_bytes"][f'{common},process="worker-0"'] > 1e6


def test_nonfinite_numbers_are_counted_and_logged_once() -> None:
    stream = io.StringIO()
    settings = Settings(workload="w", environment="e", revision="r", package="/p", entry="s.py", python="/py")
    telemetry = Telemetry(settings, Log(stream))
    telemetry.count_nonfinite(2)
    telemetry.count_nonfinite(1)
    assert stream.getvalue().count("nonfinite-answer") == 1
    assert "loopwright_nonfinite_numbers_total" in telemetry.render(0, 0, {}).decode()
    assert [value for _, _, value in telemetry.nonfinite.samples()] == [3]
