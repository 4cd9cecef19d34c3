"""`heqiao retention`: how long this node keeps what it asked, and erasing what is due."""

from dataclasses import asdict
from functools import partial
from pathlib import Path

import click

from node.cli.options import count, home_option, json_option, load_config, show
from node.cli.terminal import print_table, show_progress
from node.config.retention import RetentionSection
from node.context import open_node
from node.domain.retention import ALERTS_KEPT, Erased
from node.jobs.retention import erase_due, read_due


@click.group()
def retention() -> None:
    """Show how long data is kept; erase what is due."""


@retention.command("show")
@home_option
@json_option
def show_(home: Path, as_json: bool) -> None:
    """Show what is kept for how long, and what is due now."""
    node = open_node(load_config(home))
    due, settings = read_due(node), node.config.retention
    node.store.dispose()
    if as_json:
        periods = {
            "fetched_days": settings.fetched_days,
            "kept_days": settings.kept_days,
            "records_days": settings.records_days,
        }
        show({"periods": periods, "due": asdict(due)}, "", as_json=True)
        return
    print_table(("data", "kept", "due now"), _rows(settings, due))


@retention.command()
@home_option
@json_option
@click.option("--dry-run", is_flag=True, help="Only count what is due.")
def run(home: Path, as_json: bool, dry_run: bool) -> None:
    """Erase what is due now.

    A running node does it once a day by itself. Jobs that wait or run are never touched. Audited, with
    counts. A stopped run goes on the next time.
    """
    node = open_node(load_config(home))
    if dry_run:
        erased, is_cleared = read_due(node), True
    else:
        with show_progress({"jobs": "erasing jobs"}, hidden=as_json) as update:
            erased, is_cleared = erase_due(node, show=partial(update, "jobs"))
    node.store.dispose()
    text = f"{'due' if dry_run else 'erased'}: {_describe(erased)}"
    if not is_cleared:
        text += "\na reader keeps older states in the database's log: run it again, or stop the node first"
    show({**asdict(erased), "dry_run": dry_run, "cleared": is_cleared}, text, as_json=as_json)


def _describe(found: Erased) -> str:
    jobs, answers = count(found.jobs, "job"), count(found.answers, "sealed answer")
    kinds = ((found.records, "record of people"), (found.alerts, "alert"), (found.notices, "notice"),
             (found.drafts, "draft"), (found.cases, "case"))  # fmt: skip
    more = [count(number, name, name.replace("record ", "records ")) for number, name in kinds if number]
    return ", ".join([f"{jobs} with {answers}", f"{count(found.secrets, 'secret')} of ended queries", *more])


def _rows(settings: RetentionSection, due: Erased) -> list[tuple[str, str, str]]:
    fetched, ended = settings.fetched_days, settings.kept_days
    kept = f"{fetched} days after the report was fetched, {ended} after the end at most"
    return [
        ("requests and answers of jobs", kept, count(due.jobs, "job")),
        (
            "objections, corrections",
            f"{ended} days after their end, or after they were due",
            f"{due.cases:,}",
        ),
        ("seeds, tokens, unopened sums", "until their part ends", f"{due.secrets:,}"),
        ("alerts about quotas and sums", f"{ALERTS_KEPT.days} days", ""),
        (
            "records of people",
            f"{settings.records_days:,} days after they end",
            count(due.records, "record"),
        ),
        (
            "alerts of watch lists",
            f"{fetched} days after they were acknowledged, {ended} after they came at most",
            f"{due.alerts:,}",
        ),
        ("kept tokens of watch lists", "until the mandate or the epoch ends", ""),
        ("notices", f"{ended} days after they no longer hold", f"{due.notices:,}"),
        ("drafts", f"{ended} days after the last change", f"{due.drafts:,}"),
        ("audit chain", "always; the law asks for 3 years", ""),
        ("network logs", "by logrotate; the law asks for 6 months", ""),
    ]
