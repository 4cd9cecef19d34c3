"""`heqiao serve`: run the node."""

from pathlib import Path

import click

from node import log
from node.cli.options import home_option, load_config
from node.errors import ConfigError
from node.node import open_node
from node.server import Server


@click.command()
@home_option
@click.option(
    "--ready-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write both ports to once the node answers (for scripts; useful with port 0).",
)
def serve(home: Path, ready_file: Path | None) -> None:
    """Serve peers and platforms until SIGTERM or SIGINT; jobs left open go on at the next start."""
    config = load_config(home)
    if config.node.role != "node":
        raise ConfigError("this home is of a platform and serves nobody", "make a home with --role node")
    log.configure(config.log, config.node.code)
    server = Server(open_node(config))
    server.start()
    click.echo(
        f"heqiao {config.node.code} {config.node.name}: peers on port {server.peer_port}, "
        f"platforms on port {server.platform_port}",
        err=True,
    )
    if ready_file is not None:
        partial = ready_file.with_suffix(".part")
        partial.write_text(f"{server.peer_port} {server.platform_port}\n")
        partial.replace(ready_file)
    server.wait()
