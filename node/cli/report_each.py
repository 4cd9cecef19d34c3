"""`heqiao report JOB --each-household`: a folder of files for every household, and their index."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from node.cli.options import count, require_own_home, show
from node.cli.terminal import show_progress
from node.compute.engine import Workers
from node.domain.catalogue import Catalogue
from node.domain.findings import Report
from node.errors import InputError
from node.reports import each, kinds
from node.reports.each import Run
from node.reports.kinds import AnyReport
from node.reports.signature import Signer

prepare = each.prepare


def each_run(
    out: Path, catalogue: Catalogue, formats: Sequence[str], lang: str, signer: Signer | None
) -> Run:
    """A run into a folder, which is made. Raises InputError."""
    require_own_home(out)
    out.mkdir(parents=True, exist_ok=True)
    return Run.of(out, catalogue, formats, lang, signer)


def write_each(
    found: AnyReport, run: Run, start: Callable[[int], Workers] | None, *, as_json: bool
) -> list[str]:
    """Write the files of every household; the names of new ones.

    A run that is stopped leaves the index of what it made.
    """
    if not isinstance(found, Report):
        raise InputError("a sum has no households", "leave out --each-household")
    done = 0

    with show_progress({"households": "households"}, hidden=as_json) as update:

        def told(made: int, total: int) -> None:
            nonlocal done
            done = made
            update("households", made, total)

        try:
            made = each.write_each(found, run, start, told)
        except KeyboardInterrupt:
            # Those that are under way are finished, and found by the next run.
            click.echo(
                f"heqiao: stopped after {count(done, 'household')}; the same command goes on from there",
                err=True,
            )
            raise
    plain = {**each.plain(made), "out": str(run.out), "signed": run.signer is not None}
    new = sum(one.is_new for one in made)
    index = run.out / each.INDEX_FILE
    show(
        plain,
        f"reports of {count(len(made), 'household')}, {new:,} of them new: see {index}",
        as_json=as_json,
    )
    return [name for one in made if one.is_new for name in one.files]


def show_json(found: AnyReport, catalogue: Catalogue) -> None:
    """The whole report as JSON on standard output, piece by piece: a county's has millions of findings."""
    if kinds.is_large(found):
        for chunk in kinds.json_chunks(found, catalogue):
            sys.stdout.write(chunk.decode())
    else:
        show(kinds.to_json(found, catalogue), "", as_json=True)
