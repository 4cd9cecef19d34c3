"""The `heqiao` command: one module of this package per command or group."""

import atexit
import contextlib
import gc
import importlib
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NoReturn

import click

from keys.errors import KeyringError
from matcher.errors import MatcherError
from node.cli.streams import prepare_streams
from node.errors import NodeError
from node.telemetry.printable import printable

# How `heqiao --help` arranges the commands: section -> command -> its module of this package, and what it is
# for. A module is loaded only when used, so these sentences are copies (tests/cli/test_help.py).
SECTIONS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "A node and its federation": {
        "init": ("init", "Make a node's home: keys, configuration, request to join."),
        "join": ("init", "Accept the federation's bundle for this home."),
        "card": ("card", "Print this node's card for its peers."),
        "peers": ("peers", "Manage the provinces that this node asks and answers."),
        "fingerprint": ("fingerprint", "Print the fingerprint of a file, for its sender to read out."),
        "ca": ("ca", "Run a federation's certificate authority."),
    },
    "Records of this province": {
        "catalogue": ("catalogue", "Show the items, and compare, check and publish catalogues."),
        "import": ("import_", "Import a register: a full export, or only changes."),
        "sources": ("sources", "Manage the sources of this province's registers."),
        "index": ("index", "Maintain the partitions that this node serves."),
        "counties": ("counties", "Show what a county's CODE means, and has meant since 1980."),
        "codes": ("codes", "Show legal bases and matters, and check a file of own ones."),
    },
    "Verify with other provinces": {
        "verify": ("verify", "Verify a county's list with other provinces."),
        "sum": ("sum", "Sum what other provinces hold about many people."),
        "households": ("households", "Manage the households on record."),
        "mandates": ("mandates", "Manage the mandates on record; revoke mandates."),
        "offices": ("offices", "Manage the offices that sign mandates."),
        "subject": ("subject", "Tell one person what was asked about them."),
        "drafts": ("drafts", "Approve or return what another person prepared."),
        "jobs": ("jobs", "List, watch and cancel verifications and sums."),
        "objections": ("objections", "Record objections to reports, and look again."),
        "corrections": ("corrections", "Ask provinces for corrections, and answer them."),
        "report": ("report", "Fetch the report of a job, or show one again."),
        "mirror": ("mirror", "Manage this node's copies of peers' partitions."),
        "watch": ("watch", "Look again at registered people, and read alerts."),
    },
    "Run and maintain a node": {
        "serve": ("serve", "Serve peers and platforms until stopped."),
        "console": ("console", "Serve the console for browsers until stopped."),
        "health": ("health", "Check that this home's node is running and serving."),
        "doctor": ("doctor", "Check this node and its connection to each peer."),
        "notices": ("notices", "List this node's notices, and send them."),
        "quotas": ("quotas", "Manage how much each peer may ask."),
        "keys": ("keys", "Manage this node's keys."),
        "audit": ("audit", "Read and verify the audit chain."),
        "retention": ("retention", "Show how long data is kept; erase what is due."),
        "migrate": ("database", "Update the database schema to this version."),
    },
    "People and dual control": {
        "users": ("users", "Manage the accounts of the people who use this node."),
        "admins": ("approvals", "Manage the administrators of a home."),
        "approve": ("approvals", "Approve the request of another administrator."),
        "approvals": ("approvals", "List and withdraw requests for a second administrator."),
    },
    "Try it out": {
        "synth": ("synth", "Generate a synthetic federation for trials."),
    },
}
_OURS = ("heqiao", "keys", "matcher", "node", "synth")
COMMANDS = {
    name: f"{__name__}.{module}" for section in SECTIONS.values() for name, (module, _) in section.items()
}


class LazyGroup(click.Group):
    """A group whose commands are imported when used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Names in the order of the sections."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the module that holds the command."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        name = f"{cmd_name}_" if cmd_name in ("approvals", "import", "sum") else cmd_name
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The commands with what each is for, by section."""
        width = max(map(len, COMMANDS))
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), short) for name, (_, short) in commands.items()])


@click.group(
    cls=LazyGroup,
    subcommand_metavar="COMMAND ...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="heqiao", prog_name="heqiao", message="%(prog)s %(version)s")
@click.option(
    "--as",
    "account",
    metavar="ACCOUNT",
    envvar="HEQIAO_USER",
    show_envvar=True,
    help="Your account; needed if [users] are required.",
)
@click.option(
    "--password-file",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="HEQIAO_PASSWORD_FILE",
    show_envvar=True,
    help="Private file with its password.  [default: asked]",
)
@click.option(
    "--own-work", is_flag=True, hidden=True, help="Of the node itself, which shows so on standard input."
)
@click.pass_context
def cli(context: click.Context, account: str | None, password_file: Path | None, *, own_work: bool) -> None:
    """Heqiao (核桥): a province's node for verifying households with other provinces.

    A home folder holds a node: its configuration (node.toml), its encrypted keys and, by default,
    its database. Every command that works on a node takes --home, or the HEQIAO_HOME variable.
    Exit codes: 0 done, 1 failed, 2 wrong usage.
    """
    context.obj = {"account": account, "password_file": password_file, "own_work": own_work}


def main() -> NoReturn:
    """Run the command line: exit code 2 for wrong usage, 1 for a failure, with what to do next."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # its core writes to standard error, into the log
    _collect_seldom()
    if sys.argv[1:2] == ["serve"]:
        # A SIGHUP means "read again" to a node. Until it serves it has nothing to read again.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    prepare_streams()
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
    except ModuleNotFoundError as error:
        _fail_without(error)
    except OSError as error:
        fail(
            f"{error.filename or 'the system'}: {error.strerror}",
            "check the path, its permissions and the disk",
        )
    sys.exit(code if isinstance(code, int) else 0)


def _collect_seldom() -> None:
    """Look for unused cycles of objects seldom, and not at the end: what is loaded is used, and to look
    through it took a fifth of a short command. Lists come as hundreds of thousands of objects without
    cycles: to look for some after every 700 new ones took half of the time of reading a list.
    """
    gc.set_threshold(50_000, 20, 100)
    atexit.register(gc.freeze)


@contextlib.contextmanager
def _written_output() -> Iterator[None]:
    """Flush the output: a full disk is a failure, a closed pipe is not."""
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


def _fail_without(missing: ModuleNotFoundError) -> NoReturn:
    """For a package that is not installed: without extras there is a platform's client only."""
    package = (missing.name or "").partition(".")[0]
    if package in _OURS:
        raise missing  # a fault of this program: show the traceback
    fail(
        f"this command needs the Python package {package}, which is not installed here",
        "install Heqiao with the extra `node`: pip install 'heqiao[node]'",
    )


def fail(message: str, hint: str = "", exit_code: int = 1) -> NoReturn:
    """Print an error, and a hint where there is one, and exit."""
    with contextlib.suppress(OSError):  # nobody reads standard error: the exit code says it
        click.echo(f"heqiao: error: {printable(message)}", err=True)
        if hint:
            click.echo(f"heqiao: hint: {printable(hint)}", err=True)
    sys.exit(exit_code)
