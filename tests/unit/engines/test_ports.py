from __future__ import annotations

import json
import re
import socket
from pathlib import Path

import pytest

from loopwright.engines.local.ports import chosen, is_free
from loopwright.errors import MachineError


def test_ports_once_chosen_are_kept(tmp_path: Path) -> None:
    first = chosen(tmp_path / "settings.json", {}, lambda port: port not in (8080, 8081))
    assert first.gateway_port == 8082
    assert first == chosen(tmp_path / "settings.json", {"LOOPWRIGHT_GATEWAY_PORT": "9"}, lambda port: False)


def test_the_variable_decides_at_the_first_time(tmp_path: Path) -> None:
    assert (
        chosen(
            tmp_path / "settings.json", {"LOOPWRIGHT_GATEWAY_PORT": "9999"}, lambda port: True
        ).gateway_port
        == 9999
    )


def test_what_else_the_file_holds_stays(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"other": 1}')
    chosen(tmp_path / "settings.json", {}, lambda port: True)
    assert json.loads((tmp_path / "settings.json").read_text())["other"] == 1


@pytest.mark.parametrize("word", ["x", "0", "65536", "-1", "8080.0"])
def test_a_port_that_is_none_is_refused(tmp_path: Path, word: str) -> None:
    with pytest.raises(MachineError, match=r"expected a port number from 1 to 65535"):
        chosen(tmp_path / "settings.json", {"LOOPWRIGHT_GATEWAY_PORT": word}, lambda port: True)
    assert not (tmp_path / "settings.json").exists()


def test_a_named_port_that_is_taken_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"is 9999, but .* has this port"):
        chosen(tmp_path / "settings.json", {"LOOPWRIGHT_GATEWAY_PORT": "9999"}, lambda port: False)


def test_no_free_port_is_told(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"No port from 8080 to 8179 is free"):
        chosen(tmp_path / "settings.json", {}, lambda port: False)


@pytest.mark.parametrize("content", ["{", "[]", '{"gateway_port": "x", "mlflow_port": 1}'])
def test_a_damaged_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "settings.json").write_text(content)
    with pytest.raises(MachineError, match=r"settings\.json.*remove it"):
        chosen(tmp_path / "settings.json", {}, lambda port: True)


@pytest.mark.parametrize("found", ['"x"', "0", "65536", "true", "null", "8080.5"])
@pytest.mark.parametrize("other", ["", ', "mlflow_port": 20001'])
def test_a_port_of_the_file_that_is_none_is_refused_by_name(tmp_path: Path, found: str, other: str) -> None:
    settings = tmp_path / "settings.json"
    settings.write_text(f'{{"gateway_port": {found}{other}}}')
    told = f"{settings}: `gateway_port`: found {found}, expected a port from 1 to 65535."
    with pytest.raises(MachineError, match=re.escape(told)):
        chosen(settings, {}, lambda port: True)


def test_one_port_of_the_file_alone_is_kept(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"gateway_port": 9123}')
    assert chosen(tmp_path / "settings.json", {}, lambda port: True).gateway_port == 9123


def test_a_port_that_somebody_listens_at_is_not_free() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert not is_free(listener.getsockname()[1])
