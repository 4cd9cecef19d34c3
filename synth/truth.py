"""The truth beside the files: for the plain join (testbed/plain_join.py), never for a node."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from synth.ledger import ITEMS, Ledger
from synth.lists import write_csv
from synth.people import Household, Member
from synth.scenario import Scenario

_SUBJECTS: Final = ("subject", "current", "former", "name", "valid", "mandated")
_HOLDINGS: Final = ("identity", "province", "item", "records", "total_fen", "name", "as_of")


def write_truth(
    folder: Path, scenario: Scenario, ledger: Ledger, households: Sequence[Household],
    spared: set[str], extra: dict[str, Member],
) -> None:  # fmt: skip
    """Write subjects.csv, holdings.csv and expected.json. Numbers are canonical, money in fen."""
    write_csv(folder / "subjects.csv", _SUBJECTS, _subjects(households, spared, extra))
    holdings = (
        (h.identity, h.province, h.item, h.records, h.fen, h.name, h.as_of.isoformat())
        for province in scenario.providers
        for item in ITEMS
        for h in ledger.holdings(province, item)
    )
    write_csv(folder / "holdings.csv", _HOLDINGS, holdings)
    expected = {
        "scenario": scenario.name,
        "requester": scenario.requester,
        "providers": list(scenario.providers),
        "items": list(ITEMS),
        "people": scenario.people,
        "invalid_rows": len(extra),
        "not_mandated": scenario.unmandated,
        "figures": asdict(scenario.figures),
    }
    write_json(folder / "expected.json", expected)


def write_json(path: Path, content: object) -> None:
    """Write indented JSON in UTF-8."""
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _subjects(
    households: Sequence[Household], spared: set[str], extra: dict[str, Member]
) -> Iterable[tuple[object, ...]]:
    for household in households:
        mandated = int(household.number not in spared)
        for member in household.members:
            yield _subject(member, 1, mandated)
        if household.number in extra:
            yield _subject(extra[household.number], 0, mandated)


def _subject(member: Member, valid: int, mandated: int) -> tuple[object, ...]:
    person = member.person
    return member.reference, person.number, person.former, person.name, valid, mandated
