"""The `heqiao` command: one module of this package per command or group."""

import importlib
import sys
from typing import NoReturn

import click

from keys.errors import KeyringError
from matcher.errors import MatcherError
from node.errors import NodeError

# command -> module that defines it; loaded only when used, so that --help stays quick
COMMANDS = {
    "init": "node.cli.init",
    "join": "node.cli.init",
    "card": "node.cli.init",
    "ca": "node.cli.ca",
    "peers": "node.cli.peers",
    "migrate": "node.cli.store",
    "import": "node.cli.importing",
    "serve": "node.cli.serve",
    "health": "node.cli.health",
    "verify": "node.cli.verify",
    "jobs": "node.cli.jobs",
    "report": "node.cli.jobs",
    "catalogue": "node.cli.catalogue",
    "audit": "node.cli.audit",
    "doctor": "node.cli.doctor",
    "synth": "node.cli.synth",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Names in the order of a node's life."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the module that holds the command."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        name = "import_" if cmd_name == "import" else cmd_name
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="heqiao", prog_name="heqiao")
def cli() -> None:
    """Heqiao (核桥): the node with which a province verifies households across provinces.

    A home folder holds a node: its configuration (node.toml), its encrypted keys and, by default,
    its database. Every command that works on a node takes --home (or the HEQIAO_HOME variable).
    """


def main() -> NoReturn:
    """Run the command line: exit code 2 for wrong usage, 1 for a failure, with what to do next."""
    code: object = None
    try:
        code = cli(standalone_mode=False)  # click returns the code of an Exit, and None otherwise
    except click.ClickException as bad:
        bad.show()
        sys.exit(bad.exit_code)
    except (click.Abort, KeyboardInterrupt):
        fail("stopped by the operator", "run the command again; finished steps are kept")
    except (NodeError, KeyringError) as error:
        fail(str(error), error.hint)
    except MatcherError as error:
        fail(str(error))
    except OSError as error:
        fail(
            f"{error.filename or 'the system'}: {error.strerror}",
            "check the path, its permissions and the disk",
        )
    sys.exit(code if isinstance(code, int) else 0)


def fail(message: str, hint: str = "") -> NoReturn:
    """Print an error, and a hint where there is one, and exit with 1."""
    click.echo(f"heqiao: error: {message}", err=True)
    if hint:
        click.echo(f"heqiao: hint: {hint}", err=True)
    sys.exit(1)
