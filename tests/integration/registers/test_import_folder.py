"""Files of [imports] folder: what is listed, and that only what was taken passes for it afterwards."""

import os
import stat
import threading

import pytest

from node.config import load
from node.errors import ConfigError, InputError, PreconditionError
from node.registers.import_folder import ImportFolder
from tests.support.single_node import make_node

KEY = bytes(range(32))


@pytest.fixture
def place(tmp_path):
    found = tmp_path / "incoming"
    found.mkdir()
    (found / "C21.csv").write_bytes(b"one\n")
    return found


def rule(error):
    return error.value.details["rule"]


def test_a_digest_is_of_names_and_contents_under_the_key(place):
    (place / "C21-2.csv").write_bytes(b"two\n")
    folder = ImportFolder(place, KEY)
    first = folder.take(["C21.csv", "C21-2.csv"])
    assert first.digest == folder.take(["C21-2.csv", "C21.csv", "C21.csv"]).digest
    assert (first.names, first.size) == (("C21-2.csv", "C21.csv"), 8)
    assert folder.take(["C21.csv"]).digest != first.digest
    assert ImportFolder(place, bytes(32)).take(first.names).digest != first.digest
    (place / "C21.csv").write_bytes(b"two\n")
    (place / "C21-2.csv").write_bytes(b"one\n")  # the same contents under each other's names
    assert folder.take(first.names).digest != first.digest


def test_what_is_listed(place, tmp_path):
    (place / "b.csv").symlink_to(place / "C21.csv")
    os.mkfifo(place / "c.csv")
    os.link(place / "C21.csv", tmp_path / "other.csv")
    (place / "folder").mkdir()
    for name in (".hidden.csv", "C21-rejects.csv", "_SUCCESS", "turned\u202e.csv", "line\n.csv"):
        (place / name).touch()
    (place / os.fsdecode(b"\xff.csv")).touch()
    found = ImportFolder(place, KEY).list()
    assert {one.name: one.fault for one in found} == {
        "C21.csv": "other_names",
        "b.csv": "link",
        "c.csv": "no_file",
    }


@pytest.mark.parametrize("name", ["../C21.csv", "/C21.csv", "..", ".", "", "a/b", "C21.csv\0", "no.csv"])
def test_a_name_that_is_none_of_the_folder_is_refused(place, name):
    (place.parent / "C21.csv").write_bytes(b"outside")
    with pytest.raises(PreconditionError) as error:
        ImportFolder(place, KEY).take([name])
    assert rule(error) in ("file_name", "file_changed")


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "hard link", "device"])
def test_nothing_but_a_regular_file_with_one_name_is_read(place, tmp_path, kind):
    """Also where it is put there after the list was made: no link is followed, no pipe waited for."""
    path = place / "C21.csv"
    path.unlink()
    (tmp_path / "outside").write_bytes(b"one\n")
    if kind == "link":
        path.symlink_to(tmp_path / "outside")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "hard link":
        os.link(tmp_path / "outside", path)
    else:
        try:
            os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))  # /dev/zero: it would never end
        except PermissionError:
            pytest.skip("no right to make devices")
    refused = []

    def take():
        with pytest.raises(PreconditionError) as error:
            ImportFolder(place, KEY).take(["C21.csv"])
        refused.append(rule(error))

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    thread.join(20)
    assert refused == ["file_changed"]


def test_what_changed_since_is_seen(place):
    path, folder = place / "C21.csv", ImportFolder(place, KEY)
    taken = folder.take(["C21.csv"])
    taken.require_unchanged()
    times = path.stat()
    path.write_bytes(b"two\n")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # with the time set back
    with pytest.raises(PreconditionError) as error:
        taken.require_unchanged()
    assert rule(error) == "file_changed"
    path.write_bytes(b"one\n")  # and back: it may have been read in between
    with pytest.raises(PreconditionError):
        taken.require_unchanged()
    path.unlink()
    with pytest.raises(PreconditionError):
        taken.require_unchanged()


def test_a_folder_that_is_none_is_an_input_error(place):
    for path in (place / "nothing", place / "C21.csv"):
        with pytest.raises(InputError):
            ImportFolder(path, KEY).list()


def test_names_that_patterns_mean(place, tmp_path):
    (place / "sub").mkdir()
    for name in ("C22.csv", "sub/C21-x.csv"):
        (place / name).touch()
    folder = ImportFolder(place, KEY)
    assert folder.named_by(tmp_path, ["incoming/C21*.csv"]) == {"C21.csv"}
    assert folder.named_by(tmp_path, ["**/*.csv"]) == {"C21.csv", "C22.csv"}
    assert folder.named_by(tmp_path, [str(place / "C22.csv"), "incoming/sub/*.csv"]) == {"C22.csv"}
    assert folder.named_by(tmp_path, []) == frozenset()


@pytest.mark.parametrize("folder", [".", "..", "/"])
def test_a_folder_with_the_home_in_it_is_refused(tmp_path, folder):
    home = tmp_path / "44"
    make_node(home).store.dispose()
    text = (home / "node.toml").read_text(encoding="utf-8")
    (home / "node.toml").write_text(f'{text}\n[imports]\nfolder = "{folder}"\n', encoding="utf-8")

    with pytest.raises(ConfigError, match="imports"):
        load(home / "node.toml")
