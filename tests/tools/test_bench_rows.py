"""The table of `bench all`: figures beside those of peers, and targets that are met or missed."""

from dataclasses import asdict

import pytest

from bench import report, rows


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
    targets = rows.Targets(ifma=False, entries=1_000_000)
    for entries, upsert in ((10_000_000, False), (20_000_000, True), (300, None)):
        table = {row.what: row for row in rows.mirror_rows({"mirrors": {**run, "entries": entries}}, targets)}
        assert table["upsert of 0.1 %"].met is upsert
    assert table["delta of 1 %, one date"].met is True
    assert table["served to a mirror"].met is True
    for missed in ("delta of 1 %, a date a row", "wrong answers from mirrors"):
        assert table[missed].met is False
    assert table["whole fetch, peak memory, responder"].met is False
    assert rows.mirror_rows({}, targets) == []


def test_ours_alone_has_its_rows() -> None:
    online = {
        "subjects": 300, "wall_s": 0.3, "library_wall_s": 0.2, "cpu_s": 0.5, "wire_up": 1, "wire_down": 2,
        "peak_mib": 5, "matches": 150, "whole_s": 0.4,
    }  # fmt: skip
    ours = {
        "index_wall_s": 6.0, "index_cpu_s": 9.0, "index_peak_mib": 900.0, "online": [online],
        "disk_bytes_per_entry": 400.0, "cached_bytes_per_entry": 42.0, "wrong": 0, "single_wrong": 0,
        **{f"single_{kind}_ms": 20.0 for kind in ("median", "p95", "busy_median", "busy_p95")},
    }  # fmt: skip
    table = {row.what: row for row in rows.rows_of({"ours": ours, "sizes": {"entries": 300}})}
    assert (table["first item, wall"].ours, table["300 subjects, submit to report"].ours) == (6.0, 0.4)
    assert table["kept by the requester"].ours == 42.0
    assert table["first item, database"].met is None  # too few to judge


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
