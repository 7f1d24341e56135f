"""Frames: how a segment file is cut into records, so that what a crash left half-written is told from what is whole.

A segment is `MAGIC`, then frames: length of the payload (u32, little-endian), CRC-32 of that length and the payload
(u32), the payload. The length is under the checksum too, so that a tail of zeros, as a file system may leave after a
power cut, is no frame. Reading ends at the first frame that is not whole.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO
from zlib import crc32

MAGIC = b"LWOBS1\n\x00"
MOST = 64 * 1024 * 1024  # bytes of one payload; a greater length is damage
_HEAD = struct.Struct("<II")
_LENGTH = struct.Struct("<I")


def frame(payload: bytes) -> bytes:
    """The payload with what tells that it is whole before it."""
    length = len(payload)
    return _HEAD.pack(length, crc32(payload, crc32(_LENGTH.pack(length)))) + payload


def frames(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """The payloads of a segment from its beginning, each with the offset at which it ends, up to the last whole one."""
    if file.read(len(MAGIC)) != MAGIC:
        return
    offset = len(MAGIC)
    while len(head := file.read(_HEAD.size)) == _HEAD.size:
        length, checksum = _HEAD.unpack(head)
        payload = file.read(length) if length <= MOST else b""
        if len(payload) < length or crc32(payload, crc32(head[: _LENGTH.size])) != checksum:
            return
        offset += _HEAD.size + length
        yield payload, offset
