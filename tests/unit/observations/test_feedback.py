import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.observations import feedback
from loopwright.observations.blocks import Event

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*feedback._FIELDS, "x"]), inner)
    ),
    max_leaves=8,
)


def test_a_label_and_an_event_are_read():
    body = [
        {"id": "a-1", "label": True},
        {
            "client_id": "order-7",
            "row": 2,
            "event": "refund",
            "value": 9.5,
            "time": "1970-01-01T00:01:00+00:00",
        },
    ]
    assert feedback.parse(json.dumps(body).encode(), now=9.0) == [
        Event(9.0, id="a-1", label=True),
        Event(60.0, client_id="order-7", row=2, event="refund", value=9.5),
    ]
    assert feedback.parse(b'{"id": "a", "label": "yes", "time": 5}') == [Event(5.0, id="a", label="yes")]


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        (b"{", None, "not JSON"),
        (b"[]", None, "an empty list, expected an object"),
        (b"[1]", None, "Item 0 is 1, expected an object"),
        (b'{"label": 1}', "id", "`id` is missing, expected one of `id` and `client_id`"),
        (b'{"id": "a", "client_id": "b", "label": 1}', "id", "stands beside `client_id`"),
        (b'{"id": "a"}', "label", "expected a `label`, an `event`, or both"),
        (b'{"id": "", "label": 1}', "id", "`id` is the text '', expected a text"),
        (b'{"id": "a", "lable": 1}', "lable", "is not known, expected one of id,"),
        (b'[{"id": "a", "label": 1}, {"id": "a", "label": [1]}]', "label", "Item 1: `label` is a list"),
        (b'{"id": "a", "label": 99999999999999999999}', "label", "more than 64 bits"),
        (b'{"id": "a", "label": 1, "row": -1}', "row", "`row` is -1"),
        (b'{"id": "a", "label": 1, "row": true}', "row", "`row` is true"),
        (b'{"id": "a", "label": 1, "time": "2026-03-01T12:00:00"}', "time", "with an offset"),
        (b'{"id": "a", "label": 1, "time": 1e300}', "time", "`time` is 1e300"),
        (b'{"id": "a", "event": 5}', "event", "`event` is 5"),
    ],
)
def test_what_is_no_feedback_is_refused_with_its_field(body, field, message):
    with pytest.raises(feedback.InvalidFeedback) as caught:
        feedback.parse(body)
    assert message in caught.value.message
    assert caught.value.field == field


@given(
    JSON | st.lists(st.fixed_dictionaries({"id": JSON}, optional={"label": JSON, "time": JSON, "row": JSON}))
)
def test_any_json_is_taken_or_refused_and_what_is_taken_can_be_kept(content):
    try:
        events = feedback.parse(json.dumps(content).encode())
    except feedback.InvalidFeedback:
        return
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(events), type=list[Event]) == events


def test_too_many_at_once_are_refused():
    one = {"id": "a", "label": 1}
    assert len(feedback.parse(json.dumps([one] * feedback.MOST).encode())) == feedback.MOST
    with pytest.raises(feedback.InvalidFeedback, match="send it in parts"):
        feedback.parse(json.dumps([one] * (feedback.MOST + 1)).encode())
