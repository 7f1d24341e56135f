"""What the driver decided, carried out: a few threads, since some actions wait for the tracking server or copy large files,
and one workload must not hold up the next.

A change's step has at most one action under way. What fails for the moment is tried again with the next ticks; what fails by
a fault of ours is logged, and told as the step's failure.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from loopwright.errors import LoopwrightError, StaleEpochError, TemporaryError
from loopwright.log import logger
from loopwright.loop.actions import Action, End
from loopwright.loop.case import Case, Services
from loopwright.loop.performer import Performer
from loopwright.loop.upkeep import Mend, Upkeeper

Doing = tuple[str, str]  # (change, step), or (endpoint, what keeps it)

_THREADS = 4
_PAUSE = 10.0  # seconds before another try where an outcome could not be recorded
_GIVE_UP = 300.0  # seconds after which what fails for the moment fails for good
_LATELY = 120.0  # seconds after another try was due in which the same failure is no news

_log = logger("loop")


@dataclass
class _Retry:
    """A passing failure; times are monotonic seconds."""

    since: float
    at: float
    message: str


class Hands:
    """Carries out actions and mends in threads of its own, each when it is due."""

    def __init__(
        self,
        services: Services,
        upkeeper: Upkeeper,
        lost: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`lost` is called when another control plane has taken over; `monotonic` times what is tried again."""
        self._services = services
        self._upkeeper = upkeeper
        self._lost = lost
        self._monotonic = monotonic
        self._under_way: dict[Doing, Future[None]] = {}
        self._retries: dict[Doing, _Retry] = {}
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="action")

    def stop(self) -> None:
        """End once the actions under way are completed."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def busy(self) -> set[Doing]:
        """What is under way."""
        self._under_way = {key: one for key, one in list(self._under_way.items()) if not one.done()}
        return set(self._under_way)

    def submit(self, case: Case, action: Action, busy: Collection[Doing]) -> None:
        """Perform a change's action, unless its step is `busy` or to be tried again only later."""
        key = (case.change.id, "" if isinstance(action, End) else action.step.name)
        if key not in busy and self._due(key):
            self._under_way[key] = self._pool.submit(self._perform, key, case, action)

    def mend(self, mend: Mend, busy: Collection[Doing]) -> None:
        """Keep what serves served; what fails is logged, and tried again after a while."""
        release = mend.release
        key = (f"{release.workload}@{release.body['environment']}", type(mend).__name__)
        if key not in busy and self._due(key):
            self._under_way[key] = self._pool.submit(self._perform_mend, key, mend)

    def failing(self, change: str, step: str) -> str:
        """Why a step failed for the moment; empty where it did not."""
        retry = self._retries.get((change, step))
        return retry.message if retry else ""

    def try_all(self) -> None:
        """Let everything be tried again at once, as if it had not failed."""
        self._retries.clear()

    def forget(self, over: Collection[str]) -> None:
        """Keep nothing of changes that are over."""
        for key in list(self._retries):
            if key[0] in over:
                self._retries.pop(key, None)

    def _due(self, key: Doing) -> bool:
        retry = self._retries.get(key)
        return retry is None or retry.at <= self._monotonic()

    def _wait(self, key: Doing, seconds: float, message: str) -> None:
        now = self._monotonic()
        self._retries[key] = _Retry(now, now + seconds, message)

    def _perform(self, key: Doing, case: Case, action: Action) -> None:
        performer = Performer(self._services, case, self._services.clock)
        try:
            performer.perform(action)
            self._retries.pop(key, None)
        except TemporaryError as error:
            self._later(key, performer, action, error)
        except StaleEpochError:
            self._lost()
        except Exception as error:
            _log.exception(
                "an action failed", extra={"action": type(action).__name__, "change": key[0], "step": key[1]}
            )
            self._fault(key, performer, action, error)
        finally:
            self._services.engine.ring()

    def _later(self, key: Doing, performer: Performer, action: Action, error: TemporaryError) -> None:
        now = self._monotonic()
        since = self._retries[key].since if key in self._retries else now
        if now - since > _GIVE_UP:
            self._retries.pop(key, None)
            performer.fault(action, error)
        else:
            self._retries[key] = _Retry(since, now + error.delay, error.message)

    def _fault(self, key: Doing, performer: Performer, action: Action, error: Exception) -> None:
        """Record a fault; where even that fails (a full disk), try the action again later, not at once."""
        try:
            performer.fault(action, error)
        except Exception:
            _log.exception(
                "a fault cannot be recorded", extra={"action": "fault", "change": key[0], "step": key[1]}
            )
            self._wait(key, _PAUSE, "The outcome cannot be recorded; the control plane's log says why.")

    def _perform_mend(self, key: Doing, mend: Mend) -> None:
        try:
            self._upkeeper.perform(mend)
            self._retries.pop(key, None)
        except StaleEpochError:
            self._lost()
        except Exception as error:
            self._tell_unkept(key, error)
        finally:
            self._services.engine.ring()

    def _tell_unkept(self, key: Doing, error: Exception) -> None:
        """Once in the log for each reason in a row: a tracking server that is away may be so for hours."""
        told = error.message if isinstance(error, LoopwrightError) else repr(error)
        known = self._retries.get(key)
        if known is None or known.message != told or self._monotonic() - known.at > _LATELY:
            trace = None if isinstance(error, LoopwrightError) else error
            extra = {"action": key[1], "endpoint": key[0], "error": told}
            _log.error("what serves cannot be kept; it is tried again", extra=extra, exc_info=trace)
        self._wait(key, error.delay if isinstance(error, TemporaryError) else _PAUSE, told)
