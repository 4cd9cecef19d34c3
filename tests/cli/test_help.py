"""Every command explains itself, and what it prints is really written or said not to be."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from node.cli import COMMANDS, SECTIONS, cli

RUN = (sys.executable, "-c", "from node.cli import main; main()")
LONGEST = 60  # of a line in a list of commands, so that none is cut off at 80 columns


def walk(command, path, context=None):
    # With its own settings: click keeps the help option that the first context of a command had.
    context = click.Context(command, context, path.split()[-1], **command.context_settings)
    yield path, command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            yield from walk(command.get_command(context, name), f"{path} {name}", context)


EVERY = {path: (command, context) for path, command, context in walk(cli, "heqiao")}


def test_the_list_of_commands_says_what_each_says_of_itself():
    shown = {name: short for section in SECTIONS.values() for name, (_, short) in section.items()}
    assert shown == {name: EVERY[f"heqiao {name}"][0].get_short_help_str(200) for name in COMMANDS}
    assert len(COMMANDS) == sum(map(len, SECTIONS.values()))  # none stands twice


@pytest.mark.parametrize(
    ("words", "heavy"),
    [
        (["--help"], ("sqlalchemy", "numpy", "grpc", "rich")),
        (["ca", "issue", "--help"], ("sqlalchemy", "numpy", "grpc", "rich")),
        (["init", "--help"], ("sqlalchemy", "numpy", "grpc", "rich")),
        (["import", "--help"], ("sqlalchemy", "grpc", "rich")),
        (["keys", "status", "--help"], ("alembic", "grpc", "structlog", "tenacity")),
    ],
)
def test_a_command_loads_only_what_it_uses(words, heavy):
    loads = f"import sys, node.cli; node.cli.cli.main({words}, standalone_mode=False)"
    command = (sys.executable, "-c", f"{loads}; print([name for name in {heavy} if name in sys.modules])")
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.fixture(scope="module")
def shown():
    """The help of each, by its path."""
    return {path: command.get_help(context) for path, (command, context) in EVERY.items()}


def test_short_help_is_a_whole_short_sentence():
    wrong = []
    for path, (command, _) in EVERY.items():
        short = command.get_short_help_str(200)
        too_long = path != "heqiao" and len(short) > LONGEST
        if too_long or not re.fullmatch(r"[A-Z].*[.)]", short) or "..." in short:
            wrong.append((path, short))
    assert len(EVERY) > 100
    assert wrong == []


def test_help_uses_plain_words(shown):
    words = re.compile(r"\b(goes by|whoever|stands|lies|of our own|looks? after)\b", re.IGNORECASE)
    assert {path: found for path, text in shown.items() if (found := words.findall(text))} == {}


def test_every_option_is_explained(shown):
    wrong = []
    for path, (command, _) in EVERY.items():
        for option in command.params:
            if isinstance(option, click.Option) and not option.is_eager:
                said = option.help or ""
                if not (re.match(r"[A-Z(]", said) and re.search(r"[.\]]$", said)):
                    wrong.append((path, option.opts, said))
        if "..." in re.sub(r"COMMAND \[ARGS\]\.\.\.|COMMAND \.\.\.|FILES\.\.\.", "", shown[path]):
            wrong.append((path, "cut off"))
    assert wrong == []


def test_help_names_what_must_be_given(shown):
    wrong = []
    for path, (command, _) in EVERY.items():
        for option in command.params:
            if isinstance(option, click.Option) and option.required:
                named = option.opts[0] in shown[path] and "required]" in shown[path]
                wrong += [] if named else [(path, option.opts)]
    assert wrong == []


def test_a_reader_who_leaves_is_no_failure_to_speak_of():
    audience = subprocess.Popen([sys.executable, "-c", "pass"], stdin=subprocess.PIPE)
    audience.wait()
    done = subprocess.run(
        [*RUN, "catalogue", "--json"], stdout=audience.stdin, stderr=subprocess.PIPE, text=True, check=False
    )
    audience.stdin.close()
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("command", [("catalogue", "--json"), ("--help",), ("catalogue",)])
def test_a_full_disk_is_told(command):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*RUN, *command], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("heqiao: error: the output: No space left on device")
