import json

import pytest

from loopwright.errors import StepFailed
from loopwright.evaluation.stress_job import work


def given(endpoint, path, **changes):
    asked = {
        "requests": 20,
        "concurrency": 4,
        "timeout": 5.0,
        "max_error_rate": 0.0,
        "p50": None,
        "p99": 5.0,
        "min_throughput": None,
    }
    return {"url": endpoint.url + path, "key": "secret", "bodies": [{"age": 1}, {"age": 2}]} | asked | changes


def test_a_good_endpoint_passes(endpoint, tmp_path):
    output = work(given(endpoint, "/ok"), tmp_path)
    assert (output["passed"], output["reasons"], output["requests"], output["failures"]) == (True, [], 20, 0)
    assert set(output["latency"]) == {"p50", "p90", "p99", "max"}
    assert json.loads((tmp_path / "stress.json").read_text()) == output
    assert endpoint.headers[0]["authorization"] == "Bearer secret"
    assert {json.loads(body)["age"] for body in endpoint.bodies} == {1, 2}


@pytest.mark.parametrize("path", ["/broken", "/html", "/cut", "/nothing", "/empty"])
def test_failures_fail_it(endpoint, tmp_path, path):
    output = work(given(endpoint, path), tmp_path)
    assert not output["passed"]
    assert output["failures"] == 20
    assert output["reasons"][0].startswith("20 of 20 requests failed (100% > 0%)")


def test_without_a_key_none_is_sent(endpoint, tmp_path):
    output = work(given(endpoint, "/echo", key=None), tmp_path)
    assert output["failures_by_kind"] == {"status 401": 20}


def test_a_slow_endpoint_fails_by_its_threshold(endpoint, tmp_path):
    output = work(given(endpoint, "/ok", p99=0.0001), tmp_path)
    assert not output["passed"]
    assert output["reasons"][0].startswith("p99 ")


def test_rows_of_a_data_file_are_sent(endpoint, tmp_path):
    (tmp_path / "test.csv").write_text("age,survived\n1,0\n,1\n3,1\n")
    data = {
        "data": str(tmp_path / "test.csv"),
        "columns": [{"name": "age", "type": "integer"}],
        "most_bodies": 2,
    }
    changed = given(endpoint, "/ok") | data
    del changed["bodies"]
    assert work(changed, tmp_path)["passed"]
    assert set(endpoint.bodies) == {b'{"age": 1}', b'{"age": null}'}


def test_nothing_to_send_is_said(endpoint, tmp_path):
    with pytest.raises(StepFailed, match="no row to send"):
        work(given(endpoint, "/ok", bodies=[]), tmp_path)
