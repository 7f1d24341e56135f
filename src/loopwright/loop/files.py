"""Which of a workload's files training sees, and which are packaged: so that a change of one redoes no more than it must."""

from __future__ import annotations

from collections.abc import Mapping

from loopwright.catalog import select
from loopwright.loop.change import Change
from loopwright.spec.models import Workload
from loopwright.spec.pipeline import Task
from loopwright.training.lock_file import LOCK_FILE

SPEC_FILE = "loopwright.yaml"
_TEXTS = ("**/*.md", "**/*.rst", "LICENSE*")
_DOCUMENTS = (*_TEXTS, "**/.*", "**/.*/**")


def _apart(spec: Workload, change: Change) -> tuple[str, ...]:
    """Files that neither training nor serving reads: the spec, schemas, tests, documents, and what asks for packages."""
    schemas = tuple(data.data_schema for data in spec.data.values() if data.data_schema)
    tests = (spec.tests.functional,) if spec.tests.functional else ()
    sources = tuple(data.source for data in spec.data.values())
    asking = change.dependencies.get("files") or (spec.training.dependencies.file,)
    return (SPEC_FILE, LOCK_FILE, *schemas, *tests, *sources, *_DOCUMENTS, *asking)


def training_files(spec: Workload, change: Change) -> Mapping[str, str]:
    """Path -> content of what the training job sees: all but the serving entry and the files apart."""
    return select(change.files, spec.training.files, (*_apart(spec, change), *_entry(spec)))


def task_files(spec: Workload, change: Change, task: Task) -> Mapping[str, str]:
    """Path -> content of what a task sees: what its `files` names, else all but the spec and documents."""
    sources = tuple(data.source for data in spec.data.values())
    excluded = sources if task.files is not None else (SPEC_FILE, *sources, *_TEXTS)
    return select(change.files, task.files, excluded)


def serving_files(spec: Workload, change: Change) -> Mapping[str, str]:
    """Path -> content of the package's code: what `serving.files` names with the entry, else the entry and the modules.

    Without `serving.files`, data files beside the sources are left out: only code is packaged with the model. A model that
    answers by itself may need modules as well: those that its pickle names.
    """
    patterns = (*(spec.serving.files or ("**/*.py",)), *_entry(spec))
    apart = _apart(spec, change)
    excluded = apart if spec.serving.files else (*apart, *_training_scripts(spec))
    return select(change.files, patterns, excluded)


def _entry(spec: Workload) -> tuple[str, ...]:
    return (spec.serving.entry,) if spec.serving.entry else ()


def _training_scripts(spec: Workload) -> tuple[str, ...]:
    """The scripts that the commands of training and tasks name: they are not needed to serve."""
    commands = (spec.training.command, *(task.command for task in spec.pipeline.tasks.values()))
    words = [word for command in commands for word in command.split()]
    return tuple(word for word in words if word.endswith(".py") and word != spec.serving.entry)
