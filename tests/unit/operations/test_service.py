"""The unit that systemd is given: what it says, and what systemd itself says of it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from loopwright.cli.service_stop import is_stop
from loopwright.errors import MachineError, NotFoundError
from loopwright.operations.service import Unit, install, status, uninstall, unit_text
from loopwright.state import StateFolder

PYTHON = "/bin/sh"  # some program that is there: systemd-analyze looks


def text(home: str = "/srv/loopwright", system: bool = False) -> str:
    return unit_text(Unit(StateFolder(Path(home)), system), PYTHON, "/usr/bin:/bin", "ann")


def test_it_names_everything_by_its_whole_path() -> None:
    lines = text().splitlines()
    assert f"ExecStart={PYTHON} -m loopwright.server --home /srv/loopwright --wait --supervised" in lines
    assert "Restart=on-failure" in lines
    assert "KillMode=process" in lines
    assert "EnvironmentFile=-/srv/loopwright/service.env" in lines
    assert "WantedBy=default.target" in lines


def test_the_machines_unit_runs_as_the_owner() -> None:
    lines = text(system=True).splitlines()
    assert "User=ann" in lines
    assert "WantedBy=multi-user.target" in lines
    assert any(line.startswith("ExecStop=") and line.endswith("--system") for line in lines)


def test_a_path_with_signs_that_systemd_reads_otherwise_is_quoted() -> None:
    told = text('/srv/100% of "it"/$HOME').splitlines()
    assert any('--home "/srv/100%% of \\"it\\"/$$HOME" --wait' in line for line in told)


def test_two_state_folders_have_two_units(tmp_path: Path) -> None:
    names = {Unit(StateFolder(tmp_path / name), False).name for name in ("a", "b")}
    assert len(names) == 2
    assert Unit(StateFolder.resolve("~/.loopwright"), False).name == "loopwright.service"


def complaints(file: Path, system: bool) -> list[str]:
    """What systemd-analyze says of a unit."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    done = subprocess.run(
        [program, *([] if system else ["--user"]), "--man=no", "verify", str(file)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"XDG_RUNTIME_DIR": str(file.parent)},
    )
    return [line for line in (done.stdout + done.stderr).splitlines() if file.name in line]


@pytest.mark.parametrize("system", [False, True])
@pytest.mark.parametrize("folder", ["home", "home of 100% and more"])
def test_systemd_finds_nothing_wrong_with_it(tmp_path: Path, folder: str, system: bool) -> None:
    unit = Unit(StateFolder(tmp_path / folder), system)
    file = tmp_path / unit.name
    file.write_text(right := unit_text(unit, PYTHON, "/usr/bin:/bin", "root"))
    assert complaints(file, system) == []
    file.write_text(right.replace("KillMode=process", "KillMode=nonsense"))
    assert complaints(file, system) != []


SYSTEMCTL = """#!/bin/sh
echo "$@" >> "$0.log"
case "$*" in *is-system-running*) echo running;; *show*) echo ActiveState=active; echo MainPID=77;; esac
"""


def test_it_is_written_enabled_and_started_and_removed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a systemctl that only notes what it is asked: no machine of these tests is run by systemd."""
    program = tmp_path / "systemctl"
    program.write_text(SYSTEMCTL)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    unit = Unit(StateFolder(tmp_path / "home"), False)
    with pytest.raises(NotFoundError, match="nothing is installed"):
        uninstall(unit)
    install(unit)
    assert "ExecStart=" in unit.path.read_text()
    assert (status(unit)["installed"], status(unit)["active"], status(unit)["pid"]) == (True, "active", 77)
    uninstall(unit)
    assert not unit.path.exists()
    asked = [
        line for line in Path(f"{program}.log").read_text().splitlines() if "able" in line or "reload" in line
    ]
    assert asked == [
        "--user daemon-reload",
        f"--user enable --now {unit.name}",
        f"--user disable --now {unit.name}",
        "--user daemon-reload",
    ]


def test_where_systemd_does_not_run_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with pytest.raises(MachineError, match=r"no systemctl.*--print"):
        install(Unit(StateFolder(tmp_path / "home"), False))
    assert not (tmp_path / "config").exists()


@pytest.mark.parametrize(
    ("jobs", "stop"),
    [
        ("1234 loopwright.service stop    running\n", True),
        ("1234 loopwright.service restart running\n", False),
        ("1234 loopwright-1.service stop  running\n", False),
        ("", False),  # it crashed, or ended by itself
        ("9 a.target start waiting\n1234 loopwright.service stop waiting\n", True),
    ],
)
def test_only_a_stop_ends_what_serves(jobs: str, stop: bool) -> None:
    assert is_stop(jobs, "loopwright.service") is stop
