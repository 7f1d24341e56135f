"""A release makes its moves in the order that keeps every request answered."""

from dataclasses import replace

import pytest

from loopwright.release import Failure, Move, Standing, next_move

BEFORE = Standing(
    started=False,
    minimum=2,
    ready=0,
    failing="",
    checked=False,
    route_wanted=False,
    route_accepted=False,
    route_rejected="",
    completed=False,
    aliased=False,
    waited=0.0,
    patience=60.0,
)


def test_a_release_goes_through_all_moves_in_order() -> None:
    standing, seen = BEFORE, []
    happens = {
        Move.START_REPLICAS: {"started": True},
        Move.AWAIT_READY: {"ready": 2},
        Move.CHECK: {"checked": True},
        Move.SWITCH_ROUTE: {"route_wanted": True},
        Move.AWAIT_ROUTE: {"route_accepted": True},
        Move.COMPLETE: {"completed": True},
        Move.MOVE_ALIAS: {"aliased": True},
    }
    while (move := next_move(standing)) is not Move.DONE:
        assert isinstance(move, Move)
        seen.append(move)
        standing = replace(standing, **happens[move])
    assert seen == list(happens)


def test_clients_are_never_sent_to_unchecked_or_too_few_replicas() -> None:
    assert next_move(replace(BEFORE, started=True, ready=1)) is Move.AWAIT_READY
    assert next_move(replace(BEFORE, started=True, ready=2)) is Move.CHECK


def test_a_failure_carries_the_setting_that_it_is_for() -> None:
    heavy = replace(BEFORE, started=True, failing="too much memory", setting="resources.memory")
    assert next_move(heavy) == Failure("too much memory", "resources.memory")


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (replace(BEFORE, started=True, failing="init failed: no model"), "init failed: no model"),
        (replace(BEFORE, started=True, ready=1, waited=61.0), "1 of 2 replicas"),
        (
            replace(BEFORE, started=True, ready=2, checked=True, route_wanted=True, route_rejected="bad"),
            "cannot serve the new route: bad",
        ),
    ],
)
def test_what_cannot_come_up_fails_with_its_reason(standing: Standing, words: str) -> None:
    move = next_move(standing)
    assert isinstance(move, Failure)
    assert words in move.reason


def test_a_completed_release_waits_for_lost_replicas_and_does_not_fail() -> None:
    serving = replace(
        BEFORE,
        started=True,
        ready=2,
        checked=True,
        route_wanted=True,
        route_accepted=True,
        completed=True,
        aliased=True,
    )
    assert next_move(serving) is Move.DONE
    assert next_move(replace(serving, ready=1, failing="killed", waited=999.0)) is Move.AWAIT_SERVING
    assert next_move(replace(serving, started=False)) is Move.START_REPLICAS
