"""Secrets on the disk: readable with the key alone, and told apart without their values."""

from __future__ import annotations

import base64
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from loopwright.errors import IntegrityError, MachineError, NotFoundError, UsageError
from loopwright.secrets.providers import Secrets
from loopwright.secrets.vault import Vault
from loopwright.state import StateFolder

VALUE = "hunter2-and-more"
KEY = base64.b64encode(b"k" * 32).decode()


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path)


def vault(state: StateFolder, **environment: str) -> Vault:
    return Vault(state, environment)


def test_what_is_set_is_read_by_another_process(state: StateFolder) -> None:
    assert vault(state).set("TOKEN", VALUE, "set", "ada", 1.0)
    assert vault(state).get("TOKEN") == VALUE
    assert not vault(state).set("TOKEN", VALUE, "set", "ada", 2.0)
    assert vault(state).set("TOKEN", f"{VALUE}!", "set", "ada", 3.0)
    assert vault(state).remove("TOKEN")
    assert vault(state).get("TOKEN") is None


def test_only_its_owner_reads_the_files_and_no_value_is_in_them(state: StateFolder) -> None:
    vault(state).set("TOKEN", VALUE, "set", "ada", 1.0)
    for path in (state.secrets, state.secrets_key):
        assert path.stat().st_mode & 0o777 == 0o600
    assert VALUE not in state.secrets.read_text()


def test_a_key_from_the_environment_is_written_nowhere(state: StateFolder, tmp_path: Path) -> None:
    vault(state, LOOPWRIGHT_SECRETS_KEY=KEY).set("TOKEN", VALUE, "set", "ada", 1.0)
    assert not state.secrets_key.exists()
    (tmp_path / "key").write_text(KEY)
    assert vault(state, LOOPWRIGHT_SECRETS_KEY_FILE=str(tmp_path / "key")).get("TOKEN") == VALUE
    with pytest.raises(MachineError, match=r"The key of the secrets, .*, is not there"):
        vault(state).get("TOKEN")
    other = base64.b64encode(b"x" * 32).decode()
    with pytest.raises(IntegrityError, match="TOKEN cannot be read with the key at hand"):
        vault(state, LOOPWRIGHT_SECRETS_KEY=other).get("TOKEN")
    with pytest.raises(MachineError, match="is not 32 bytes in base64"):
        vault(state, LOOPWRIGHT_SECRETS_KEY="short").get("TOKEN")


def test_a_value_put_under_another_name_is_not_taken(state: StateFolder) -> None:
    vault(state).set("TOKEN", VALUE, "set", "ada", 1.0)
    state.secrets.write_text(state.secrets.read_text().replace("TOKEN", "OTHER"))
    with pytest.raises(IntegrityError):
        vault(state).get("OTHER")


def test_a_digest_tells_values_apart_and_needs_the_key(state: StateFolder) -> None:
    mine, other = vault(state, LOOPWRIGHT_SECRETS_KEY=KEY), vault(state)
    assert mine.digest("TOKEN", VALUE) == mine.digest("TOKEN", VALUE)
    assert len({mine.digest("TOKEN", VALUE), mine.digest("TOKEN", "x"), other.digest("TOKEN", VALUE)}) == 3


@pytest.mark.parametrize("value", ["abc", "a\0bcd", "x" * 70_000])
def test_a_value_that_cannot_be_is_refused_without_being_shown(state: StateFolder, value: str) -> None:
    with pytest.raises(UsageError) as caught:
        vault(state).set("TOKEN", value, "set", "ada", 1.0)
    assert value not in caught.value.message


def test_a_file_that_is_none_of_ours_is_told(state: StateFolder) -> None:
    state.secrets.write_text("{")
    with pytest.raises(IntegrityError, match=r"secrets\.json is not what was written"):
        vault(state).entries()


def test_a_file_of_the_folder_counts_after_what_was_set(state: StateFolder, tmp_path: Path) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    (folder / "TOKEN").write_text("from-a-file\n")
    Secrets(state, {"LOOPWRIGHT_SECRETS_FOLDER": str(folder)}).remember_folder()
    secrets = Secrets(state, {})
    assert secrets.value("TOKEN") == "from-a-file"
    secrets.vault.set("TOKEN", VALUE, "set", "ada", 1.0)
    assert secrets.filled_in({"A": "secret:TOKEN", "B": "plain"}) == {"A": VALUE, "B": "plain"}


def test_a_secret_that_nobody_has_is_named_with_what_to_do(state: StateFolder) -> None:
    with pytest.raises(NotFoundError, match="`loopwright secrets set TOKEN` sets it"):
        Secrets(state, {}).filled_in({"A": "secret:TOKEN"})


def test_its_file_is_json_that_lists_names(state: StateFolder) -> None:
    vault(state).set("TOKEN", VALUE, "set", "ada", 1.0)
    (entry,) = json.loads(state.secrets.read_bytes())["secrets"]
    assert (entry["name"], entry["source"], entry["by"]) == ("TOKEN", "set", "ada")


def test_first_users_at_once_come_to_one_key(tmp_path: Path) -> None:
    def first(one: int) -> str:
        gate.wait(timeout=60)
        if one % 2:
            vault(home).set(f"TOKEN_{one}", VALUE, "set", "ada", 1.0)
        return vault(home).digest("TOKEN", VALUE)

    with ThreadPoolExecutor(8) as pool:
        for round_ in range(25):
            home, gate = StateFolder(tmp_path / str(round_)), threading.Barrier(8)
            digests = set(pool.map(first, range(8)))
            assert digests == {vault(home).digest("TOKEN", VALUE)}
            assert [vault(home).get(f"TOKEN_{one}") for one in (1, 3, 5, 7)] == [VALUE] * 4
            assert {path.name for path in home.root.iterdir()} == {"secrets.json", "secrets.key"}
