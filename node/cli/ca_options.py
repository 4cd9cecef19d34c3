"""The folder of a federation's certificate authority.

DIR/ca.pem (two roots during a roll-over, the one that issues first), DIR/keys (sealed: ca.1, salt.1 ...),
DIR/passphrase, DIR/revoked.pem,
DIR/issued/<fingerprint>.pem and, where there was one, the request that it answered (.json)
"""

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
