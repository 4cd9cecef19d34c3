"""The quality of a source as a document for people, and as JSON for programs."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from node.domain.catalogue import Item
from node.registers.quality import BINS, Finding, Quality
from node.reports.document import Column, Document, Fact, Group, Kind, Row, Table

# Fields of a quality that have the same name for programs.
_SAME: Final = frozenset(
    {
        *("item", "rows", "usable", "reasons", "duplicates", "missing", "amounts", "outliers", "age_days"),
        *("stale", "private_names", "unknown_area", "unknown_county", "county_not_then"),
    }
)


def plain(found: Quality, findings: Sequence[Finding]) -> dict[str, Any]:
    """For programs: counts and days only."""
    return {
        "item": found.item,
        "rows": found.rows,
        "usable": found.usable,
        "rejected": found.rejected,
        "reasons": dict(found.reasons),
        "valid_numbers": found.valid,
        "duplicates": found.duplicates,
        "duplicates_estimated": found.estimated,
        "missing": dict(found.missing),
        "amounts": found.amounts,
        "outliers": found.outliers,
        "oldest": _iso(found.oldest),
        "usual": _iso(found.usual),
        "newest": _iso(found.newest),
        "age_days": found.age_days,
        "stale": found.stale,
        "private_names": found.private_names,
        "unknown_area": found.unknown_area,
        "unknown_county": found.unknown_county,
        "county_not_then": found.county_not_then,
        "problems": [one.problem for one in found.sources if one.problem],
        "below_floor": [{"rule": one.rule, "found": one.found, "allowed": one.allowed} for one in findings],
    }


def read_plain(content: Mapping[str, Any]) -> tuple[Quality, Sequence[Finding]]:
    """The quality, and the rules of the floor, that `plain` wrote; without what each file was like."""
    same: dict[str, Any] = {name: content[name] for name in _SAME}
    for name in ("oldest", "usual", "newest"):
        same[name] = date.fromisoformat(content[name]) if content[name] else None
    found = Quality(**same, valid=content["valid_numbers"], estimated=content["duplicates_estimated"])
    return found, [Finding(**one) for one in content["below_floor"]]


def document(found: Quality, findings: Sequence[Finding], item: Item, made_at: str) -> Document:
    """For people."""
    facts = (
        Fact("item", f"{item.code} {item.name_zh}"),
        Fact("made at", made_at),
        Fact("rows", f"{found.rows:,}"),
        Fact("result", "below the floor" if findings else "good enough to import"),
    )
    columns = (Column("what"), Column("rows", Kind.NUMBER), Column("share", Kind.TEXT))
    tables = [Table("Quality", columns, (Group(tuple(_rows(found))),))]
    if found.reasons:
        rejected = tuple((word, rows, _share(rows, found.rows)) for word, rows in found.reasons.items())
        tables.append(Table("Rejected rows by reason", columns, (Group(rejected),)))
    if found.missing:
        missing = tuple((word, rows, _share(rows, found.rows)) for word, rows in found.missing.items())
        tables.append(Table("Empty cells by field", columns, (Group(missing),)))
    if findings:
        heads = (Column("rule"), Column("found"), Column("allowed"))
        tables.append(
            Table(
                "Below the floor",
                heads,
                (Group(tuple((one.rule, one.found, one.allowed) for one in findings)),),
            )
        )
    problems = tuple(f"{one.problem}; {one.hint}" for one in found.sources if one.problem)
    notes = (*problems, *_notes(found, item))
    return Document("en", f"Quality of the source of {item.code}", "", facts, tuple(tables), "Notes", notes)


def _rows(found: Quality) -> list[Row]:
    rows = found.rows
    about = " (estimated)" if found.estimated else ""
    lines: list[tuple[str, int, int]] = [
        ("usable", found.usable, rows),
        ("rejected", found.rejected, rows),
        ("with a valid identity number", found.valid, rows),
        (f"duplicates{about}", found.duplicates, found.usable),
        ("outliers of the amounts that are not 0", found.outliers, found.amounts),
        ("older than the item's limit of freshness", found.stale, found.usable),
        ("with private use characters in the name", found.private_names, found.named),
        ("with an address code of no province", found.unknown_area, rows),
        ("with an address code of no list since 1980", found.unknown_county, rows),
        ("with an address code of another time than the birth", found.county_not_then, rows),
    ]
    table: list[Row] = [(name, part, _share(part, whole)) for name, part, whole in lines]
    for name, day in (
        ("oldest date", found.oldest),
        ("usual date", found.usual),
        ("newest date", found.newest),
    ):
        table.append((name, None, _iso(day) or "-"))
    return table


def _notes(found: Quality, item: Item) -> list[str]:
    return [
        "duplicates: rows of one person with a record number that another row of this person has",
        "outliers: more than ten times the median or less than a tenth of it, and more than five robust "
        "standard deviations away (1.4826 times the median absolute deviation of the logarithm, in steps of "
        f"1/{BINS} decade)",
        "address codes: those of resident numbers, by the yearly lists since 1980; a code should have been "
        "in force at some time from birth to 1999, or at birth for those born later; nothing is rejected",
        f"freshness: {item.code} may be {item.freshness_days} days old; the usual date is "
        f"{'-' if found.age_days is None else found.age_days} days old; a row without a date has that of "
        "the import",
    ]


def _share(part: int, whole: int) -> str:
    tenths = part * 1000 // whole if whole else 0
    return "less than 0.1%" if part and not tenths else f"{tenths // 10}.{tenths % 10}%"


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
