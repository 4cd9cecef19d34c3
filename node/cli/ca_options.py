"""Options that the commands of `heqiao ca` share."""

from pathlib import Path

import click

folder_option = click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of the CA: its certificate, its keys and what it issued.",
)
passphrase_option = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with the passphrase of the CA's keys.  [default: the one in its folder]",
)
