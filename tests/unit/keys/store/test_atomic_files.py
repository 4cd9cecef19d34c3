"""A file is written whole or not at all, by every writer."""

import os

import pytest

from keys.errors import KeyExistsError
from keys.store.atomic_files import PRIVATE, PUBLIC, NewFile, replace, write_new
from node.errors import UnavailableError
from node.files import write_atomically


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_has_its_name_only_once_it_is_published(tmp_path):
    path = tmp_path / "file"
    with NewFile(path, PRIVATE) as new:
        new.file.write(b"first")
        assert not path.exists()
        new.publish()
    assert (path.read_bytes(), names(tmp_path)) == (b"first", ["file"])


def test_what_is_not_published_is_removed(tmp_path):
    path = tmp_path / "file"
    replace(path, b"old")
    with NewFile(path, PRIVATE) as new:
        new.file.write(b"new")
    with pytest.raises(ZeroDivisionError), NewFile(path, PRIVATE) as new:  # noqa: PT012
        new.file.write(b"new")
        raise ZeroDivisionError
    assert (path.read_bytes(), names(tmp_path)) == (b"old", ["file"])


def test_a_new_file_never_takes_the_place_of_an_old_one(tmp_path):
    path = tmp_path / "file"
    write_new(path, b"old")
    with pytest.raises(KeyExistsError):
        write_new(path, b"new")
    assert (path.read_bytes(), names(tmp_path)) == (b"old", ["file"])


@pytest.mark.parametrize("mode", [PRIVATE, PUBLIC])
def test_permissions_do_not_depend_on_the_umask(tmp_path, mode):
    before = os.umask(0o077)
    try:
        replace(tmp_path / "file", b"x", mode)
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode


def test_a_failing_source_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, [b"old"])

    def chunks():
        yield b"new"
        raise OSError(28, "No space left on device")

    with pytest.raises(UnavailableError, match="No space left"):
        write_atomically(path, chunks())
    assert (path.read_bytes(), names(tmp_path)) == (b"old", ["file"])
    assert path.stat().st_mode & 0o777 == PRIVATE
