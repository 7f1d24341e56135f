"""What stands in the frames of a segment: MessagePack of these values, columns rather than rows.

Columns are encoded, read and counted several times faster than rows, and a name is written once, in the segment's
header, instead of with every value. Every segment begins with its header, so each can be read with nothing but itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from loopwright.errors import IntegrityError
from loopwright.observations.frames import frames

FORMAT = 1
Scalar = str | int | float | bool | None


class Column(msgspec.Struct, frozen=True, array_like=True):
    """One input column; `type` is integer, number, string or boolean."""

    name: str
    type: str


class Header(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="header"):
    """Whose observations these are, what their columns mean, and how long they may be kept."""

    format: int = FORMAT
    workload: str
    environment: str
    revision: str
    version: str | None = None  # such as titanic:3
    worker: str  # one life of one front; unique
    began: float  # seconds since the epoch at which this segment was begun
    features: tuple[Column, ...] = ()  # those that are kept
    outputs: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    rate: float = 1.0
    keep: float  # seconds
    max_bytes: int
    baseline: str = ""  # names the bins of the panes: those of equal text can be added
    bins: bytes = b""  # the baseline they are counted in, as JSON; empty where there is none


class Requests(msgspec.Struct, frozen=True, array_like=True, tag="requests"):
    """Some requests: the first columns have one value for each request, the later ones one for each of their rows."""

    pane: int  # sequence of the pane that counts them
    ids: Sequence[str]
    client_ids: Sequence[str | None]
    roles: Sequence[str]
    began: Sequence[float]  # seconds since the epoch
    seconds: Sequence[float]  # from its beginning to its answer
    statuses: Sequence[int]
    first: Sequence[
        int
    ]  # which row of the request the first one here is: a large request is cut into several
    rows: Sequence[
        int
    ]  # how many values of each feature are this request's: none where it was refused unread
    answers: Sequence[int]  # how many values of each output are
    features: Sequence[Sequence[Any]]
    outputs: Sequence[Sequence[Any]]
    extra: Sequence[Sequence[Any]]


class Event(msgspec.Struct, frozen=True, array_like=True, tag="event"):
    """What became known of a request later: its label, or something that happened after it."""

    at: float  # seconds since the epoch
    id: str | None = None  # ours, or
    client_id: str | None = None  # the client's
    row: int = 0
    label: Scalar = None
    event: str | None = None
    value: Scalar = None


class Events(msgspec.Struct, frozen=True, array_like=True, tag="events"):
    """Some of these, as they came."""

    events: Sequence[Event]


class Losses(msgspec.Struct, frozen=True, array_like=True, tag="losses"):
    """Observations that were not kept, or not in time: told where there is room again."""

    at: float
    reasons: dict[str, int]


class Summary(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """How the values of one column spread; all of it can be merged with another of the same bins."""

    bins: Sequence[int]
    missing: int = 0
    below: int = 0
    above: int = 0
    unseen: int = 0
    other: int = 0
    count: int = 0  # finite numbers; these have the following
    low: float | None = None
    high: float | None = None
    mean: float = 0.0
    squares: float = 0.0  # sum of squared distances from the mean
    quantiles: bytes = b""  # KLL sketch of doubles (Apache DataSketches), empty where there is no number
    frequent: bytes = b""  # frequent-items sketch of the texts of categories that have no bin of their own


class Pane(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="pane"):
    """Distributions over some ten seconds, of all answered requests, kept row by row or not; by role."""

    worker: str
    sequence: int
    baseline: str
    began: float
    ended: float
    features: dict[str, dict[str, Summary]]  # role -> column
    outputs: dict[str, dict[str, Summary]]


Block = Header | Requests | Events | Losses | Pane

encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Block).decode


def read(path: Path, ended: Callable[[int], None] | None = None) -> Iterator[Block]:
    """The blocks of a segment up to the last whole one, its header first; nothing where the file is gone.

    `ended` is told how many bytes after it are no whole frame: what a killed writer left half-written, or damage. Raises
    IntegrityError where a frame is whole and yet no block that this version knows.
    """
    offset = 0
    with suppress(FileNotFoundError), path.open("rb") as file:
        for payload, offset in frames(file):
            try:
                yield _decode(payload)
            except msgspec.DecodeError as error:
                raise IntegrityError(
                    f"{path}: the frame that ends at byte {offset} cannot be read: {error}. A newer version of Loopwright "
                    "may have written it: read it with that one."
                ) from error
        if ended is not None:
            ended(os.fstat(file.fileno()).st_size - offset)
