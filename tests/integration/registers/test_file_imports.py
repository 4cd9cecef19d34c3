"""The check of files of [imports] folder, and an import that publishes what was checked, or nothing."""

import os

import pytest

from node.database.imports import newest_import
from node.errors import InputError, PreconditionError
from node.registers.file_imports import check_files, import_files, list_groups, without_contents
from node.registers.source_store import SourceFolder
from tests.support.single_node import make_node, number

SOURCE = '[source]\nitem = "C21"\n[files]\nnames = "incoming/C21*.csv"\n[columns]\nid_no = "owner"\n'
ROWS = "owner\n" + "".join(f"{number(one)}\n" for one in range(1, 4))


def quiet(_stage, _done, _total):
    pass


@pytest.fixture
def node(tmp_path):
    home = tmp_path / "44"
    found = make_node(home)
    for name in ("sources", "incoming"):
        (home / name).mkdir()
    source = home / "sources" / "C21.toml"
    source.write_text(SOURCE, encoding="utf-8")
    source.chmod(0o600)
    (home / "incoming" / "C21.csv").write_text(ROWS, encoding="utf-8")
    found.config.imports.__dict__["folder"] = home / "incoming"
    yield found
    found.store.dispose()


def checked(node):
    check_files(node, "C21", ["C21.csv"], quiet)
    return bytes.fromhex(SourceFolder(node.config.folder).file_check("C21").digest)


def published(node):
    with node.store.transaction("look") as tx:
        return newest_import(tx, "C21")


def test_what_was_checked_is_published(node):
    digest = checked(node)
    assert published(node) is None
    import_files(node, "C21", digest, quiet)
    last = SourceFolder(node.config.folder).last("C21")
    assert (last.state, last.rows, last.import_number) == ("imported", 3, published(node)[0])
    ((group,), others) = list_groups(node)
    assert (group.is_there, others) == (True, 0)


@pytest.mark.parametrize("times_kept", [False, True])
def test_a_file_that_changes_while_it_is_imported_is_not_published(node, times_kept):
    """After its digest was compared, and back again before its end: the times of the inode tell."""
    digest, path, stages = checked(node), node.config.imports.folder / "C21.csv", []
    before = path.stat()

    def swap(stage, _done, _total):
        if stage == "read" and not stages:
            path.write_text(ROWS.replace(number(1), number(9)), encoding="utf-8")
        if stage == "read" and len(stages) == 1 and times_kept:
            path.write_text(ROWS, encoding="utf-8")
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        stages.extend([stage] if stage == "read" else [])

    with pytest.raises(PreconditionError) as error:
        import_files(node, "C21", digest, swap)
    assert error.value.details["rule"] == "file_changed"
    assert len(stages) >= 2  # it was read for its quality, and for the import
    assert published(node) is None
    assert SourceFolder(node.config.folder).last("C21").state == "failed"


def test_a_file_that_changes_while_it_is_checked_has_no_check(node):
    path = node.config.imports.folder / "C21.csv"

    def swap(stage, _done, _total):
        if stage == "read":
            path.write_text(ROWS.replace(number(1), number(9)), encoding="utf-8")

    with pytest.raises(PreconditionError):
        check_files(node, "C21", ["C21.csv"], swap)
    assert SourceFolder(node.config.folder).file_check("C21") is None


def test_only_words_with_a_rule_are_told():
    floor = InputError("C21: the source is below its floor", "", {"rule": "floor"})
    assert without_contents(floor, "C21") is floor
    told = without_contents(InputError(f"no column of {number(1)}"), "C21")
    assert number(1) not in told.message + told.hint


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('[schedule]\nat = "03:30"\n', {"at": 2}),
        ('[rows]\nat = 1\n[schedule] # when\n# at = "x"\n every="day"\n', {"every": 5}),
        ('schedule = {at = "03:30"}\n', {}),
        ("", {}),
    ],
)
def test_the_lines_of_a_schedule(node, text, lines):
    path = node.config.folder / "sources" / "C21.toml"
    path.write_text(text, encoding="utf-8")
    assert SourceFolder(node.config.folder).lines("C21") == lines
