"""W3C trace context: which trace a request belongs to, as its `traceparent` header says.

Specification: https://www.w3.org/TR/trace-context/ (level 1).
"""

from __future__ import annotations

import os
from dataclasses import dataclass

_HEX = frozenset("0123456789abcdef")
_LENGTH = 55  # of version 00: 2 + 1 + 32 + 1 + 16 + 1 + 2


@dataclass(frozen=True)
class Trace:
    """A span's place: the trace, the span itself, and whether it is recorded."""

    trace_id: str  # 32 hexadecimal digits
    span_id: str  # 16
    sampled: bool

    @property
    def header(self) -> str:
        """As the value of `traceparent`."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


def parse(header: str | None) -> Trace | None:
    """The sender's span in a `traceparent`; None where there is none, or none that the specification knows."""
    if header is None or len(header) < _LENGTH or header[2] != "-" or header[35] != "-" or header[52] != "-":
        return None
    version, trace_id, span_id, flags = header[:2], header[3:35], header[36:52], header[53:55]
    if not _HEX.issuperset(version + trace_id + span_id + flags) or version == "ff":
        return None
    if len(header) > _LENGTH and (version == "00" or header[_LENGTH] != "-"):
        return None
    if trace_id == "0" * 32 or span_id == "0" * 16:
        return None
    return Trace(trace_id, span_id, bool(int(flags, 16) & 1))


def child(parent: Trace | None, sampled: bool = False) -> Trace:
    """A new span of the same trace, or of a new one."""
    if parent is None:
        return Trace(os.urandom(16).hex(), os.urandom(8).hex(), sampled)
    return Trace(parent.trace_id, os.urandom(8).hex(), parent.sampled)
