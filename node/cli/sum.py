"""`heqiao sum`: totals over many people from other provinces, through the own node."""

from pathlib import Path

import click

from node.cli.asking import prepare_folder, wait_for_job, write_report
from node.cli.drafts import hand_over, require_person
from node.cli.node_link import open_platform
from node.cli.options import (
    approval_option,
    asking_options,
    home_option,
    json_option,
    read_config,
    split_codes,
    stated_form,
    text_options,
)
from node.cli.report_files import file_options, signer_of
from node.domain.jobs import SUM
from node.domain.new_ids import new_id
from node.domain.summation import Summation, in_cohort
from node.errors import InputError
from node.federation.catalogue_file import load_catalogue
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
    help="Folder for the report's files and, if there are any rows that cannot be used, rejects.csv.",
)
@click.option(
    "--legal-basis",
    required=True,
    metavar="CODE",
    help="Code of the legal basis; recorded in the audit chains of both sides and in the report.",
)
@approval_option
@text_options
@asking_options
@file_options
def sum_(
    home: Path,
    as_json: bool,
    cohort: Path,
    items: tuple[str, ...],
    peers: tuple[str, ...],
    out: Path,
    legal_basis: str,
    for_approval: bool,
    delimiter: str | None,
    encoding: str | None,
    job: str | None,
    address: str | None,
    lang: str,
    detach: bool,
    formats: tuple[str, ...],
    unsigned: bool,
) -> None:
    """Sum what other provinces hold about many people.

    Each province answers with count, total, mean, deviation and bands of the people it has records of, or
    names the rule that suppresses them. Nobody learns who is in a sum. The home's running node does it as a
    job, which continues if the command or the node is stopped. Every query is charged to the quota that this
    province has at the one that answers. Exits 1 if a peer gave wrong answers.

    \b
    heqiao sum --home 45 --cohort workers.csv --items B11,D35 --peers 44,33 \\
        --legal-basis SA-2026-41 --out sums
    """  # noqa: D301 - click wants the real \b character
    config = read_config(home)
    catalogue = load_catalogue(config)
    if for_approval:
        require_person()
    for item in items:
        catalogue.item(item)
    people, rejects = read_cohort(cohort, stated=stated_form(delimiter, encoding))
    if not people:
        raise InputError(f"{cohort}: no usable row", "the first rejected rows say why")
    prepare_folder(rejects, "the list", out)
    asked = Summation(items, peers, legal_basis, in_cohort(people))
    with open_platform(home, address) as platform:
        if for_approval:
            hand_over(platform, SUM, job or new_id("s"), asked, as_json=as_json)
            return
        found = platform.submit_sum(asked, job)
        if not wait_for_job(platform, found, len(people), len(rejects), detach=detach, as_json=as_json):
            return
        report = platform.sum_report(found)
        signer = None if unsigned else signer_of(config)
        write_report(
            report,
            catalogue,
            out,
            as_json=as_json,
            lang=lang,
            rejected=len(rejects),
            formats=formats,
            signer=signer,
            platform=platform,
        )
