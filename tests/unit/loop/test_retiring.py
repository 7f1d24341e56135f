"""What serves in an environment that is declared no more ends when a person says so, and for good."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from model_world import Life
from tiny_workload import make_tiny

from loopwright.errors import ConflictError, NotFoundError
from loopwright.loop.lineage import releases
from loopwright.operations import changes
from loopwright.operations.retiring import retire

BOTH = "{dev: {}, prod: {}}"


class Told(Life):
    """A life whose registry says which aliases it has."""

    def declare(self, work: Path, environments: str, before: str) -> None:
        """Have these environments in the spec, and bring that to production."""
        spec = work / "loopwright.yaml"
        spec.write_text(spec.read_text().replace(before, environments))
        changes.up(self.control, str(work), True, "ada")
        self.settle()

    def retire(self, environment: str) -> dict[str, Any]:
        return retire(self.control, environment, None, "moved", "bob")

    @property
    def served(self) -> set[str]:
        return {route.environment for route in self.world.routes}


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return make_tiny(tmp_path / "tiny", environments=BOTH)


@pytest.fixture
def life(tmp_path: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    """A workload that serves in dev and prod."""
    life = Told(tmp_path / "home")
    aliases = life.world.aliases
    monkeypatch.setattr(
        life.world, "delete_alias", lambda name, alias: aliases.pop(alias, None), raising=False
    )
    life.declare(work, BOTH, BOTH)
    yield life
    life.ledger.close()


def test_route_replicas_and_alias_end_and_do_not_come_back(life: Told, work: Path) -> None:
    life.declare(work, "{prod: {}}", BOTH)
    assert life.served == {"dev", "prod"}
    assert life.retire("dev")["version"] == "tiny:1"
    life.ledger.close()
    life.be_born()
    life.settle()
    assert life.served == {"prod"}
    assert {name.partition("--")[0] for name in life.world.sets} == {"prod"}
    assert set(life.world.aliases) == {"prod"}
    (ended,) = releases(life.book.chronicle, "tiny", "dev")
    assert ended.until is not None
    with pytest.raises(NotFoundError, match=r"Nothing of tiny serves in 'dev'\. It serves in: prod\."):
        life.retire("dev")


def test_it_may_be_declared_again(life: Told, work: Path) -> None:
    life.declare(work, "{prod: {}}", BOTH)
    life.retire("dev")
    life.declare(work, BOTH, "{prod: {}}")
    assert life.served == {"dev", "prod"}
    assert life.world.aliases == {"dev": 1, "prod": 1}


@pytest.mark.parametrize(
    ("environment", "error", "told"),
    [
        ("dev", ConflictError, "The spec of tiny-1 has the environment dev. Take it out"),
        ("de", NotFoundError, "Nothing of tiny serves in 'de'"),
    ],
)
def test_what_is_declared_or_not_there_is_refused(
    life: Told, environment: str, error: type[Exception], told: str
) -> None:
    facts = len(life.ledger.facts())
    with pytest.raises(error, match=told):
        life.retire(environment)
    assert len(life.ledger.facts()) == facts
