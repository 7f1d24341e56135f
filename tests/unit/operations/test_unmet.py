"""Rules of approvals that too few people of this system can meet."""

from __future__ import annotations

import pytest

from loopwright.operations.approving import unmet
from loopwright.spec import load_text

SPEC = """
apiVersion: loopwright/v1
workload: toy
owner: ada@example.com
data: {{rows: {{source: rows.csv, label: y}}}}
training: {{command: "python t.py {{data.rows.train}} {{outputs}}", dependencies: {{requirements: r.txt}}}}
serving: {{entry: score.py}}
environments: {{prod: {{approval: {approval}}}}}
"""


@pytest.mark.parametrize(
    ("approval", "known"),
    [
        ("{by: [no-such-user, root]}", None),
        ("{by: ['@root']}", None),
        ("{count: 2}", None),
        ("{by: [no-such-user]}", "of one of no-such-user, and this system knows none of them"),
        ("{by: ['@no-such-group']}", "this system knows none of them"),
        ("{count: 2, by: [no-such-user, root]}", "of 2 people of no-such-user, root, and this system knows root"),
    ],
)  # fmt: skip
def test_rules_are_compared_with_who_is_known_here(approval: str, known: str | None) -> None:
    found = unmet(load_text(SPEC.format(approval=approval)))
    assert bool(found) == (known is not None)
    assert all("environments.prod.approval" in told and str(known) in told for told in found)
