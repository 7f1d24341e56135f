"""What is foreseen is what then happens: worked out by the pipeline itself, with stand-ins for what is not known yet."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.catalog import Store
from loopwright.engines.base import EngineReport, Job, JobStatus
from loopwright.errors import NotFoundError
from loopwright.ledger import Fact
from loopwright.loop.actions import Call, Start
from loopwright.loop.awaited import Awaited, Readings, StandIn
from loopwright.loop.case import Case, Services
from loopwright.loop.change import Change, Source, digest
from loopwright.loop.differences import Difference, differences, written_out
from loopwright.loop.foresight import Foresight, foresee
from loopwright.loop.pipeline import advance
from loopwright.loop.recollection import recollect
from loopwright.loop.steps import CallStep, JobStep, Step
from loopwright.loop.steps.data import DataStep
from loopwright.loop.view import View
from loopwright.spec import Workload, load_text

SPEC = load_text("""
apiVersion: loopwright/v1
workload: toy
owner: ada@example.com
data: {rows: {source: rows.csv, label: y}}
training: {command: "python t.py {data.rows.train} {outputs}", dependencies: {requirements: r.txt}}
serving: {entry: score.py}
environments: {prod: {}}
""")
NOTHING_KEPT: Any = SimpleNamespace(store=None)


class Toy(JobStep):
    """Reads its own file and the result of the step before; its result is coarse, so that other inputs may give the same."""

    def __init__(self, name: str, needs: tuple[str, ...], anew: bool = False) -> None:
        self.name, self.needs, self._anew = name, needs, anew

    def inputs(self, case: Case) -> dict[str, Any]:
        before = {need: case.outputs[need]["digest"] for need in self.needs}
        return {"file": case.change.files[self.name]} | before

    def called(self, case: Case) -> dict[str, str]:
        return {"file": f"{self.name}.py"}

    def fresh(self, case: Case, earlier: Any, store: Store) -> frozenset[str]:
        return frozenset({"digest"}) if self._anew else frozenset()

    def result_of(self, case: Case, number: int) -> dict[str, Any]:
        coarse = sum(map(ord, str(sorted(self.inputs(case).items())))) % 2
        return {"digest": f"{self.name}-{number if self._anew else coarse}"}

    def job(self, case: Case, services: Services, job_id: str, folder: Any) -> Job:
        raise NotImplementedError

    def result(self, case: Case, services: Services, job_id: str, folder: Any) -> dict[str, Any]:
        raise NotImplementedError


class Record(CallStep):
    name = "record"
    needs = ("c",)

    def inputs(self, case: Case) -> dict[str, Any]:
        return {"of": case.outputs["c"]["digest"]}

    def result_of(self, case: Case, number: int) -> dict[str, Any]:
        return {"digest": f"record-{number}"}

    def call(self, case: Case, services: Services) -> dict[str, Any]:
        raise NotImplementedError


STEPS: tuple[Step, ...] = (
    Toy("a", ()),
    Toy("b", ("a",), anew=True),
    Toy("c", ("a", "b")),
    Toy("d", ("a",)),
    Record(),
)


class World:
    """Facts, and changes that are worked through at once."""

    def __init__(self) -> None:
        self.view, self.facts = View(), list[Fact]()

    def apply(self, kind: str, key: str, body: dict[str, Any]) -> Fact:
        number = len(self.facts) + 1
        fact = Fact(number, float(number), 1, kind, "toy", key, "ada", body, "", "")
        self.facts.append(fact)
        self.view.apply(fact)
        return fact

    def case(self, files: dict[str, str]) -> Case:
        fields: dict[str, Any] = {
            "sources": {},
            "commit": None,
            "dirty": False,
            "diff": None,
            "author": "ada",
        }
        change = Change(
            id=f"toy-{self.view.numbers['toy'] + 1}", workload="toy", folder="/", spec="0" * 64, files=files,
            auto_approve=False, actor="ada", requested_at=0.0, **fields,
        )  # fmt: skip
        return Case(SPEC, change, self.view)

    def foresee(self, files: dict[str, str]) -> Foresight:
        return foresee(self.case(files), STEPS, EngineReport(), 0.0, NOTHING_KEPT)

    def live(self, files: dict[str, str]) -> list[str]:
        """Work a change through; the steps that ran, in order."""
        change = self.case(files).change
        self.apply("change.requested", change.id, change.body())
        ran: list[str] = []
        while True:
            case = Case(SPEC, change, self.view)
            outcome = advance(case, STEPS, EngineReport(), "", 0.0, lambda step, output: True)
            todo = [action for action in outcome.actions if isinstance(action, Start | Call)]
            if not todo:
                return ran
            for action in todo:
                output = action.step.result_of(case, len(self.facts))  # type: ignore[union-attr]
                body = {
                    "change": change.id,
                    "step": action.step.name,
                    "inputs": action.inputs,
                    "output": output,
                }
                self.apply("step.succeeded", f"{change.id}/{action.step.name}", body)
                ran.append(action.step.name)


FILES = st.fixed_dictionaries({name: st.sampled_from(["1", "2", "3"]) for name in "abcd"})


@settings(max_examples=200, deadline=None)
@given(st.lists(FILES, min_size=1, max_size=6))
def test_what_is_foreseen_is_what_happens(edits: list[dict[str, str]]) -> None:
    world = World()
    for files in edits:
        foreseen = world.foresee(files).steps
        ran = world.live(files)
        assert {s.step.name for s in foreseen if s.deed != "nothing" and s.certain} <= set(ran)
        assert not {s.step.name for s in foreseen if s.deed == "nothing"} & set(ran)


def deeds(foresight: Foresight) -> dict[str, tuple[str, bool]]:
    return {foreseen.step.name: (foreseen.deed, foreseen.certain) for foreseen in foresight.steps}


def test_the_first_time_everything_is_certain() -> None:
    assert set(deeds(World().foresee(dict.fromkeys("abcd", "1"))).values()) == {("run", True)}


def test_what_reads_a_result_that_may_be_as_before_may_run() -> None:
    world = World()
    world.live(dict.fromkeys("abcd", "1"))
    found = deeds(world.foresee({"a": "2", "b": "1", "c": "1", "d": "1"}))
    assert found["a"] == ("run", True)
    assert found["b"] == found["c"] == found["d"] == ("run", False)


def test_what_reads_a_result_that_is_surely_new_runs() -> None:
    world = World()
    world.live(dict.fromkeys("abcd", "1"))
    found = deeds(world.foresee({"a": "1", "b": "2", "c": "1", "d": "1"}))
    assert found == {
        "a": ("nothing", True), "b": ("run", True), "c": ("run", True), "d": ("nothing", True), "record": ("run", False),
    }  # fmt: skip


def test_a_step_whose_results_files_are_gone_runs_again() -> None:
    world = World()
    world.live(dict.fromkeys("abcd", "1"))
    step = Toy("a", ())
    step.available = lambda output, store: False  # type: ignore[method-assign]
    (found,) = foresee(
        world.case(dict.fromkeys("abcd", "1")), (step,), EngineReport(), 0.0, NOTHING_KEPT
    ).steps
    assert (found.deed, found.lost) == ("run", True)


def test_a_failure_with_the_same_inputs_is_remembered() -> None:
    world = World()
    case = world.case(dict.fromkeys("abcd", "1"))
    outcome = advance(case, STEPS, EngineReport(), "", 0.0, lambda step, output: True)
    (start, *_) = [action for action in outcome.actions if isinstance(action, Start)]
    world.apply("change.requested", "toy-1", case.change.body())
    body = {"change": "toy-1", "step": "a", "inputs": start.inputs, "message": "no"}
    failed = world.apply("step.failed", "toy-1/a", body)
    assert world.foresee(dict.fromkeys("abcd", "1")).steps[0].failed == failed
    assert world.foresee(dict.fromkeys("abcd", "2")).steps[0].failed is None


def test_inputs_of_an_earlier_result_are_worked_out_again() -> None:
    world = World()
    case = world.case({})
    source = Source("rows.csv", "a" * 64, 1.0, False)
    change = replace(case.change, sources={"rows": source}, files={"r.txt": "b" * 64, "score.py": "c" * 64})
    world.apply("change.requested", change.id, change.body())
    inputs = digest(DataStep().inputs(replace(case, change=change)))
    output = {"tree": "t", "rows": 4, "train_rows": 3, "test_rows": 1, "warnings": []}
    body = {"change": change.id, "step": "data", "inputs": inputs, "output": output}
    fact = world.apply("step.succeeded", "d", body)
    found = recollect(world.facts, {fact.sequence: "data"}, lambda change: SPEC)["data"]
    assert found.exact
    assert found.inputs["rows.csv"] == "a" * 64
    assert found.inputs["data.rows.split.test"] == 0.25


def test_a_spec_that_is_gone_leaves_nothing_to_compare_with() -> None:
    def gone(change: Change) -> Workload:
        raise NotFoundError("deleted")

    world = World()
    world.live(dict.fromkeys("abcd", "1"))
    assert recollect(world.facts, {2: "a"}, gone)["a"].inputs == {}


def test_people_s_names_stand_for_inputs() -> None:
    world = World()
    case = world.case(dict.fromkeys("abcd", "1"))
    assert written_out(STEPS[0], case) == {"a.py": "1"}


def test_differences_tell_values_that_a_person_reads() -> None:
    old = {"f.py": "a" * 64, "x": 1, "gone": "1", "package": "sha256:" + "b" * 64, "later": 1}
    new = {"f.py": "c" * 64, "x": 2, "come": "1", "package": "sha256:" + "d" * 64, "later": StandIn("?")}
    assert differences(old, new, {"sha256:" + "b" * 64: "toy:1"}) == (
        Difference("come", "added", None, "1"),
        Difference("f.py", "changed"),
        Difference("gone", "removed", "1", None),
        Difference("package", "changed", "toy:1", None),
        Difference("x", "changed", 1, 2),
    )


def test_reading_a_stand_in_is_noted() -> None:
    readings = Readings()
    output = Awaited("train", readings)
    assert isinstance(output["run"], StandIn)
    assert readings.take() == {("train", "run")}
    assert readings.take() == frozenset()


def test_what_has_begun_is_told() -> None:
    world = World()
    change = world.case(dict.fromkeys("abcd", "1")).change
    world.apply("change.requested", change.id, change.body())
    case = Case(SPEC, change, world.view)
    outcome = advance(case, STEPS, EngineReport(), "", 0.0, lambda step, output: True)
    (start, *_) = [action for action in outcome.actions if isinstance(action, Start)]
    body = {"change": change.id, "step": "a", "inputs": start.inputs, "job": start.job}
    world.apply("step.started", f"{change.id}/a", body)
    runs = EngineReport(jobs={start.job: JobStatus(id=start.job, state="running")})
    case = Case(SPEC, change, world.view)
    first, second, *_ = foresee(case, STEPS, runs, 0.0, NOTHING_KEPT).steps
    assert (first.under_way, second.under_way) == (True, False)
    assert (
        not foresee(case, STEPS, EngineReport(), 0.0, NOTHING_KEPT).steps[0].under_way
    )  # it is gone, and begins again


def test_what_is_made_again_from_the_record_makes_nothing_else_uncertain() -> None:
    world = World()
    world.live(dict.fromkeys("abcd", "1"))
    steps = (Toy("a", ()), Toy("d", ("a",)))
    for repeats, deed in ((True, "nothing"), (False, "run")):
        steps[0].repeats = repeats
        steps[0].available = lambda output, store: False  # type: ignore[method-assign]
        case = world.case(dict.fromkeys("abcd", "1"))
        first, second = foresee(case, steps, EngineReport(), 0.0, NOTHING_KEPT).steps
        assert (first.deed, first.lost, second.deed) == ("run", True, deed)
