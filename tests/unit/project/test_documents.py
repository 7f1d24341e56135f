"""The documents say what is true: their links lead somewhere, their commands exist, and nothing is left out of them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopwright import __version__
from loopwright.cli import reference as cli_reference
from loopwright.cli.parser import build, parse
from loopwright.spec import CasesFile, Workload, load_text
from loopwright.spec import reference as spec_reference
from loopwright.spec.fields import walk

ROOT = Path(__file__).parents[3]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
_COMMAND = re.compile(r"(?:^|`)loopwright ((?:[a-z-]+ ?)+)", re.MULTILINE)


def text(name: str) -> str:
    return (ROOT / name).read_text()


def blocks(name: str, language: str) -> Iterator[str]:
    return (body for found, body in _BLOCK.findall(text(name)) if found == language)


def prose(name: str) -> str:
    """A document without its blocks."""
    return _BLOCK.sub("", text(name))


def slug(heading: str) -> str:
    """The anchor of a heading, as the usual viewers make it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(path: Path) -> set[str]:
    return {slug(heading) for heading in re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)}


def commands() -> set[str]:
    """Every command's words behind `loopwright`."""
    return {name.removeprefix("loopwright ") for name, _ in cli_reference._commands(build())}


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name: str) -> None:
    here = ROOT / name
    for link in _LINK.findall(prose(name)):
        path, _, anchor = link.partition("#")
        if link.startswith(("https://", "http://")):
            continue
        target = (here.parent / path).resolve() if path else here
        assert target.exists(), f"{name}: {link}"
        assert not anchor or anchor in anchors(target), f"{name}: {link}"


@pytest.mark.parametrize("name", NAMES)
def test_every_make_command_is_a_target(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
    for block in blocks(name, "sh"):
        for line in block.splitlines():
            if line.startswith("make "):
                words = re.sub(r'\w+="[^"]*"|\w+=\S+|#.*', "", line).split()[1:]
                assert set(words) <= targets, f"{name}: {line}"


@pytest.mark.parametrize("name", NAMES)
def test_every_loopwright_line_of_a_block_is_understood(name: str) -> None:
    for block in blocks(name, "sh"):
        for line in block.splitlines():
            if line.startswith("loopwright "):
                parse(re.findall(r'"[^"]*"|\S+', line.split(" #")[0])[1:])


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("docs/reference/")])
def test_every_command_named_exists(name: str) -> None:
    first = {command.split()[0] for command in commands()}
    for words in _COMMAND.findall(prose(name)):
        assert words.split()[0] in first, f"{name}: loopwright {words}"


def test_every_command_is_in_its_reference_and_in_the_readme() -> None:
    reference = text("docs/reference/cli.md")
    told = text("README.md") + text("CHANGELOG.md") + text("docs/guide.md")
    for command in commands():
        assert f"## loopwright {command}\n" in reference
        assert command == "server" or re.search(
            rf"`(loopwright )?{command}\b|^loopwright {command}\b", told, re.MULTILINE
        ), command


def test_the_readme_says_which_version_it_is_about() -> None:
    assert f"Version {__version__.rpartition('.')[0]} is " in text("README.md")


def test_every_field_is_in_the_reference() -> None:
    reference = text("docs/reference/spec.md")
    for model in (Workload, CasesFile):
        for place in walk(model):
            path = re.escape(place.path).replace(r"\.\*", r"(\[\]|\.NAME)")
            assert re.search(rf"^\| `{path}` \|", reference, re.MULTILINE), place.path


@pytest.mark.parametrize("module", [cli_reference, spec_reference], ids=["cli", "spec"])
def test_the_reference_is_what_the_code_says(module: object) -> None:
    name = "cli" if module is cli_reference else "spec"
    assert text(f"docs/reference/{name}.md") == module.markdown(), "run `make docs`"  # type: ignore[attr-defined]


def test_every_decision_is_in_the_list() -> None:
    listed = text("docs/decisions/README.md")
    pages = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert [int(page[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        title = text(f"docs/decisions/{page}").splitlines()[0]
        assert f"| [{page[:4]}]({page}) | {title.removeprefix(f'# {page[:4]}: ')} |" in listed


def test_every_room_is_in_the_architecture() -> None:
    rooms = {path.parent.name for path in (ROOT / "src" / "loopwright").glob("*/__init__.py")}
    told = set(re.findall(r"^\*\*(\w+)\*\*", text("docs/architecture.md"), re.MULTILINE))
    assert rooms == told


def test_the_version_is_the_changelogs_newest() -> None:
    declared = tomllib.loads(text("pyproject.toml"))["project"]["version"]
    newest = re.findall(r"^## \[(\d[^\]]*)\]", text("CHANGELOG.md"), re.MULTILINE)[0]
    assert declared == newest == __version__


def test_the_specs_in_the_documents_are_valid() -> None:
    whole = [block for name in NAMES for block in blocks(name, "yaml") if block.startswith("apiVersion")]
    assert len(whole) >= 2
    for block in whole:
        load_text(block, "loopwright.yaml")
