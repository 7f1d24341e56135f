"""Runs, model versions and artifacts on a real MLflow server."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier

import pytest

from loopwright.catalog import Tracking
from loopwright.errors import ConflictError, NotFoundError, PermanentError, TemporaryError

pytestmark = pytest.mark.xdist_group("mlflow")  # one server for all of them


@pytest.fixture
def run(tracking: Tracking, request: pytest.FixtureRequest) -> str:
    return tracking.ensure_run(
        tracking.ensure_experiment("titanic"), "titanic-1", request.node.name, now=1000.0
    )


@pytest.fixture
def model(tracking: Tracking, request: pytest.FixtureRequest) -> str:
    name = str(request.node.name).removeprefix("test_").replace("_", "-")
    tracking.ensure_model(name)
    return name


def test_the_server_tells_its_version(tracking: Tracking) -> None:
    assert tracking.ready().startswith("3.")


def test_an_experiment_is_made_once(tracking: Tracking) -> None:
    together = Barrier(4)

    def ensure(name: str) -> str:
        tracking.ready()  # so that each thread has its connection
        together.wait()
        return tracking.ensure_experiment(name)

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(ensure, [f"forest-{number // 4}" for number in range(40)]))
    assert [len(set(found[begin : begin + 4])) for begin in range(0, 40, 4)] == [1] * 10


def test_a_deleted_experiment_says_how_to_restore_it(tracking: Tracking) -> None:
    experiment = tracking.ensure_experiment("deleted")
    tracking._rest.post("experiments/delete", {"experiment_id": experiment})
    with pytest.raises(ConflictError, match=f"mlflow experiments restore --experiment-id {experiment}"):
        tracking.ensure_experiment("deleted")


def test_a_run_is_begun_once_for_a_job(tracking: Tracking, mlflow_url: str) -> None:
    experiment = tracking.ensure_experiment("titanic")
    other = Tracking(mlflow_url)
    with ThreadPoolExecutor(4) as threads:
        ids = set(
            threads.map(lambda n: [tracking, other][n % 2].ensure_run(experiment, "r", "job 'x'"), range(8))
        )
    assert len(ids) == 1
    assert tracking.ensure_run(experiment, "r", "job y") not in ids
    other.close()


def test_a_run_keeps_what_it_was_begun_with(tracking: Tracking) -> None:
    tags = {"mlflow.user": "Ann", "mlflow.source.git.commit": "abc", "long": "x" * 9000}
    kept = tracking.get_run(
        tracking.ensure_run(tracking.ensure_experiment("titanic"), "titanic-7", "job z", tags)
    )
    assert (kept.name, kept.status, kept.tags["mlflow.user"], kept.tags["loopwright.job"]) == (
        "titanic-7",
        "RUNNING",
        "Ann",
        "job z",
    )
    assert (len(kept.tags["long"]), kept.tags["long"][-28:]) == (8000, "... (cut off: 9000 characters)"[-28:])


def test_params_and_metrics_beyond_one_request_are_all_kept(tracking: Tracking, run: str) -> None:
    params = {f"p{number}": number for number in range(230)} | {"long": "y" * 7000}
    metrics = {f"m{number}": number / 3 for number in range(1100)}
    for _ in range(2):  # a repeated call changes nothing
        tracking.log_params(run, params)
        tracking.log_metrics(run, metrics, now=1001.0)
    kept = tracking.get_run(run)
    assert kept.metrics == metrics
    assert {key: value for key, value in kept.params.items() if key != "long"} == {
        f"p{n}": str(n) for n in range(230)
    }
    assert len(kept.params["long"]) == 6000


def test_a_parameter_has_one_value(tracking: Tracking, run: str) -> None:
    tracking.log_params(run, {"depth": 3})
    with pytest.raises(PermanentError, match=r"refused runs/log-batch \(HTTP 400\): .*depth"):
        tracking.log_params(run, {"depth": 5})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), True, "0.5"])
def test_a_metric_that_is_no_number_is_refused(tracking: Tracking, run: str, value: float) -> None:
    with pytest.raises(PermanentError, match="expected a finite number"):
        tracking.log_metrics(run, {"good": 1.0, "accuracy": value})
    assert tracking.get_run(run).metrics == {}


def test_a_run_ends(tracking: Tracking, run: str) -> None:
    for status in ("FAILED", "FINISHED"):
        tracking.end_run(run, status)
        assert tracking.get_run(run).status == status


def test_runs_are_found_by_tag(tracking: Tracking) -> None:
    experiment = tracking.ensure_experiment("titanic")
    run = tracking.ensure_run(experiment, "tagged", "tagged", {"loopwright.change": "titanic-99"})
    found = tracking.search_runs(experiment, "tags.`loopwright.change` = 'titanic-99'")
    assert [one.id for one in found] == [run]


def test_a_search_gives_more_than_one_page(
    tracking: Tracking, run: str, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loopwright.catalog.limits.PAGE", 2)
    experiment = tracking.ensure_experiment("paged")
    runs = {tracking.ensure_run(experiment, "r", f"paged {number}") for number in range(5)}
    assert {found.id for found in tracking.search_runs(experiment)} == runs
    numbers = [tracking.ensure_version(model, package, run, "model") for package in "abcde"]
    assert (
        [found.version for found in tracking.search_versions(f"name = '{model}'")]
        == numbers
        == [1, 2, 3, 4, 5]
    )


def test_a_run_that_is_not_there_is_not_found(tracking: Tracking) -> None:
    with pytest.raises(NotFoundError, match="runs/get"):
        tracking.get_run("0" * 32)


def test_a_model_is_made_once_and_kept_up_to_date(tracking: Tracking) -> None:
    for owner in ("ann", "bob", "bob"):
        tracking.ensure_model("kept", {"owner": owner}, f"by {owner}")
    model = tracking._rest.get("registered-models/get", {"name": "kept"})["registered_model"]
    assert (model["description"], model["tags"]) == ("by bob", [{"key": "owner", "value": "bob"}])


def test_a_package_has_one_version(tracking: Tracking, mlflow_url: str, run: str, model: str) -> None:
    other = Tracking(mlflow_url)

    def ensure(number: int) -> int:
        return [tracking, other][number % 2].ensure_version(
            model, f"sha256:{number // 4}", run, "model", {"n": "1"}, "text"
        )

    with ThreadPoolExecutor(4) as threads:
        versions = list(threads.map(ensure, range(8)))
    assert versions == [1, 1, 1, 1, 2, 2, 2, 2]
    kept = tracking.get_version(model, 2)
    assert (kept.run, kept.description, kept.tags) == (
        run,
        "text",
        {"n": "1", "loopwright.package": "sha256:1"},
    )
    other.close()


ENSURE = """
import sys
from loopwright.catalog import Tracking
tracking, (model, run) = Tracking(sys.argv[1]), sys.argv[2:]
tracking.search_versions("name = 'warm'")
print("ready", flush=True)
sys.stdin.readline()
print(tracking.ensure_version(model, "sha256:1", run, "model"))
"""


def test_processes_that_register_a_package_at_once_agree(
    tracking: Tracking, mlflow_url: str, run: str, model: str
) -> None:
    command = [sys.executable, "-c", ENSURE, mlflow_url, model, run]
    several = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for one in several:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in several:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    assert {one.communicate()[0] for one in several} == {"1\n"}
    assert [version.version for version in tracking.search_versions(f"name = '{model}'")] == [1]


def test_an_alias_moves(tracking: Tracking, run: str, model: str) -> None:
    for package in ("a", "b"):
        tracking.ensure_version(model, package, run, "model")
    for version in (1, 2, 2):
        tracking.set_alias(model, "prod", version)
    assert [tracking.get_version(model, version).aliases for version in (1, 2)] == [(), ("prod",)]
    for _ in range(2):
        tracking.delete_alias(model, "prod")
    assert tracking.get_version(model, 2).aliases == ()


def test_an_alias_that_several_set_at_once_is_set(tracking: Tracking, run: str, model: str) -> None:
    tracking.ensure_version(model, "sha256:1", run, "model")

    def move(_: int) -> None:
        with suppress(TemporaryError):  # MLflow's own collision: whoever asked would ask again
            tracking.set_alias(model, "prod", 1)

    for _ in range(5):
        tracking.delete_alias(model, "prod")
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(move, range(8)))
        assert tracking.get_version(model, 1).aliases == ("prod",)


def test_an_alias_that_mlflow_reserves_is_refused_in_its_words(
    tracking: Tracking, run: str, model: str
) -> None:
    tracking.ensure_version(model, "a", run, "model")
    with pytest.raises(PermanentError, match="reserved"):
        tracking.set_alias(model, "latest", 1)


def test_a_missing_file_is_no_traceback(tracking: Tracking, run: str, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"log\.txt does not exist"):
        tracking.log_artifact(run, tmp_path / "log.txt")


@pytest.mark.parametrize("name", ["a#b", "a%41", "a?b", "a\\b", "a\tb"])
def test_a_name_that_mlflow_would_change_is_refused(
    tracking: Tracking, run: str, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text("x")
    with pytest.raises(PermanentError, match="rename it"):
        tracking.log_artifact(run, tmp_path / name)


CLIENT = """
import json, sys, mlflow
from pathlib import Path
url, run, model, folder = sys.argv[1:]
mlflow.set_tracking_uri(url)
client = mlflow.MlflowClient()
kept, version = client.get_run(run), client.get_model_version_by_alias(model, "prod")
files = mlflow.artifacts.download_artifacts(run_id=run, dst_path=folder + "/run")
weights = mlflow.artifacts.download_artifacts(f"models:/{model}@prod", dst_path=folder + "/model")
def contents(root): return {str(p.relative_to(root)): p.read_bytes().decode() for p in Path(root).rglob("*") if p.is_file()}
print(json.dumps({"params": kept.data.params, "metrics": kept.data.metrics, "user": kept.data.tags["mlflow.user"], "status": kept.info.status,
    "experiment": client.get_experiment(kept.info.experiment_id).name, "version": int(version.version), "run": version.run_id,
    "package": version.tags["loopwright.package"], "files": contents(files), "model": contents(weights)}))
"""


def test_mlflows_own_client_reads_what_we_wrote(
    tracking: Tracking, mlflow_url: str, model: str, tmp_path: Path
) -> None:
    files = {"model.joblib": "weights", "deep/er/\u00e9 & (1)+;=.txt": "text", "empty": ""}
    for name, content in files.items():
        (tmp_path / "outputs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "outputs" / name).write_text(content)
    run = tracking.ensure_run(
        tracking.ensure_experiment("titanic"), "titanic-8", "job read", {"mlflow.user": "Ann"}
    )
    tracking.log_params(run, {"trees": 100})
    tracking.log_metrics(run, {"accuracy": 0.1 + 0.2})
    for _ in range(2):
        tracking.log_artifacts(run, tmp_path / "outputs", "model")
        tracking.log_artifact(run, tmp_path / "outputs" / "model.joblib", "logs/log.txt")
    tracking.end_run(run)
    tracking.set_alias(model, "prod", tracking.ensure_version(model, "sha256:1", run, "model"))
    command = [sys.executable, "-c", CLIENT, mlflow_url, run, model, str(tmp_path)]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}
    seen = json.loads(subprocess.run(command, env=os.environ | quiet, capture_output=True, check=True).stdout)
    assert (seen["params"], seen["metrics"]) == ({"trees": "100"}, {"accuracy": 0.1 + 0.2})
    assert (seen["user"], seen["status"], seen["experiment"]) == ("Ann", "FINISHED", "titanic")
    assert (seen["version"], seen["run"], seen["package"]) == (1, run, "sha256:1")
    assert seen["model"] == files
    assert seen["files"] == {f"model/{name}": content for name, content in files.items()} | {
        "logs/log.txt": "weights"
    }
