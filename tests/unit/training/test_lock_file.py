"""A lock that was edited, or is of other requirements, is told from a good one, by the package's name."""

from __future__ import annotations

from loopwright.training import lock_file
from loopwright.training.wanted import Line, Wanted

BODY = "joblib==1.6.0 \\\n    --hash=sha256:aa\nnumpy==2.4.6 \\\n    --hash=sha256:bb\n"


def wanted(*requirements: str) -> Wanted:
    return Wanted(tuple(Line(text, "r.txt", n) for n, text in enumerate(requirements, 1)), files=("r.txt",))


ASKED = wanted("numpy>=2", "joblib  # no")
TEXT = lock_file.write(ASKED, "3.11", BODY)


def told(text: str, asked: Wanted = ASKED, python: str | None = None) -> list[str]:
    return [str(problem) for problem in lock_file.problems(lock_file.parse(text), asked, python)]


def test_a_lock_is_what_it_was_written_from() -> None:
    parsed = lock_file.parse(TEXT)
    assert (parsed.python, parsed.body) == ("3.11", BODY)
    assert told(TEXT) == told(TEXT, python="3.11") == []


def test_an_edit_names_the_package_and_the_line() -> None:
    (said,) = told(TEXT.replace("numpy==2.4.6", "numpy==2.4.5"))
    assert said.startswith("loopwright.lock:9:1: numpy: found `numpy==2.4.5`, changed since it was written")
    assert said.endswith("Run `loopwright lock`.")


def test_a_package_taken_out_or_put_in_is_seen() -> None:
    start = TEXT.index("joblib==")
    assert (
        "found 1 packages, some added or taken out" in told(TEXT[:start] + TEXT[TEXT.index("numpy==") :])[0]
    )
    assert "found `polars==1.0` without its seal" in told(f"{TEXT}polars==1.0\n")[0]


def test_what_is_held_on_to_has_no_hashes_and_no_marks_of_a_merge() -> None:
    merged = TEXT.replace("numpy==", "<<<<<<< HEAD\nnumpy==")
    assert lock_file.parse(merged).versions == "joblib==1.6.0\nnumpy==2.4.6\n"


def test_requirements_that_changed_are_named_where_they_stand() -> None:
    said = told(TEXT, wanted("numpy>=3", "polars"))
    assert said.pop(0).startswith(
        "r.txt:1:1: found `numpy>=3`, expected `numpy>=2`, for which loopwright.lock was made."
    )
    assert (
        said[0]
        == "r.txt:2:1: found `polars`, expected only what loopwright.lock was made for. Run `loopwright lock`."
    )
    assert "found a lock made for `joblib  # no`" in said[1]


def test_another_python_needs_another_lock() -> None:
    assert told(TEXT, python="3.12")[0].startswith(
        "loopwright.lock:2:1: python: found a lock for Python 3.11, expected 3.12."
    )


def test_a_file_that_is_no_lock_says_so() -> None:
    assert "0 packages, some added or taken out" in told("")[0]
    assert "`numpy==2.4.6` without its seal" in told("numpy==2.4.6\n")[0]
