import json

import pytest

from loopwright.errors import StepFailed
from loopwright.evaluation.functional_job import work
from loopwright.spec.cases import CasesFile


def given(endpoint, path, *cases, key="secret"):
    read = CasesFile.model_validate(
        {"cases": [{"name": f"case {n}", "request": {"age": n}} | case for n, case in enumerate(cases)]}
    )
    dumped = read.model_dump(mode="json", by_alias=True)["cases"]
    return {"url": endpoint.url + path, "key": key, "cases": dumped, "file": "tests/functional.yaml"}


def test_good_answers_pass(endpoint, tmp_path):
    output = work(
        given(endpoint, "/ok", {"expect": {"values": {"prediction": 1}}}, {"expect": {"max_time": "5s"}}),
        tmp_path,
    )
    assert output["passed"]
    assert [case["name"] for case in output["cases"]] == ["case 0", "case 1"]
    assert all(case["milliseconds"] >= 2 for case in output["cases"])
    assert json.loads((tmp_path / "functional.json").read_text()) == output
    assert endpoint.bodies == [b'{"age": 0}', b'{"age": 1}']


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/broken", 'status 500, expected 200: {"prediction": 1, "probability": 0.7}'),
        ("/moved", "status 302, expected 200"),
        ("/html", "the body is not JSON"),
        ("/empty", "the body is not JSON"),
        ("/cut", "no whole answer: RemoteProtocolError"),
        ("/nothing", "no whole answer: RemoteProtocolError"),
    ],
)
def test_anything_else_fails_also_a_case_that_looks_at_nothing(endpoint, tmp_path, path, reason):
    output = work(given(endpoint, path, {}), tmp_path)
    assert not output["passed"]
    assert output["cases"][0]["reasons"][0].startswith(reason)


def test_an_answer_that_never_comes(endpoint, tmp_path, monkeypatch):
    monkeypatch.setattr("loopwright.evaluation.functional_job._WITHIN", 0.2)
    output = work(given(endpoint, "/hang", {}), tmp_path)
    assert output["cases"][0]["reasons"] == ["no whole answer within 0.2 s"]


def test_the_key_is_sent_unless_the_case_says_not(endpoint, tmp_path):
    output = work(given(endpoint, "/echo", {}, {"authenticated": False, "expect": {"status": 401}}), tmp_path)
    assert output["passed"]
    assert "authorization" not in endpoint.headers[1]


def test_a_missing_check_of_the_key_is_found(endpoint, tmp_path):
    output = work(given(endpoint, "/ok", {"authenticated": False, "expect": {"status": 401}}), tmp_path)
    assert output["cases"][0]["reasons"][0].startswith("status 200, expected 401")


def test_a_body_can_be_any_text(endpoint, tmp_path):
    asked = given(endpoint, "/ok", {})
    asked["cases"][0] |= {"request_text": "{not json", "content_type": "text/plain"}
    del asked["cases"][0]["request"]
    work(asked, tmp_path)
    assert endpoint.bodies == [b"{not json"]
    assert endpoint.headers[0]["content-type"] == "text/plain"


def test_no_cases_are_no_test(tmp_path):
    with pytest.raises(StepFailed, match=r"tests/functional.yaml has no cases"):
        work({"url": "http://x", "key": None, "cases": [], "file": "tests/functional.yaml"}, tmp_path)


def test_proxies_of_the_environment_are_not_used(endpoint, tmp_path, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert work(given(endpoint, "/ok", {}), tmp_path)["passed"]


def test_a_schema_is_never_fetched_from_elsewhere(endpoint, tmp_path):
    asked = given(endpoint, "/ok", {"expect": {"schema": {"$ref": f"{endpoint.url}/ok"}}})
    assert not work(asked, tmp_path)["passed"]
    assert len(endpoint.headers) == 1  # the case itself
