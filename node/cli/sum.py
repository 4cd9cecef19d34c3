"""`heqiao sum`: totals over many people from other provinces, through the own node."""

from pathlib import Path

import click
from rich.console import Console

from node.cli.options import asking_options, count, home_option, json_option, load_config, show, split_codes
from node.cli.verify import follow, require_honest
from node.client.platform import Platform
from node.domain import catalogue as catalogues
from node.domain.sum_findings import SumReport
from node.domain.summation import Summation, in_cohort
from node.errors import InputError
from node.reports import sums
from node.tabular import fields
from node.tabular.person_lists import read_cohort


@click.command("sum")
@home_option
@json_option
@click.option(
    "--cohort",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="The people: one row each with id_no, and former_id_no if there is one (CSV). "
    "Other columns are not read.",
)
@click.option(
    "--items",
    required=True,
    metavar="CODES",
    callback=split_codes,
    help="Items that can be summed, such as B11,D35; `heqiao catalogue` lists them.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for report.json, sums.csv, summary.txt and, if there are any, rejects.csv.",
)
@click.option(
    "--legal-basis",
    required=True,
    metavar="CODE",
    help="Code of the legal basis; recorded in the audit chains of both sides and in the report.",
)
@asking_options
def sum_(
    home: Path,
    as_json: bool,
    cohort: Path,
    items: tuple[str, ...],
    peers: tuple[str, ...],
    out: Path,
    legal_basis: str,
    job: str | None,
    address: str | None,
    lang: str,
    detach: bool,
) -> None:
    """Sum what other provinces hold about many people.

    Each province answers with count, total, mean, deviation and bands of the people it has records of, or
    names the rule that suppresses them. Nobody learns who is in a sum. The home's running node does it as a
    job, which continues if the command or the node is stopped. Every query is charged to a budget of the
    province that answers. Exits 1 if a peer gave wrong answers.

    \b
    heqiao sum --home 45 --cohort workers.csv --items B11,D35 --peers 44,33 \\
        --legal-basis SA-2014-58 --out sums
    """  # noqa: D301 - click wants the real \b character
    catalogue = catalogues.load(load_config(home).catalogue.path)
    for item in items:
        catalogue.item(item)
    people, rejects = read_cohort(cohort)
    if not people:
        raise InputError(f"{cohort}: no usable row", "the first rejected rows say why")
    out.mkdir(parents=True, exist_ok=True)
    if rejects:
        fields.write_rejects(out / "rejects.csv", rejects)
        click.echo(
            f"{count(len(rejects), 'row')} of the list cannot be used: see {out / 'rejects.csv'}", err=True
        )
    with Platform.open(home, address) as platform:
        found = platform.submit_sum(Summation(items, peers, legal_basis, in_cohort(people)), job)
        if detach:
            show({"job": found, "rejected_rows": len(rejects)}, f"job {found}", as_json=as_json)
            return
        click.echo(f"job {found}: {count(len(people), 'person', 'people')}", err=True)
        follow(platform, found, hidden=as_json)
        finished = platform.sum_report(found)
    write_sums(finished, catalogue, out, as_json=as_json, lang=lang, rejected=len(rejects))


def write_sums(
    finished: SumReport,
    catalogue: catalogues.Catalogue,
    out: Path,
    *,
    as_json: bool,
    lang: str,
    rejected: int = 0,
) -> None:
    """Write the report's files, show it, and fail when a peer gave wrong answers."""
    sums.write(finished, catalogue, out)
    if as_json:
        plain = sums.to_json(finished, catalogue)
        shown = {key: plain[key] for key in ("job", "state", "people", "findings", "peers")}
        show({**shown, "out": str(out), "rejected_rows": rejected}, "", as_json=True)
    else:
        Console().print(sums.render(finished, catalogue, lang))
        click.echo(f"report: {out / 'report.json'}, {out / 'sums.csv'}, {out / 'summary.txt'}")
    require_honest(finished.peers)
