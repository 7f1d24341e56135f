"""POST /feedback: labels and events of requests that were answered, kept by the replica beside the requests themselves."""

from __future__ import annotations

import msgspec

from loopwright.observations import feedback
from loopwright.observations.recording import Recorder
from loopwright.scoring.refusals import InvalidFeedback, NotKept, NotThere


async def keep(recorder: Recorder | None, body: bytes) -> bytes:
    """Keep what a body says; the answer, as JSON, once it is on the disk. Raises InvalidFeedback, NotKept, NotThere."""
    if recorder is None:
        raise NotThere(
            "Nothing is kept of requests here, so there is nothing to label: set serving.observations."
        )
    try:
        events = feedback.parse(body)
    except feedback.InvalidFeedback as error:
        raise InvalidFeedback(error.message, field=error.field, item=error.item) from error
    if not await recorder.feedback(events, len(body)):
        raise NotKept("The feedback could not be written to the replica's disk. Try again later.")
    return msgspec.json.encode({"kept": len(events)})
