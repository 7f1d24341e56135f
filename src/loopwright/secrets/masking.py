"""Output in which no secret is left, whoever has written it and in however many pieces.

Standard library only: a job's shim and a replica's front import it. What is masked: the value, each line of one with
several, and the forms in which values are most often written: base64 at any offset, percent-encoded, escaped as JSON
or Python write text.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote, quote_plus

MASK = b"***"
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
SHORTEST = 4  # characters: what is shorter stands in every other text


VARIABLES = "LOOPWRIGHT_SECRET_VARIABLES"
"""Where a job's shim names the variables that are secret, for those of its processes that keep logs of their own."""


def values_to_mask(environment: Mapping[str, str]) -> list[str]:
    """The secrets in an environment."""
    names = environment.get(VARIABLES, "").split(",")
    return [environment[name] for name in names if environment.get(name)]


class Masker:
    """Masks a stream of bytes. What may be the beginning of a secret is held back until the next bytes tell."""

    def __init__(self, values: Iterable[str]) -> None:
        self._forms = sorted({form for value in values for form in forms(value)}, key=len, reverse=True)
        self._pattern = _pattern(self._forms)
        self._starts = frozenset(form[0] for form in self._forms)
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """The next bytes that may be written."""
        masked, self._held = self._masked(self._held + data, final=False)
        return masked

    def finish(self) -> bytes:
        """What was held back, now that nothing follows."""
        masked, self._held = self._masked(self._held, final=True)
        return masked

    def text(self, text: str) -> str:
        """A whole text, masked by itself."""
        return self._masked(text.encode("utf-8", "surrogateescape"), final=True)[0].decode(
            "utf-8", "surrogateescape"
        )

    def _masked(self, data: bytes, final: bool) -> tuple[bytes, bytes]:
        """The masked bytes, and the rest that may begin a secret."""
        if self._pattern is None:
            return data, b""
        parts: list[bytes] = []
        position = 0
        while True:
            match = self._pattern.search(data, position)
            end = len(data) if final else self._undecided(data, position)
            if match is None or match.start() >= end:
                return b"".join([*parts, data[position:end]]), data[end:]
            parts += [data[position : match.start()], MASK]
            position = match.end()

    def _undecided(self, data: bytes, start: int) -> int:
        """Where the earliest end of `data` begins that is the beginning of a form and not the whole."""
        longest = len(self._forms[0]) - 1
        for index in range(max(start, len(data) - longest), len(data)):
            if data[index] in self._starts:
                tail = data[index:]
                if any(len(form) > len(tail) and form.startswith(tail) for form in self._forms):
                    return index
        return len(data)


def _pattern(forms: Sequence[bytes]) -> re.Pattern[bytes] | None:
    """Finds any of these, the longest first. They are at least `SHORTEST` long, and many begin alike: looked at once."""
    alike: dict[bytes, list[bytes]] = {}
    for form in forms:
        alike.setdefault(form[:SHORTEST], []).append(re.escape(form[SHORTEST:]))
    parts = [re.escape(start) + b"(?:" + b"|".join(rests) + b")" for start, rests in alike.items()]
    return re.compile(b"|".join(parts)) if parts else None


def forms(value: str) -> set[bytes]:
    """Every form of a value that is masked."""
    pieces = {value, *(line.strip() for line in value.splitlines())}
    found: set[bytes] = set()
    for piece in pieces:
        if len(piece) < SHORTEST:
            continue
        raw = piece.encode("utf-8", "surrogateescape")
        found |= {raw, quote(raw, safe="").encode(), quote_plus(raw).encode()}
        found |= {json.dumps(piece)[1:-1].encode(), repr(piece)[1:-1].encode("utf-8", "surrogateescape")}
        found |= _in_base64(raw)
    return found


def _in_base64(raw: bytes) -> set[bytes]:
    """What is left of a value in base64 at each of the three offsets at which it may stand in a longer text.

    Its last bits share a character with what follows: that character is masked with whatever the others may be, and
    with the padding where nothing follows.
    """
    found = set()
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw)
        bits = (before + len(raw)) * 8
        start, whole = (0, 2, 3)[before], bits // 6  # characters that the value's own bits decide
        if whole - start > SHORTEST:
            last = encoded[whole : whole + 1]
            ends = _sharing(last, 6 - bits % 6) if bits % 6 else ()
            core = encoded[start:whole]
            found |= {core, encoded[start:], *(core + end for end in ends)}
    return found | {form.translate(_URL_SAFE) for form in found}


def _sharing(last: bytes, free: int) -> list[bytes]:
    """The characters of base64 that differ from this one in their lowest bits alone, of which so many are free."""
    first = _BASE64.index(last) >> free << free
    return [_BASE64[number : number + 1] for number in range(first, first + (1 << free))]
