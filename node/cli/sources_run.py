"""What `heqiao sources` does, after its command line was read: `node/cli/sources.py`."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from node.cli import import_run
from node.cli.options import count, show, write_output
from node.cli.terminal import print_table, show_progress
from node.clock import utc_now
from node.compute.engine import Workers
from node.config import Config
from node.context import open_node
from node.domain.days import china_day, china_minute
from node.domain.quality_reports import QualityReport
from node.errors import NotFoundError
from node.federation.catalogue_file import load_catalogue
from node.files import disk_errors
from node.registers.kept_quality import find_kept, keep_in_home, list_kept
from node.registers.quality_report import document, plain, read_plain
from node.registers.source_file import make_request
from node.registers.source_import import Examined, examine, import_source
from node.registers.source_states import SourceListing, list_sources
from node.registers.source_store import SourceFolder
from node.reports import html as html_form
from node.reports.text import render

_MAX_BYTES = 262_144


def add(config: Config, file: Path, *, replace: bool, as_json: bool) -> None:
    """Keep a source whose file fits the catalogue."""
    with disk_errors("name the file of a source"), file.open("rb") as opened:
        content = opened.read(_MAX_BYTES + 1)
    folder, items = SourceFolder(config.folder), load_catalogue(config)
    make_request(folder.parse(content, file), items, config.folder, china_day(utc_now()))
    found = folder.add(content, file, replace=replace)
    name = items.item(found.item).name_zh
    text = f"kept the source of {found.item} {name}; `heqiao sources check {found.item}` reads it"
    show({"item": found.item, "replaced": replace}, text, as_json=as_json)


def check(config: Config, item: str, html: Path | None, *, as_json: bool) -> None:
    """Print the quality of a source. Raises InputError where it is below its floor."""
    items, now = load_catalogue(config), utc_now()
    found = SourceFolder(config.folder).read(item)
    request = make_request(found, items, config.folder, china_day(now))
    with show_progress({"read": "reading rows"}, hidden=as_json) as progress:
        done = examine(found, request, items, china_day(now), progress)
    number = keep_in_home(config, done, "check", now)
    page = document(done.quality, done.findings, done.item, china_minute(now))
    if html is not None:
        write_output(html, b"".join(html_form.render(page)))
    if as_json:
        show({"ok": done.error is None, "report": number, **_plain(done)}, "", as_json=True)
    else:
        Console().print(render(page))
        click.echo(f"kept as report {number}; `heqiao sources reports` lists them")
    if done.error is not None:
        raise done.error


def import_(
    config: Config,
    item: str,
    rejects: Path | None,
    workers: Workers,
    *,
    full: bool,
    wait: bool,
    as_json: bool,
) -> None:
    """Import a source, and print what was done."""
    node, sources = open_node(config), SourceFolder(config.folder)
    target = rejects or sources.rejects_path(item)
    with show_progress(import_run.STAGES, hidden=as_json) as progress:
        done = import_source(node, sources, item, target, workers, progress, full=full, wait=wait)
    node.store.dispose()
    if done.imported is None or done.examined is None:
        show(
            {"item": item, "state": "unchanged"},
            f"{item}: nothing has changed in the source",
            as_json=as_json,
        )
        return
    result = {**import_run.plain(done.imported), "state": "imported", "quality": _plain(done.examined)}
    show(result, import_run.describe(done.imported), as_json=as_json)


def list_(config: Config, *, as_json: bool) -> None:
    """Print the sources of a home."""
    sources = SourceFolder(config.folder)
    found = list_sources(sources)
    lines = [_describe(one) for one in found] or ["this home has no sources; `heqiao sources add` keeps one"]
    show({"sources": [_listed(one) for one in found]}, "\n".join(lines), as_json=as_json)


def reports(config: Config, item: str, limit: int, *, as_json: bool) -> None:
    """Print the newest quality reports that the home keeps."""
    if item:
        item = load_catalogue(config).item(item).code
    found, total = list_kept(config, item, limit)
    if as_json:
        show({"reports": [_kept(one) for one in found], "total": total}, "", as_json=True)
    elif not found:
        click.echo("no quality report is kept; `heqiao sources check ITEM` makes one")
    else:
        heads = ("report", "item", "at", "result", "rows", "rejected", "usual date")
        print_table(heads, [_report_row(one) for one in found])
        if len(found) < total:
            click.echo(f"the newest {len(found)} of {total:,}; --limit shows more")


def report(config: Config, number: int, *, as_json: bool) -> None:
    """Print one quality report. Raises NotFoundError."""
    found = find_kept(config, number)
    if found is None:
        raise NotFoundError(
            f"this home keeps no quality report {number}", "`heqiao sources reports` lists them"
        )
    if as_json:
        show(_kept(found), "", as_json=True)
        return
    quality, findings = read_plain(found.content)
    item = load_catalogue(config).item(found.item)
    Console().print(render(document(quality, findings, item, china_minute(found.made_at))))


def remove(config: Config, item: str, *, as_json: bool) -> None:
    """Forget a source."""
    SourceFolder(config.folder).remove(item)
    show({"removed": item}, f"removed the source of {item}; what was imported stays", as_json=as_json)


def _plain(done: Examined) -> dict[str, Any]:
    return plain(done.quality, done.findings)


def _kept(found: QualityReport) -> dict[str, Any]:
    head = {"report": found.number, "run": found.run, "result": found.result}
    return {**head, "made_at": found.made_at.isoformat(), **found.content}


def _report_row(found: QualityReport) -> tuple[str, ...]:
    said = found.content
    counts = (f"{said[name]:,}" for name in ("rows", "rejected"))
    read = "changes" if said["changes_only"] else found.run
    result = f"{read}: {found.result.replace('_', ' ')}"
    return (str(found.number), found.item, china_minute(found.made_at), result, *counts, said["usual"] or "-")


def _listed(listing: SourceListing) -> dict[str, Any]:
    one, file, state, last = listing.stored, listing.stored.file, listing.state, listing.last
    if file is None:
        return {"item": one.item, "error": str(one.error)}
    return {
        "item": one.item,
        "title": file.source.title,
        "kind": listing.kind,
        "at": file.schedule.at if file.schedule else None,
        "every": file.schedule.every if file.schedule else None,
        "watermark": state.watermark or None,
        "full_at": state.full_at or None,
        "last": asdict(last) if last else None,
    }


def _describe(listing: SourceListing) -> str:
    one, last = listing.stored, listing.last
    if one.file is None:
        return f"{one.item}: cannot be used: {one.error}"
    timed = one.file.schedule
    text = f"{one.item} {one.file.source.title}: {listing.kind}"
    text += f", each {timed.every} at {timed.at}" if timed else ", by hand"
    if last is None:
        return f"{text}; not imported yet"
    rows = f", {count(last.rows, 'row')}" if last.rows else ""
    return f"{text}; {last.state}{rows} at {last.at[:16]}" + (f" ({last.code})" if last.code else "")
