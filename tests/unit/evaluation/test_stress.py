import pytest

from loopwright.evaluation.load import Load, LoadResult
from loopwright.evaluation.stress import Thresholds, broken, reasons


def result(failures=0, latencies=(0.010,) * 100, duration=1.0):
    kinds = {"status 500": failures} if failures else {}
    return LoadResult(len(latencies), kinds, dict.fromkeys(kinds, "it broke"), latencies, duration)


def test_a_clean_load_passes():
    assert reasons(result(), Thresholds(100, p50=0.02, p99=0.02, min_throughput=100.0)) == []


def test_one_failure_is_too_much_where_none_is_allowed():
    assert reasons(result(failures=1), Thresholds(100)) == [
        "1 of 100 requests failed (1% > 0%): status 500: 1, such as: it broke"
    ]


@pytest.mark.parametrize(("failures", "passes"), [(2, True), (3, False)])
def test_an_allowed_error_rate(failures, passes):
    assert (reasons(result(failures=failures), Thresholds(100, max_error_rate=0.02)) == []) is passes


def test_percentiles_count_every_request():
    slow = result(latencies=(0.010,) * 97 + (0.5,) * 3)
    assert slow.latency() == {"p50": 0.010, "p90": 0.010, "p99": 0.5, "max": 0.5}
    assert reasons(slow, Thresholds(100, p50=0.02, p99=0.25)) == ["p99 500.0 ms > 250 ms"]


def test_throughput_counts_successes_alone():
    told = reasons(
        result(failures=50, duration=0.5), Thresholds(100, max_error_rate=1.0, min_throughput=150.0)
    )
    assert told == ["throughput 100.0/s < 150/s"]


def test_what_does_not_hold_is_named_as_in_the_spec():
    slow = result(failures=1, latencies=(0.5,) * 100, duration=50.0)
    asked = Thresholds(200, p50=0.6, p99=0.25, min_throughput=3.0)
    assert list(broken(slow, asked)) == ["requests", "max_error_rate", "p99", "min_throughput"]


def test_requests_that_were_never_sent_fail_the_test():
    told = reasons(result(duration=900.0), Thresholds(2000))
    assert told == ["only 100 of 2000 requests could be sent in 900 s"]


def test_nothing_sent_shows_nothing():
    assert result(latencies=()).error_rate == 1.0
    assert len(reasons(result(latencies=()), Thresholds(10))) == 2


@pytest.mark.parametrize("broken", [{"bodies": []}, {"concurrency": 0}, {"requests": None}])
def test_a_load_without_an_end_or_a_start_is_refused(broken):
    with pytest.raises(ValueError, match="a load needs"):
        Load(**{"url": "http://x", "bodies": [b"1"], "concurrency": 1, "requests": 1} | broken)
