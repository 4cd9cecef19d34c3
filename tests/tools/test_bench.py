"""The benchmark measures what it says: its numbers, its join, its meters, and one run of a few hundred."""

import csv
import json
import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from bench import report, rows
from bench.__main__ import main
from bench.heqiao_import import compare as compare_answers
from bench.meter import quantile
from bench.sockets import wire_bytes
from matcher import identity
from matcher.suites import x25519
from synth import bulk


def test_numbers_are_valid_and_distinct() -> None:
    people = np.array([0, 1, 2, 999, 1_000_000, 9_999_999, bulk.PEOPLE - 1])
    found = [row.tobytes().decode() for row in bulk.identity_numbers(people, "44")]
    for number in found:
        assert identity.parse(number).value == number
        assert number.startswith("449999")
        assert 1900 <= date.fromisoformat(f"{number[6:10]}-{number[10:12]}-{number[12:14]}").year <= 2019
    assert found[0] == "449999190001010018"  # day 0, sequence 001, and a check digit by hand
    many = bulk.identity_numbers(bulk.people(50_000), "45")
    assert len(np.unique(many, axis=0)) == 50_000


def test_the_constants_of_the_numbers() -> None:
    assert (date(2019, 12, 31) - date(1900, 1, 1)).days + 1 == bulk.DAYS
    assert np.gcd(bulk.STRIDE, bulk.PEOPLE) == 1


@pytest.mark.parametrize(
    ("entries", "count", "common"), [(100, 40, 20), (100, 41, 20), (3, 10, 3), (1, 1, 0), (1000, 2, 1)]
)
def test_half_of_the_subjects_are_held(entries: int, count: int, common: int) -> None:
    chosen = bulk.choose_subjects(entries, count)
    assert len(set(chosen.tolist())) == count
    assert int((chosen < entries).sum()) == common


def test_plain_join_agrees_with_dictionaries(tmp_path: Path) -> None:
    register, listed = tmp_path / "register.csv", tmp_path / "list"
    bulk.write_register(register, 500, "44")
    bulk.write_list(listed, bulk.choose_subjects(500, 101), "44")
    with register.open(encoding="utf-8", newline="") as file:
        held = {row["id_no"]: (row["name"], int(row["value"])) for row in csv.DictReader(file)}
    with (listed / "households.csv").open(encoding="utf-8", newline="") as file:
        asked = list(csv.DictReader(file))
    with (listed / "mandates.csv").open(encoding="utf-8", newline="") as file:
        mandates = {row["mandate_no"] for row in csv.DictReader(file)}
    assert len(held) == 500
    assert {row["mandate_no"] for row in asked} <= mandates
    expected = {
        f"{row['household_no']}/{row['member_no']}": held[row["id_no"]][1]
        for row in asked
        if row["id_no"] in held and held[row["id_no"]][0] == row["name"]
    }
    assert len(expected) == 50
    assert bulk.plain_join(register, listed / "households.csv") == expected


@pytest.mark.parametrize(
    ("answers", "subjects", "matches", "wrong"),
    [
        ([("a", "FOUND", 2), ("b", "NOT_FOUND", None)], 2, 1, 0),
        ([("a", "FOUND", 3), ("b", "NOT_FOUND", None)], 2, 1, 1),
        ([("a", "NOT_FOUND", None), ("b", "FOUND", 1)], 2, 1, 2),
        ([("a", "FOUND", 2)], 2, 1, 1),
        ([("a", "FOUND", 2), ("a", "FOUND", 2)], 1, 1, 1),
        ([("a", "STALE", 2), ("b", "NOT_FOUND", None)], 2, 0, 1),
    ],
)
def test_wrong_answers_are_counted(
    answers: list[tuple[str, str, int | None]], subjects: int, matches: int, wrong: int
) -> None:
    assert compare_answers(answers, subjects, {"a": 2}) == (matches, wrong)


METERED = """
import json, subprocess, sys, time
from bench.meter import Meter, cpu_seconds, descendants
inner = "import time; held = bytearray(40_000_000); sum(range(10_000_000)); time.sleep(0.5)"
outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}], check=True)"
with Meter() as meter:
    child = subprocess.Popen([sys.executable, "-c", outer])
    time.sleep(0.4)
    family, used = descendants(), cpu_seconds([child.pid])
    child.wait()
found = {"seen": child.pid in family, "family": len(family), "used": used, "left": child.pid in descendants()}
print(json.dumps({**found, "peak_mib": meter.peak_mib, "cpu_s": meter.cpu_s, "wall_s": meter.wall_s}))
"""


def test_meter_sees_a_child_and_its_child() -> None:
    # In a process of its own: that of the tests has other children, which would be measured too.
    done = subprocess.run([sys.executable, "-c", METERED], check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    assert found["seen"]
    assert not found["left"]
    assert found["family"] >= 2
    assert found["used"] >= 0
    assert 40 < found["peak_mib"] < 120
    assert 0.1 < found["cpu_s"] < 5
    assert found["wall_s"] >= 0.5


def test_wire_bytes_are_those_of_the_kernel() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        before = wire_bytes()
        with socket.create_connection(server.getsockname()) as asker, server.accept()[0] as answerer:
            sender = threading.Thread(target=asker.sendall, args=(bytes(300_000),))
            sender.start()
            got = sum(len(answerer.recv(65_536, socket.MSG_WAITALL)) for _ in range(4))
            sender.join()
            got += len(answerer.recv(300_000 - got, socket.MSG_WAITALL))
            answerer.sendall(b"done")
            asker.recv(4, socket.MSG_WAITALL)
            time.sleep(0.05)  # the last acknowledgement
            sent, received = (after - first for after, first in zip(wire_bytes(), before, strict=True))
    assert got == 300_000
    # Both ends are in this process; the kernel counts the opening SYN as one byte sent.
    assert received == 300_004
    assert 300_004 <= sent <= 300_006


def test_quantile() -> None:
    walls = [float(number) for number in range(1, 101)]
    assert quantile(walls, 0.95) == 96
    assert quantile([3.0], 0.95) == 3


@pytest.mark.parametrize(
    ("row", "ratio", "met"),
    [
        (rows.Row("w", "s", 7.0, "spu", 10.0, 0.7), 0.7, True),
        (rows.Row("w", "s", 8.0, "spu", 10.0, 0.7), 0.8, False),
        (rows.Row("w", "s", 8.0, "spu", 10.0), 0.8, None),
        (rows.Row("m", "MiB", 3000.0, target=2048.0), None, False),
        (rows.Row("m", "ms", None, target=25.0), None, None),
        (rows.Row("w", "s", 8.0, "spu", 0.0, 0.7), None, None),
    ],
)
def test_targets(row: rows.Row, ratio: float | None, met: bool | None) -> None:
    assert row.ratio == ratio
    assert row.met is met


def test_rows_stand_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    online = {
        "subjects": 10_000, "wall_s": 0.3, "library_wall_s": 0.2, "cpu_s": 0.5, "wire_up": 1, "wire_down": 2,
        "bytes_up": 3, "bytes_down": 4, "peak_mib": 5, "matches": 6, "whole_s": 0.4,
    }  # fmt: skip
    ours = {
        "index_wall_s": 6.0, "index_cpu_s": 9.0, "index_peak_mib": 900.0, "online": [online],
        "cached_bytes_per_entry": 4.1, "wrong": 0, "single_wrong": 0,
        **{f"single_{kind}_ms": 20.0 for kind in ("median", "p95", "busy_median", "busy_p95")},
    }  # fmt: skip
    theirs = {
        "index": {"wall_s": 10.0, "cpu_s": 12.0, "peak_mib": 300.0},
        "online": [{**online, "wall_s": 0.2}, {**online, "subjects": 5}],
        "cached_bytes_per_entry": 36.0,
    }
    table = {(row.what, row.peer): row for row in rows.rows_of({"ours": ours, "spu": theirs})}
    assert table["first item, wall", "spu"].met is True
    assert table["10,000 subjects, wall", "spu"].met is False
    assert table["10,000 subjects, down", "spu"].ratio == 0.5
    assert table["10,000 subjects, submit to report", "spu"].ratio == 2
    assert ("5 subjects, wall", "spu") not in table
    assert table["one person, median", ""].met is False
    found = [{**asdict(row), "ratio": row.ratio, "met": row.met} for row in table.values()]
    machine = {"cores": 2, "cpu": "c", "load_1m": 0.1, "load_1m_after": 0.2}
    sizes = {"entries": 1_000_000}
    report.print_rows(
        report.wide_console(),
        {"rows": found, "machine": machine, "sizes": sizes, "ours": {"backend": "sodium"}},
    )
    printed = capsys.readouterr().out
    assert "1.2 of it: met" in printed
    assert "0.5 of it: missed" in printed
    assert "backend sodium; 2 cores of c without AVX-512 IFMA" in printed


@pytest.mark.parametrize(
    ("ifma", "entries", "index", "ten", "hundred", "in_hand"),
    [
        (True, 10_000_000, 0.75, 0.3, 0.65, 0.9),
        (True, 1_000_000, 0.8, 0.3, 0.65, 0.9),
        (False, 1_000_000, 1.2, 0.5, 1.1, 1.4),
    ],
)
def test_targets_depend_on_the_processor(
    ifma: bool, entries: int, index: float, ten: float, hundred: float, in_hand: float
) -> None:
    targets = rows.Targets(ifma, entries)
    assert (targets.index, targets.listed(10_000), targets.listed(100_000)) == (index, ten, hundred)
    assert (targets.in_hand(100_000), targets.in_hand(10_000), targets.listed(5)) == (in_hand, None, None)


def test_further_items_beside_one_of_spu() -> None:
    """Of ten times spu's one item, over as many people."""
    run = {
        "items": 10, "entries": 1_000_000, "items_wall_s": 90.0, "items_cpu_s": 120.0,
        "items_peak_mib": 500.0, "items_disk_bytes_per_entry": 58.0,
        **{f"rotate_{key}": 50.0 for key in ("wall_s", "cpu_s", "peak_mib")},
    }  # fmt: skip
    ours = {"index_peak_mib": 900.0, "index_wall_s": 160.0, "index_cpu_s": 300.0, "disk_bytes_per_entry": 110}
    ours |= {f"{name}_{key}": 60.0 for name in ("second_item", "again") for key in ("wall_s", "cpu_s")}
    ours |= {"cached_bytes_per_entry": 38, "wrong": 0, "single_wrong": 0, "online": []}
    ours |= {f"single_{kind}_ms": 20.0 for kind in ("median", "p95", "busy_median", "busy_p95")}
    spu = {"index": {"wall_s": 150.0, "cpu_s": 280.0, "peak_mib": 1_000.0}, "cached_bytes_per_entry": 36}
    found = {"ours": ours, "items": run, "sizes": {"entries": 10_000_000}, "spu": {**spu, "online": []}}
    table = {(row.what, row.peer): row for row in rows.rows_of(found)}
    assert (table["second item, wall", "spu"].met, table["again, wall", "spu"].met) == (True, False)
    ten = table["10 items over 1,000,000 people, CPU", "10 x spu"]
    assert (ten.theirs, ten.met) == (280.0, True)  # 28 s for one of a million
    assert table["10 items, database", ""].met is True
    assert table["first item, database", ""].met is False
    assert table["rotation of 10 x 1,000,000, wall", ""].met is True


def test_mirrors_have_rows() -> None:
    run = {f"{key}_{of}": 1.0 for _, key in rows.SYNCS for of in ("wall_s", "cpu_s")}
    run |= {f"{key}_{of}_peak_mib": 2_000.0 for _, key in rows.SYNCS for of in ("requester", "responder")}
    run |= {f"{key}_bytes": 1_100_000 for _, key in rows.SYNCS}
    run |= {"served_bytes_per_entry": 38.1, "one_date_share": 0.029, "date_a_row_share": 0.031, "wrong": 1}
    for entries, upsert in ((10_000_000, False), (20_000_000, True), (300, None)):
        table = {row.what: row for row in rows.mirror_rows({"mirrors": {**run, "entries": entries}})}
        assert table["upsert of 0.1 %"].met is upsert
    assert table["delta of 1 %, one date"].met is True
    for missed in ("served to a mirror", "delta of 1 %, a date a row", "wrong answers from mirrors"):
        assert table[missed].met is False
    assert table["whole fetch, peak memory, responder"].met is False
    assert rows.mirror_rows({}) == []


def read_rows(path: Path) -> dict[str, tuple[str, ...]]:
    """The rows of a register by identity number, which must be valid and distinct."""
    with path.open(encoding="utf-8", newline="") as file:
        found = [tuple(row) for row in csv.reader(file)][1:]
    assert all(identity.parse(row[0]).value == row[0] for row in found)
    assert len({row[0] for row in found}) == len(found)
    return {row[0]: row[1:] for row in found}


@pytest.mark.parametrize("dated", [False, True])
def test_a_later_export_differs_in_one_row_of_a_hundred(tmp_path: Path, dated: bool) -> None:
    bulk.write_register(tmp_path / "first", 5_000, "44", dated=dated)
    bulk.write_register(tmp_path / "later", 5_000, "44", later=True, dated=dated)
    first, later = read_rows(tmp_path / "first"), read_rows(tmp_path / "later")
    changed = [number for number in first.keys() & later.keys() if first[number] != later[number]]
    assert (len(first), len(later), len(changed), len(first.keys() - later.keys())) == (5_000, 5_000, 25, 25)
    assert all(first[number][2] != later[number][2] for number in changed)
    if dated:
        assert len({row[3] for row in first.values()}) == 1_000
        assert all(date.fromisoformat(row[3]) < date(2026, 1, 1) for row in later.values())


@pytest.mark.parametrize("entries", [1, 40, 51, 101, 3_000])
def test_a_days_changes(tmp_path: Path, entries: int) -> None:
    """A later export with them applied by dictionaries is what the whole register then holds."""
    for name, write in (("changes", bulk.write_changes), ("after", bulk.write_after)):
        write(tmp_path / name, entries, "44")
    bulk.write_register(tmp_path / "later", entries, "44", later=True)
    later, changes = read_rows(tmp_path / "later"), read_rows(tmp_path / "changes")
    assert len(changes) == -(-entries // 1_000)
    assert all(later.get(number) != row for number, row in changes.items()) or entries == 1
    assert read_rows(tmp_path / "after") == later | changes


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("psi", "--subjects", "ten"), "whole numbers"),
        (("psi", "--subjects", "0"), "whole numbers"),
        (("psi", "--entries", "0"), "not in the range"),
        (("psi", "--entries", "43785171", "--subjects", "2"), "ask for fewer"),
        (("psi", "--only", "everything"), "is not one of"),
        (("all", "--peers", "nobody"), "is not one of"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2
    assert said in done.output


@pytest.mark.long
def test_a_run_of_a_few_hundred(tmp_path: Path) -> None:
    arguments = ("psi", "--entries", "300", "--subjects", "100", "--keep", str(tmp_path), "--json", "-")
    done = CliRunner().invoke(main, (*arguments, "--only", "index", "--only", "online"))
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["entries"], found["subjects"], found["matches"], found["wrong"]) == (300, 100, 50, 0)
    for key in ("index_wall_s", "online_wall_s", "bytes_up", "bytes_down", "peak_rss_mib"):
        assert found[key] > 0
    assert found["cached_bytes_per_entry"] >= 0
    assert found["plan"] == "mirror"
    assert found["backend"] in x25519.NAMES
    # The same folder with other sizes is refused instead of measured wrongly.
    other = CliRunner().invoke(main, ("psi", "--entries", "200", "--keep", str(tmp_path)))
    assert other.exit_code == 1
    assert "other sizes" in other.output


@pytest.mark.long
def test_a_second_item_and_the_delta_of_the_next_export(tmp_path: Path) -> None:
    arguments = ("psi", "--entries", "3000", "--keep", str(tmp_path), "--json", "-")
    only = ("--only", "mirror", "--only", "more")
    first, second = (CliRunner().invoke(main, (*arguments, *only)) for _ in range(2))
    assert first.exit_code == second.exit_code == 0, first.output + second.output
    found, kept = json.loads(first.stdout), json.loads(second.stdout)
    for key in ("second_item_wall_s", "again_wall_s", "disk_bytes_per_entry"):
        assert found[key] > 0
        assert kept[key] == found[key]  # a folder that is kept has them already
    assert 38 < found["served_bytes_per_entry"] < 45
    assert 30 * 38 / 2 < found["delta_bytes"] < 30 * 100 + 2_500
    assert abs(kept["delta_bytes"] - found["delta_bytes"]) < 1_000  # register and mirror were put back


@pytest.mark.long
def test_ten_items_over_the_same_people() -> None:
    done = CliRunner().invoke(main, ("items", "--entries", "300", "--items", "3", "--json", "-"))
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["items"], found["wrong"], len(found["items_walls_s"])) == (3, 0, 3)
    assert found["rotate_entries"] >= 900
    for key in ("items_wall_s", "items_cpu_s", "items_peak_mib", "items_disk_bytes_per_entry"):
        assert found[key] > 0


@pytest.mark.long
def test_syncs_of_a_mirror() -> None:
    done = CliRunner().invoke(main, ("mirror", "--entries", "10000", "--json", "-"))
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["wrong"], found["plan"]) == (0, "mirror")
    assert (
        found["unchanged_bytes"] < found["upsert_bytes"] < found["one_date_bytes"] < found["whole_bytes"] / 10
    )
    assert 0.005 < found["one_date_share"] < 0.03
    assert 0.005 < found["date_a_row_share"] < 0.03
    assert 38 < found["served_bytes_per_entry"] < 40
    for name in ("whole", "unchanged", "one_date", "date_a_row", "upsert"):
        for key in ("wall_s", "cpu_s", "requester_peak_mib", "responder_peak_mib"):
            assert found[f"{name}_{key}"] > 0


@pytest.mark.long
def test_a_rotation_beside_checks() -> None:
    done = CliRunner().invoke(main, ("rotate", "--entries", "300", "--json", "-"))
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["wrong"], found["rotate_workers"], found["single_quiet_checks"]) == (0, 0, 100)
    assert found["rotate_entries"] >= 300  # planted ones are moved too
    assert found["single_rotating_checks"] > 0
    for key in ("floor_s", "rotate_cpu_s", "rotate_peak_mib", "beside_wall_s", "single_ratio"):
        assert found[key] > 0


def test_encryption_beside_the_peers() -> None:
    ours = {
        "encrypt_us_full": 600.0, "encrypt_us_short": 100.0, "encrypt_us_full_all_cores": 310.0,
        "encrypt_us_short_all_cores": 60.0, "add_us": 9.0, "decrypt_ms": 9.0, "wrong": 0,
    }  # fmt: skip
    theirs = {"encrypt_us": 24_600.0, "add_us": 17.0, "decrypt_ms": 8.9, "batch_us": None, "wrong": 0}
    batch = {**theirs, "encrypt_us": 1_560.0, "batch_us": 200.0, "batch_cpu_us": 400.0}
    table = {(row.what, row.peer): row for row in rows.sum_rows({"sums": ours, "phe": theirs, "heu": batch})}
    assert table["encrypt, one core", "phe"].met is True
    assert table["encrypt, short exponents", "phe"].met is True
    assert table["encrypt, all cores", "heu"].met is False
    assert ("encrypt, all cores", "phe") not in table


@pytest.mark.long
def test_a_column_of_a_few_rows_and_a_cohort_asked_of_it() -> None:
    done = CliRunner().invoke(main, ("sums", "--only", "cohort", "--rows", "500", "--json", "-"))
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["column_rows"], found["cohort_people"], found["wrong"]) == (500, 1_000, 0)
    assert found["column_wall_s"] > 0
    assert found["cohort_wall_s"] > 0
    assert found["bytes_down"] > 500 * 800


def test_a_run_of_encryption() -> None:
    done = CliRunner().invoke(main, ("sums", "--bits", "2048", "--only", "encryption", "--json", "-"))
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["bits"], found["wrong"], found["values_per_ciphertext"]) == (2048, 0, 9)
    assert 0 < found["encrypt_us_short"] < found["encrypt_us_full"]
