"""The benchmark measures what it says: its numbers, its join, its meters, and one run of a few hundred."""

import csv
import json
import socket
import subprocess
import sys
import threading
import time
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

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
