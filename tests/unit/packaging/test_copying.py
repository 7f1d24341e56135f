import os
import socket

import pytest

from loopwright.errors import StepFailed
from loopwright.packaging.copying import copy_folder


@pytest.fixture
def source(tmp_path):
    (tmp_path / "source/deep").mkdir(parents=True)
    (tmp_path / "source/deep/a").write_bytes(b"a")
    (tmp_path / "source/run").write_bytes(b"#!")
    (tmp_path / "source/run").chmod(0o755)
    return tmp_path / "source"


def test_files_are_copied_read_only(source, tmp_path):
    assert copy_folder(source, tmp_path / "target", "code") == 2
    assert (tmp_path / "target/deep/a").read_bytes() == b"a"
    assert (tmp_path / "target/deep/a").stat().st_mode & 0o777 == 0o444
    assert (tmp_path / "target/run").stat().st_mode & 0o777 == 0o555


def test_a_later_change_of_the_source_does_not_reach_the_copy(source, tmp_path):
    copy_folder(source, tmp_path / "target", "code")
    with (source / "deep/a").open("r+b") as file:
        file.write(b"b")
    assert (tmp_path / "target/deep/a").read_bytes() == b"a"


def test_bytecode_is_left_out(source, tmp_path):
    (source / "deep/__pycache__").mkdir()
    (source / "deep/__pycache__/a.pyc").write_bytes(b"")
    assert copy_folder(source, tmp_path / "target", "code") == 2


def test_a_link_inside_becomes_its_file(source, tmp_path):
    (source / "link").symlink_to("deep/a")
    copy_folder(source, tmp_path / "target", "code")
    assert (tmp_path / "target/link").read_bytes() == b"a"
    assert not (tmp_path / "target/link").is_symlink()


def test_a_source_that_is_itself_a_link_is_followed(source, tmp_path):
    (tmp_path / "alias").symlink_to(source)
    assert copy_folder(tmp_path / "alias", tmp_path / "target", "code") == 2


def outside(source):
    (source.parent / "secret").write_bytes(b"")
    (source / "bad").symlink_to(source.parent / "secret")


def dangling(source):
    (source / "bad").symlink_to("nowhere")


def circle(source):
    (source / "bad").symlink_to("bad")


def folder(source):
    (source / "bad").symlink_to("deep")


def pipe(source):
    os.mkfifo(source / "bad")


def unix_socket(source):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(source / "bad"))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (outside, "code/bad is a link to .*/secret, outside of its folder; .* copy the file there"),
        (dangling, "code/bad is a link that leads nowhere"),
        (circle, "code/bad is a link that leads nowhere"),
        (folder, "code/bad is a link to a folder"),
        (pipe, "code/bad is no plain file"),
        (unix_socket, "code/bad is no plain file"),
    ],
)
def test_what_is_no_file_of_the_folder_is_refused(source, tmp_path, make, told):
    make(source)
    with pytest.raises(StepFailed, match=told):
        copy_folder(source, tmp_path / "target", "code")


def test_a_name_that_is_not_utf8_is_refused(source, tmp_path):
    (source / os.fsdecode(b"\xff")).write_bytes(b"")
    with pytest.raises(StepFailed, match="is not UTF-8; rename the file"):
        copy_folder(source, tmp_path / "target", "code")
