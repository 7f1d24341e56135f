"""What only a database that is somewhere else can do to us."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import postgres
import psycopg
import pytest
from ledgers import Place
from severing import Wire

from loopwright.errors import ConflictError, IntegrityError, MachineError, StaleEpochError, TemporaryError
from loopwright.ledger import Hold, Ledger
from loopwright.ledger.advisory_lock import AdvisoryLock
from loopwright.ledger.location import url_of
from loopwright.ledger.postgresql_schema import MIGRATIONS, prepare
from loopwright.ledger.postgresql_server import Server
from loopwright.loop.book import Book
from loopwright.state import StateFolder


@pytest.fixture(scope="session")
def new_place(server: postgres.Postgres) -> Callable[[Path], Place]:
    return lambda folder: Place(folder, server.url(server.database())).create()


@pytest.fixture
def wire(server: postgres.Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    monkeypatch.setenv("PGPASSWORD", postgres.PASSWORD)
    wire = Wire(server.port)
    yield wire
    wire.close()


@pytest.fixture
def wired(wire: Wire, server: postgres.Postgres, tmp_path: Path) -> Iterator[Ledger]:
    """A ledger behind that wire."""
    url = server.tcp_url(server.database()).replace(str(server.port), str(wire.port))
    ledger = Place(tmp_path / "wired", url).create().open()
    ledger.take_over(now=1.0)
    yield ledger
    ledger.close()


def persistently(append: Callable[[], object]) -> None:
    """As the loop does: try again what fails for the moment."""
    deadline = time.monotonic() + 60
    while True:
        try:
            append()
        except TemporaryError as error:
            if time.monotonic() > deadline:
                raise
            time.sleep(min(error.delay, 0.05))
        else:
            return


def test_a_session_that_was_ended_in_between_is_replaced(
    ledger: Ledger, server: postgres.Postgres, place: Place
) -> None:
    server.end_sessions(place.url.split("@/")[1].split("?")[0])
    assert ledger.append("a", "w", "1", {}, "ann", 2.0).sequence == 2
    assert (ledger.count("a"), ledger.verify().ok) == (1, True)


@pytest.mark.parametrize(("moment", "committed"), [("before", 0), ("after", 1)])
def test_a_connection_lost_around_a_commit_is_found_out(
    wired: Ledger, wire: Wire, moment: str, committed: int
) -> None:
    wire.break_at = moment
    with pytest.raises(TemporaryError, match="cannot be reached"):
        wired.append("a", "w", "1", {}, "ann", 2.0)
    assert wired.settle()
    assert not wired.settle()
    assert (wired.count("a"), wired.verify().entries) == (committed, 1 + committed)
    assert wired.append_once("a", "w", "1", {}, "ann", 3.0).sequence == 2


def test_who_did_not_hear_of_a_fact_is_to_decide_anew(wired: Ledger, wire: Wire) -> None:
    book = Book(wired)
    wire.break_at = "after"
    for told in ("cannot be reached", "ask again"):
        with pytest.raises(TemporaryError, match=told):
            book.append("change.superseded", "w", "w-1", {"by": "w-2"}, "ann", 2.0)
    assert wired.count("change.superseded") == 1
    assert book.view.ended["w-1"].sequence == 2


def test_what_was_recorded_unheard_is_in_the_view_before_the_next_decision(wired: Ledger, wire: Wire) -> None:
    book = Book(wired)
    wire.break_at = "after"
    with pytest.raises(TemporaryError):
        book.append("change.superseded", "w", "w-1", {"by": "w-2"}, "ann", 2.0)
    with book.locked():
        assert book.view.ended["w-1"].sequence == 2


@pytest.mark.chaos
def test_a_server_killed_under_load_loses_nothing_and_doubles_nothing(
    ledger: Ledger, server: postgres.Postgres
) -> None:
    acknowledged: set[str] = set()
    end = threading.Event()

    def write(name: int) -> None:
        for number in range(100_000):
            if end.is_set():
                return
            key = f"{name}-{number}"
            persistently(lambda key=key: ledger.append_once("tick", "w", key, {}, "ann", 2.0))
            acknowledged.add(key)

    threads = [threading.Thread(target=write, args=(name,)) for name in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            before = len(acknowledged)
            while len(acknowledged) < before + 30:
                time.sleep(0.01)
            server.kill()
            server.start()
    finally:
        end.set()
        for thread in threads:
            thread.join()
    keys = [fact.key for fact in ledger.facts("tick")]
    assert len(keys) == len(set(keys))
    assert acknowledged <= set(keys)
    assert ledger.verify().ok


def test_the_server_away_is_temporary_and_said(ledger: Ledger, server: postgres.Postgres) -> None:
    server.stop()
    try:
        with pytest.raises(TemporaryError, match="cannot be reached"):
            ledger.append("a", "w", "1", {}, "ann", 2.0)
        with pytest.raises(TemporaryError, match="cannot be reached"):
            ledger.facts()
    finally:
        server.start()
    assert ledger.append("a", "w", "1", {}, "ann", 2.0).sequence == 2


def test_one_control_plane_holds_a_database(place: Place) -> None:
    first, second = AdvisoryLock(place.url), AdvisoryLock(place.url)
    first.acquire()
    with pytest.raises(ConflictError, match=r"loopwright on .*, pid \d+"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_a_lock_whose_session_ended_is_taken_back_or_lost_for_good(
    place: Place, server: postgres.Postgres
) -> None:
    first, second = AdvisoryLock(place.url), AdvisoryLock(place.url)
    database = place.url.split("@/")[1].split("?")[0]
    first.acquire()
    server.end_sessions(database)
    first.check()
    with pytest.raises(ConflictError):
        second.acquire()
    server.end_sessions(database)
    second.acquire()
    with pytest.raises(StaleEpochError, match="must stop"):
        first.check()
    second.release()


def test_who_waits_takes_over_when_the_other_ends(place: Place) -> None:
    first, second = Hold([AdvisoryLock(place.url)]), Hold([AdvisoryLock(place.url)])
    first.acquire()
    told: list[str] = []
    heard = threading.Event()
    waiting = threading.Thread(
        target=second.await_turn, args=(lambda text: (told.append(text), heard.set()),)
    )
    waiting.start()
    heard.wait(30)
    first.release()
    waiting.join(30)
    second.check()
    second.release()
    assert len(told) == 1
    assert "holds the ledger" in told[0]


def test_a_password_is_asked_of_the_environment_and_never_kept(
    server: postgres.Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path, server.tcp_url(server.database())).create()
    monkeypatch.setenv("PGPASSWORD", "wrong")
    with pytest.raises(MachineError, match=r"password authentication failed.*PGPASSWORD or ~/\.pgpass"):
        place.open()
    monkeypatch.setenv("PGPASSWORD", postgres.PASSWORD)
    place.open().close()
    assert all(postgres.PASSWORD not in file.read_text() for file in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://host/db", "expected an address such as postgresql://"),
        ("postgresql://ann:secret@host/db", "holds a password"),
        ("postgresql://host/db?password=secret", "holds a password"),
    ],
)
def test_an_address_that_will_not_do_is_refused(tmp_path: Path, url: str, told: str) -> None:
    with pytest.raises(MachineError, match=told) as refused:
        url_of(StateFolder(tmp_path), {"LOOPWRIGHT_LEDGER": url})
    assert "secret" not in refused.value.message


def test_variable_and_state_folder_must_agree(tmp_path: Path) -> None:
    state, asked = StateFolder(tmp_path), {"LOOPWRIGHT_LEDGER": "postgresql://host/db"}
    assert url_of(state, asked) == asked["LOOPWRIGHT_LEDGER"]
    state.ledger.touch()
    with pytest.raises(ConflictError, match=r"is the file ledger\.db"):
        url_of(state, asked)
    state.settings.write_text(json.dumps({"ledger": "postgresql://other/db"}))
    with pytest.raises(ConflictError, match="postgresql://other/db"):
        url_of(state, asked)


def test_a_database_of_another_state_folder_is_refused(ledger: Ledger, place: Place, tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match=r"ledger\.key is missing"):
        Place(tmp_path / "other", place.url).create().open()


def test_tables_are_brought_to_a_newer_format_and_an_older_program_refuses_them(
    ledger: Ledger, place: Place
) -> None:
    newer = (*MIGRATIONS, "ALTER TABLE loopwright_facts ADD COLUMN note text NOT NULL DEFAULT ''")
    server = Server(place.url)
    for _ in range(2):
        with closing(server.connect()) as connection:
            prepare(connection, server, newer)
    versions = [(number + 1,) for number in range(len(newer))]
    with psycopg.connect(place.url) as connection:
        assert (
            connection.execute("SELECT version FROM loopwright_migrations ORDER BY 1").fetchall() == versions
        )
        assert connection.execute("SELECT to_regclass('loopwright_facts_in_order')").fetchone() != (None,)
    told = f"has format {len(newer)}; this Loopwright knows formats up to {len(MIGRATIONS)}"
    with pytest.raises(MachineError, match=told):
        place.open()
    assert ledger.verify().ok
