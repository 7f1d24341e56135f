import pytest

from loopwright.evaluation.cases import Response, check, same
from loopwright.spec.cases import CasesFile

GOOD = Response(200, b'{"prediction": 1, "probability": 0.7, "classes": ["died", "survived"]}', 0.010)


def case(**expect):
    """As the functional job gets it: through the spec's own model."""
    read = CasesFile.model_validate({"cases": [{"name": "a case", "request": {"age": 1}, "expect": expect}]})
    return read.model_dump(mode="json", by_alias=True)["cases"][0]


@pytest.mark.parametrize(
    "expect",
    [
        {},
        {"status": 200},
        {"values": {"prediction": 1, "classes.1": "survived"}},
        {"values": {"prediction": {"one_of": [0, 1]}, "probability": {"min": 0.5, "max": 1}}},
        {"values": {"classes": {"equals": ["died", "survived"]}}},
        {"schema": {"type": "object", "required": ["prediction"]}},
        {"max_time": "50ms"},
    ],
)
def test_what_is_as_expected(expect):
    assert check(case(**expect), GOOD) == []


@pytest.mark.parametrize(
    ("expect", "reason"),
    [
        ({"values": {"prediction": 0}}, "prediction is 1, expected 0"),
        ({"values": {"prediction": "1"}}, 'prediction is 1, expected "1"'),
        ({"values": {"prediction": True}}, "prediction is 1, expected true"),
        ({"values": {"prediction": {"one_of": [0, 2]}}}, "prediction is 1, expected one of [0,2]"),
        ({"values": {"probability": {"min": 0.8}}}, "probability is 0.7, expected a number of at least 0.8"),
        ({"values": {"probability": {"max": 0.1}}}, "probability is 0.7, expected a number of at most 0.1"),
        ({"values": {"classes.0": {"min": 0}}}, 'classes.0 is "died", expected a number of at least 0'),
        (
            {"values": {"label": 1}},
            "the answer has no `label`; it has `prediction`, `probability`, `classes`",
        ),
        ({"schema": {"required": ["label"]}}, "$ does not meet the schema: 'label' is a required property"),
        ({"schema": {"type": "strange"}}, "the case's schema is no JSON Schema: "),
        (
            {"schema": {"$ref": "http://127.0.0.1:1/x"}},
            "the case's schema refers to http://127.0.0.1:1/x, which is not in it",
        ),
        ({"max_time": "5ms"}, "the answer took 10 ms, expected at most 5 ms"),
        ({"status": 422}, 'status 200, expected 422: {"prediction": 1'),
    ],
)
def test_what_is_not(expect, reason):
    reasons = check(case(**expect), GOOD)
    assert len(reasons) == 1
    assert reasons[0].startswith(reason)


@pytest.mark.parametrize("expect", [{}, {"values": {"prediction": 1}}, {"schema": {}}])
def test_a_500_with_the_right_body_is_a_failure(expect):
    assert check(case(**expect), Response(500, GOOD.body, 0.01))[0].startswith("status 500, expected 200: {")


@pytest.mark.parametrize("body", [b"<html>1</html>", b"", b"NaN"])
def test_a_200_without_json_is_a_failure_even_where_nothing_is_looked_at(body):
    assert check(case(), Response(200, body, 0.01))[0].startswith("the body is not JSON")


def test_an_expected_error_may_have_any_body():
    assert check(case(status=413), Response(413, b"too large", 0.01)) == []


def test_the_body_of_an_expected_error_is_checked_where_asked():
    wanted = case(status=422, values={"error.field": "age"})
    assert check(wanted, Response(422, b'{"error": {"field": "age"}}', 0.01)) == []
    assert check(wanted, Response(422, b'{"error": {"field": "sex"}}', 0.01)) == [
        'error.field is "sex", expected "age"'
    ]
    assert check(wanted, Response(422, b"no", 0.01))[0].startswith("the body is not JSON")


def test_everything_wrong_is_told_at_once():
    expect = {"values": {"prediction": 0, "probability": {"min": 0.8}}, "max_time": "1ms"}
    assert len(check(case(**expect), GOOD)) == 3


def test_a_body_is_quoted_only_so_far():
    reason = check(case(), Response(500, b"x" * 10_000, 0.01))[0]
    assert reason.endswith("x" * 300)
    assert len(reason) < 340


@pytest.mark.parametrize("unknown", [{"about": 1}, {}])
def test_a_condition_that_checks_nothing_never_holds(unknown):
    expect = {"status": 200, "values": {"prediction": unknown}}
    assert check({"name": "x", "expect": expect}, GOOD) != []


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        ([1], [True], False),
        ({"a": [1]}, {"a": [1.0]}, True),
        ({"a": 1}, {}, False),
        ("1", 1, False),
        (None, None, True),
        (True, True, True),
    ],
)
def test_equality_is_that_of_json(one, other, equal):
    assert same(one, other) is equal
