"""The report of `heqiao import --all`: a row for each item, totals, and what an officer has to look at."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rich.console import Console

from node.cli import import_run
from node.cli.options import count
from node.domain.catalogue import Catalogue
from node.domain.days import china_minute
from node.registers.import_all import Outcome, RunResult, State
from node.registers.plan import ImportPlan
from node.reports.document import Cell, Column, Document, Fact, Group, Kind, Row, Table
from node.reports.text import render

_COUNTS = ("read", "accepted", "rejected", "records", "entries")
# What a row says in place of its seconds.
_INSTEAD = {State.BEFORE: "before", State.FAILED: "failed", State.LEFT: "left"}
_COLUMNS = (
    Column("item"),
    *(Column(name, Kind.NUMBER) for name in ("read", "accepted", "rejected", "people", "entries")),
    Column("seconds", Kind.SECONDS),
)

_NAMED: Final = 8  # items without a source that are named; --json has all


def print_report(plan: ImportPlan, result: RunResult, items: Catalogue) -> None:
    """Print it for people, as wide as the terminal is."""
    table = Table(
        "", _COLUMNS, (Group(tuple(_row(one, items) for one in result.outcomes)),), (_total(result.outcomes),)
    )
    notes = tuple(_notes(plan, result))
    title = "not everything is imported" if result.failed else "everything is imported"
    facts = (Fact("from", str(plan.place)),)
    document = Document("en", title, "", facts, (table,), "Notes" if notes else "", notes)
    Console().print(render(document))


def _total(outcomes: Sequence[Outcome]) -> str:
    done = [one for one in outcomes if _tally(one)]
    read, accepted, rejected, people, entries = (sum(_tally(one)[name] for one in done) for name in _COUNTS)
    held = f"{count(entries, 'entry', 'entries')} of {count(people, 'record')}"
    return (
        f"{len(done)} of {count(len(outcomes), 'item')}: {count(read, 'row')} read, {accepted:,} accepted, "
        f"{rejected:,} rejected; {held}; {sum(map(_seconds, done)):.1f} s"
    )


def plain(plan: ImportPlan, result: RunResult, items: Catalogue) -> dict[str, object]:
    """The report for programs."""
    return {
        "plan": str(plan.place),
        "ok": not result.failed,
        "items": [_plain(one, items) for one in result.outcomes],
        "missing": list(plan.missing),
        "rolled_back": result.rolled_back,
    }


def _plain(one: Outcome, items: Catalogue) -> dict[str, object]:
    head: dict[str, object] = {
        "item": one.request.item,
        "name": items.item(one.request.item).name_zh,
        "state": one.state.value,
    }
    if one.imported:
        return {**import_run.plain(one.imported), **head}
    if one.before:
        return {**head, **_tally(one), "finished_at": one.before.finished_at.isoformat()}
    if one.error:
        return {**head, "code": one.error.code, "error": str(one.error), "hint": one.error.hint}
    return head


def _row(one: Outcome, items: Catalogue) -> Row:
    tally = _tally(one)
    cells: Iterator[Cell] = (tally.get(name) for name in _COUNTS)
    last: Cell = _seconds(one) if one.imported else _INSTEAD[one.state]
    return (f"{one.request.item} {items.item(one.request.item).name_zh}", *cells, last)


def _tally(one: Outcome) -> Mapping[str, Any]:
    """The row counts of an import, now or before; empty where there is none."""
    if one.imported:
        return {name: getattr(one.imported.tally, name) for name in _COUNTS}
    return {name: one.before.tally[name] for name in _COUNTS} if one.before else {}


def _seconds(one: Outcome) -> float:
    return sum(one.imported.seconds.values()) if one.imported else 0.0


def _notes(plan: ImportPlan, result: RunResult) -> Iterator[str]:
    if result.rolled_back:
        yield "an earlier import had not ended; it was rolled back, and what it left removed"
    for one in result.outcomes:
        code = one.request.item
        if one.error:
            text = str(one.error).removeprefix(f"{code}: ")
            yield f"{code}: {text}; {one.error.hint}"
        if one.imported:
            # The first two lines say what the table says.
            yield from (
                f"{code}: {line.strip()}" for line in import_run.describe(one.imported).splitlines()[2:]
            )
    before = {one.request.item: one.before.finished_at for one in result.outcomes if one.before}
    if before:
        since = china_minute(min(before.values()))
        yield f"done before, since {since}: {', '.join(before)}; --again imports them again"
    if any(one.state is State.LEFT for one in result.outcomes):
        yield "run the same command again: it goes on with the items that are missing"
    if plan.missing:
        where = "folder" if plan.place.is_dir() else "plan"
        more = f" and {len(plan.missing) - _NAMED} more" if len(plan.missing) > _NAMED else ""
        yield f"not in the {where}: {', '.join(plan.missing[:_NAMED])}{more}"
