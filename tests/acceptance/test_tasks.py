"""Tasks of a workload's own, and the end of a change by a person: with the real command line and the real processes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from driving import Cli
from tiny_workload import make_tiny
from waiting import until

pytestmark = pytest.mark.acceptance

TASKS = """\
pipeline:
  tasks:
    lint: {command: python -m py_compile train.py score.py, before: train, files: [train.py, score.py]}
    sweep:
      command: "python sweep.py {data.rows.train} {matrix.POWER} {outputs}/result.json"
      after: data
      files: [sweep.py]
      matrix: {POWER: [1, 3, 2]}
    best:
      command: python best.py {artifacts.sweep}
      files: [best.py]
      artifacts: {in: [sweep/result.json], out: [best.json]}
    flaky: {command: "python flaky.py FOLDER", files: [flaky.py], environment: none, retry: {attempts: 3}, cache: false}
    slow: {command: "python slow.py FOLDER", files: [slow.py], after: train, before: dev, timeout: 10m}
    ask: {command: "python ask.py {endpoint.dev} {endpoint.dev.key}", files: [ask.py], after: dev}
    tidy: {command: "python tidy.py FOLDER", files: [tidy.py], always: true}
"""
SCRIPTS = {
    "sweep.py": "import json, sys\njson.dump(int(sys.argv[2]) ** 2, open(sys.argv[3], 'w'))\n",
    "best.py": "import json, pathlib, sys\n"
    "found = {p.parent.name: json.loads(p.read_text()) for p in pathlib.Path(sys.argv[1]).rglob('result.json')}\n"
    "json.dump(max(found, key=found.get), open('best.json', 'w'))\nprint(found)\n",
    "flaky.py": "import pathlib, sys\nfile = pathlib.Path(sys.argv[1], 'tries')\n"
    "tries = len(file.read_text()) if file.exists() else 0\nfile.write_text('x' * (tries + 1))\nsys.exit(tries % 2 == 0)\n",
    "slow.py": "import pathlib, sys, time\nwhile pathlib.Path(sys.argv[1], 'hold').exists():\n    time.sleep(0.02)\n",
    "ask.py": "import sys, urllib.request\nkey = open(sys.argv[2]).read()\n"
    "asked = urllib.request.Request(sys.argv[1], b'{\"x\": 0.9}', {'Authorization': 'Bearer ' + key, 'Content-Type': 'application/json'})\n"
    "print(urllib.request.urlopen(asked).read().decode())\n",
    "tidy.py": "import os, pathlib, sys\n"
    "with pathlib.Path(sys.argv[1], 'tidied').open('a') as file:\n"
    "    print(os.environ['LOOPWRIGHT_CHANGE'], os.environ['LOOPWRIGHT_OUTCOME'], file=file)\n",
}


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    cli = Cli(tmp_path_factory.mktemp("home"))
    yield cli
    cli("down")


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the tasks have effects in."""
    return tmp_path_factory.mktemp("outside")


@pytest.fixture(scope="module")
def folder(cli: Cli, outside: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workload with its tasks, brought to dev once."""
    folder = make_tiny(tmp_path_factory.mktemp("work") / "tiny", more=TASKS.replace("FOLDER", str(outside)))
    for name, text in SCRIPTS.items():
        (folder / name).write_text(text)
    cli("up", str(folder))
    return folder


def states(cli: Cli) -> dict[str, str]:
    steps = cli.status()["workloads"][0]["change"]["steps"]
    return {step["step"]: step["state"] for step in steps}


def test_artifacts_go_from_task_to_task_and_every_run_has_its_log(cli: Cli, folder: Path) -> None:
    assert "'sweep-3': 9" in cli("logs", "tiny", "best").stdout
    assert '"prediction": 1' in cli("logs", "tiny", "ask").stdout.replace(":1", ": 1")
    kept = [fact["body"] for fact in cli.facts("step.succeeded") if fact["body"]["step"] == "best"]
    store = cli.home / "store" / "trees"
    tree = kept[0]["output"]["artifacts"]
    files = list(store.glob(f"*/{tree}/best.json"))
    assert files == [] or json.loads(files[0].read_text()) == "sweep-3"  # laid out when first asked for
    assert kept[0]["output"]["files"] == 1


def test_a_failed_attempt_is_on_record_and_the_clean_up_ran_once(
    cli: Cli, folder: Path, outside: Path
) -> None:
    failed = [fact["body"] for fact in cli.facts("job.failed")]
    assert [(body["step"], body["change"]) for body in failed] == [("flaky", "tiny-1")]
    assert (outside / "tidied").read_text() == "tiny-1 succeeded\n"


def test_only_the_task_whose_script_changed_runs_again(cli: Cli, folder: Path) -> None:
    (folder / "best.py").write_text(SCRIPTS["best.py"] + "\n# changed\n")
    cli("up", str(folder))
    found = states(cli)
    assert {found[step] for step in ("lint", "sweep-1", "sweep-2", "sweep-3", "train", "ask", "dev")} == {
        "cached"
    }
    assert (found["best"], found["tidy"]) == ("done", "done")
    assert "Nothing to do" in cli("up", str(folder)).stdout


def test_cancel_ends_the_jobs_with_their_processes_and_up_goes_on_from_there(
    cli: Cli, folder: Path, outside: Path
) -> None:
    before = cli.serving("dev")
    (outside / "hold").touch()
    (folder / "slow.py").write_text(SCRIPTS["slow.py"] + "\n# changed\n")
    watching = subprocess.Popen(
        cli.command("up", str(folder)), env=cli.environment(), stderr=subprocess.PIPE, text=True
    )
    until(lambda: states(cli).get("slow") == "running" and _running("slow.py", str(outside)))
    assert "Cancelled tiny-3" in cli("cancel", "tiny").stdout
    said = watching.communicate(timeout=60)[1]
    assert (watching.returncode, "was cancelled by" in said) == (1, True)
    assert (outside / "tidied").read_text().splitlines()[-1] == "tiny-3 cancelled"
    assert _running("slow.py", str(outside)) == []
    assert cli.serving("dev")["since"] == before["since"]
    assert "cancelled already" in cli("cancel", "tiny-3", expect=1).stderr
    assert "Nothing is under way" in cli("cancel", expect=1).stderr
    (outside / "hold").unlink()
    cli("up", str(folder))
    assert states(cli)["slow"] == "done"


def _running(*words: str) -> list[int]:
    """The processes with these words in their command, the waiting shim aside."""
    found = psutil.process_iter(["cmdline", "pid"])
    return [one.info["pid"] for one in found if set(words) <= set(one.info["cmdline"] or [])]


def test_a_task_that_fails_says_where_to_look(cli: Cli, folder: Path) -> None:
    (folder / "train.py").write_text("def broken(:\n")
    said = cli("up", str(folder), expect=1).stderr
    assert "stopped at lint" in said
    assert "loopwright logs tiny lint" in said
    assert states(cli)["dev"] == "stopped"


def test_a_task_that_nothing_waits_for_and_a_clean_up_that_fail_hold_up_nothing(
    cli: Cli, folder: Path
) -> None:
    for script in ("ask.py", "tidy.py"):
        (folder / script).write_text("raise SystemExit(3)\n")
    make_tiny(folder.parent / "again")
    (folder / "train.py").write_text((folder.parent / "again" / "train.py").read_text())
    said = cli("up", str(folder), expect=1).stderr
    assert "has failed at ask, which nothing waits for: all else is done" in said
    assert "the clean-up tidy failed" in said
    assert states(cli)["dev"] in ("cached", "done")
