import pytest

from loopwright.cli.parser import parse
from loopwright.errors import UsageError


@pytest.mark.parametrize(
    "words",
    [
        "models titanic 2 --json",
        "models titanic --json 2",
        "models --json titanic 2",
        "models titanic --home x 2",
    ],
)
def test_options_may_stand_between_arguments(words: str) -> None:
    parsed = parse(words.split())
    assert (parsed.workload, parsed.version) == ("titanic", "2")


def test_the_file_of_an_export_may_stand_behind_its_format() -> None:
    parsed = parse(["history", "export", "--format", "csv", "history.csv"])
    assert (parsed.action, parsed.format, parsed.file) == ("export", "csv", "history.csv")
    assert parse(["history", "export", "--format", "csv"]).file is None


def test_one_argument_too_many_is_refused() -> None:
    with pytest.raises(UsageError, match="unrecognized arguments: 3"):
        parse(["models", "titanic", "--json", "2", "3"])
