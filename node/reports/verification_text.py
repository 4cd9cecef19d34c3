"""A report as tables for a terminal or a text file, in Chinese or English."""

from collections.abc import Iterable
from datetime import date, datetime

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from matcher.types import Level
from node.domain.catalogue import Catalogue, Item
from node.domain.findings import Outcome, PeerSummary, Report
from node.reports.coverage import ItemSummary, Summary, summarise
from node.reports.wording import (
    band_text,
    item_text,
    notes,
    outcome_text,
    plan_text,
    purpose_text,
    state_text,
    value_text,
    word,
)


def render(report: Report, catalogue: Catalogue, lang: str) -> RenderableType:
    """The whole report: head, findings per item, totals, peers, notes. Raises InputError for `lang`."""
    summary = summarise(report)
    return Group(
        _head(report, lang),
        Padding(_items_table(report, summary, catalogue, lang), (0, 0, 1, 0)),
        Padding(_totals(summary, lang), (0, 0, 1, 0)),
        _peers_table(report, summary, lang),
        Padding(Group(*_plans(report, lang)), (0, 0, 1, 0)),
        Text(word("notes", lang), style="bold"),
        *(plain_text(f"- {note}") for note in notes(report, catalogue, lang)),
    )


def new_table(title: str, lang: str) -> Table:
    """An empty table of a report."""
    return Table(
        title=word(title, lang), title_justify="left", box=box.HORIZONTALS, pad_edge=False,
        collapse_padding=True, show_edge=False,
    )  # fmt: skip


def _head(report: Report, lang: str) -> RenderableType:
    rows = (
        ("job", f"{report.job} ({state_text(report.state, lang)})"),
        ("requester", f"{report.requester} {report.requester_name}"),
        ("purpose", purpose_text(report.purpose, lang)),
        ("legal_basis", report.legal_basis or "-"),
        ("created", moment_text(report.created_at)),
        ("finished", moment_text(report.finished_at)),
        ("due", moment_text(report.due_at)),
        ("catalogue", f"{report.catalogue_version} ({report.catalogue_digest[:16]})"),
    )
    return head("title", rows, lang)


def head(title: str, rows: Iterable[tuple[str, str]], lang: str) -> RenderableType:
    """The title of a report and facts about it, each a key of the report's words and a text."""
    grid = Table.grid(padding=(0, 2))
    for key, value in rows:
        grid.add_row(plain_text(word(key, lang)), plain_text(value))
    return Group(Text(word(title, lang), style="bold"), Padding(grid, (0, 0, 1, 0)))


def _items_table(report: Report, summary: Summary, catalogue: Catalogue, lang: str) -> Table:
    table = new_table("findings", lang)
    table.add_column(word("item", lang), overflow="fold")
    table.add_column(word("people", lang), justify="right", overflow="fold")
    for key in ("provinces", "remarks"):
        table.add_column(word(key, lang), overflow="fold")
    table.add_column(word("as_of", lang), no_wrap=True)
    known = {item.code: item for item in catalogue.items}
    for line in summary.items:
        item = known.get(line.item)
        table.add_row(
            plain_text("\n  ".join((item_text(item, line.item, lang), *_amounts(item, line, lang)))),
            number_text(line.people),
            plain_text(_provinces(report, line, lang)),
            plain_text(_remarks(line, lang)),
            plain_text(dates_text(line.as_of)),
            end_section=True,
        )
    return table


def _remarks(line: ItemSummary, lang: str) -> str:
    counted = (Outcome.NAME_MISMATCH, Outcome.STALE, Outcome.NOT_MANDATED)
    lines = [
        f"{outcome_text(outcome, lang)}: {line.outcomes[outcome]:,}"
        for outcome in counted
        if outcome in line.outcomes
    ]
    away = line.peers_with("not_connected")
    if away:
        lines.append(f"{outcome_text(Outcome.NOT_CONNECTED, lang)}: {', '.join(away)}")
    return "\n".join(lines) or "-"


def _amounts(item: Item | None, line: ItemSummary, lang: str) -> tuple[str, ...]:
    # Under the item and not beside it: bands are long, and a terminal has 80 columns.
    if item is None:
        return ()
    if item.level is Level.COUNT:
        return (value_text(item, line.total, lang),)
    if item.level is Level.BAND:
        return tuple(f"{band_text(item, band, lang)}: {count:,}" for band, count in line.histogram.items())
    return (value_text(item, 1, lang),) if item.level is Level.THRESHOLD else ()


def _provinces(report: Report, line: ItemSummary, lang: str) -> str:
    # A peer that gave no answer is shown with the cause, never with a zero.
    lines = []
    for peer in report.peers:
        state = line.coverage[peer.peer].state
        count = f"{line.by_peer[peer.peer]:,}"
        if state == "answered":
            lines.append(f"{peer.peer}: {count}")
        elif state == "partly":
            lines.append(f"{peer.peer}: {count} ({state_text(state, lang)})")
        else:
            lines.append(f"{peer.peer}: {state_text(state, lang)}")
    return "\n".join(lines)


def _totals(summary: Summary, lang: str) -> Text:
    peers = ", ".join(f"{peer} {count:,}" for peer, count in summary.people_by_peer.items())
    if lang == "zh":
        return plain_text(
            f"核对 {summary.subjects:,} 人；至少一项有记录 {summary.people:,} 人"
            f"（各省合并去重；分省：{peers}）；"
            f"姓名不符 {summary.name_mismatches:,} 人；无授权 {summary.not_mandated:,} 人；"
            f"答复 {summary.answers:,} 条，未答复 {summary.unanswered:,} 条。"
        )
    return plain_text(
        f"{summary.subjects:,} people verified; {summary.people:,} with at least one item "
        f"(distinct over all provinces; per province: {peers}); "
        f"{summary.name_mismatches:,} with a name that differs; {summary.not_mandated:,} without mandate; "
        f"{summary.answers:,} answers, {summary.unanswered:,} unanswered."
    )


def _peers_table(report: Report, summary: Summary, lang: str) -> Table:
    table = new_table("peers", lang)
    for key in ("peer", "state", "plan"):
        table.add_column(word(key, lang), overflow="fold")
    for key in ("people", "seconds", "up", "down", "points"):
        table.add_column(word(key, lang), justify="right", overflow="fold")
    for peer in report.peers:
        table.add_row(
            plain_text(f"{peer.peer} {peer.name}"),
            plain_text(peer_state(peer, lang)),
            plain_text(plan_text(peer.plan, lang) or "-"),
            number_text(summary.people_by_peer[peer.peer]) if peer.state == "done" else Text("-"),
            Text(f"{peer.seconds:.1f}"),
            Text(size_text(peer.bytes_up)),
            Text(size_text(peer.bytes_down)),
            number_text(peer.points),
        )
    return table


def _plans(report: Report, lang: str) -> list[Text]:
    """Why each peer was asked as it was, the peers with the same reason together."""
    peers: dict[str, list[str]] = {}
    for peer in report.peers:
        if peer.plan_reason:
            reason = f"{plan_text(peer.plan, lang)}, {peer.plan_reason}"
            peers.setdefault(reason, []).append(peer.peer)
    return [
        plain_text(f"{word('plan', lang)} {', '.join(codes)}: {reason}") for reason, codes in peers.items()
    ]


def peer_state(peer: PeerSummary, lang: str) -> str:
    """How a part ended, with the reason."""
    state = state_text(peer.state, lang)
    return f"{state}: {peer.reason}" if peer.reason else state


def size_text(count: int) -> str:
    """Bytes, short."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def dates_text(span: tuple[date, date] | None) -> str:
    """One date, or the oldest and the newest below it."""
    if span is None:
        return "-"
    first, last = span
    return first.isoformat() if first == last else f"{first.isoformat()}\n{last.isoformat()}"


def moment_text(moment: datetime | None) -> str:
    """To the minute."""
    return "-" if moment is None else moment.isoformat(sep=" ", timespec="minutes")


def number_text(number: int) -> Text:
    """With commas."""
    return Text(f"{number:,}")


def plain_text(text: str) -> Text:
    """A text as it stands, without what a terminal would act on."""
    # Plain Text takes no markup; what a peer sent must not steer the terminal either.
    return Text("".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text))
