"""`heqiao catalogue publish`: the federation's CA signs a new version of a catalogue."""

from pathlib import Path

import click

from keys.pki.names import check_code
from node.cli.ca_options import folder_option, passphrase_option
from node.cli.options import checked, json_option, show
from node.domain.catalogue_differences import DifferenceKind
from node.federation import catalogue_publication
from node.federation.authority_folder import describe, open_roots


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@folder_option
@click.option("--province", metavar="CODE", callback=checked(check_code),
              help="Sign it for one province: items left out, or of its own.")  # fmt: skip
@passphrase_option
@json_option
def publish(
    file: Path, folder: Path, province: str | None, passphrase_file: Path | None, *, as_json: bool
) -> None:
    """Sign a new version of a catalogue with the keys of the CA.

    The file is checked first, and its version must be above the last one published. The signature is written
    to FILE.sig; a copy of both stays in the CA's folder. Send FILE and FILE.sig to the members, who set
    `[catalogue] path` and restart. Until all have done so, items that the new version changes are answered as
    not comparable between old and new.

    \b
    heqiao catalogue publish federation-1.1.toml --dir ca
    """  # noqa: D301 - click's mark of lines that stay as they are
    with open_roots(folder, passphrase_file) as (_, authorities):
        made = catalogue_publication.publish(folder, authorities, file, province or "")
    by_kind = {kind: [one.item for one in made.differences if one.kind is kind] for kind in DifferenceKind}
    result = {
        "version": made.catalogue.version,
        "follows": made.before or None,
        "province": province,
        "digest": made.catalogue.digest.hex(),
        "signature": str(made.signature),
        "kept": str(made.kept),
        "changed": by_kind[DifferenceKind.CONFLICT],
        "removed": by_kind[DifferenceKind.ONLY_HERE],
        "added": by_kind[DifferenceKind.ONLY_THERE],
    }
    shown = {key: value for key, value in result.items() if value not in (None, [])}
    show(result, describe(shown), as_json=as_json)
