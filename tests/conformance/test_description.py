"""What a replica says of itself by OpenAPI is so, whatever serves: Schemathesis asks everything that the description has."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import any_kind
import pytest
from client_environment import client_environment
from gateway_rig import Rig, route
from served import Served

KEY = "key-of-clients"
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "response_headers_conformance"
)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where the gateway listens, with dev/KIND for each kind of entry."""
    with tempfile.TemporaryDirectory(prefix="de-") as folder:
        rig = Rig(Path(folder))
        served = {kind: _served(kind, Path(folder) / kind) for kind in any_kind.KINDS}
        sockets = {f"dev--w--{kind}": [one.socket] for kind, one in served.items()}
        keys: dict[str, Any] = {"keys": {"clients": KEY}, "feedback_keys": {"labels": KEY}}
        rig.want(*(route(f"dev--w--{kind}", workload=kind, **keys) for kind in served), endpoints=sockets)
        yield rig.port
        rig.close()
        for one in served.values():
            assert one.stop() == 0
            assert "Traceback" not in one.log.read_text()


def _served(kind: str, folder: Path) -> Served:
    (folder / "package").mkdir(parents=True)
    any_kind.pack(kind, folder / "package")
    more: dict[str, Any] = {"observations": {"folder": str(folder / "observed")}}
    limits = {"max_body": 1_000_000, "concurrency": 16, "queue": 64}
    return Served(folder, any_kind.SCRIPT, None, limits=limits, **any_kind.told(kind) | more)


def test_every_answer_is_one_that_the_description_has(port: int) -> None:
    """All kinds at once: most of the time is Schemathesis' own."""
    running = {kind: _schemathesis(port, kind) for kind in any_kind.KINDS}
    said = {kind: process.communicate(timeout=200)[0] for kind, process in running.items()}
    for kind, process in running.items():
        assert process.returncode == 0, f"{kind}: {said[kind][-6000:]}"
        assert f"{21 if kind == 'script' else 5} selected" in said[kind]


def _schemathesis(port: int, kind: str) -> subprocess.Popen[str]:
    command = [
        str(client_environment() / "schemathesis"), "run", f"http://127.0.0.1:{port}/dev/{kind}/openapi.json",
        "--header", f"Authorization: Bearer {KEY}", "--checks", CHECKS, "--max-examples", "15", "--seed", "1",
        "--phases", "examples,coverage,fuzzing", "--request-timeout", "10", "--generation-database", "none", "--no-color",
        *(() if kind == "script" else ("--include-method", "POST")),  # pages are the same for all
    ]  # fmt: skip
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
