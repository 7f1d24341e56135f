"""A backup is whole or is not there, and so is what is restored from it."""

from __future__ import annotations

import gzip
import io
import json
import signal
import sqlite3
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import postgres
import pytest
from old_state import FACTS, unpack_old_state

from loopwright.errors import ConflictError, IntegrityError, LoopwrightError, MachineError, NotFoundError
from loopwright.ledger import hold_of, open_ledger
from loopwright.operations.backup import backup
from loopwright.operations.restore import restore
from loopwright.state import StateFolder


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(unpack_old_state(tmp_path / "old"))


@pytest.fixture
def file(state: StateFolder, tmp_path: Path) -> Path:
    """A backup of it."""
    backup(state, tmp_path / "backup.tar.gz")
    return tmp_path / "backup.tar.gz"


@pytest.fixture
def fresh(tmp_path: Path) -> StateFolder:
    """A state folder that is not there yet."""
    return StateFolder(tmp_path / "fresh")


def names(file: Path) -> list[str]:
    with tarfile.open(file) as archive:
        return archive.getnames()


def rewritten(file: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """The same archive with other contents."""
    made = file.with_name("rewritten.tar.gz")
    with tarfile.open(file) as source, tarfile.open(made, "w:gz") as target:
        for member in source:
            extracted = source.extractfile(member)
            assert extracted is not None
            content = change(member.name, extracted.read())
            if content is not None:
                member.size = len(content)
                target.addfile(member, io.BytesIO(content))
    return made


def assert_nothing_there(fresh: StateFolder, *others: Path) -> None:
    assert not fresh.root.exists()
    left = [path.name for path in fresh.root.parent.iterdir() if path.name.startswith(".")]
    assert left == []


def test_observations_are_kept_for_labels_cannot_be_made_again(state: StateFolder, tmp_path: Path) -> None:
    segment = state.observations / "dev/titanic/r1/w/00000001.segment"
    segment.parent.mkdir(parents=True)
    segment.write_bytes(b"as it was")
    backup(state, tmp_path / "backup.tar.gz")
    restore(fresh := StateFolder(tmp_path / "fresh"), tmp_path / "backup.tar.gz", "ann")
    assert (fresh.observations / segment.relative_to(state.observations)).read_bytes() == b"as it was"


def test_what_was_backed_up_is_restored_and_says_so(
    state: StateFolder, file: Path, fresh: StateFolder
) -> None:
    restore(fresh, file, "ann")
    with closing(open_ledger(state)) as old, closing(open_ledger(fresh)) as new:
        assert new.facts(limit=FACTS) == old.facts()
        (restored,) = new.facts(after=FACTS)
        assert (restored.kind, restored.actor, restored.body["sequence"]) == ("state.restored", "ann", FACTS)
        assert new.verify().ok
    assert fresh.endpoint_keys.read_bytes() == state.endpoint_keys.read_bytes()
    with closing(sqlite3.connect(fresh.mlflow / "mlflow.db")) as database:
        assert database.execute("SELECT count(*) FROM model_versions").fetchone() == (1,)
    kept = sorted(path.name for path in (fresh.store / "files").rglob("*") if path.is_file())
    named = sorted(path.name for path in (state.store / "files").rglob("*") if path.is_file())
    assert set(kept) <= set(named)
    assert len(kept) > len(named) / 2
    assert fresh.root.stat().st_mode & 0o777 == 0o700


def test_a_backup_holds_no_file_of_this_machine_and_is_the_owners_alone(
    state: StateFolder, file: Path
) -> None:
    assert state.desired.exists()
    assert not any(name.endswith(("desired.json", ".lock", ".db-wal")) for name in names(file))
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_backup_of_a_restored_state_restores(file: Path, fresh: StateFolder, tmp_path: Path) -> None:
    restore(fresh, file, "ann")
    backup(fresh, tmp_path / "again.tar.gz")
    restore(StateFolder(tmp_path / "third"), tmp_path / "again.tar.gz", "bob")
    with closing(open_ledger(StateFolder(tmp_path / "third"))) as ledger:
        assert [fact.actor for fact in ledger.facts("state.restored")] == ["ann", "bob"]


def test_facts_appended_meanwhile_do_not_disturb(state: StateFolder, tmp_path: Path) -> None:
    with closing(open_ledger(state)) as ledger:
        ledger.take_over(now=1.0)
        told = backup(state, tmp_path / "backup.tar.gz")
        ledger.append("a", "w", "1", {}, "ann", 2.0)
    restore(StateFolder(tmp_path / "fresh"), tmp_path / "backup.tar.gz", "ann")
    assert told["ledger"]["sequence"] == FACTS + 1


def test_what_is_there_is_never_replaced(state: StateFolder, file: Path, fresh: StateFolder) -> None:
    before = file.read_bytes()
    with pytest.raises(ConflictError, match="never replaced"):
        backup(state, file)
    with pytest.raises(ConflictError, match="not empty"):
        restore(state, file, "ann")
    with pytest.raises(ConflictError, match="lies in the state folder"):
        backup(state, state.root / "backup.tar.gz")
    with pytest.raises(NotFoundError, match="holds no ledger"):
        backup(fresh, file.with_name("other.tar.gz"))
    assert file.read_bytes() == before
    fresh.root.mkdir()
    restore(fresh, file, "ann")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_off_is_refused(file: Path, fresh: StateFolder, share: float) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(IntegrityError, match="not a whole backup"):
        restore(fresh, file, "ann")
    assert_nothing_there(fresh)


@pytest.mark.parametrize(
    "content",
    [b"", b"no archive at all" * 100, gzip.compress(b"neither is this" * 999)],
    ids=["empty", "text", "gzip"],
)
def test_a_file_of_another_kind_is_refused(file: Path, fresh: StateFolder, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(IntegrityError, match="not a whole backup"):
        restore(fresh, file, "ann")
    assert_nothing_there(fresh)


def test_a_file_that_is_not_there_is_said(fresh: StateFolder, tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="There is no file"):
        restore(fresh, tmp_path / "nothing.tar.gz", "ann")
    assert_nothing_there(fresh)


def changed(name: str, content: bytes) -> bytes:
    return (
        content.replace(b'"approval.requested"', b'"approval.decided"') if name == "facts.jsonl" else content
    )


def removed(name: str, content: bytes) -> bytes | None:
    return None if name.startswith("state/store/") else content


def fitted(name: str, content: bytes) -> bytes:
    """A fact changed, and the manifest to go with it: only the chain of hashes tells."""
    import hashlib

    if name == "manifest.json":
        manifest = json.loads(content)
        manifest["files"]["facts.jsonl"] = fitted.entry  # type: ignore[attr-defined]
        return json.dumps(manifest).encode()
    content = changed(name, content)
    if name == "facts.jsonl":
        fitted.entry = [len(content), hashlib.sha256(content).hexdigest()]  # type: ignore[attr-defined]
    return content


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (changed, "was changed: facts.jsonl"),
        (removed, "was changed: state/store"),
        (fitted, "not what was recorded"),
    ],
)
def test_a_file_that_was_tampered_with_is_refused(
    file: Path, fresh: StateFolder, change: Callable[[str, bytes], bytes | None], told: str
) -> None:
    with pytest.raises(IntegrityError, match=told):
        restore(fresh, rewritten(file, change), "ann")
    assert_nothing_there(fresh)


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "state/../../outside"])
def test_a_file_that_would_write_elsewhere_is_refused(file: Path, fresh: StateFolder, name: str) -> None:
    made = file.with_name("evil.tar.gz")
    with tarfile.open(made, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    with pytest.raises(IntegrityError, match="no backup of Loopwright"):
        restore(fresh, made, "ann")
    assert not (fresh.root.parent / "outside").exists()


def test_a_changed_content_of_the_store_is_not_backed_up(state: StateFolder, tmp_path: Path) -> None:
    with closing(open_ledger(state)) as ledger:
        spec = ledger.facts("change.requested")[0].body["spec"]
    content = state.store / "files" / spec[:2] / spec
    content.chmod(0o600)
    content.write_text("changed")
    with pytest.raises(IntegrityError, match=f"{spec} was changed"):
        backup(state, tmp_path / "backup.tar.gz")
    assert not (tmp_path / "backup.tar.gz").exists()


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Postgres]:
    with postgres.running() as running:
        yield running


def test_a_ledger_moves_to_a_database_and_back(
    file: Path, fresh: StateFolder, tmp_path: Path, server: postgres.Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOPWRIGHT_LEDGER", server.url(server.database()))
    restore(fresh, file, "ann")
    assert not fresh.ledger.exists()
    with pytest.raises(ConflictError, match="holds facts already"):
        restore(StateFolder(tmp_path / "beside"), rewritten_later(fresh, tmp_path), "ann")
    monkeypatch.delenv("LOOPWRIGHT_LEDGER")
    back = StateFolder(tmp_path / "back")
    restore(back, tmp_path / "later.tar.gz", "bob")
    with closing(open_ledger(back)) as ledger:
        assert (back.ledger.exists(), ledger.verify().entries) == (True, FACTS + 3)


def rewritten_later(state: StateFolder, folder: Path) -> Path:
    """A backup of a state that has gone on since it was restored."""
    with closing(open_ledger(state)) as ledger:
        ledger.append("a", "w", "1", {}, "ann", 1.0)
    backup(state, folder / "later.tar.gz")
    with closing(open_ledger(state)) as ledger:
        ledger.append("a", "w", "2", {}, "ann", 1.0)
        ledger.append("a", "w", "3", {}, "ann", 1.0)
    return folder / "later.tar.gz"


def test_a_database_that_was_filled_before_the_restore_was_killed_is_taken(
    file: Path, fresh: StateFolder, tmp_path: Path, server: postgres.Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOPWRIGHT_LEDGER", server.url(server.database()))
    restore(fresh, file, "ann")
    again = StateFolder(tmp_path / "again")  # as if the first had been killed before it had its name
    restore(again, file, "ann")
    with closing(open_ledger(again)) as ledger:
        assert (ledger.count("state.restored"), ledger.verify().ok) == (1, True)


def test_the_database_of_an_installation_that_goes_on_is_not_taken(
    file: Path, fresh: StateFolder, tmp_path: Path, server: postgres.Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOPWRIGHT_LEDGER", server.url(server.database()))
    restore(fresh, file, "ann")
    backup(fresh, tmp_path / "live.tar.gz")
    with closing(open_ledger(fresh)) as ledger:
        ledger.append("state.backed-up", "", "1", {}, "ann", 1.0)
        before = ledger.newest_place()
        with pytest.raises(ConflictError, match="holds facts already"):
            restore(StateFolder(tmp_path / "beside"), tmp_path / "live.tar.gz", "bob")
        assert ledger.newest_place() == before


def test_a_database_that_a_control_plane_holds_is_not_restored_into(
    file: Path, fresh: StateFolder, tmp_path: Path, server: postgres.Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOPWRIGHT_LEDGER", server.url(server.database()))
    holder = hold_of(StateFolder(tmp_path / "serving"))
    holder.acquire()
    try:
        with pytest.raises(ConflictError, match=r"Another control plane .* restored into an empty database"):
            restore(fresh, file, "ann")
    finally:
        holder.release()
    assert not fresh.root.exists()
    restore(fresh, file, "ann")


SCRIPT = """
import sys
from pathlib import Path
from loopwright.operations.{module} import {module}
from loopwright.state import StateFolder
print("begin", flush=True)
{module}(StateFolder(Path(sys.argv[1])), Path(sys.argv[2]){more})
"""


@pytest.mark.chaos
@pytest.mark.parametrize("module", ["backup", "restore"])
def test_killed_anywhere_nothing_half_has_the_name(
    module: str, state: StateFolder, file: Path, tmp_path: Path
) -> None:
    (state.store / "large").mkdir()  # enough to be in the middle of
    for number in range(40):
        (state.store.parent / f"note-{number}.txt").write_bytes(b"%d" % number * 200_000)
    whole = tmp_path / "whole.tar.gz"
    backup(state, whole)
    reached: set[bool] = set()
    number = -1
    while len(reached) < 2 or number < 5:  # killed before it had the name, and after
        number += 1
        assert number < 200
        target = tmp_path / f"target-{number}"
        folder, path = (state.root, target) if module == "backup" else (target, whole)
        script = SCRIPT.format(module=module, more="" if module == "backup" else ", 'ann'")
        with subprocess.Popen(
            [sys.executable, "-c", script, str(folder), str(path)], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(number * 0.05)
            process.send_signal(signal.SIGKILL)
        reached.add(target.exists())
        if not target.exists():
            continue
        made = target
        if module == "backup":
            made = tmp_path / f"made-{number}"
            restore(StateFolder(made), target, "ann")
        with closing(open_ledger(StateFolder(made))) as ledger:
            assert ledger.verify().ok


def test_a_full_disk_is_said_and_nothing_is_left(state: StateFolder, file: Path, fresh: StateFolder) -> None:
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        for act in (
            lambda: backup(state, file.with_name("second.tar.gz")),
            lambda: restore(fresh, file, "ann"),
        ):
            with pytest.raises(LoopwrightError, match="Make room"):
                act()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not file.with_name("second.tar.gz").exists()
    assert_nothing_there(fresh)
