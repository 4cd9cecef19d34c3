"""`heqiao console`: the pages for people, in a process of its own."""

from pathlib import Path

import click

from keys.pki.names import check_address
from node.cli.options import address_option, checked, home_option, read_config
from node.console.server import serve_console


@click.command()
@home_option
@click.option("--listen", metavar="HOST:PORT", callback=checked(check_address),
              help="Address for browsers.  [default: that of [console] in node.toml]")  # fmt: skip
@address_option
def console(home: Path, listen: str | None, address: str | None) -> None:
    """Serve the console for browsers until stopped.

    The node of the home must run: the console asks it in the name of the person who signed in, and keeps
    nothing itself. Accounts are made by `heqiao users init`.
    """
    found = listen or read_config(home).console.listen
    click.echo(f"console: https://{found}/", err=True)
    serve_console(home, found, address)
