"""The script completes in a real bash; the others are looked at, and run where their shell is here."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from loopwright.cli.completion import written

_PROBE = """
source {script}
COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 )); COMP_LINE="{line}"; COMP_POINT=${{#COMP_LINE}}
function=$(complete -p loopwright | sed 's/.*-F \\([^ ]*\\).*/\\1/')
$function loopwright "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD-1]}}"
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("completion") / "loopwright.bash"
    file.write_text(written("bash"))
    return file


def completed(script: Path, line: str, folder: Path) -> set[str]:
    words = [*line.split(), *([""] if line.endswith(" ") else [])]
    quoted = " ".join(f"'{word}'" for word in words)
    probe = _PROBE.format(script=script, words=quoted, line=line)
    done = subprocess.run(
        ["bash", "--norc", "-c", probe], capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.stderr == ""
    return {word.strip() for word in done.stdout.split("\n") if word.strip()}


@pytest.mark.parametrize(
    ("line", "offered", "not_offered"),
    [
        ("loopwright ", {"init", "up", "status", "data", "completion"}, {"workload"}),
        ("loopwright st", {"status"}, {"up"}),
        ("loopwright up --auto", {"--auto-approve"}, {"--no-wait"}),
        ("loopwright init --task ", {"classification", "regression"}, {"up"}),
        ("loopwright completion ", {"bash", "zsh", "fish"}, set()),
        ("loopwright data i", {"infer"}, set()),
        ("loopwright up ", {"churn"}, {"table.csv"}),
        ("loopwright init --data ", {"churn", "table.csv"}, set()),
    ],
)
def test_bash_completes(
    script: Path, tmp_path: Path, line: str, offered: set[str], not_offered: set[str]
) -> None:
    (tmp_path / "churn").mkdir()
    (tmp_path / "table.csv").touch()
    found = {word.rstrip("/") for word in completed(script, line, tmp_path)}
    assert offered <= found
    assert not not_offered & found


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_other_shells_get_every_command(shell: str, tmp_path: Path) -> None:
    text = written(shell)
    for command in ("init", "up", "history", "--auto-approve", "classification"):
        assert command.removeprefix("--") in text
    if shutil.which(shell):
        file = tmp_path / "loopwright"
        file.write_text(text)
        done = subprocess.run([shell, "-n", str(file)], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
