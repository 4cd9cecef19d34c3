"""A report of sums as tables for a terminal or a text file, in Chinese or English."""

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from node.domain.catalogue import Catalogue, Item
from node.domain.sum_findings import SumFinding, SumOutcome, SumReport
from node.reports.sums_wording import amount_text, band_text, cell_text, mode_text, notes, outcome_lines
from node.reports.verification_text import (
    dates_text,
    head,
    moment_text,
    new_table,
    number_text,
    peer_state,
    plain_text,
    size_text,
)
from node.reports.wording import item_text, state_text, word


def render(report: SumReport, catalogue: Catalogue, lang: str) -> RenderableType:
    """The whole report: head, sums, histograms, peers, notes. Raises InputError for `lang`."""
    return Group(
        _head(report, lang),
        Padding(_sums_table(report, catalogue, lang), (0, 0, 1, 0)),
        *_histograms(report, catalogue, lang),
        Padding(_peers_table(report, lang), (0, 0, 1, 0)),
        Text(word("notes", lang), style="bold"),
        *(plain_text(f"- {note}") for note in notes(report, catalogue, lang)),
    )


def _head(report: SumReport, lang: str) -> RenderableType:
    rows = (
        ("job", f"{report.job} ({state_text(report.state, lang)})"),
        ("requester", f"{report.requester} {report.requester_name}"),
        ("legal_basis", report.legal_basis),
        ("cohort", f"{report.people:,}"),
        ("created", moment_text(report.created_at)),
        ("finished", moment_text(report.finished_at)),
        ("catalogue", f"{report.catalogue_version} ({report.catalogue_digest[:16]})"),
    )
    return head("sum_title", rows, lang)


def _sums_table(report: SumReport, catalogue: Catalogue, lang: str) -> Table:
    table = new_table("sums", lang)
    table.add_column(word("peer", lang), overflow="fold")
    for key in ("matched", "total", "mean", "deviation"):
        table.add_column(word(key, lang), justify="right", overflow="fold")
    table.add_column(word("as_of", lang), no_wrap=True)
    known = {item.code: item for item in catalogue.items}
    for code in report.items:
        item = known.get(code)
        table.add_row(Text(item_text(item, code, lang), style="bold"))
        for found in (one for one in report.findings if one.item == code):
            table.add_row(*_line(found, item, report, lang))
        table.add_section()
    return table


def _line(found: SumFinding, item: Item | None, report: SumReport, lang: str) -> tuple[Text, ...]:
    name = next((peer.name for peer in report.peers if peer.peer == found.peer), "")
    place = f"  {found.peer} {name}"
    if found.outcome is not SumOutcome.RELEASED:
        # Under the province, and never a figure: it must not be read as a zero.
        lines = (place, *(f"    {line}" for line in outcome_lines(found, lang)))
        return (plain_text("\n".join(lines)), *(Text("-"),) * 4, plain_text(dates_text(found.as_of)))
    noise = mode_text(found, lang)
    count = f"{found.count:,} / {found.asked:,}"
    amounts = (amount_text(item, one, lang) for one in (found.total, found.mean, found.deviation))
    return (
        plain_text(f"{place}\n    {noise}" if noise else place),
        plain_text(count),
        *map(plain_text, amounts),
        plain_text(dates_text(found.as_of)),
    )


def _histograms(report: SumReport, catalogue: Catalogue, lang: str) -> list[RenderableType]:
    known = {item.code: item for item in catalogue.items}
    tables: list[RenderableType] = []
    for code in report.items:
        shown = [one for one in report.findings if one.item == code and one.bands]
        if not shown:
            continue
        table = new_table("bands", lang)
        table.add_column(plain_text(item_text(known.get(code), code, lang)), overflow="fold")
        for found in shown:
            table.add_column(plain_text(found.peer), justify="right")
        for index in range(max(len(found.bands) for found in shown)):
            cells = (found.bands[index] if index < len(found.bands) else None for found in shown)
            label = band_text(known.get(code), index, lang)
            table.add_row(plain_text(label), *(plain_text(cell_text(cell, lang)) for cell in cells))
        tables.append(Padding(table, (0, 0, 1, 0)))
    return tables


def _peers_table(report: SumReport, lang: str) -> Table:
    table = new_table("peers", lang)
    for key in ("peer", "state"):
        table.add_column(word(key, lang), overflow="fold")
    for key in ("seconds", "up", "down", "points"):
        table.add_column(word(key, lang), justify="right", overflow="fold")
    for peer in report.peers:
        table.add_row(
            plain_text(f"{peer.peer} {peer.name}"),
            plain_text(peer_state(peer, lang)),
            Text(f"{peer.seconds:.1f}"),
            Text(size_text(peer.bytes_up)),
            Text(size_text(peer.bytes_down)),
            number_text(peer.points),
        )
    return table
