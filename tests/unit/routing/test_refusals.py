"""Envoy's reason for a refusal, from log entries as Envoy 1.40 writes them."""

from __future__ import annotations

import pytest

from loopwright import routing

PREFIX = "[2026-11-21 05:13:02.233][11698][warning][config] [source/filesystem_subscription_impl.cc:81] "


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (
            r"Filesystem config update rejected: Invalid duration: Expected positive duration: goo.gle/debugonly  \nseconds: -1\n",
            "Invalid duration: Expected positive duration: seconds: -1",
        ),
        (
            r'Filesystem config update rejected: goo.gle/debugonly \nname: "x"\n: Proto constraint validation failed (AValidationError.B: too short)',
            "AValidationError.B: too short",
        ),
        (
            "Filesystem config update rejected: Duplicated credential key: 's3cret'",
            "Duplicated credential key: '***'",
        ),
        (
            "Filesystem config update failure: in /x/rds.json, Unable to parse",
            "in /x/rds.json, Unable to parse",
        ),
        ("cds: response indicates 1 added/updated cluster(s)", ""),
    ],
)
def test_the_reason_is_found(entry: str, reason: str) -> None:
    assert routing.refusal_in(f"{PREFIX}{entry}\n", secrets=["s3cret", ""]) == reason


def test_the_last_reason_counts() -> None:
    log = "".join(f"{PREFIX}Filesystem config update rejected: {reason}.\n" for reason in ("one", "two"))
    assert routing.refusal_in(log) == "two"


def test_a_reason_is_not_a_whole_dump() -> None:
    assert len(routing.refusal_in(f"{PREFIX}Filesystem config update rejected: {'x' * 5000}")) < 420
