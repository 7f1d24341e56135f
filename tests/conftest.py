"""One state folder with the example in production, driven by the real command line; shared by the whole session."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from driving import Cli, Production, copy_example


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
