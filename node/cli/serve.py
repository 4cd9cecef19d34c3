"""`heqiao serve`: run the node."""

import contextlib
import sys
from pathlib import Path

import click

from node.cli.options import home_option, load_config, require_node_role, write_output
from node.config import open_key_store
from node.context import open_node
from node.errors import ConflictError
from node.index import update_lock
from node.services.job_process import JobProcess
from node.services.memory import return_freed_memory
from node.services.server import Server
from node.services.signals import received_signals
from node.telemetry import log

# Seconds for which a thread that computes keeps the interpreter when another one wants it (5 ms by default).
# A call that reads from the database wants it back dozens of times, each time behind every thread of a job.
SWITCH_S = 0.0005


@click.command()
@home_option
@click.option(
    "--ready-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write once the node answers, with its two ports: peer, then platform.",
)
def serve(home: Path, ready_file: Path | None) -> None:
    """Serve peers and platforms until stopped.

    Listens on the two addresses of node.toml, [peer] and [platform]. On SIGTERM or
    SIGINT it finishes running calls and stops; open jobs continue at the next start.
    """
    return_freed_memory()
    sys.setswitchinterval(SWITCH_S)
    config = require_node_role(load_config(home))
    log.configure(config.log, config.node.code)
    keys = open_key_store(config)
    node = open_node(config, keys=keys)
    with contextlib.suppress(ConflictError):  # an import that is running now cleans up after itself
        update_lock.clean(node)
    server = Server(node, home, JobProcess(config, keys))
    with received_signals() as signals:  # before anybody learns that it serves
        server.start()
        click.echo(
            f"heqiao {config.node.code} {config.node.name}: peers on port {server.peer_port}, "
            f"platforms on port {server.platform_port}",
            err=True,
        )
        if ready_file is not None:
            write_output(ready_file, f"{server.peer_port} {server.platform_port}\n".encode())
        server.wait(signals)
