"""The `heqiao` command: one module of this package per command or group."""

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
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
    "keys": "node.cli.keys",
    "peers": "node.cli.peers",
    "migrate": "node.cli.store",
    "import": "node.cli.importing",
    "serve": "node.cli.serve",
    "health": "node.cli.health",
    "verify": "node.cli.verify",
    "sum": "node.cli.sum",
    "jobs": "node.cli.jobs",
    "report": "node.cli.jobs",
    "catalogue": "node.cli.catalogue",
    "audit": "node.cli.audit",
    "doctor": "node.cli.doctor",
    "admins": "node.cli.approving",
    "approve": "node.cli.approving",
    "approvals": "node.cli.approving",
    "synth": "node.cli.synth",
}


# How `heqiao --help` arranges them; a command that stands nowhere here is shown last.
SECTIONS = {
    "A node and its federation": ("init", "join", "card", "peers", "ca"),
    "Records of this province": ("catalogue", "import"),
    "Verify with other provinces": ("verify", "sum", "jobs", "report"),
    "Run and look after a node": ("serve", "health", "doctor", "keys", "audit", "migrate"),
    "Act in pairs": ("admins", "approve", "approvals"),
    "Try it out": ("synth",),
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
        name = f"{cmd_name}_" if cmd_name in ("approvals", "import", "sum") else cmd_name
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands with what each is for, by section."""
        placed = {name for names in SECTIONS.values() for name in names}
        sections = {**SECTIONS, "Other": tuple(name for name in COMMANDS if name not in placed)}
        width = max(map(len, COMMANDS))
        for title, names in sections.items():
            found = [(name, self.get_command(ctx, name)) for name in names]
            rows = [(name.ljust(width), one.get_short_help_str(120)) for name, one in found if one]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


@click.group(
    cls=LazyGroup,
    subcommand_metavar="COMMAND ...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="heqiao", prog_name="heqiao", message="%(prog)s %(version)s")
def cli() -> None:
    """Heqiao (核桥): the node with which a province verifies households across provinces.

    A home folder holds a node: its configuration (node.toml), its encrypted keys and, by default,
    its database. Every command that works on a node takes --home, or the HEQIAO_HOME variable.
    Exit codes: 0 done, 1 failed, 2 wrong usage.
    """


def main() -> NoReturn:
    """Run the command line: exit code 2 for wrong usage, 1 for a failure, with what to do next."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # its core writes to standard error, beside our log
    code: object = None
    try:
        with _written_output():
            code = cli(
                prog_name="heqiao", standalone_mode=False
            )  # click returns the code of an Exit, and None otherwise
    except click.exceptions.NoArgsIsHelpError as bad:
        bad.show()
        sys.exit(bad.exit_code)
    except click.UsageError as bad:
        command = bad.ctx.command_path if bad.ctx else "heqiao"
        fail(bad.format_message(), f"`{command} --help` shows how it is used", bad.exit_code)
    except click.ClickException as bad:
        fail(bad.format_message(), exit_code=bad.exit_code)
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


@contextlib.contextmanager
def _written_output() -> Iterator[None]:
    """Whatever was printed is really written: a full disk is a failure, a reader who left is not news."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
        sys.exit(1)
    except OSError as error:
        if error.filename is None:
            _drop_output()
            error.filename = "the output"
        raise


def _drop_output() -> None:
    # What is still in the buffer would fail again when the interpreter ends.
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def fail(message: str, hint: str = "", exit_code: int = 1) -> NoReturn:
    """Print an error, and a hint where there is one, and exit."""
    click.echo(f"heqiao: error: {message}", err=True)
    if hint:
        click.echo(f"heqiao: hint: {hint}", err=True)
    sys.exit(exit_code)
