"""Sums as a document in Chinese or English, and as a record (docs/report.md). Pure."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

from node.domain.catalogue import Catalogue, Item
from node.domain.sum_findings import SumFinding, SumOutcome, SumReport
from node.domain.sum_rules import STATISTICS
from node.reports.common import columns, facts, head_json, known_items, number_of, peer_json, peers_table
from node.reports.document import (
    Column,
    Document,
    Fact,
    Group,
    Histogram,
    Kind,
    Listing,
    Record,
    Row,
    Series,
    Sheet,
    Table,
)
from node.reports.headings import headed
from node.reports.notes import sum_notes
from node.reports.print_words import listing_heading, phrase
from node.reports.signing import issuing_body, signing_table
from node.reports.wording import (
    LANGUAGES,
    amount_text,
    choose,
    item_text,
    noise_text,
    sum_band_text,
    sum_outcome_lines,
    word,
)

_FACTS = ("job", "requester", "legal_basis", "cohort", "created", "finished", "catalogue")
_PEERS = ("peer", "state", "seconds", "up", "down", "points")
_COLON = ("：", ": ")
_LISTING = (
    Column("item"),
    Column("item_zh"),
    Column("item_en"),
    Column("peer"),
    Column("outcome"),
    Column("outcome_zh"),
    Column("outcome_en"),
    Column("reason"),
    Column("asked", Kind.NUMBER),
    Column("count", Kind.NUMBER),
    Column("total", Kind.NUMBER),
    Column("mean", Kind.NUMBER),
    Column("deviation", Kind.NUMBER),
    Column("unit"),
    Column("mode"),
    Column("epsilon", Kind.NUMBER),
    Column("band", Kind.NUMBER),
    Column("band_zh"),
    Column("band_en"),
    Column("band_count", Kind.NUMBER),
    Column("as_of_from", Kind.DAY),
    Column("as_of_to", Kind.DAY),
)


def document(report: SumReport, catalogue: Catalogue, lang: str) -> Document:
    """Sums, histograms, peers. Raises InputError for `lang`."""
    return Document(
        lang=lang,
        title=word("sum_title", lang),
        job=report.job,
        facts=facts(report, _FACTS, lang, cohort=f"{report.people:,}"),
        sections=(
            _sums_table(report, catalogue, lang),
            *_histograms(report, catalogue, lang),
            peers_table(report, _PEERS, lang),
        ),
        notes_title=word("notes", lang),
        notes=sum_notes(report, catalogue, lang),
    )


def printed(report: SumReport, catalogue: Catalogue, lang: str, signed_by: str = "") -> Document:
    """The same as it is printed: what it cost to ask stands in the appendix."""
    plain = document(report, catalogue, lang)
    head = Fact(word("number", lang), number_of(report))
    printed = replace(
        plain,
        facts=(head, *plain.facts),
        sections=plain.sections[:-1],
        appendix_title=phrase("appendix", lang),
        appendix=plain.sections[-1:],
        body=issuing_body(report, lang),
        signing=signing_table(report, lang, signed_by),
    )
    return headed(printed)


def sheets(report: SumReport, catalogue: Catalogue, lang: str) -> tuple[Sheet, ...]:
    """The rows of sums.csv, under headings in words."""
    rows = list(_listing_rows(report, catalogue))
    columns = tuple(replace(one, name=listing_heading(one.name, lang)) for one in _LISTING)
    return (Sheet(phrase("sheet_sums", lang), columns, rows, len(rows)),)


def record(report: SumReport, catalogue: Catalogue) -> Record:
    """All that report.json and sums.csv hold."""
    more = {
        "people": report.people,
        "peers": [peer_json(peer) for peer in report.peers],
        "notes": {lang: list(sum_notes(report, catalogue, lang)) for lang in LANGUAGES},
    }
    return Record(
        facts={**head_json(report, STATISTICS, catalogue), **more},
        findings=[_finding_json(found) for found in report.findings],
        listing=Listing.of(_LISTING, list(_listing_rows(report, catalogue))),
    )


def problem(report: SumReport) -> str:
    """What is wrong with a report that was read from a file: a place and a sentence, or nothing."""
    peers, seen = {peer.peer for peer in report.peers}, set[tuple[str, str]]()
    for index, found in enumerate(report.findings):
        key = (found.item, found.peer)
        if found.item not in report.items or found.peer not in peers or key in seen:
            return (
                f"findings.{index}: names an item or peer that the report does not have, or one a second time"
            )
        seen.add(key)
    return ""


# ---- the document


def _sums_table(report: SumReport, catalogue: Catalogue, lang: str) -> Table:
    known = known_items(catalogue)
    names = {peer.peer: peer.name for peer in report.peers}
    groups = []
    for code in report.items:
        item = known.get(code)
        found = [one for one in report.findings if one.item == code]
        rows = tuple(_row(one, item, f"  {one.peer} {names.get(one.peer, '')}", lang) for one in found)
        groups.append(Group(rows, item_text(item, code, lang)))
    text, share, amount, days = Kind.TEXT, Kind.SHARE, Kind.AMOUNT, Kind.DAYS
    shown = columns(lang, peer=text, matched=share, total=amount, mean=amount, deviation=amount, as_of=days)
    return Table(word("sums", lang), shown, tuple(groups))


def _row(found: SumFinding, item: Item | None, province: str, lang: str) -> Row:
    if found.outcome is not SumOutcome.RELEASED:
        # Under the province, and never a figure: it must not be read as a zero.
        lines = (province, *(f"    {line}" for line in sum_outcome_lines(found, lang)))
        return ("\n".join(lines), None, None, None, None, found.as_of)
    noise = noise_text(found, lang)
    figures = (found.total, found.mean, found.deviation)
    return (
        f"{province}\n    {noise}" if noise else province,
        None if found.count is None else (found.count, found.asked),
        *(None if one is None else amount_text(item, one, lang) for one in figures),
        found.as_of,
    )


def _histograms(report: SumReport, catalogue: Catalogue, lang: str) -> list[Histogram]:
    known = known_items(catalogue)
    names = {peer.peer: peer.name for peer in report.peers}
    made = []
    for code in report.items:
        item = known.get(code)
        found = [one for one in report.findings if one.item == code and one.bands]
        if not found:
            continue
        made.append(
            Histogram(
                title=word("bands", lang),
                item=item_text(item, code, lang),
                bands=tuple(
                    sum_band_text(item, index, lang) for index in range(max(len(one.bands) for one in found))
                ),
                series=tuple(_series(one, names.get(one.peer, ""), lang) for one in found),
                hidden=word("suppressed", lang),
            )
        )
    return made


def _series(found: SumFinding, name: str, lang: str) -> Series:
    noise = noise_text(found, lang)
    label = f"{found.peer} {name}" if lang == "zh" else found.peer
    return Series(found.peer, f"{label}  ({noise})" if noise else label, found.bands)


# ---- the record


def _finding_json(found: SumFinding) -> dict[str, Any]:
    plain = asdict(found)
    plain["outcome"] = found.outcome.value
    plain["as_of"] = [day.isoformat() for day in found.as_of] if found.as_of else None
    return {**plain, "mean": found.mean, "deviation": found.deviation}


def _listing_rows(report: SumReport, catalogue: Catalogue) -> Iterator[Row]:
    """One row for each item and province, and one for each cell of its histogram."""
    known = known_items(catalogue)
    for found in report.findings:
        item = known.get(found.item)
        names = (item.name_zh, item.name_en) if item else (None, None)
        words = [
            None if found.count is not None else choose(_COLON, lang).join(sum_outcome_lines(found, lang))
            for lang in LANGUAGES
        ]
        head = (found.item, *names, found.peer, found.outcome.value, *words, found.reason, found.asked)
        figures = (found.count, found.total, found.mean, found.deviation)
        noise = (item.unit_en if item else None, found.mode, found.epsilon if found.mode == "dp" else None)
        days = found.as_of or (None, None)
        yield (*head, *figures, *noise, None, None, None, None, *days)
        for index, cell in enumerate(found.bands):
            labels = (sum_band_text(item, index, lang) for lang in LANGUAGES)
            shown = word("suppressed", "en") if cell is None else cell
            yield (*head, None, None, None, None, *noise, index, *labels, shown, *days)
