"""Where things lie in a state folder, and how a file in it is replaced.

A state folder holds all that one Loopwright installation knows and runs: `$LOOPWRIGHT_HOME`, else `~/.loopwright`.
Every process gets the folder passed in; only the CLI reads the environment. Files that another process reads are
always replaced whole by rename, so that a reader sees the old or the new content and never half of one.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loopwright.errors import MachineError

_LEAST_ROOM = 256 * 1024  # bytes: what a few facts and a job's files take
_LONGEST_SOCKET_PATH = 107  # Linux: sun_path holds 108 bytes with its final NUL


@dataclass(frozen=True)
class StateFolder:
    """The paths in one state folder; creates nothing by itself."""

    root: Path

    @classmethod
    def resolve(cls, home: str | None = None) -> StateFolder:
        """The folder that is named, else $LOOPWRIGHT_HOME, else ~/.loopwright; always absolute."""
        chosen = home or os.environ.get("LOOPWRIGHT_HOME") or "~/.loopwright"
        return cls(Path(chosen).expanduser().absolute())

    @property
    def settings(self) -> Path:
        return self.root / "settings.json"

    @property
    def ledger(self) -> Path:
        return self.root / "ledger.db"

    @property
    def ledger_key(self) -> Path:
        return self.root / "ledger.key"

    @property
    def ledger_head(self) -> Path:
        return self.root / "ledger.head"

    @property
    def endpoint_keys(self) -> Path:
        return self.root / "endpoint-keys.json"

    @property
    def secrets(self) -> Path:
        """Names and encrypted values."""
        return self.root / "secrets.json"

    @property
    def secrets_key(self) -> Path:
        return self.root / "secrets.key"

    @property
    def secrets_folder(self) -> Path:
        """The path of a folder with a file for each secret, as the control plane was told."""
        return self.root / "secrets.folder"

    @property
    def control_lock(self) -> Path:
        return self.root / "control.lock"

    @property
    def control_log(self) -> Path:
        return self.root / "control.log"

    @property
    def agent_lock(self) -> Path:
        return self.root / "agent.lock"

    @property
    def agent_log(self) -> Path:
        return self.root / "agent.log"

    @property
    def desired(self) -> Path:
        return self.root / "desired.json"

    @property
    def observed(self) -> Path:
        return self.root / "observed.json"

    @property
    def store(self) -> Path:
        """Content-addressed files and folders."""
        return self.root / "store"

    @property
    def environments(self) -> Path:
        """Python environments, one per lock digest."""
        return self.root / "environments"

    @property
    def jobs(self) -> Path:
        return self.root / "jobs"

    @property
    def replicas(self) -> Path:
        return self.root / "replicas"

    @property
    def revisions(self) -> Path:
        return self.root / "revisions"

    @property
    def observations(self) -> Path:
        """What replicas recorded: ENVIRONMENT/WORKLOAD/REVISION/WORKER/*.segment."""
        return self.root / "observations"

    @property
    def activators(self) -> Path:
        """What stands in for replica sets that are scaled to zero."""
        return self.root / "activators"

    @property
    def gateway(self) -> Path:
        return self.root / "gateway"

    @property
    def trash(self) -> Path:
        """What is being removed."""
        return self.root / "trash"

    @property
    def mlflow(self) -> Path:
        return self.root / "mlflow"

    @property
    def sockets(self) -> Path:
        """The folder of Unix sockets: in the state folder, or beside /tmp where that path is too long for one."""
        inside = self.root / "run"
        if len(str(inside)) + 40 <= _LONGEST_SOCKET_PATH:
            return inside
        digest = hashlib.sha256(str(self.root).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"loopwright-{os.getuid()}-{digest}"

    @property
    def control_socket(self) -> Path:
        return self.sockets / "control.sock"

    @property
    def shared_socket(self) -> Path:
        """The socket for members of the group in settings.json; outside of the state folder, which is its owner's alone."""
        digest = hashlib.sha256(str(self.root).encode()).hexdigest()[:12]
        return Path("/tmp") / f"loopwright-shared-{digest}" / "control.sock"  # noqa: S108  (its owner is checked)

    def is_foreign(self) -> bool:
        """Whether the folder is there and belongs to another user; root may open any."""
        try:
            return os.getuid() not in (0, self.root.stat().st_uid)
        except OSError:
            return False

    def create(self) -> None:
        """Make the folders, readable by their owner alone; raises MachineError where that cannot be."""
        for folder in (self.root, self.sockets):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                info = folder.stat()
            except OSError as error:
                raise MachineError(
                    f"The state folder {folder} cannot be made: {error.strerror}. "
                    "Name another with LOOPWRIGHT_HOME, or mend its permissions."
                ) from error
            if info.st_uid != os.getuid():
                raise MachineError(
                    f"The folder {folder} belongs to another user (uid {info.st_uid}); remove it or set LOOPWRIGHT_HOME."
                )
            if folder == self.sockets:
                folder.chmod(0o700)


def read_settings(path: Path) -> dict[str, Any]:
    """What settings.json holds, empty where it is not there; raises MachineError where it is not what it should be."""
    try:
        known = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise MachineError(f"{path} cannot be read: {error}. {_MEND_SETTINGS}") from error
    if not isinstance(known, dict):
        raise MachineError(f"{path}: found {type(known).__name__}, expected an object. {_MEND_SETTINGS}")
    return known


_MEND_SETTINGS = (
    "Mend it, or remove it to have ports chosen anew; where the ledger is a database, LOOPWRIGHT_LEDGER then has to name "
    "it once more."
)


def keep_settings(path: Path, **settings: Any) -> None:
    """Put these into settings.json, beside what else it holds."""
    replace_file(path, json.dumps(read_settings(path) | settings, indent=2).encode(), durable=True)


def full_disk(folder: Path) -> str:
    """A sentence where the disk of a folder has no room left; empty where it has some, or where that cannot be told."""
    try:
        left = shutil.disk_usage(folder).free
    except OSError:
        return ""
    if left >= _LEAST_ROOM:
        return ""
    return f"The disk of {folder} is full ({left} bytes are left), so nothing new can be started or recorded. Make room on it; all goes on then."


def replace_file(path: Path, content: bytes, mode: int = 0o600, durable: bool = False) -> None:
    """Replace a file whole by rename; `durable` also waits until it is on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            if durable:
                os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    if durable:
        _sync_folder(path.parent)


def create_file(path: Path, content: bytes) -> None:
    """Make a file durably unless it is there: of several who do so at once, one wins and all read its content whole."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        replace_file(beside, content, durable=True)
        os.link(beside, path)
    except FileExistsError:
        pass
    finally:
        beside.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
