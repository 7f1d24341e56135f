"""Every way in which a request is not answered with a prediction, free of any protocol.

These are answers to one client, not errors of Loopwright, so they are not in errors.py; each protocol maps them once.

    Refusal
      NotJson        the body cannot be read
      InvalidInput   a row lacks an input or has a wrong type; carries field, row, found, expected
      InvalidFeedback  feedback that cannot be understood; carries field, item
      NotTaken       not what the scoring script declares to take
      BodyTooLarge   over limits.max_body
      BodyTooSlow    not there within limits.timeout
      BodyCutShort   the client went away in the middle of it
      HeaderTooLong  an id that the client gives
      UnknownEncoding  the body is compressed
      UnknownMediaType  the body is of a kind that is not read here
      NotThere       another model than the one that is served, or a way to ask that it does not have
      Busy           worth trying again after `retry_after` seconds
        QueueFull
        TooManyBytes   its body would not fit beside those of the requests that have no answer yet
        WaitedTooLong
        NotReady
        Draining
        NotKept      feedback that did not get to the disk
      Late           no answer within limits.timeout
      Failed         user code raised, answered what JSON cannot hold, or its process died; the log explains `id`
"""

from __future__ import annotations

from typing import cast


class Refusal(Exception):  # noqa: N818  (an answer more than an error)
    """The root: a clear sentence for a person, and a code for a program."""

    code = "refused"

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class NotJson(Refusal):
    """The body cannot be read."""

    code = "not-json"


class InvalidInput(Refusal):
    """A row lacks an input or has a wrong type."""

    code = "invalid-input"

    def __init__(self, field: str | None, row: int | None, found: str, expected: str) -> None:
        place = "The body" if row is None else f"Row {row}"
        subject = place if field is None else f"{place}: field {field!r}"
        super().__init__(
            f"{subject} is {found}, expected {expected}.",
            field=field,
            row=row,
            found=found,
            expected=expected,
        )

    def moved(self, rows: int) -> InvalidInput:
        """The same of a row so many further on."""
        field, row, found, expected = (self.details[name] for name in ("field", "row", "found", "expected"))
        moved = row + rows if isinstance(row, int) else None
        return InvalidInput(cast("str | None", field), moved, str(found), str(expected))


class InvalidFeedback(Refusal):
    """Feedback that cannot be understood."""

    code = "invalid-feedback"


class NotTaken(Refusal):
    """The scoring script's own declaration of its input does not fit the request."""

    code = "not-taken"


class BodyTooLarge(Refusal):
    """The body is over limits.max_body."""

    code = "body-too-large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body is larger than {limit} bytes; send fewer rows in a request.", limit=limit)


class BodyTooSlow(Refusal):
    """The body did not come in time."""

    code = "body-too-slow"


class BodyCutShort(Refusal):
    """The body ended before its announced end."""

    code = "body-cut-short"


class HeaderTooLong(Refusal):
    """A header of the client's that comes back in the answer is too long for that."""

    code = "header-too-long"


class UnknownEncoding(Refusal):
    """The body is compressed or otherwise encoded."""

    code = "unknown-encoding"


class UnknownMediaType(Refusal):
    """The body is of a kind that is not read here."""

    code = "unknown-media-type"


class NotThere(Refusal):
    """The request asks for another model or version, or in a way that this model does not offer."""

    code = "not-there"


class Busy(Refusal):
    """Worth trying again after `retry_after` seconds."""

    retry_after = 1


class QueueFull(Busy):
    """As many requests wait as may."""

    code = "queue-full"


class TooManyBytes(Busy):
    """The bodies of requests that have no answer yet take as many bytes as they may."""

    code = "too-many-bytes"


class WaitedTooLong(Busy):
    """The request's turn did not come within limits.queue_wait."""

    code = "waited-too-long"


class NotReady(Busy):
    """The replica has not finished its start."""

    code = "not-ready"


class Draining(Busy):
    """The replica is about to end."""

    code = "draining"


class NotKept(Busy):
    """Feedback did not get to the disk."""

    code = "not-kept"


class Late(Refusal):
    """There was no answer within limits.timeout."""

    code = "late"


class Failed(Refusal):
    """The scoring script did not give an answer; `reason` is for the log alone."""

    code = "failed"

    def __init__(self, message: str, reason: str, traceback: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.traceback = traceback
