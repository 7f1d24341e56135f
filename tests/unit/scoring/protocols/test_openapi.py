"""The description of a replica's paths."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest

from loopwright.scoring.protocols import docs_page, openapi, swagger
from loopwright.scoring.settings import Settings

EXAMPLE = {"request": {"age": 1, "port": None}, "response": {"prediction": 1}}


def settings(**more: Any) -> Settings:
    inputs = [{"name": "age", "type": "integer"}, {"name": "port", "type": "string", "nullable": True}]
    told = {
        "workload": "titanic", "environment": "prod", "revision": "r1", "version": "titanic:3", "package": "/p",
        "entry": "score.py", "python": "/python", "inputs": inputs,
    }  # fmt: skip
    import msgspec

    return msgspec.convert(told | more, Settings)


def test_the_example_is_there_and_fits_the_schema() -> None:
    document = openapi.render(settings(), EXAMPLE, "/prod/titanic", keyed=True)
    body = document["paths"]["/score"]["post"]["requestBody"]["content"]["application/json"]
    assert body["example"] == EXAMPLE["request"]
    jsonschema.Draft202012Validator(body["schema"] | {"components": document["components"]}).validate(
        body["example"]
    )
    assert document["servers"] == [{"url": "/prod/titanic"}]
    assert document["security"] == [{"key": []}, {"key_header": []}]


def test_every_reference_leads_somewhere() -> None:
    text = json.dumps(openapi.render(settings(), None))
    schemas = openapi.render(settings(), None)["components"]["schemas"]
    assert set(re.findall(r"#/components/schemas/(\w+)", text)) <= set(schemas)


def test_a_script_without_a_signature_has_score_alone() -> None:
    paths = openapi.render(settings(inputs=None), None)["paths"]
    assert "/score" in paths
    assert "/invocations" not in paths


BODIES = (
    "/score",
    "/invocations",
    "/feedback",
    "/v2/models/titanic/infer",
    "/v2/models/titanic/versions/{version}/infer",
)


@pytest.mark.parametrize("path", BODIES)
def test_every_body_has_an_example_that_fits_it(path: str) -> None:
    observed = settings(observations={"folder": "/f"})
    document = openapi.render(observed, EXAMPLE, "/prod/titanic", keyed=True)
    post = document["paths"][path]["post"]
    body = post["requestBody"]["content"]["application/json"]
    schema = body["schema"] | {"components": document["components"]}
    jsonschema.Draft202012Validator(schema).validate(body["example"])
    assert {"200", "400", "401", "413", "415", "422", "500", "503", "504"} <= post["responses"].keys()


def test_labels_need_a_key_of_their_own_also_where_nothing_else_does() -> None:
    document = openapi.render(settings(observations={"folder": "/f"}), EXAMPLE, "/prod/titanic")
    assert document["paths"]["/feedback"]["post"]["security"] == [
        {"feedback_key": []},
        {"feedback_key_header": []},
    ]
    assert "security" not in document
    assert "/feedback" not in openapi.render(settings(), EXAMPLE)["paths"]


def test_metrics_are_there_only_past_the_gateway() -> None:
    assert "/metrics" in openapi.render(settings(), None)["paths"]
    assert "/metrics" not in openapi.render(settings(), None, "/prod/titanic")["paths"]


def test_a_script_that_takes_whole_requests_may_answer_anything() -> None:
    told = openapi.render(settings(), None, raw=True)["paths"]["/score"]
    assert "default" in told["post"]["responses"]
    assert "default" in told["get"]["responses"]


def test_swagger_has_what_azures_tools_look_for() -> None:
    document = swagger.render(settings(), EXAMPLE)
    assert document["definitions"]["ServiceInput"]["required"] == ["age"]
    assert document["definitions"]["ServiceInput"]["example"] == EXAMPLE["request"]
    assert document["paths"]["/score"]["post"]["operationId"] == "RunMLService"


def test_the_page_asks_no_other_host() -> None:
    assert b"//" not in docs_page.PAGE.replace(b"<!doctype html>", b"")
    assert "connect-src 'self'" in docs_page.POLICY
