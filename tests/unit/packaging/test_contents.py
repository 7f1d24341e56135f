import json
import os
import shutil

import msgspec
import pytest

from loopwright.errors import IntegrityError
from loopwright.packaging import Manifest, manifest, verify
from loopwright.packaging.contents import identify, list_files
from loopwright.scoring import ModelFile

FILES = {
    "model/m.bin": b"weights",
    "code/score.py": b"def run(data): ...",
    "code/lib/a.py": b"",
    "requirements.lock": b"numpy==2\n",
}


def digest(package):
    return verify(package).digest


def make(folder, files=FILES, entry="score.py", model=None):
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    listed = list_files(folder)
    made = Manifest(
        workload="w", entry=entry, model=model, digest=identify(listed, entry, model), files=listed,
        lock=listed["requirements.lock"], python="3.11", run="r", data_version="d", commit=None, label="y", created_by="test",
    )  # fmt: skip
    (folder / "package.json").write_bytes(msgspec.json.encode(made))
    return folder


@pytest.fixture
def package(tmp_path):
    return make(tmp_path / "package")


def test_a_package_as_it_was_made_is_whole(package):
    assert verify(package) == manifest(package)
    assert digest(package) == manifest(package).digest


def test_the_digest_is_of_paths_and_bytes_alone(package, tmp_path):
    other = make(tmp_path / "other", dict(reversed(FILES.items())))
    os.utime(other / "model/m.bin", (1, 1))
    (other / "model/m.bin").chmod(0o600)
    (other / "empty").mkdir()
    assert digest(other) == digest(package)


def test_who_made_it_does_not_name_it(package):
    before = digest(package)
    made = json.loads((package / "package.json").read_bytes()) | {
        "run": "another",
        "commit": "c0ffee",
        "created_by": "someone",
    }
    (package / "package.json").write_text(json.dumps(made))
    assert verify(package).digest == digest(package) == before


@pytest.mark.parametrize(
    "changed",
    [
        FILES | {"model/m.bin": b"other"},
        FILES | {"code/b.py": b""},
        {k: v for k, v in FILES.items() if k != "code/lib/a.py"},
    ],
)
def test_other_files_have_another_digest(package, tmp_path, changed):
    assert digest(make(tmp_path / "changed", changed)) != digest(package)


def test_which_of_the_files_answers_names_it_too(package, tmp_path):
    answering = [
        ("lib/a.py", None),
        ("", ModelFile(path="m.bin", flavor="sklearn")),
        ("", ModelFile(path="m.bin", flavor="onnx")),
    ]
    made = [make(tmp_path / str(number), FILES, *one) for number, one in enumerate(answering)]
    assert len({digest(one) for one in [package, *made]}) == 4


def test_a_manifest_that_names_another_script_is_none_of_ours(package):
    text = (package / "package.json").read_text()
    (package / "package.json").write_text(text.replace('"score.py"', '"lib/a.py"'))
    with pytest.raises(IntegrityError, match="what it names does not have its digest"):
        verify(package)


def test_a_package_of_an_earlier_release_is_named_by_its_files_alone(package):
    """As 0.1 to 0.3 did: the digest is theirs, and so is what was recorded under it."""
    told = json.loads((package / "package.json").read_bytes()) | {"format": 1}
    told["digest"] = "sha256:43c676810c2082bd2cc5a68a2c05670ec7a758c8e34781b6db45d947d1731023"
    (package / "package.json").write_text(json.dumps(told))
    assert verify(package).entry == "score.py"


def test_content_moved_between_files_has_another_digest(tmp_path):
    one = make(tmp_path / "1", {"a": b"x", "b": b"y", "requirements.lock": b""})
    other = make(tmp_path / "2", {"a": b"y", "b": b"x", "requirements.lock": b""})
    assert digest(one) != digest(other)


def changed(package):
    (package / "model/m.bin").write_bytes(b"weightz")


def removed(package):
    (package / "model/m.bin").unlink()


def added(package):
    (package / "model/a.bin").write_bytes(b"")


def linked(package):
    shutil.move(package / "model/m.bin", package.parent / "m.bin")
    (package / "model/m.bin").symlink_to(package.parent / "m.bin")


def relabelled(package):
    text = (package / "package.json").read_text()
    (package / "package.json").write_text(text.replace("sha256:", "sha256:0"))


@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        (changed, "model/m.bin was changed"),
        (removed, "model/m.bin is missing"),
        (added, "model/a.bin was added"),
        (linked, "model/m.bin is no plain file"),
        (relabelled, "package.json was changed: what it names does not have its digest"),
    ],
)
def test_the_first_file_that_is_not_as_it_was_is_named(package, tamper, told):
    tamper(package)
    with pytest.raises(
        IntegrityError,
        match=f"The package {package} is not what was made: {told}. Package the workload again",
    ):
        verify(package)


def test_bytecode_beside_the_code_is_an_added_file(package):
    (package / "code/__pycache__").mkdir()
    (package / "code/__pycache__/score.pyc").write_bytes(b"")
    with pytest.raises(IntegrityError, match=r"code/__pycache__/score\.pyc was added"):
        verify(package)


@pytest.mark.parametrize("content", [None, b"{", b"{}", b'{"format": 3}'])
def test_without_a_manifest_it_is_no_package(package, content):
    (package / "package.json").unlink() if content is None else (package / "package.json").write_bytes(
        content
    )
    with pytest.raises(IntegrityError, match=r"has no package\.json that can be read"):
        verify(package)
