"""`plan` says what `up` then does, for each kind of edit; and it changes nothing."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from driving import Cli
from tiny_workload import make_tiny

pytestmark = pytest.mark.acceptance

TESTS = """\
tests:
  functional: cases.yaml
  stress: {requests: 100, concurrency: 2, p99: 20s}
pipeline:
  tasks:
    look: {command: python look.py, after: train, files: [look.py], environment: none}
    tidy: {command: python look.py, always: true, files: [look.py], environment: none}
"""
CASES = "cases: [{name: high, request: {x: 0.9}, expect: {status: 200, values: {prediction: 1}}}]\n"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cli, Path]]:
    """A small workload in production, on a state folder of its own."""
    cli = Cli(tmp_path_factory.mktemp("home"))
    folder = make_tiny(
        tmp_path_factory.mktemp("work") / "tiny",
        environments="{dev: {}, prod: {approval: required}}",
        more=TESTS,
    )
    (folder / "cases.yaml").write_text(CASES)
    (folder / "look.py").write_text("print('seen')\n")
    shutil.copy(folder / "score.py", folder / "other.py")
    spec("entry: score.py", "entry: score.py, files: [score.py, other.py]")(folder)
    git = ["git", "-C", str(folder), "-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "start"]):
        subprocess.run([*git, *words], check=True)
    cli("up", str(folder), "--auto-approve")
    yield cli, folder
    cli("down")


@pytest.fixture
def variant(tiny: tuple[Cli, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny[1], tmp_path / "tiny"))


def planned(cli: Cli, folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = cli.json("plan", str(folder))
    return found


def done(cli: Cli, folder: Path) -> dict[str, str]:
    """Bring a folder to production; the state of each step at the end."""
    lines = cli("up", str(folder), "--auto-approve", "--json").stdout.splitlines()
    last = [json.loads(line) for line in lines if '"progress"' in line][-1]
    return {step["step"]: step["state"] for step in last["steps"]}


def append(file: str, text: str) -> Any:
    def edit(folder: Path) -> None:
        (folder / file).write_text((folder / file).read_text() + text)

    return edit


def spec(old: str, new: str) -> Any:
    def edit(folder: Path) -> None:
        file = folder / "loopwright.yaml"
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))

    return edit


ALL_BUT_DATA = ("package", "evaluate", "register", "dev", "functional", "stress", "approval", "prod")
EDITS = {
    "readme": (lambda folder: (folder / "README.md").write_text("hello"), ()),
    "training": (append("train.py", "# changed\n"), ("train", "look", "package")),
    "score": (append("score.py", "# changed\n"), ALL_BUT_DATA),
    "entry": (spec("entry: score.py", "entry: other.py"), ALL_BUT_DATA),
    "gate": (spec("min: 0.5", "min: 0.6"), ("evaluate",)),
    "requirements": (append("requirements.txt", "# changed\n"), ("environment",)),
    "data": (append("rows.csv", "0.99,1\n"), ("data", "train", "look", "package", "evaluate", "stress")),
    "limits": (
        spec("max: 1}}", "max: 1}, limits: {queue: 63}}"),
        ("dev", "functional", "stress", "approval", "prod"),
    ),
    "rule": (spec("approval: required", "approval: {count: 1, expires: 1d}"), ()),
    "task": (append("look.py", "# changed\n"), ("look",)),
    "stress": (spec("requests: 100,", "requests: 101,"), ("stress",)),
    "cases": (append("cases.yaml", "# changed\n"), ("functional",)),
}


@pytest.mark.parametrize("kind", EDITS)
def test_up_does_what_plan_has_said(tiny: tuple[Cli, Path], kind: str) -> None:
    cli, folder = tiny
    edit, certain = EDITS[kind]
    edit(folder)
    said = planned(cli, folder)["steps"]
    runs = tuple(step["step"] for step in said if step["certain"] and step["does"] != "unchanged")
    assert runs == (*certain, "tidy")
    found = done(cli, folder)
    for step in said:
        if step["does"] == "unchanged":
            assert found[step["step"]] == "cached", step
        elif step["certain"]:
            assert found[step["step"]] == "done", step
    assert planned(cli, folder)["changes"] is False


def test_each_reason_names_what_differs(tiny: tuple[Cli, Path], variant: Path) -> None:
    cli, _ = tiny
    append("train.py", "# reason\n")(variant)
    spec("accuracy, min: 0.", "accuracy, min: 0.1")(variant)
    said = {step["step"]: step for step in planned(cli, variant)["steps"]}
    assert "train.py changed since tiny-" in said["train"]["why"]
    assert {"what": "train.py", "how": "changed", "before": None, "after": None} in said["train"][
        "differences"
    ]
    assert "evaluation.gates.0.min" in said["evaluate"]["why"]
    assert said["look"]["why"] == f"inputs of train changed since {said['look']['since']}"
    assert said["tidy"]["why"] == "at the end of each change"
    assert said["evaluate"]["awaits"] == ["package.digest"]


AGENTS_OWN = ("observed.json", "ledger.db-shm", "ledger.db-wal", "ledger.db")  # and the reader's


def contents(home: Path) -> dict[str, str]:
    """Digest of every file that only the control plane writes, whatever the agent and the replicas write beside them."""
    found = {}
    for path in home.rglob("*"):
        of_others = {"mlflow", "replicas", "observations", "gateway", "run"} & set(path.parts)
        being_replaced = path.name.startswith(tuple(f".{name}." for name in AGENTS_OWN))
        logged = path.name in AGENTS_OWN or path.suffix == ".log"
        if not logged and not of_others and not being_replaced and path.is_file():
            found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def test_plan_changes_nothing(tiny: tuple[Cli, Path], variant: Path) -> None:
    cli, _ = tiny
    append("train.py", "# looked at only\n")(variant)
    before, facts = contents(cli.home), len(cli.facts())
    cli("plan", str(variant))
    differing = sorted({path for path, _ in before.items() ^ contents(cli.home).items()})
    assert not differing  # names alone: there are hundreds of files
    assert len(cli.facts()) == facts


def test_without_any_state_everything_runs_and_nothing_is_made(variant: Path, tmp_path: Path) -> None:
    cli = Cli(tmp_path / "none")
    said = cli("plan", str(variant)).stdout
    assert said.endswith(
        f"Plan: 10 steps run, 0 unchanged, 1 approval, 2 releases. Run `loopwright up --home {cli.home}` to do it.\n"
    )
    assert "for the first time" in said
    assert not cli.home.exists()


def test_the_exit_status_tells_whether_anything_would_be_done(tiny: tuple[Cli, Path], variant: Path) -> None:
    cli, _ = tiny
    cli("up", str(variant), "--auto-approve")
    assert "No changes" in cli("plan", str(variant), "--detailed-exitcode").stdout
    append("score.py", "# more\n")(variant)
    cli("plan", str(variant), "--detailed-exitcode", expect=3)
    cli("plan", str(variant))
    cli("plan", str(variant), "--detailed", expect=2)


def test_an_environment_that_is_no_longer_declared_is_told(tiny: tuple[Cli, Path], variant: Path) -> None:
    cli, _ = tiny
    spec("{dev: {}, prod", "{test: {}, prod")(variant)
    found = planned(cli, variant)
    assert [left["environment"] for left in found["left"]] == ["dev"]
    assert "dev: no longer declared" in cli("plan", str(variant)).stdout


def test_variables_and_secrets_are_names_alone(variant: Path, tmp_path: Path) -> None:
    cli = Cli(tmp_path / "home")
    with (variant / "loopwright.yaml").open("a") as file:
        file.write("variables: {REGION: antarctica, TOKEN: 'secret:API_TOKEN'}\n")
    said = cli("plan", str(variant), expect=1).stderr
    assert "API_TOKEN, which is not set" in said
    assert "loopwright.yaml:" in said
    environment = cli.environment() | {"LOOPWRIGHT_SECRET_API_TOKEN": "geheim-1234"}
    done = subprocess.run(
        cli.command("plan", str(variant)), capture_output=True, text=True, env=environment, check=True
    )
    assert "REGION" in done.stdout
    assert "API_TOKEN" in done.stdout
    assert not {"antarctica", "geheim-1234"} & set(done.stdout.split())
    assert not cli.home.exists()


@pytest.mark.parametrize(
    ("rule", "does", "told"),
    [
        ("promotion: manual", "by hand", "loopwright promote dev prod"),
        ("protected: true", "stops", "prod is protected"),
    ],
)
def test_what_up_does_not_do_by_itself_is_told(
    variant: Path, tmp_path: Path, rule: str, does: str, told: str
) -> None:
    spec("prod: {", f"prod: {{{rule}, ")(variant)  # not committed
    found = planned(Cli(tmp_path / "none"), variant)
    steps = {step["step"]: step for step in found["steps"]}
    assert steps["approval"]["does"] == steps["prod"]["does"] == does
    assert told in steps["prod"]["why"]
    assert steps["stress"]["does"] == "runs"


def test_a_wrong_spec_is_told_with_its_place(variant: Path, tmp_path: Path) -> None:
    spec("entry: ", "entry: no-")(variant)
    said = Cli(tmp_path / "none")("plan", str(variant), expect=1).stderr
    assert "loopwright.yaml:" in said
    assert "serving.entry" in said


def test_what_was_stopped_is_started_again(tiny: tuple[Cli, Path]) -> None:
    cli, folder = tiny
    cli("up", str(folder), "--auto-approve")
    cli("down")
    does = {step["step"]: step["does"] for step in planned(cli, folder)["steps"]}
    assert {name for name, what in does.items() if what != "unchanged"} == {"dev", "prod"}
    assert does["dev"] == does["prod"] == "starts"


def test_what_is_stopped_still_has_its_logs_and_its_status(tiny: tuple[Cli, Path]) -> None:
    cli, _ = tiny
    cli("down")
    assert "trained on" in cli("logs", "tiny", "train").stdout
    assert "tiny: tiny-" in cli("status", "tiny").stdout
    assert "'nope'" in cli("status", "nope", expect=1).stderr
