"""Which files a step sees."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.catalog import select, unmatched
from loopwright.errors import PermanentError

FILES = [
    "score.py",
    "training.py",
    ".env",
    "src/a.py",
    "src/b.txt",
    "src/deep/c.py",
    "tests/t.yaml",
    "data/[x].csv",
    "a/.git/b",
]


def chosen(include: list[str] | None, exclude: list[str] | None = None) -> list[str]:
    return list(select(dict.fromkeys(FILES, "digest"), include, exclude or ()))


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("*.py", ["score.py", "training.py"]),
        ("**/*.py", ["score.py", "src/a.py", "src/deep/c.py", "training.py"]),
        ("src/*.py", ["src/a.py"]),
        ("src/**", ["src/a.py", "src/b.txt", "src/deep/c.py"]),
        ("src/**/*.py", ["src/a.py", "src/deep/c.py"]),
        ("**/deep/**", ["src/deep/c.py"]),
        ("**/**/c.py", ["src/deep/c.py"]),
        ("src", ["src/a.py", "src/b.txt", "src/deep/c.py"]),
        ("./src/", ["src/a.py", "src/b.txt", "src/deep/c.py"]),
        ("sr", []),
        ("a.py", []),
        ("*", sorted(FILES)),
        ("**", sorted(FILES)),
        ("src/?.py", ["src/a.py"]),
        ("src/[!a].*", ["src/b.txt"]),
        ("src/[a-b].*", ["src/a.py", "src/b.txt"]),
        ("src[!x]a.py", []),
        ("src?a.py", []),
        ("data/[[]x].csv", ["data/[x].csv"]),
        ("data/[]x.csv", []),
        ("**/.*", [".env", "a/.git/b"]),
        ("**/.*/**", ["a/.git/b"]),
        ("score.py", ["score.py"]),
        ("score_py", []),
        ("scoreXpy", []),
    ],
)
def test_a_pattern_matches(pattern: str, matched: list[str]) -> None:
    assert chosen([pattern]) == matched


def test_none_means_all_and_an_empty_list_nothing() -> None:
    assert (chosen(None), chosen([])) == (sorted(FILES), [])


def test_exclude_wins() -> None:
    assert chosen(["**/*.py"], ["src", "training.py"]) == ["score.py"]


def test_contents_stay_with_their_paths() -> None:
    assert select({"b": "2", "a": "1", "c": "3"}, ["a", "b"]) == {"a": "1", "b": "2"}


def test_a_pattern_that_matches_nothing_is_told() -> None:
    assert unmatched(FILES, ["*.py", "scr/*.py", "src"]) == ("scr/*.py",)


@pytest.mark.parametrize("pattern", ["", "/etc/*", "../secret", "src/../../x", ".", "[b-a]"])
def test_a_pattern_that_cannot_be_meant_is_refused(pattern: str) -> None:
    with pytest.raises(PermanentError, match="file pattern"):
        chosen([pattern])


NAMES = st.text("ab*?", min_size=1, max_size=4)


def matches(pattern: list[str], path: list[str]) -> bool:
    """The rule, written as plainly as can be: part by part, character by character."""
    if not pattern:
        return True  # the rest of the path lies in a folder that was matched
    if pattern[0] == "**":
        rest = pattern[1:]
        return bool(path) if not rest else any(matches(rest, path[begin:]) for begin in range(len(path)))
    return bool(path) and name_matches(pattern[0], path[0]) and matches(pattern[1:], path[1:])


def name_matches(pattern: str, name: str) -> bool:
    if not pattern:
        return not name
    if pattern[0] == "*":
        return any(name_matches(pattern[1:], name[begin:]) for begin in range(len(name) + 1))
    return bool(name) and pattern[0] in ("?", name[0]) and name_matches(pattern[1:], name[1:])


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["**"]) | NAMES.filter(lambda name: "**" not in name), min_size=1, max_size=4),
    st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=4),
)
def test_patterns_follow_the_rule(pattern: list[str], path: list[str]) -> None:
    name = "/".join(path)
    assert bool(select({name: ""}, ["/".join(pattern)])) == matches(pattern, path)
