from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from loopwright.engines.base import Backend, Route
from loopwright.engines.local.desired import Desired, GatewaySettings, routes_digest
from loopwright.engines.local.wanted_file import WantedFile
from loopwright.state import replace_file

WANTED = Desired(generation=1, gateway=GatewaySettings(port=8080), mlflow_port=5000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    replace_file(tmp_path / "desired.json", msgspec.json.encode(WANTED))
    return tmp_path / "desired.json"


def test_nothing_is_wanted_before_there_is_a_file(tmp_path: Path) -> None:
    assert WantedFile(tmp_path / "desired.json").read() is None


def test_a_replaced_file_is_read(path: Path) -> None:
    file = WantedFile(path)
    assert file.read() == WANTED
    replace_file(path, msgspec.json.encode(msgspec.structs.replace(WANTED, generation=2, stopping=True)))
    assert file.read() == msgspec.structs.replace(WANTED, generation=2, stopping=True)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"generation": "1"}', b"\xff", None])
def test_the_last_good_one_holds(path: Path, content: bytes | None, caplog: pytest.LogCaptureFixture) -> None:
    file = WantedFile(path)
    file.read()
    path.unlink() if content is None else replace_file(path, content)
    assert [file.read(), file.read()] == [WANTED, WANTED]
    assert len(caplog.records) == (0 if content is None else 1)


def test_a_table_is_named_by_its_content_and_not_its_order() -> None:
    one, two = (
        Route(environment="dev", workload=name, backends=(Backend(replica_set="a"),), timeout=1.0)
        for name in "ab"
    )
    assert routes_digest((one, two)) == routes_digest((two, one)) != routes_digest((one,))
    assert routes_digest((msgspec.structs.replace(one, timeout=2.0),)) != routes_digest((one,))
