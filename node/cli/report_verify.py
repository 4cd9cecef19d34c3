"""`heqiao report verify`: whether a file of a report is as a node signed it."""

from dataclasses import asdict
from pathlib import Path

import click

from node.cli.options import json_option, show
from node.cli.report_keys import trusted_by
from node.config import HOME_VARIABLE
from node.errors import InputError
from node.reports.checking import Verdict, check, check_all
from node.reports.files import SIGNATURE_FILE


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True))
@click.option("--home", type=click.Path(path_type=Path, readable=False), envvar=HOME_VARIABLE,
              show_envvar=True, help="Home whose own key and peers are trusted.")  # fmt: skip
@click.option("--key", "keys", metavar="CARD|FINGERPRINT", multiple=True,
              help="Card or fingerprint of the node that signed; instead of --home.")  # fmt: skip
@click.option("--signature", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help=f"The {SIGNATURE_FILE} of the report.  [default: the one beside FILE]")  # fmt: skip
@json_option
def verify(
    file: Path, home: Path | None, keys: tuple[str, ...], signature: Path | None, as_json: bool
) -> None:
    """Check that a file of a report is as its node signed it.

    FILE is a PDF, XLSX, HTML, CSV or text file of a report with its report.sig.json beside it, a report.json,
    which needs nothing else, or the folder of all of them (or its
    report.sig.json). Exits 1 where one is altered, and names the groups
    of fields or the parts that are; also where nothing proves it, or an unknown key signed it.
    """
    trusted = trusted_by(home, keys)
    folder = file.parent if file.name == SIGNATURE_FILE else file
    found = check_all(folder, trusted) if folder.is_dir() else [check(file, trusted, signature)]
    plain = {"valid": all(one.valid for one in found), "files": [_plain(one) for one in found]}
    show(plain, "\n".join(map(_line, found)), as_json=as_json)
    wrong = [one.file for one in found if not one.valid]
    if wrong or not found:
        raise InputError(
            f"not as a node signed it: {', '.join(wrong) or file}",
            "ask the node that wrote the report for its files again",
        )


def _plain(one: Verdict) -> dict[str, object]:
    return {**asdict(one), "altered": list(one.altered), "valid": one.valid}


def _line(one: Verdict) -> str:
    if one.valid:
        return f"{one.file}: as signed; report {one.number} of {one.signed_by}, key {one.key}"
    parts = [f"altered: {', '.join(one.altered)}"] if one.altered else []
    return f"{one.file}: NOT as signed; {'; '.join([*parts, one.problem] if one.problem else parts)}"
