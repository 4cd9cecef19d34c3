"""`heqiao catalogue check`: every fault of a catalogue's file, before it is published or loaded."""

from pathlib import Path

import click

from node.cli.options import json_option, read_config, show
from node.cli.terminal import print_table
from node.clock import utc_now
from node.config import HOME_VARIABLE
from node.domain.catalogue import Catalogue, Fault, check_text, read_bytes
from node.domain.days import china_day
from node.federation.catalogue_file import check_signature, signature_path


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--home", type=click.Path(path_type=Path, readable=False), envvar=HOME_VARIABLE,
              show_envvar=True, help="Check its signature as this node would.")  # fmt: skip
@json_option
def check(file: Path, home: Path | None, *, as_json: bool) -> None:
    """Check the file of a catalogue.

    Names every fault at once: the key, what was found, what is allowed. Levels that show more than the
    sensitivity class of an item permits are refused. Tables that are not in force today are a warning. With
    --home the signature in FILE.sig is checked too. Exits 1 if a node would not load the file.
    """
    found = check_text(file, read_bytes(file))
    known = found.catalogue
    signed = check_signature(read_config(home), file, known) if home and known else None
    warnings = _warnings(known) if known else []
    if as_json:
        show(_plain(file, known, found.faults, warnings, signed), "", as_json=True)
    elif known is None:
        print_table(("key", "found", "allowed"), [(one.key, one.found, one.allowed) for one in found.faults])
        click.echo(f"{file}: {len(found.faults)} faults; nothing was changed")
    else:
        _print(file, known, warnings, signed)
    if known is None:
        raise click.exceptions.Exit(1)


def _print(file: Path, known: Catalogue, warnings: list[str], signed: bool | None) -> None:
    own = sum(bool(item.owner) for item in known.items)
    click.echo(f"{file}: good; version {known.version}, {len(known.items)} items, {own} of provinces' own")
    click.echo(f"digest {known.digest.hex()}")
    for warning in warnings:
        click.echo(f"warning: {warning}")
    if signed is not None:
        place = signature_path(file).name
        click.echo(
            f"{place}: the signature holds" if signed else f"{place}: none; the catalogue is not signed"
        )


def _warnings(known: Catalogue) -> list[str]:
    today = china_day(utc_now())
    found = [f"the table {one.code} is not in force today" for one in known.tables if not one.is_valid(today)]
    if known.valid_from > today:
        found.append(f"the catalogue is valid from {known.valid_from} on")
    return found


def _plain(
    file: Path,
    known: Catalogue | None,
    faults: tuple[Fault, ...],
    warnings: list[str],
    signed: bool | None,
) -> dict[str, object]:
    return {
        "file": str(file),
        "good": known is not None,
        "version": known.version if known else None,
        "digest": known.digest.hex() if known else None,
        "signed": signed,
        "faults": [{"key": one.key, "found": one.found, "allowed": one.allowed} for one in faults],
        "warnings": warnings,
    }
