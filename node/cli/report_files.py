"""The files of a report as commands write them: formats, signature, progress (`report`, `verify`, `sum`)."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from node.cli.options import require_own_home
from node.cli.report_keys import own_signer
from node.cli.terminal import show_progress
from node.client.platform import Platform
from node.client.report_files import ReportFiles
from node.config import Config
from node.domain.catalogue import Catalogue
from node.errors import NodeError
from node.reports import files
from node.reports.kinds import AnyReport
from node.reports.signature import Signer

Command = TypeVar("Command", bound=Callable[..., Any])
_ALL = "all"


def read_formats(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[str, ...]:
    """The formats that an option names, separated by commas. Raises click.BadParameter."""
    if text is None:
        return files.DEFAULT
    named = tuple(part.strip() for part in text.split(",") if part.strip())
    if _ALL in named:
        return files.FORMATS
    unknown = [one for one in named if one not in files.FORMATS]
    if unknown or not named:
        raise click.BadParameter(f"choose of {', '.join(files.FORMATS)} or {_ALL}, separated by commas")
    return named


def file_options(command: Command) -> Command:
    """Give a command that writes a report `formats: tuple[str, ...]` and `unsigned: bool`."""
    formats = click.option(
        "--format",
        "formats",
        metavar="FORMATS",
        callback=read_formats,
        help=f"Files to write: {', '.join(files.FORMATS)} or {_ALL}, separated by commas.  "
        "[default: text,json,csv]",
    )
    unsigned = click.option("--unsigned", is_flag=True, help="Write the files without signature.")
    return formats(unsigned(command))


def signer_of(config: Config) -> Signer | None:
    """The key that signs the reports of a home; None for a platform's, which is told so."""
    if config.node.role == "node":
        return own_signer(config)
    click.echo("not signed: this home is of a platform; its province's node signs reports", err=True)
    return None


def count_issued(platform: Platform | None, job: str, names: Sequence[str]) -> None:
    """Have the node count files of a report that were written here; where it cannot, that is said.

    A signature is no file of the report; files of a report that no node gave are nobody's to count.
    """
    written = [one for one in names if not one.endswith(files.SIGNATURE_FILE)]
    if platform is None or not written:
        return
    try:
        ReportFiles(platform).count(job, len(written))
    except NodeError as error:
        click.echo(f"warning: the node has not counted these files ({error.code})", err=True)


def write_files(
    found: AnyReport,
    catalogue: Catalogue,
    out: Path,
    formats: tuple[str, ...],
    lang: str,
    signer: Signer | None,
    *,
    hidden: bool,
) -> list[str]:
    """Write the files of a report into a folder and sign them; their names. Raises as `files.write`."""
    require_own_home(out)
    out.mkdir(parents=True, exist_ok=True)
    with show_progress(hidden=hidden) as update:
        return files.write(found, catalogue, out, formats, lang, signer, update)
