"""`heqiao import --all`: everything of a folder or a plan file; a second run does what is missing."""

import io
import os
import shutil
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from node.cli import cli
from node.domain import catalogue
from node.domain.catalogue import load
from node.errors import InputError
from node.registers.plan import read_folder
from node.registers.requests import ImportRequest
from tests.support.ca_member import take_salt
from tests.support.cli_runner import heqiao, ok
from tests.support.import_runs import BEFORE, HEADS, IMPORTED, refused, run, states, stored, write
from tests.support.killed_commands import copy
from tests.support.single_node import number


def test_a_folder_and_the_same_again(place):
    write(place / "in/C22.csv", "C22", 3, wrong=2)
    items, found = run(place, place / "in")
    assert {code: one["state"] for code, one in items.items()} == IMPORTED
    assert [(one["read"], one["accepted"], one["rejected"]) for one in items.values()] == [
        (2, 2, 0), (5, 3, 2), (4, 4, 0),
    ]  # fmt: skip
    assert items["C22"]["rejects_file"] == str(place / "in/C22-rejects.csv")
    assert found["missing"][:7] == ["Z59b", "B12r", "D34", "D32", "D32m", "B11", "D35"]
    assert len(found["missing"]) == len(load().items) - 3  # all of them, for programs
    before = stored(place)
    items, _ = run(place, place / "in")
    assert {code: one["state"] for code, one in items.items()} == BEFORE
    assert [(one["read"], one["accepted"]) for one in items.values()] == [(2, 2), (5, 3), (4, 4)]
    assert stored(place) == before
    assert states(place, place / "in", "--again") == IMPORTED
    assert stored(place)[1] == before[1]


def test_the_report_fits_80_columns(place, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    write(place / "in/C22.csv", "C22", 3, wrong=2)
    shown = ok("import", "--home", place / "44", "--all", place / "in")
    assert max(len(line) for line in shown.splitlines() if "rejects.csv" not in line) <= 80
    said = " ".join(shown.split())
    assert "everything is imported" in said
    assert "C22 不动产（住房） 5 3 2 3 3" in said
    assert "3 of 3 items: 11 rows read, 9 accepted, 2 rejected" in said
    assert "C22: rejected rows (wrong_length 2) are listed in" in said
    assert "not in the folder: Z59b, B12r" in said
    write(place / "in/C21.csv", "C21", 1)
    shown = ok("import", "--home", place / "44", "--all", place / "in", "--as-of", "2026-06-30", "--again")
    assert "the import before" not in shown  # one of three rows
    write(place / "in/C23.csv", "C23", 1)
    said = " ".join(ok("import", "--home", place / "44", "--all", place / "in").split())
    assert "C23: warning: the import before this one accepted 4 rows" in said
    assert "done before, since" in " ".join(
        ok("import", "--home", place / "44", "--all", place / "in").split()
    )


CHANGES = {
    "rows": lambda place: write(place / "in/C22.csv", "C22", 9),
    "time": lambda place: (place / "in/C22.csv").touch(),
    "another file": lambda place: write(place / "in/C22-2.csv", "C22", 1),
    "another name": lambda place: (place / "in/C22.csv").rename(place / "in/C22-x.csv"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_source_that_changed_is_imported_again(place, change):
    run(place, place / "in")
    change(place)
    assert states(place, place / "in") == {**BEFORE, "C22": "imported"}
    assert states(place, place / "in") == BEFORE


def test_what_else_makes_an_import_necessary_again(place):
    """Options, an import of something else, a catalogue or limits that changed."""
    run(place, place / "in")
    assert states(place, place / "in", "--as-of", "2026-06-30") == IMPORTED
    assert states(place, place / "in", "--as-of", "2026-06-30") == BEFORE
    other = write(place / "other.csv", "C21", 1)
    ok("import", "--home", place / "44", "C21", other)
    assert states(place, place / "in", "--as-of", "2026-06-30") == {**BEFORE, "C21": "imported"}
    config = place / "44/node.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("#k_anonymity = 1024", "k_anonymity = 512"), encoding="utf-8")
    assert config.read_text(encoding="utf-8") != text
    assert states(place, place / "in", "--as-of", "2026-06-30") == IMPORTED


def test_an_import_of_one_item_counts(place):
    ok("import", "--home", place / "44", "C21", place / "in/C21.csv")
    assert states(place, place / "in") == {**IMPORTED, "C21": "done before"}


def test_under_the_next_salt_everything_is_imported_again(made, place):
    run(place, place / "in")
    copy(made / "ca", place / "ca")
    take_salt(place)
    heqiao("keys", "rotate", "salt", "--home", place / "44")
    items, _ = run(place, place / "in")
    assert {code: (one["state"], sorted(one["salts"])) for code, one in items.items()} == dict.fromkeys(
        HEADS, ("imported", [1, 2])
    )
    assert states(place, place / "in") == BEFORE


def test_a_change_is_applied_once(place):
    """Applied again after a newer full export it would bring old records back."""
    run(place, place / "in")
    write(place / "changes/C21.csv", "C21", 1)
    assert states(place, place / "changes", "--upsert") == {"C21": "imported"}
    assert states(place, place / "changes", "--upsert") == {"C21": "done before"}
    assert states(place, place / "in") == BEFORE, "a change is newer than the export"
    write(place / "in/C21.csv", "C21", 9)
    assert states(place, place / "in") == {**BEFORE, "C21": "imported"}
    assert states(place, place / "changes", "--upsert") == {"C21": "done before"}
    assert states(place, place / "changes", "--delete") == {"C21": "imported"}
    assert states(place, place / "changes", "--delete") == {"C21": "done before"}


def test_an_item_that_fails_does_not_keep_the_others_back(place):
    write(place / "in/C22.csv", "C22", 0, wrong=2)
    items, _ = run(place, place / "in", code=1)
    assert {code: one["state"] for code, one in items.items()} == {**IMPORTED, "C22": "failed"}
    assert "none of the 2 rows can be used" in items["C22"]["error"]
    assert items["C22"]["hint"]
    code, out, err = heqiao("import", "--home", place / "44", "--all", place / "in")
    assert (code, err) == (1, "")
    assert "not everything is imported" in out
    write(place / "in/C22.csv", "C22", 3)
    assert states(place, place / "in") == {**BEFORE, "C22": "imported"}


def test_nothing_is_imported_where_the_folder_is_wrong(place):
    write(place / "in/cars.csv", "C21")
    assert "cars.csv: no word of its name" in refused(place, place / "in")
    assert "cars.csv: no word of its name" in refused(place, place / "in", "--check")
    (place / "none").mkdir()
    assert "nothing to import" in refused(place, place / "none")
    assert "the as-of date must be" in refused(place, place / "in", "--as-of", "2999-01-01")
    refused(place, place / "gone", code=2)


def test_lists_of_rejects_in_another_folder(place):
    for code in HEADS:
        write(place / "in" / f"{code}.csv", code, 2, wrong=1)
    run(place, place / "in", "--rejects", place / "lists")
    assert sorted(path.name for path in (place / "lists").iterdir()) == [
        f"{code}-rejects.csv" for code in HEADS
    ]
    assert sorted(path.name for path in (place / "in").iterdir()) == [f"{code}.csv" for code in HEADS]


@pytest.mark.parametrize(
    "options",
    [
        ("C21",), ("C21", "{in}/C21.csv"), ("--map", "name=x"), ("--unit", "元"), ("--keep-zeros",),
        ("--allow-empty",), ("--sql-url-file", "{in}/C21.csv", "--query", "q"), ("--rejects", "{in}/C21.csv"),
    ],
)  # fmt: skip
def test_options_of_one_item_are_refused(place, options):
    refused(place, place / "in", *(one.format(**{"in": place / "in"}) for one in options), code=2)


@pytest.mark.parametrize("options", [("--upsert",), ("--as-of", "2026-06-30"), ("--delimiter", "tab")])
def test_a_plan_file_says_its_options_itself(place, options):
    plan = place / "plan.toml"
    plan.write_text('[C21]\nfiles = "in/C21.csv"\n', encoding="utf-8")
    assert "in the file" in refused(place, plan, *options, code=2)


def test_again_needs_all(place):
    code, _, err = heqiao("import", "--home", place / "44", "C21", place / "in/C21.csv", "--again")
    assert (code, "--again needs --all" in err) == (2, True)


def test_check_imports_nothing(place):
    write(place / "in/C22.csv", "C22", 0, wrong=2)
    (place / "in/C23.csv").write_text("id_no,余额(美元)\n" + number(1) + ",1\n", encoding="utf-8")
    before = stored(place)
    items, found = run(place, place / "in", "--check", code=1)
    assert {code: one["ok"] for code, one in items.items()} == {"C21": True, "C22": False, "C23": False}
    assert "missing" in found
    code, out, err = heqiao("import", "--home", place / "44", "--all", place / "in", "--check")
    assert (code, err) == (1, "")
    assert "C21 机动车\n" in out
    assert "rejected: wrong_length 2, first in line 2" in out
    assert "refused: none of the 2 rows can be used" in out
    assert "the import would accept 1 of 3 items; nothing was written" in out
    assert stored(place) == before
    assert sorted(path.name for path in (place / "in").iterdir()) == [f"{code}.csv" for code in HEADS]


def test_a_file_that_this_account_may_not_read(tmp_path):
    """It is found before anything runs. Root may read everything, so a child of another account looks."""
    if os.geteuid() != 0:
        pytest.skip("only root may take another account")
    folder = Path(tempfile.mkdtemp())  # pytest's own folders are closed to others
    try:
        folder.chmod(0o755)
        write(folder / "C21.csv", "C21").chmod(0o600)
        child = os.fork()
        if child == 0:
            os.setuid(65_534)
            try:
                read_folder(folder, catalogue.load(), ImportRequest(""))
            except InputError as error:
                os._exit("C21.csv: Permission denied" in str(error))
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    finally:
        shutil.rmtree(folder)


class Screen(io.StringIO):
    def isatty(self):
        return True


def test_a_bar_for_each_item(place, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    screen = Screen()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", screen)
        with redirect_stdout(io.StringIO()):
            command = ["import", "--home", str(place / "44"), "--all", str(place / "in")]
            cli(command, standalone_mode=False)
    for text in ("1 of 3  C21 机动车", "2 of 3  C22 不动产", "3 of 3  C23 银行存款"):
        assert text in screen.getvalue()
