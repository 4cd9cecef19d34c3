"""The commands of docs/guide-province.md have the options that they name; tests/processes runs them."""

import re
import shlex
import tomllib

import click
import pytest

from node.cli import cli
from tests.support.guide import commands, steps

OWN = [shlex.split(re.sub(r"\$\([^)]*\)", "0000", one), comments=True) for one in commands()]
HEQIAO = [one[1:-1] if one[-1] == "&" else one[1:] for one in OWN if one[0] == "heqiao"]


def parse(arguments):
    """The command that would run; raises click.UsageError."""
    command, context, rest = cli, click.Context(cli), list(arguments)
    while isinstance(command, click.Group):
        command = command.get_command(context, rest.pop(0))
        context = click.Context(command, context)
    return command.make_context(command.name, rest).command


@pytest.mark.parametrize("arguments", HEQIAO, ids=" ".join)
def test_a_command_of_the_guide_is_one(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for file in (tmp_path / one for one in arguments if re.search(r"\.[a-z]+$", one)):
        file.parent.mkdir(exist_ok=True)
        file.touch()
    assert parse(arguments).callback is not None


def test_files_of_the_guide_are_toml():
    found = [tomllib.loads(one.text) for one in steps() if one.kind == "toml"]
    assert [one["source"]["item"] for one in found] == ["C21", "C23"]
    assert len(HEQIAO) > 20
