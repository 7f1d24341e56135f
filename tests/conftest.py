"""One state folder with the example in production, driven by the real command line; shared by the whole session.

Three workers on two cores: whole runs of the loop wait half of their time. Files go to them in the order of their names:
what takes long, acceptance and chaos, comes first, and what takes moments, the unit tests, fills the end.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from driving import Cli, Production, copy_example
from xdist.scheduler import LoadFileScheduling

# In this order: what is refused may have come to dev, so that production's own folder is no longer what serves there.
SHARES_PRODUCTION = ("test_production.py", "test_records.py", "test_refusals.py")


class Scheduling(LoadFileScheduling):
    """A file's tests on one worker, and all that share the production too: it is made once."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "production" if file.endswith(SHARES_PRODUCTION) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """Ours where the settings' own is asked for."""
    return Scheduling(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """A command line on a fresh state folder; all of it is brought down at the end."""
    cli = Cli(tmp_path_factory.mktemp("home"))
    yield cli
    cli("down")


@pytest.fixture(scope="session")
def production(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Production:
    """The example brought to production once."""
    folder = copy_example(tmp_path_factory.mktemp("work") / "titanic")
    return Production(cli, folder, cli("up", str(folder), "--auto-approve").stdout)


@pytest.fixture
def variant(production: Production, tmp_path: Path) -> Path:
    """A copy of the folder that serves, to change and to break."""
    return Path(shutil.copytree(production.folder, tmp_path / "titanic"))
