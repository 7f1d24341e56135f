"""Why an Envoy refused a file, as one sentence: it says so only in its log (1.40 has no error in its config dump)."""

from __future__ import annotations

import re
from collections.abc import Iterable

_REFUSED = re.compile(r"Filesystem config update (?:rejected|failure): (?P<reason>.*)")
_CONSTRAINT = re.compile(r"Proto constraint validation failed \((?P<reason>.*)\)")
_LONGEST = 400


def refusal_in(log: str, secrets: Iterable[str] = ()) -> str:
    """The reason of the last refusal in a log of one entry a line; empty where there is none.

    `secrets` are masked: Envoy repeats an endpoint's key where two clients have the same.
    """
    found = None
    for found in _REFUSED.finditer(log):  # noqa: B007  (the last one)
        pass
    if found is None:
        return ""
    reason = found["reason"].replace("\\n", " ").replace("goo.gle/debugonly", "")
    if constraint := _CONSTRAINT.search(reason):
        reason = constraint["reason"]
    for secret in secrets:
        reason = reason.replace(secret, "***") if secret else reason
    reason = " ".join(reason.split()).rstrip(". ")
    return reason if len(reason) <= _LONGEST else f"{reason[:_LONGEST]} ..."
