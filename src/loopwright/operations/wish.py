"""What a folder asks for, as a change: its files by their content, its data, its commit and author.

One function makes it for `up`, which keeps the files, and for `plan`, which only names them, so that the two agree.
"""

from __future__ import annotations

from collections.abc import Sequence

from loopwright.catalog import Snapshot, Store, take_snapshot, unmatched
from loopwright.errors import NotFoundError
from loopwright.ledger import Fact
from loopwright.loop.change import Change, Source
from loopwright.loop.files import SPEC_FILE
from loopwright.loop.view import View
from loopwright.operations.captured import NOTHING, Captured
from loopwright.operations.declaration import Declared
from loopwright.spec import Workload


def wish(
    declared: Declared,
    store: Store,
    auto_approve: bool,
    actor: str,
    now: float,
    captured: Captured = NOTHING,
) -> Change:
    """The change that asks for what is declared, not numbered yet; its files are put into the store.

    `captured` is what the caller brings besides the folder. Raises NotFoundError where git ignores a file that the spec names, and for a pattern that matches nothing.
    """
    spec, folder = declared.spec, declared.folder
    sources = {}
    for name, data in spec.data.items():
        path = folder / data.source
        modified = path.stat().st_mtime
        stale = data.fresh_within is not None and now - modified > data.fresh_within
        sources[name] = Source(data.source, store.put_file(path), modified, stale)
    snapshot = take_snapshot(folder, store, exclude={source.path for source in sources.values()})
    _require_kept(spec, declared.needs.files, snapshot)
    _require_matches(spec, snapshot)
    return Change(
        id="",  # numbered when it is recorded
        workload=spec.workload,
        folder=str(folder),
        spec=snapshot.files[SPEC_FILE],
        files=snapshot.files,
        sources=sources,
        commit=snapshot.commit,
        dirty=snapshot.dirty,
        diff=store.put_bytes(snapshot.diff.encode()) if snapshot.diff else None,
        author=snapshot.author or actor,
        auto_approve=auto_approve,
        actor=actor,
        requested_at=now,
        cleans_up=any(task.always for task in spec.pipeline.tasks.values()),
        groups=captured.groups,
        secrets=captured.secrets,
        dependencies=declared.needs.body(snapshot.files),
    )


def _require_kept(spec: Workload, needed: Sequence[str], snapshot: Snapshot) -> None:
    """What the spec names must be among the files that are kept: git may ignore it."""
    named = [SPEC_FILE, spec.serving.entry, *needed, spec.tests.functional]
    named += [group.file for group in spec.variable_groups.values()]
    named += [data.data_schema for data in spec.data.values()]
    ignored = [path for path in named if path is not None and path not in snapshot.files]
    if ignored:
        raise NotFoundError(
            f"Git ignores {', '.join(ignored)}, which the workload needs. Take it out of .gitignore."
        )


def _require_matches(spec: Workload, snapshot: Snapshot) -> None:
    """A pattern that matches no file is most often misspelled, and the file it meant would be missed far from here."""
    tasks = [(f"pipeline.tasks.{name}.files", task.files) for name, task in spec.pipeline.tasks.items()]
    named = (("training.files", spec.training.files), ("serving.files", spec.serving.files), *tasks)
    for section, patterns in named:
        for pattern in unmatched(snapshot.files, patterns or ()):
            raise NotFoundError(
                f"{section} has the pattern {pattern!r}, which matches none of the {len(snapshot.files)} files of the folder that git "
                "does not ignore. Mend the pattern, or leave it out."
            )


def taken_up(view: View, asked: Change) -> Change | None:
    """The newest change, where it asks for just this already and has neither failed nor been cancelled: it is taken up again."""
    newest = view.changes.get(view.newest.get(asked.workload, ""))
    if newest is None or newest.identity != asked.identity or view.halted(newest.id):
        return None
    return None if any(change == newest.id for change, _ in view.failures) else newest


def made_of(view: View, workload: str, token: str) -> Change | None:
    """The newest change, where it was made of a request with this token: its answer was lost, and it is asked again."""
    newest = view.changes.get(view.newest.get(workload, ""))
    return newest if newest is not None and token and newest.token == token else None


def transfer_made_of(view: View, token: str) -> Fact | None:
    """The rollback or promotion that was made of a request with this token, whatever has come of it since."""
    made = (fact for fact in view.transfers.values() if token and fact.body.get("token") == token)
    return next(made, None)


def next_id(view: View, workload: str) -> str:
    """The name of a workload's next change."""
    return f"{workload}-{view.numbers[workload] + 1}"
