"""What `heqiao import --all` does, after its command line was read: `node/cli/import_.py`."""

from collections.abc import Callable, Sequence
from functools import partial

import click

from keys.errors import KeyringError
from node.cli import import_report
from node.cli.import_check import CheckedItem, check
from node.cli.import_request import Run
from node.cli.import_run import STAGES, confirm_by
from node.cli.options import count, show
from node.cli.terminal import Update, show_progress
from node.clock import utc_now
from node.compute.engine import Workers, choose_workers, prepare_workers, start_workers
from node.context import open_node
from node.domain.catalogue import Catalogue
from node.domain.days import china_day
from node.errors import NodeError
from node.federation.catalogue_file import load_catalogue
from node.registers.import_all import PlanProgress, run_plan
from node.registers.plan import ImportPlan, read_folder
from node.registers.plan_file import read_plan_file
from node.registers.requests import ImportRequest
from node.registers.sources import check_as_of, source_of
from node.telemetry.progress import Progress


def run(run: Run, *, check: bool) -> None:
    """Import everything or, with `check`, only read it; print the report. Exits 1 where an item failed."""
    items = load_catalogue(run.config)
    today = china_day(utc_now())
    if run.place.is_dir():
        check_as_of(run.common.as_of, today)
        plan = read_folder(run.place, items, run.common)
    else:
        plan = read_plan_file(run.place, items, today)
    good = _check(plan, items, as_json=run.as_json) if check else _import(plan, run)
    if not good:
        raise click.exceptions.Exit(1)


def _import(plan: ImportPlan, run: Run) -> bool:
    workers_for = _workers_for(plan.requests, run.workers)
    node = open_node(run.config)
    with show_progress(hidden=run.as_json) as update:
        result = run_plan(
            node,
            plan,
            run.rejects or plan.folder,
            workers_for,
            _show_item(update, node.catalogue, len(plan.requests)),
            again=run.again,
            wait=run.wait,
            confirm=confirm_by(run.config, run.admin),
        )
    node.store.dispose()
    if run.as_json:
        show(import_report.plain(plan, result, node.catalogue), "", as_json=True)
    else:
        import_report.print_report(plan, result, node.catalogue)
    return not result.failed


def _workers_for(requests: Sequence[ImportRequest], number: int | None) -> Callable[[int], Workers]:
    """Starts the workers for a source of some bytes; called before this process opens keys or database."""

    def choose(size: int) -> int:
        return choose_workers(size) if number is None else number

    if not any(choose(source_of(request).size) for request in requests):
        return lambda _size: start_workers(0)
    start = prepare_workers(["node.registers.tasks"])
    return lambda size: start(choose(size))


def _show_item(update: Update, items: Catalogue, number: int) -> PlanProgress:
    """A bar for each item, which says its number and what is done."""

    def show_stage(code: str, at: int, stage: str, done: int, total: int) -> None:
        text = f"{at} of {number}  {code} {items.item(code).name_zh}: {STAGES.get(stage, stage)}"
        update(code, done, total, text)

    return show_stage


def _check(plan: ImportPlan, items: Catalogue, *, as_json: bool) -> bool:
    """Read every source as the import would, and print what it would say; whether all would be accepted."""
    found: list[CheckedItem] = []
    number = len(plan.requests)
    with show_progress(hidden=as_json) as update:
        show_stage = _show_item(update, items, number)
        for at, request in enumerate(plan.requests, 1):
            found.append(_check_one(request, items, partial(show_stage, request.item, at)))
    refused = [one for one in found if one.problem]
    plain = {"ok": not refused, "items": [one.plain() for one in found], "missing": list(plan.missing)}
    lines = [line for one in found for line in _describe(one)]
    accepted = f"{number - len(refused)} of {count(number, 'item')}"
    lines.append(f"the import would accept {accepted}; nothing was written")
    show(plain, "\n".join(lines), as_json=as_json)
    return not refused


def _check_one(request: ImportRequest, items: Catalogue, progress: Progress) -> CheckedItem:
    item = items.item(request.item)
    try:
        return check(request, item, progress)
    except (NodeError, KeyringError) as error:
        return CheckedItem(item, (), error)


def _describe(one: CheckedItem) -> list[str]:
    lines = [f"{one.item.code} {one.item.name_zh}", *one.text().splitlines()]
    if one.problem:
        lines += [f"  refused: {one.problem}", f"  hint: {one.problem.hint}"]
    return lines
