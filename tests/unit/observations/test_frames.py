import io

from hypothesis import given
from hypothesis import strategies as st

from loopwright.observations.frames import MAGIC, frame, frames

PAYLOADS = st.lists(st.binary(max_size=40), max_size=8)


def written(payloads):
    return MAGIC + b"".join(map(frame, payloads))


def read(content):
    return [payload for payload, _ in frames(io.BytesIO(content))]


@given(PAYLOADS, st.data())
def test_any_truncation_reads_to_the_last_whole_frame(payloads, data):
    content = written(payloads)
    cut = data.draw(st.integers(0, len(content)))
    ends = [len(written(payloads[:count])) for count in range(len(payloads) + 1)]
    whole = sum(end <= cut for end in ends) - 1
    assert read(content[:cut]) == payloads[: max(0, whole)]


@given(PAYLOADS.filter(bool), st.data())
def test_a_flipped_bit_ends_the_reading_before_it(payloads, data):
    content = bytearray(written(payloads))
    place = data.draw(st.integers(len(MAGIC), len(content) - 1))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    ends = [len(written(payloads[:count])) for count in range(len(payloads) + 1)]
    assert read(bytes(content)) == payloads[: sum(end <= place for end in ends) - 1]


@given(PAYLOADS, st.binary(max_size=30) | st.integers(0, 100).map(bytes))
def test_what_follows_the_last_frame_does_no_harm(payloads, tail):
    assert read(written(payloads) + tail)[: len(payloads)] == payloads
    assert read(written(payloads) + bytes(len(tail))) == payloads
