"""`heqiao verify`: ask other provinces about a county's list, through the own node."""

from pathlib import Path

import click

from node.cli.asking import prepare_folder, wait_for_job, write_report
from node.cli.options import (
    asking_options,
    home_option,
    json_option,
    read_config,
    split_codes,
    stated_form,
    text_options,
)
from node.cli.report_files import file_options, signer_of
from node.client.platform import Platform
from node.domain import catalogue as catalogues
from node.domain.mandate import PROGRAMMES
from node.domain.records import Reject
from node.domain.subjects import Subjects
from node.domain.verification import Verification
from node.errors import InputError
from node.tabular.declared_lists import read_declared
from node.tabular.person_lists import read_households, read_mandates
from node.tabular.text_form import TextForm


@click.command()
@home_option
@json_option
@click.option(
    "--households",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="The county's list: one row per person, with household, member and mandate number (CSV).",
)
@click.option(
    "--mandates",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The mandates that the list names (CSV).  [default: mandates.csv beside it]",
)
@click.option(
    "--items",
    required=True,
    metavar="CODES",
    callback=split_codes,
    help="Items such as C21,C22; `heqiao catalogue` lists them.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the report's files and, if there are any rows that cannot be used, rejects.csv.",
)
@click.option("--purpose", type=click.Choice(PROGRAMMES), default="new_application", show_default=True,
              metavar="CODE", help=f"Why the list is verified: {', '.join(PROGRAMMES)}.")  # fmt: skip
@click.option(
    "--legal-basis",
    default="",
    metavar="CODE",
    help="Code of the legal basis; recorded in the audit chains of both sides and in the report.",
)
@text_options
@asking_options
@file_options
def verify(
    home: Path,
    as_json: bool,
    households: Path,
    mandates: Path | None,
    items: tuple[str, ...],
    peers: tuple[str, ...],
    out: Path,
    purpose: str,
    legal_basis: str,
    delimiter: str | None,
    encoding: str | None,
    job: str | None,
    address: str | None,
    lang: str,
    detach: bool,
    formats: tuple[str, ...],
    unsigned: bool,
) -> None:
    """Verify a county's list with other provinces.

    The home's running node does it as a job, and this command writes the report. If the command or the
    node is stopped, the job continues later, and `heqiao report` fetches the report. A node signs the
    files. A province that does not answer is shown as such and is no failure; exits 1 when a peer gave
    wrong answers.

    \b
    heqiao verify --home 45 --households list.csv --items C21,C22 --peers 44,33 --out found
    """  # noqa: D301 - click wants the real \b character
    config = read_config(home)
    catalogue = catalogues.load(config.catalogue.path)
    form = stated_form(delimiter, encoding)
    verification, rejects = _read(households, mandates, items, peers, purpose, legal_basis, form, catalogue)
    for item in verification.items:
        catalogue.item(item)
    prepare_folder(rejects, "the lists", out)
    with Platform.open(home, address) as platform:
        found = platform.submit(verification, job)
        if not wait_for_job(
            platform, found, len(verification.subjects), len(rejects), detach=detach, as_json=as_json
        ):
            return
        report = platform.report(found)
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
    )


def _read(
    households: Path,
    mandates: Path | None,
    items: tuple[str, ...],
    peers: tuple[str, ...],
    purpose: str,
    legal_basis: str,
    form: TextForm,
    catalogue: catalogues.Catalogue,
) -> tuple[Verification, list[Reject]]:
    source = mandates or households.with_name("mandates.csv")
    if not source.is_file():
        raise InputError(
            f"{source}: no such file", "no mandate, no verification: name the list with --mandates"
        )
    subjects, bad_subjects = read_households(households, stated=form)
    known, bad_mandates = read_mandates(source, stated=form)
    if not subjects:
        raise InputError(f"{households}: no usable row", "the first rejected rows say why")
    declared, bad_declared = read_declared(
        households, subjects, [item.code for item in catalogue.items], stated=form
    )
    named = {subject.mandate for subject in subjects}
    verification = Verification(
        items=items,
        peers=peers,
        purpose=purpose,
        legal_basis=legal_basis,
        subjects=Subjects.of(subjects),
        mandates={number: mandate for number, mandate in known.items() if number in named},
        declared=declared,
    )
    return verification, bad_subjects + bad_declared + bad_mandates
