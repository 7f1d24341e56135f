"""A revision is named by all that decides how it serves, and by nothing else."""

from __future__ import annotations

import pytest

from loopwright.loop.case import Case
from loopwright.loop.change import Change
from loopwright.loop.serving import revision_of
from loopwright.loop.view import View
from loopwright.spec import load_text

SPEC = """
apiVersion: loopwright/v1
workload: toy
owner: ada@example.com
data: {{rows: {{source: rows.csv, label: y}}}}
training: {{command: "python t.py {{data.rows.train}} {{outputs}}", dependencies: {{requirements: r.txt}}}}
serving: {{entry: score.py, replicas: {{{replicas}}}}}
environments: {{prod: {{}}}}
"""


def revision(replicas: str) -> str:
    change = Change("toy-1", "toy", "/f", "s", {}, {}, None, False, None, "ada", False, "ada", 0.0)
    spec = load_text(SPEC.format(replicas=replicas))
    return revision_of(Case(spec, change, View(), {"package": {"digest": "sha256:1"}}), "prod")


def test_a_revision_of_the_first_version_keeps_its_name() -> None:
    assert revision("min: 2").startswith("e126033e062c")


@pytest.mark.parametrize("replicas", ["min: 1", "scale_up_delay: 1s", "scale_down_delay: 1s", "min: 0"])
def test_what_decides_how_it_serves_makes_another_revision(replicas: str) -> None:
    assert revision(replicas) != revision("min: 2")
