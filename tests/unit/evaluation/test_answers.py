import pytest

from loopwright.evaluation.answers import PathError, UnparsableError, excerpt, look_up, parse

ANSWER = {"result": [{"label": 1, "probability": 0.7}], "a": None}


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"NaN", b'{"a": 1', b'{"a": 1} x', b"\xff", b"[" * 100_000, b"1e999"]
)
def test_what_is_not_json(body):
    with pytest.raises(UnparsableError):
        parse(body)


@pytest.mark.parametrize(
    ("path", "value"),
    [("result.0.label", 1), ("a", None), ("result.0", {"label": 1, "probability": 0.7}), ("", ANSWER)],
)
def test_a_path_finds(path, value):
    assert look_up(ANSWER, path) == value


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("prediction", "the answer has no `prediction`; it has `result`, `a`"),
        ("result.1", "result is a list of 1, which has no `1`"),
        ("result.-1", "which has no `-1`"),
        ("result.0.label.x", "result.0.label is 1, which has no parts"),
    ],
)
def test_a_path_that_finds_nothing_says_what_is_there(path, told):
    with pytest.raises(PathError, match=told):
        look_up(ANSWER, path)


def test_an_answer_of_json_in_a_string_is_read():
    assert look_up('{"prediction": 1}', "prediction") == 1


def test_an_answer_of_plain_text_has_no_path():
    with pytest.raises(PathError, match="plain text"):
        look_up("survived", "prediction")


def test_an_excerpt_is_short_and_on_one_line():
    assert excerpt(b"a\n  b" + b"x" * 1000) == "a b" + "x" * 297
    assert excerpt(b"") == "an empty body"
