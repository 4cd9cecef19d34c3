"""Federations on disk: same bytes, exact figures, counted faults; the files are read by code of their own."""

import json
import unicodedata
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from node.errors import ConfigError, InputError
from synth import choose_scenario, write_federation
from tests.support.synth_reader import (
    FORMER_COLUMNS,
    NUMBER_COLUMNS,
    TODAY,
    count_faults,
    count_repeats,
    digests,
    figures_of_files,
    figures_of_truth,
    planted_figures,
    read_subjects,
    rows,
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synth") / "small"
    write_federation(choose_scenario("small"), folder, 2026, TODAY)
    return folder


@pytest.fixture(scope="module")
def mashan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole list; of the registers only a little beyond it, which changes no figure."""
    folder = tmp_path_factory.mktemp("synth") / "mashan"
    write_federation(choose_scenario("mashan", rows_scale=0.02), folder, 2026, TODAY, 0.02)
    return folder


MASHAN_FIGURES = {
    "payroll": 343,
    "vehicle_owners": 2_454,
    "vehicles": 2_645,
    "dwelling_owners": 43,
    "businesses": 439,
    "any_asset": 3_119,
    "over_deposit": 512,
}


def test_mashan_truth_holds_the_figures(mashan: Path) -> None:
    assert figures_of_truth(mashan) == MASHAN_FIGURES


def test_mashan_files_hold_the_figures(mashan: Path) -> None:
    assert figures_of_files(mashan, choose_scenario("mashan")) == MASHAN_FIGURES


def test_mashan_list_has_20_000_valid_people(mashan: Path) -> None:
    subjects = read_subjects(mashan, "45")
    assert len(subjects) == 20_000
    assert len({reference for reference, *_ in subjects}) == 20_000
    numbers = [number for _, numbers, _, _ in subjects for number in numbers]
    assert len(numbers) == len(set(numbers))
    assert sum(not covered for *_, covered in subjects) == 25
    assert sum(1 for _ in rows(mashan / "45" / "households.csv")) == 20_007


def test_mashan_plants_every_peculiarity(mashan: Path) -> None:
    counts = json.loads((mashan / "synth.json").read_text(encoding="utf-8"))
    assert all(count > 0 for count in counts["planted"].values())
    assert set(counts["planted"]) == {
        "both_numbers", "current_only", "deposits_at_threshold", "former_only", "holdings_without_mandate",
        "joint_dwellings", "linked_numbers", "names_differing", "split_numbers", "vehicles_in_two_provinces",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "options", "seed"),
    [
        ("small", {}, 1),
        ("small", {"people": 900}, 2),
        ("random", {"people": 150, "provinces": ("45", "44")}, 3),
        ("random", {"people": 400, "provinces": ("51", "50", "31", "65"), "requester": "51"}, 4),
        ("random", {"people": 400, "married_in": 0.1, "rows_scale": 2.0}, 5),
    ],
)
def test_figures_hold_in_other_sizes(
    tmp_path: Path, name: str, options: dict[str, object], seed: int
) -> None:
    scenario = choose_scenario(name, **options)  # type: ignore[arg-type]
    write_federation(scenario, tmp_path / "out", seed, TODAY)
    assert figures_of_truth(tmp_path / "out") == planted_figures(scenario)
    assert len(read_subjects(tmp_path / "out", scenario.requester)) == scenario.people


def test_small_files_hold_the_figures(small: Path) -> None:
    scenario = choose_scenario("small")
    assert figures_of_files(small, scenario) == figures_of_truth(small) == planted_figures(scenario)


def test_same_seed_same_bytes(small: Path, tmp_path: Path) -> None:
    write_federation(choose_scenario("small"), tmp_path / "again", 2026, TODAY)
    write_federation(choose_scenario("small"), tmp_path / "other", 2027, TODAY)
    assert digests(tmp_path / "again") == digests(small)
    assert digests(tmp_path / "other") != digests(small)


@pytest.mark.parametrize("which", ["small", "mashan"])
def test_every_number_is_of_county_9999(which: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(which)
    seen = Counter[str]()
    for path in sorted(folder.rglob("*.csv")):
        for row in rows(path):
            for column in (*NUMBER_COLUMNS, *FORMER_COLUMNS, "identity", "current", "former"):
                for raw in filter(None, (row.get(column) or "").split(";")):
                    text = unicodedata.normalize("NFKC", raw).strip()
                    if text[:6] in ("810000", "820000", "830000"):
                        seen["permit"] += 1
                    elif text[0] == "9":
                        assert text.startswith("900999")
                        seen["foreign"] += 1
                    elif text[0] == "X":
                        assert text.startswith("XXX9999")
                        seen["foreign_old"] += 1
                    else:
                        assert text[2:6] == "9999", f"a county code in {path.name}"
                        seen["resident"] += 1
    assert len(seen) == 4


@pytest.mark.parametrize("which", ["small", "mashan"])
def test_faults_and_rows_are_counted(which: str, request: pytest.FixtureRequest) -> None:
    """synth.json tells exactly how many rows of each fault the files hold."""
    folder = request.getfixturevalue(which)
    counts = json.loads((folder / "synth.json").read_text(encoding="utf-8"))
    registers, listed = Counter[str](), Counter[str]()
    for name, count in counts["files"].items():
        table = list(rows(folder / name))
        assert len(table) == count
        if "/registers/" in name:
            count_faults(table, registers)
            count_repeats(table, registers)
        elif name.endswith("households.csv"):
            count_faults(table, listed)
    assert registers == counts["register_faults"]
    expected = Counter(counts["list_faults"])
    del expected["name_written_otherwise"], expected["former_is_same"]
    assert listed == expected
    assert min(*registers.values(), *listed.values()) > 0


def test_encodings_differ(small: Path) -> None:
    registers = {
        path.name.split("_")[0]: path.read_bytes() for path in (small / "44" / "registers").iterdir()
    }
    assert len(registers) == 7
    with pytest.raises(UnicodeDecodeError):
        registers["公安"].decode("utf-8")
    assert registers["银行"].startswith(b"\xef\xbb\xbf")
    assert registers["市场监管"].startswith('"公民身份号码"'.encode())


def test_mandates_carry_a_check_character(small: Path) -> None:
    for row in rows(small / "45" / "mandates.csv"):
        number = row["mandate_no"]
        weights = [2**power % 11 for power in range(21, -1, -1)]
        digits = [10 if digit == "X" else int(digit) for digit in number]
        assert len(number) == 22
        assert number.startswith("459999")
        assert sum(d * w for d, w in zip(digits, weights, strict=True)) % 11 == 1


# ---- what is refused


def test_refuses_a_folder_with_content(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(InputError) as refused:
        write_federation(choose_scenario("small"), tmp_path, 1, TODAY)
    assert "--out" in refused.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("today", [date(1999, 1, 1), date(9999, 12, 31)])
def test_refuses_a_date_out_of_range(tmp_path: Path, today: date) -> None:
    with pytest.raises(InputError):
        write_federation(choose_scenario("small"), tmp_path / "out", 1, today)
    assert list(tmp_path.iterdir()) == []


def test_takes_an_empty_folder_and_leaves_nothing_beside(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write_federation(choose_scenario("small"), tmp_path / "out", 1, TODAY)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(_what: str, share: float) -> None:
        if share > 0.4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_federation(choose_scenario("small"), tmp_path / "out", 1, TODAY, progress=interrupt)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("nowhere", {}),
        ("mashan", {"people": 5}),
        ("mashan", {"rows_scale": 0}),
        ("mashan", {"rows_scale": float("nan")}),
        ("mashan", {"provinces": ("45", "44")}),
        ("random", {"provinces": ("45", "99")}),
        ("random", {"provinces": ("45",), "requester": "45"}),
        ("random", {"requester": "4"}),
        ("random", {"married_in": 0.9}),
    ],
)
def test_refuses_what_cannot_be_made(name: str, options: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as refused:
        choose_scenario(name, **options)  # type: ignore[arg-type]
    assert refused.value.hint


@pytest.mark.long
def test_mashan_in_full(tmp_path: Path) -> None:
    scenario = choose_scenario("mashan")
    summary = write_federation(scenario, tmp_path / "out", 2026, TODAY)
    assert 350_000 <= summary.register_rows <= 450_000
    assert figures_of_files(tmp_path / "out", scenario) == MASHAN_FIGURES
