"""What a lock pins and what is installed are compared by name and version, and quickly."""

from __future__ import annotations

from pathlib import Path

import pytest

from loopwright import pins

LOCK = """\
# python 3.11
joblib==1.6.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # seal 123456789012
numpy==2.4.6 --hash=sha256:cc
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:dd
tomli==2.0 ; python_full_version < '3.11'
Ruamel_yaml[jinja2]==0.18  # of somebody
torch @ https://example.com/torch-2.1-py3-none-any.whl --hash=sha256:ee
"""


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """An environment as uv leaves it: folders with telling names, and pyvenv.cfg."""
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    for name in ("joblib-1.6.0", "numpy-2.4.6", "ruamel_yaml-0.18", "torch-2.1+cpu"):
        (packages / f"{name}.dist-info").mkdir(parents=True)
    (packages / "numpy").mkdir()
    (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\nversion_info = 3.11.7\n")
    return tmp_path


def test_pins_are_those_of_this_machine_and_python() -> None:
    assert pins.expected(LOCK, "3.11.7") == {
        "joblib": "1.6.0",
        "numpy": "2.4.6",
        "ruamel-yaml": "0.18",
        "torch": "",
    }
    assert "tomli" in pins.expected(LOCK, "3.10.2")


def test_an_environment_as_locked_may_be_used(environment: Path) -> None:
    assert pins.refusal(LOCK, environment) == ""


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("numpy-2.4.6", "numpy-2.4.5"), "numpy 2.4.5 is installed, the lock says 2.4.6"),
        (("joblib-1.6.0", "polars-1.0"), "joblib is not installed, the lock says 1.6.0; polars 1.0 is installed, the lock does not have it"),
    ],
)  # fmt: skip
def test_another_package_is_named(environment: Path, change: tuple[str, str], told: str) -> None:
    packages = environment / "lib" / "python3.11" / "site-packages"
    (packages / f"{change[0]}.dist-info").rename(packages / f"{change[1]}.dist-info")
    assert told in pins.refusal(LOCK, environment)


def test_two_spellings_of_one_version_are_one(environment: Path) -> None:
    assert pins.refusal(LOCK.replace("numpy==2.4.6", "numpy==2.4.6.0"), environment) == ""


def test_an_environment_that_is_gone_is_not_what_was_locked(tmp_path: Path) -> None:
    assert "joblib is not installed" in pins.refusal(LOCK, tmp_path / "gone")
