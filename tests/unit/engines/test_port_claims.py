"""Two state folders never share a gateway port, however close together they begin."""

import json
from pathlib import Path

from loopwright.engines.local.port_claims import claim


def begin(home: Path) -> Path:
    home.mkdir()
    return home / "settings.json"


def test_a_port_has_one_state_folder(tmp_path: Path) -> None:
    first, second = begin(tmp_path / "a"), begin(tmp_path / "b")
    assert claim(8080, first, tmp_path / "claims")
    assert not claim(8080, second, tmp_path / "claims")
    assert claim(8081, second, tmp_path / "claims")
    assert claim(8080, first, tmp_path / "claims")


def test_a_claim_ends_with_what_it_was_for(tmp_path: Path) -> None:
    first, second, third = (begin(tmp_path / name) for name in "abc")
    claim(8080, first, tmp_path / "claims")
    first.write_text(json.dumps({"gateway_port": 9000}))
    assert claim(8080, second, tmp_path / "claims")
    second.parent.rmdir()
    assert claim(8080, third, tmp_path / "claims")
