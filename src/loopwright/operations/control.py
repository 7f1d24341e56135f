"""The control plane of one state folder: its lock, ledger, engine and loop, opened together and closed together."""

from __future__ import annotations

import time
from collections.abc import Callable

from loopwright.catalog import Store, Tracking
from loopwright.engines.local import processes
from loopwright.engines.local.driver import LocalEngine, agent_runs
from loopwright.errors import IntegrityError, MachineError, TemporaryError
from loopwright.ledger import Hold, Lock, hold_of, open_ledger
from loopwright.log import logger
from loopwright.loop.book import Book
from loopwright.loop.case import Services
from loopwright.loop.clock import ClockWatch
from loopwright.loop.driver import Driver
from loopwright.loop.keys import check_endpoint_keys
from loopwright.operations.cleaning import Cleaner
from loopwright.operations.housekeeping import Housekeeper, settings
from loopwright.secrets.providers import Secrets
from loopwright.state import StateFolder

_log = logger("control")


class ControlPlane:
    """Only one lives per state; raises ConflictError where another holds the lock."""

    def __init__(self, state: StateFolder, hold: Hold | None = None, supervised: bool = False) -> None:
        """`hold`: of this state, and acquired. `supervised`: a service manager starts it again where it dies, not the agent."""
        state.create()
        housekeeping = settings(state.settings)
        self.state = state
        self.stopping = False
        self.lost = False  # whether another control plane has taken over
        self.stop_server: Callable[[], None] = lambda: None  # set by who serves
        self._hold = hold_of(state) if hold is None else hold
        if hold is None:
            self._hold.acquire()
        check_endpoint_keys(state)
        self.ledger = open_ledger(state)
        verified = self.ledger.verify()
        if not verified.ok:
            raise IntegrityError(
                f"{verified.sentence} Nothing is decided on such facts: restore the state folder from a backup."
            )
        self.epoch = self.ledger.take_over("loopwright", time.time())
        self.engine = LocalEngine(state, keep_control_plane=not supervised)
        self.store = Store(state.store)
        self.secrets = Secrets(state)
        self.secrets.remember_folder()
        self.book = Book(self.ledger, ClockWatch())
        self.tracking = Tracking(self.engine.tracking_url())
        self.driver = Driver(Services(state, self.store, self.tracking, self.engine, self.book))
        self.cleaner = Cleaner(self.driver.services, self.driver)
        self.housekeeper = Housekeeper(self.cleaner, self.book, housekeeping)

    def start(self) -> None:
        """Begin to drive."""
        self.driver.on_lost = self._lose
        self.driver.require_alone = self._hold.check
        self.driver.start()
        self.housekeeper.start()

    def _lose(self) -> None:
        self.lost = True
        self.stop_server()

    def stop_everything(self, actor: str) -> None:
        """End all that runs of this state, and then the control plane itself; returns at once."""
        if not self.stopping:
            self.stopping = True
            try:
                self.book.append("state.stopped", "", "", {}, actor, time.time())
            except (
                TemporaryError,
                MachineError,
            ) as error:  # no reason to go on: all must be possible to stop
                _log.warning("the stop is not recorded", extra={"action": "stop", "error": error.message})
        self.stop_server()

    def close(self) -> None:
        """End. After `stop_everything` all that the engine runs ends first; else that goes on."""
        self.housekeeper.stop()
        self.driver.stop()
        if self.stopping:
            self.engine.stop()
        else:
            self.engine.close()
        self.tracking.close()
        self.ledger.close()
        self._hold.release()


def stand_by(state: StateFolder, told: Callable[[str], None]) -> Hold | None:
    """Wait until no other control plane is left, and hold its place; `told` hears whom we wait for.

    None where the other one ended because everything was to be stopped: then nobody is to take its place.
    """
    state.create()
    hold = hold_of(state)
    if not hold.await_turn(told):
        return hold
    engine = LocalEngine(state, start=False)
    engine.close()
    if not engine.stopping:
        return hold
    hold.release()
    return None


def stop_without_control_plane(state: StateFolder) -> bool:
    """End what an agent still runs where no control plane lives; False where nothing runs. Leaves no file where none was."""
    if not (state.control_lock.exists() or agent_runs(state) or processes.marked(str(state.root))):
        return False
    lock = Lock(state.control_lock)
    lock.acquire()
    try:
        if not agent_runs(state) and not processes.marked(str(state.root)):
            return False
        LocalEngine(state, start=False).stop()
        return True
    finally:
        lock.release()
