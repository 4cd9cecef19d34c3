"""`heqiao verify`: ask other provinces about a county's list, through the own node."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from node.cli.asking import prepare_folder, wait_for_job, write_report
from node.cli.drafts import hand_over, hand_over_by, require_person
from node.cli.node_link import open_platform
from node.cli.options import (
    approval_option,
    asking_options,
    count,
    home_option,
    json_option,
    read_config,
    split_codes,
    stated_form,
    text_options,
)
from node.cli.report_files import file_options, signer_of
from node.client.drafts import Draft
from node.client.platform import Platform
from node.client.records import HouseholdChoice, Records
from node.clock import utc_now
from node.domain.counties import count_stray_mandates
from node.domain.days import china_day
from node.domain.jobs import AUTO, VERIFICATION
from node.domain.legal_bases import usual_basis
from node.domain.mandate import PROGRAMMES
from node.domain.matters import MATTERS, URGENT_BASIS
from node.domain.new_ids import new_id
from node.domain.records import Reject
from node.domain.subjects import Subjects
from node.domain.verification import Verification
from node.errors import InputError
from node.federation.catalogue_file import load_catalogue
from node.tabular.declared_lists import read_declared, read_declared_records
from node.tabular.person_lists import read_households, read_mandates
from node.tabular.text_form import TextForm
from node.wire.households import NotAskedPerson


@click.command()
@home_option
@json_option
@click.option(
    "--households",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The county's list: one row per person, with household, member and mandate number (CSV, "
    "spreadsheet, JSON).",
)
@click.option(
    "--mandates",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The mandates that the list names (CSV, spreadsheet, JSON).  [default: mandates.csv beside it]",
)
@click.option("--household", "numbers", multiple=True, metavar="NO",
              help="Instead of a list: a household on record, with its mandates; repeatable.")  # fmt: skip
@click.option("--all-of-office", "office", default="", metavar="CODE",
              help="Instead of a list: all households on record of offices whose code begins "
              "so.")  # fmt: skip
@click.option("--declared", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="With --household: the list that put it on record, with columns of what it declares; a "
              "list of --households has them itself.")  # fmt: skip
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
    help="Code of the legal basis (`heqiao codes list`); recorded in the audit chains of both sides and in "
    "the report.  [default: the law on social assistance, by --purpose]",
)
@click.option(
    "--reuse",
    is_flag=True,
    help="Use answers of your earlier jobs again that are still fresh, instead of asking; the report shows "
    "them as such.",
)
@click.option("--matter", default="", metavar="CODE",
              help=f"What is applied for, two digits: {', '.join(MATTERS)}.")  # fmt: skip
@click.option("--urgent", is_flag=True,
              help=f"Help comes first and mandates follow; the legal basis is {URGENT_BASIS}.")  # fmt: skip
@approval_option
@text_options
@asking_options
@file_options
def verify(
    home: Path,
    as_json: bool,
    households: Path | None,
    mandates: Path | None,
    numbers: tuple[str, ...],
    office: str,
    declared: Path | None,
    items: tuple[str, ...],
    peers: tuple[str, ...],
    out: Path,
    purpose: str,
    legal_basis: str,
    reuse: bool,
    matter: str,
    urgent: bool,
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
    """Verify a county's list with other provinces.

    People are those of a list with its mandates, or of households that are on record with theirs (`heqiao
    households`). Nobody is asked about without a mandate; the report says why. The home's running node does
    it as a job, and this command writes the report. If the command or the node is stopped, the job continues
    later, and `heqiao report` fetches the report. A node signs the files. A province that does not answer is
    shown as such and is no failure; exits 1 when a peer gave wrong answers.

    \b
    heqiao verify --home 45 --households list.csv --items C21,C22 --peers 44,33 --out found
    """  # noqa: D301 - click wants the real \b character
    is_list = households is not None
    _require_one(is_list=is_list, is_recorded=bool(numbers or office), declared=declared)
    require_person(needed=for_approval)
    config = read_config(home)
    catalogue = load_catalogue(config)
    for item in items:
        catalogue.item(item)
    basis = legal_basis or find_basis_of(purpose, urgent=urgent)
    choice = HouseholdChoice(items, peers, purpose, basis, numbers, office, matter, urgent, reuse=reuse)
    verification: Verification | None = None
    rejects: list[Reject] = []
    if households is not None:
        form = stated_form(delimiter, encoding)
        asked, rejects = read_lists(households, mandates, choice, form)
        figures, bad = read_declared(households, asked.subjects, catalogue.codes, stated=form)
        rejects += bad
        verification = replace(asked, declared=figures)
        _warn_of_stray(verification)
    elif declared is not None:
        form = stated_form(delimiter, encoding)
        figures, rejects = read_declared_records(declared, numbers, office, catalogue.codes, form)
        choice = replace(choice, declared=figures)
    prepare_folder(rejects, "the lists", out)
    with open_platform(home, address) as platform:
        if for_approval:
            _hand_over(platform, verification, choice, job or new_id("v"), as_json=as_json)
            return
        found, people = _submit(platform, verification, choice, job)
        if not wait_for_job(
            platform, found, people, len(rejects), detach=detach, as_json=as_json, chosen=peers == AUTO
        ):
            return
        signer, lost = None if unsigned else signer_of(config), len(rejects)
        write_report(
            platform.report(found), catalogue, out, as_json=as_json, lang=lang, rejected=lost,
            formats=formats, signer=signer, platform=platform,
        )  # fmt: skip


def find_basis_of(purpose: str, *, urgent: bool = False) -> str:
    """The legal basis of today that is usual for a purpose. Raises UsageError where none is."""
    found = usual_basis(purpose, china_day(utc_now()), urgent=urgent)
    if not found:
        raise click.UsageError(
            f"a check for the purpose `{purpose}` needs --legal-basis", click.get_current_context()
        )
    return found


def _require_one(*, is_list: bool, is_recorded: bool, declared: Path | None) -> None:
    """Either a list or households on record, with the options of that one. Raises UsageError."""
    wrong = None
    if is_list == is_recorded:
        wrong = "give either --households, or --household NO or --all-of-office CODE"
    elif declared is not None and is_list:
        wrong = "--declared is for households on record: a list has these columns itself"
    if wrong is not None:
        raise click.UsageError(wrong, click.get_current_context())


def _warn_of_stray(verification: Verification) -> None:
    if stray := count_stray_mandates(verification.mandates):
        click.echo(f"warning: {count(stray, 'mandate number')} with a county code not of its day", err=True)


def _submit(
    platform: Platform, verification: Verification | None, choice: HouseholdChoice, job: str | None
) -> tuple[str, int]:
    """Submit a list, or households on record; the job's id, and how many people."""
    if verification is not None:
        return platform.submit(verification, job), len(verification.subjects)
    found, people, missing = Records(platform).verify(choice, job)
    _warn_of_missing(missing)
    return found, people


def _hand_over(
    platform: Platform, verification: Verification | None, choice: HouseholdChoice, job: str, *, as_json: bool
) -> None:
    """Send the same for another person's approval."""
    if verification is not None:
        hand_over(platform, VERIFICATION, job, verification, as_json=as_json)
        return

    def send(saved: Draft) -> None:
        _warn_of_missing(Records(platform).verify(choice, job, saved.draft_id, saved.version)[2])

    hand_over_by(platform, VERIFICATION, send, as_json=as_json)


def _warn_of_missing(missing: Sequence[NotAskedPerson]) -> None:
    refused = {one.ref for one in missing if not one.item}
    if refused:
        click.echo(
            f"{count(len(refused), 'person', 'people')} not asked about: the report says why, as "
            "`heqiao mandates check` does",
            err=True,
        )


def read_lists(
    households: Path, mandates: Path | None, choice: HouseholdChoice, form: TextForm
) -> tuple[Verification, list[Reject]]:
    """The people and mandates of a list, and its rejected rows. Raises InputError."""
    source = mandates or households.with_name("mandates.csv")
    if not source.is_file() and not choice.urgent:
        raise InputError(
            f"{source}: no such file", "no mandate, no verification: name the list with --mandates"
        )
    subjects, bad_subjects = read_households(households, stated=form)
    known, bad_mandates = read_mandates(source, stated=form) if source.is_file() else ({}, [])
    if not subjects:
        raise InputError(f"{households}: no usable row", "the first rejected rows say why")
    named = {subject.mandate for subject in subjects}
    verification = Verification(
        items=choice.items,
        peers=choice.peers,
        purpose=choice.purpose,
        legal_basis=choice.legal_basis,
        matter=choice.matter,
        urgent=choice.urgent,
        reuse=choice.reuse,
        subjects=Subjects.of(subjects),
        mandates={number: mandate for number, mandate in known.items() if number in named},
    )
    return verification, bad_subjects + bad_mandates
