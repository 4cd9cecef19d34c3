"""The demo's household: on record with its mandates, verified with every province, held against the truth.

The list of the county stays as it is. One household of it, with a relative who has a duty of support and
lives elsewhere, goes on record (`heqiao households`, `heqiao mandates`), with what it declares.
"""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from synth.numbers import check_character
from testbed import homes, plain_join, provincial
from testbed.plain_join import Answer, Key
from testbed.processes import Children

FOLDER = "household"
ITEMS = "Z59b,C21,C22,B12r,C23,D32,D34"
_OFFICE = "459999000000"
_MATTER = "01"
_RELATIVE = "91"  # member number of the relative
_NOTHING = ("NOT_FOUND", "NOT_OVER", "NOT_MANDATED")
_LIST = "household-45.csv"
_MANDATES = "household-45-mandates.csv"
_DECLARED = {
    "declared_income_fen": "2640000",
    "declared_assets_fen": "1500000",
    "declared_spending_fen": "3180000",
    "declared_C21": "0",
    "declared_C22": "1",
    "causes": "illness",
}


@dataclass(frozen=True)
class Chosen:
    """A household of the list and a relative of it from another one.

    `people` are (identity number, name) by reference; `right` what 44 and 33 must answer if they had
    the federation's catalogue. `relative` is that person's own reference on the county's list.
    """

    number: str
    relative: str
    people: Mapping[str, tuple[str, str]]
    right: Mapping[Key, Answer]


def choose(folder: Path) -> Chosen:
    """The household of three to five people with most to show, and a relative with one record."""
    federation = folder / homes.FEDERATION
    right = plain_join.expected(federation)
    people = {
        row["subject"]: (row["current"], row["name"])
        for row in _rows(federation / "truth" / "subjects.csv")
        if row["valid"] == "1" and row["mandated"] == "1"
    }
    found: dict[str, set[str]] = {}
    places: dict[str, set[str]] = {}
    counts: dict[str, int] = {}
    for (ref, item, province), (outcome, _) in right.items():
        if outcome not in _NOTHING:
            household = ref.partition("/")[0]
            counts[ref] = counts.get(ref, 0) + 1
            found.setdefault(household, set()).add(item)
            places.setdefault(household, set()).add(province)
    members, covered = _members(federation), _covered_everywhere(federation)
    fit = [
        one for one, refs in members.items()
        if one in covered and 3 <= len(refs) <= 5 and all(ref in people for ref in refs)
        and len(places.get(one, ())) == 2
    ]  # fmt: skip
    number = max(fit, key=lambda one: (len(found[one]), one))
    relative = min(ref for ref, many in counts.items() if many == 1 and ref in people and number not in ref)
    chosen = [*members[number], relative]
    return Chosen(number, relative, {ref: people[ref] for ref in chosen}, right)


def put_on_record(children: Children, folder: Path, chosen: Chosen) -> None:
    """Write the household and its mandates as the county has them, and put both on record."""
    home = folder / homes.REQUESTER.code
    _write_list(folder, chosen)
    _write_mandates(folder, chosen)
    homes.heqiao(children, "45-households", "households", "add", "--home", home, folder / _LIST)
    homes.heqiao(children, "45-mandates", "mandates", "add", "--home", home, folder / _MANDATES)


def verify_command(folder: Path, chosen: Chosen) -> tuple[str | Path, ...]:
    """Arguments of `heqiao` that verify the household with every province that offers an item."""
    return (
        "verify", "--home", folder / homes.REQUESTER.code, "--household", chosen.number,
        "--declared", folder / _LIST, "--items", ITEMS, "--peers", "auto", "--matter", _MATTER,
        "--legal-basis", "SA-2026-41", "--format", "all", "--out", folder / FOLDER,
    )  # fmt: skip


def compare(folder: Path, chosen: Chosen) -> plain_join.Comparison:
    """Hold the report against the plain join, what 33's catalogue changes, and 45's own registers."""
    refs = list(chosen.people)
    due: dict[Key, Answer] = {}
    for ref in refs:
        shown = f"{chosen.number}/{_RELATIVE}" if ref == chosen.relative else ref
        for item in ITEMS.split(","):
            for peer in (one.code for one in homes.PROVIDERS):
                due[shown, item, peer] = chosen.right[ref, item, peer]
            due[shown, item, homes.REQUESTER.code] = provincial.own_answer(item, ref, refs)
        due[shown, provincial.LACKS, "33"] = ("NOT_CONNECTED", None)
        due[shown, provincial.DIFFERS, "33"] = ("NOT_COMPARABLE", None)
    return plain_join.compare(folder / FOLDER / "report.json", folder / homes.FEDERATION, due)


def show(console: Console, folder: Path) -> None:
    """What each province answered, as outcomes with counts, item by item; nothing of a person."""
    report = json.loads((folder / FOLDER / "report.json").read_text(encoding="utf-8"))
    table = Table("item", *(f"{one['peer']} {one['name']}" for one in report["peers"]),
                  title="a household on record", title_justify="left", box=box.HORIZONTALS,
                  pad_edge=False)  # fmt: skip
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for one in plain_join.read_findings(report):
        outcomes = counts.setdefault((one["item"], one["peer"]), {})
        outcomes[one["outcome"]] = outcomes.get(one["outcome"], 0) + 1
    for item in report["items"]:
        cells = [counts.get((item, one["peer"]), {}) for one in report["peers"]]
        table.add_row(
            item, *(", ".join(f"{many} {name}" for name, many in sorted(each.items())) for each in cells)
        )
    console.print(table)


def _members(federation: Path) -> dict[str, list[str]]:
    """The references of all people of each household, in the order of the list."""
    found: dict[str, list[str]] = {}
    for row in _list(federation):
        found.setdefault(row[0], []).append(f"{row[0]}/{row[1]}")
    return found


def _covered_everywhere(federation: Path) -> set[str]:
    """Households whose form names no provinces and no items, and so covers all of them."""
    path = federation / homes.REQUESTER.code / "mandates.csv"
    wide = {
        row["mandate_no"] for row in _rows(path) if row["scope_regions"] == "*" and row["scope_items"] == "*"
    }
    return {row[0] for row in _list(federation) if row[7] in wide}


def _list(federation: Path) -> list[list[str]]:
    """The county's list by place: household, member, relation, name, type, number, former number, mandate."""
    with (federation / homes.REQUESTER.code / "households.csv").open(
        encoding="utf-8-sig", newline=""
    ) as file:
        return list(csv.reader(file))[1:]


def _write_list(folder: Path, chosen: Chosen) -> None:
    header = (
        "household_no", "member_no", "application_no", "office", "role", "relation", "name", "id_type",
        "id_no", "former_id_no", "province", "member_kind", *_DECLARED,
    )  # fmt: skip
    application = f"SQ{chosen.number}"
    rows: list[Sequence[str]] = []
    for row in _list(folder / homes.FEDERATION):
        if row[0] == chosen.number:
            kind, declared = (
                ("member", [""] * len(_DECLARED)) if rows else ("applicant", [*_DECLARED.values()])
            )
            rows.append([*row[:2], application, _OFFICE, "member", *row[2:7], "", kind, *declared])
        elif f"{row[0]}/{row[1]}" == chosen.relative:
            relative = ["relative", "兄弟姐妹", *row[3:7], "44", "relative", *[""] * len(_DECLARED)]
    rows.append([chosen.number, _RELATIVE, application, _OFFICE, *relative])
    _write(folder / _LIST, header, rows)


def _write_mandates(folder: Path, chosen: Chosen) -> None:
    """The household's own form as on the county's list, and one of the relative alone."""
    with (folder / homes.FEDERATION / "45" / "mandates.csv").open(encoding="utf-8-sig", newline="") as file:
        header, *forms = csv.reader(file)
    number = next(row[7] for row in _list(folder / homes.FEDERATION) if row[0] == chosen.number)
    own = next(form for form in forms if form[0] == number)
    identity, name = chosen.people[chosen.relative]
    start = f"{_OFFICE[:6]}{own[7].replace('-', '')}{_MATTER}90001"
    other = [*own]
    other[0], other[6], other[10], other[11] = start + check_character(start), identity, name, ""
    # On record as it is on the list, which names no matter: the same form may not say two things.
    rows = [[*own, chosen.number, ""], [*other, chosen.number, _MATTER]]
    _write(folder / _MANDATES, [*header, "household_no", "matter"], rows)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
