"""Lists of households and mandates: rows that cannot be used, with row, field and reason; JSON as CSV."""

import json
from pathlib import Path

import pytest

from node.domain.stored_mandates import to_plain
from node.errors import InputError
from node.tabular.record_lists import read_household_records, read_mandate_records
from tests.support.mandate_lists import HEAD, household, household_rows, mandate, mandate_rows, write_rows


def reasons(rejects) -> list[tuple[int, str, str]]:
    assert not any(HEAD in one.message or "韦" in one.message for one in rejects)
    return [(one.line, one.column, one.reason) for one in rejects]


def test_households_of_several_rows(tmp_path: Path) -> None:
    homes = [household("H1"), household("H2")]
    found, rejects, _ = read_household_records(write_rows(tmp_path / "h.csv", household_rows(*homes)))
    assert (found, rejects) == (homes, [])


def test_every_bad_row_of_households_is_named(tmp_path: Path) -> None:
    rows = household_rows(household("H1"))
    at = {name: place for place, name in enumerate(rows[0])}
    changes = {
        1: ("name", ""),
        2: ("id_no", "459999199001010000"),
        3: ("role", "friend"),
        4: ("application_no", HEAD),
    }
    for row, (name, value) in changes.items():
        rows[row][at[name]] = value
    found, rejects, _ = read_household_records(write_rows(tmp_path / "h.csv", rows))
    assert found == []
    assert reasons(rejects) == [
        (2, "name", "empty"),
        (3, "id_no", "bad_check_digit"),
        (4, "role", "unknown_word"),
        (5, "application_no", "ref_is_identity"),
    ]


def test_rows_of_one_household_that_differ(tmp_path: Path) -> None:
    rows = household_rows(household("H1"))
    rows[2][2] = "459998"
    rows[4][3] = "1"
    _, rejects, _ = read_household_records(write_rows(tmp_path / "h.csv", rows))
    assert reasons(rejects) == [(2, "office", "rows_differ"), (2, "member_no", "duplicate_ref")]


def test_mandates_as_json_are_those_of_csv(tmp_path: Path) -> None:
    stored = [mandate(), mandate(no="M2", template_id="jiangsu", matter="01", regions=frozenset({"44"}))]
    listed = tmp_path / "m.json"
    listed.write_text(json.dumps({"mandates": [to_plain(one) for one in stored]}), encoding="utf-8")
    assert read_mandate_records(listed) == (stored, {}, [], [1, 2])
    assert read_mandate_records(write_rows(tmp_path / "m.csv", mandate_rows(*stored))) == (
        stored,
        {},
        [],
        [2, 3],
    )


def test_every_bad_row_of_mandates_is_named(tmp_path: Path) -> None:
    good = [to_plain(mandate(no=f"M{place}")) for place in range(6)]
    changes = {
        0: {"mandate_no": "4599992026010101000018"},
        1: {"signers": ["韦" * 201]},
        2: {"matter": "55"},
        3: {"signature": "?"},
        4: {"form_file": "../../etc/passwd"},
        5: {"valid_from": {"nested": 1}},
    }
    listed = tmp_path / "m.json"
    listed.write_text(json.dumps([{**one, **changes[at]} for at, one in enumerate(good)]), encoding="utf-8")
    found, files, rejects, _ = read_mandate_records(listed)
    assert (found, files) == ([], {})
    assert reasons(rejects) == [
        (1, "mandate_no", "bad_check_digit"),
        (2, "signers", "bad_text"),
        (3, "matter", "unknown_matter"),
        (4, "signature", "not_base64"),
        (5, "form_file", "bad_file"),
        (6, "valid_from", "error_value"),
    ]


@pytest.mark.parametrize("content", ["[", "[1]", "{}", '{"a": [], "b": []}', "[" * 100_000, "[]", '"x"'])
def test_json_that_is_no_list(tmp_path: Path, content: str) -> None:
    listed = tmp_path / "m.json"
    listed.write_text(content, encoding="utf-8")
    with pytest.raises(InputError):
        read_mandate_records(listed)
