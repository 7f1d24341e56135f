"""`loopwright service`: the control plane as a systemd unit, so that all comes back after a reboot and ends in order before it.

The unit runs the control plane alone. What the agent runs stays when the control plane is started again, be it by systemd
after a crash or by `systemctl restart`, and ends in order when the unit is stopped or the machine goes down (see
`loopwright.cli.service_stop`). `unit_text` is pure; the rest asks systemctl.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loopwright.errors import ConflictError, MachineError, NotFoundError
from loopwright.state import StateFolder, replace_file

_SYSTEM = Path("/etc/systemd/system")
_PATIENCE = 30.0  # seconds that systemctl may take; ending everything is not waited for
_STOP = 90  # seconds from the wish to stop until systemd ends what is left


@dataclass(frozen=True)
class Unit:
    """A unit of one state folder: of its owner's own manager, or, with `system`, of the machine's."""

    state: StateFolder
    system: bool

    @property
    def name(self) -> str:
        """`loopwright.service` for the default folder; others are told apart by their path."""
        if self.state == StateFolder.resolve("~/.loopwright"):
            return "loopwright.service"
        return f"loopwright-{hashlib.sha256(str(self.state.root).encode()).hexdigest()[:8]}.service"

    @property
    def path(self) -> Path:
        """Where systemd reads it."""
        configuration = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
        return (_SYSTEM if self.system else configuration / "systemd" / "user") / self.name

    def systemctl(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Ask the manager; raises MachineError where there is none."""
        program = shutil.which("systemctl")
        if program is None:
            raise MachineError(f"There is no systemctl on this machine: systemd does not run it. {_ELSE}")
        command = [program, *([] if self.system else ["--user"]), *words]
        try:
            return subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE)
        except subprocess.TimeoutExpired as error:
            raise MachineError(f"{' '.join(command)} did not answer within {_PATIENCE:g} s.") from error


_ELSE = "`loopwright service install --print` shows the unit; other service managers run `loopwright server`."


def unit_text(unit: Unit, python: str, path: str, owner: str) -> str:
    """The unit's file, for this interpreter, PATH and, in the machine's manager, user."""
    root = str(unit.state.root)
    server = _words(python, "-m", "loopwright.server", "--home", root, "--wait", "--supervised")
    scope = ["--system"] if unit.system else []
    stop = _words(python, "-m", "loopwright.cli.service_stop", "--home", root, "--unit", unit.name, *scope)
    user = [f"User={owner}"] if unit.system else []
    lines = [
        f"# Made by `loopwright service install`; `loopwright service uninstall` removes it.",  # noqa: F541
        "[Unit]",
        f"Description=Loopwright control plane of {_literal(root)}",
        "After=network-online.target",
        "Wants=network-online.target",
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        "Type=exec",
        *user,
        f"Environment={_quoted(f'LOOPWRIGHT_HOME={root}')}",
        f"Environment={_quoted(f'PATH={path}')}",
        "# Proxies, certificates, PGPASSWORD: NAME=value, a line each; readable by its owner alone.",
        f"EnvironmentFile=-{_literal(root)}/service.env",
        f"ExecStart={server}",
        f"ExecStop={stop}",
        "# A crash, not an end that was asked for, starts it again; it finds all that runs.",
        "Restart=on-failure",
        "RestartSec=1",
        "# The agent, replicas and gateway are not the control plane's to take along: ExecStop ends them where they are to end.",
        "KillMode=process",
        f"TimeoutStopSec={_STOP}",
        "",
        "[Install]",
        f"WantedBy={'multi-user.target' if unit.system else 'default.target'}",
    ]
    return "\n".join(lines) + "\n"


def shown(unit: Unit) -> str:
    """The unit's text for this machine and user."""
    return unit_text(unit, sys.executable, os.environ.get("PATH", os.defpath), _owner(unit.state))


def install(unit: Unit) -> dict[str, Any]:
    """Write the unit, enable and start it.

    Raises ConflictError where it is there with another content, MachineError where systemd does not run or refuses.
    """
    text = shown(unit)
    if (
        unit.path.exists()
        and unit.path.read_text() != text
        and "Made by `loopwright" not in unit.path.read_text()
    ):
        raise ConflictError(f"{unit.path} is there and was not made by Loopwright; remove it first.")
    _require_running(unit)
    try:
        replace_file(unit.path, text.encode(), mode=0o644, durable=True)
    except OSError as error:
        advice = "Run it as root, or leave out --system." if unit.system else "Mend its permissions."
        raise MachineError(f"{unit.path} cannot be written: {error.strerror}. {advice}") from error
    for words in (("daemon-reload",), ("enable", "--now", unit.name)):
        _require(unit, *words)
    return {"unit": unit.name, "file": str(unit.path), "system": unit.system, "lingers": _lingers(unit)}


def uninstall(unit: Unit) -> dict[str, Any]:
    """Disable the unit, which stops what it runs, and remove it. Raises NotFoundError where it is not installed."""
    if not unit.path.exists():
        raise NotFoundError(f"{unit.path} is not there, so nothing is installed. {_other(unit)}")
    _require_running(unit)
    _require(unit, "disable", "--now", unit.name)
    try:
        unit.path.unlink()
    except OSError as error:
        raise MachineError(f"{unit.path} cannot be removed: {error.strerror}.") from error
    _require(unit, "daemon-reload")
    return {"unit": unit.name, "file": str(unit.path), "system": unit.system}


def status(unit: Unit) -> dict[str, Any]:
    """Whether it is installed, and how it stands in systemd's words."""
    installed = unit.path.exists()
    told = {"ActiveState": "unknown", "UnitFileState": "unknown", "MainPID": "0", "NRestarts": "0"}
    if shutil.which("systemctl"):
        answer = unit.systemctl("show", unit.name, *(f"--property={name}" for name in told))
        told |= dict(line.split("=", 1) for line in answer.stdout.splitlines() if "=" in line)
    return {
        "unit": unit.name,
        "file": str(unit.path),
        "system": unit.system,
        "installed": installed,
        "active": told["ActiveState"],
        "enabled": told["UnitFileState"] or "unknown",
        "pid": int(told["MainPID"]) or None,
        "restarts": int(told["NRestarts"]),
        "lingers": _lingers(unit),
    }


def _require_running(unit: Unit) -> None:
    answer = unit.systemctl("is-system-running")
    if answer.stdout.strip() in ("offline", "unknown", ""):
        whose = "the machine's" if unit.system else "your own (systemctl --user)"
        raise MachineError(
            f"systemd does not run here, or {whose} manager cannot be reached: {answer.stderr.strip() or answer.stdout.strip()}. {_ELSE}"
        )


def _require(unit: Unit, *words: str) -> None:
    answer = unit.systemctl(*words)
    if answer.returncode:
        raise MachineError(
            f"systemctl {' '.join(words)} failed: {answer.stderr.strip() or answer.stdout.strip()}"
        )


def _lingers(unit: Unit) -> bool:
    """Whether it runs while nobody is logged in."""
    return unit.system or Path(f"/var/lib/systemd/linger/{_owner(unit.state)}").exists()


def _owner(state: StateFolder) -> str:
    uid = state.root.stat().st_uid if state.root.exists() else os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _other(unit: Unit) -> str:
    other = Unit(unit.state, not unit.system)
    return (
        f"{other.path} is: {'leave out' if unit.system else 'add'} --system." if other.path.exists() else ""
    )


def _words(*words: str) -> str:
    return " ".join(_quoted(word.replace("$", "$$")) for word in words)


def _quoted(text: str) -> str:
    """As systemd reads one word: systemd.syntax(7) on quoting, and % begins a specifier."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"' if any(sign in escaped for sign in " \t\"'\\;") else escaped


def _literal(text: str) -> str:
    return text.replace("%", "%%")
