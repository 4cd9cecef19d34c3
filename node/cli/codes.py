"""`heqiao codes`: legal bases and matters, the published ones and the province's own."""

from datetime import date
from pathlib import Path

import click

from node.cli.options import count, json_option, read_config, show
from node.cli.terminal import print_table
from node.clock import utc_now
from node.config import HOME_VARIABLE
from node.domain.code_tables import CodeTables
from node.domain.days import china_day
from node.domain.legal_bases import LegalBasis
from node.federation.code_tables_file import load_code_tables, read_code_tables


@click.group()
def codes() -> None:
    """Show legal bases and matters, and check a file of own ones.

    Every question names its legal basis by a code. A province adds codes of its own by a file that
    `[code_tables] path` of node.toml names; docs/mandates.md has its form.
    """


@codes.command("list")
@click.option("--home", type=click.Path(path_type=Path, readable=False), envvar=HOME_VARIABLE,
              show_envvar=True, help="With the own codes of this node.  [default: none of them]")  # fmt: skip
@json_option
def list_(home: Path | None, *, as_json: bool) -> None:
    """List legal bases and matters by their codes."""
    tables = load_code_tables(read_config(home)) if home else CodeTables()
    if as_json:
        show(_plain(tables), "", as_json=True)
        return
    today = china_day(utc_now())
    print_table(
        ("legal basis", "", "", "in force"),
        [
            (code, "\n".join(one.name), "\n".join(filter(None, one.about)), _days(one, today))
            for code, one in tables.bases.items()
        ],
    )
    click.echo("Every other article of the law: SA-2026-12; of the interim measures before it: SA-2014-12.")
    click.echo("")
    print_table(("matter", "", ""), [(code, *names) for code, names in tables.matters.items()])


@codes.command()
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def check(file: Path, *, as_json: bool) -> None:
    """Check the FILE of a province's own codes.

    Names every fault at once: the key, what was found, what is allowed. Exits 1 if a node would not load it.
    """
    found = read_code_tables(file)
    tables = found.tables
    faults = [{"key": one.key, "found": one.found, "allowed": one.allowed} for one in found.faults]
    if as_json:
        plain = _plain(tables) if tables else {}
        show({"file": str(file), "good": tables is not None, "faults": faults, **plain}, "", as_json=True)
    elif tables is None:
        print_table(("key", "found", "allowed"), [(one.key, one.found, one.allowed) for one in found.faults])
        click.echo(f"{file}: {count(len(faults), 'fault')}; nothing was changed")
    else:
        bases, matters = len(tables.own_bases), len(tables.own_matters)
        click.echo(f"{file}: good; {count(bases, 'legal basis', 'legal bases')}, {count(matters, 'matter')}")
    if tables is None:
        raise click.exceptions.Exit(1)


def _days(one: LegalBasis, today: date) -> str:
    since = f"from {one.first}" if one.first else ""
    until = f"until {one.last}" if one.last else ""
    return " ".join(filter(None, (since, until))) + ("" if one.is_in_force(today) else " (not today)")


def _plain(tables: CodeTables) -> dict[str, object]:
    return {
        "legal_bases": [
            {
                "code": code,
                "zh": one.name[0],
                "en": one.name[1],
                "about_zh": one.about[0],
                "about_en": one.about[1],
                "for_people": one.for_people,
                "valid_from": one.first.isoformat() if one.first else None,
                "valid_to": one.last.isoformat() if one.last else None,
                "own": code in tables.own_bases,
            }
            for code, one in tables.bases.items()
        ],
        "matters": [
            {"code": code, "zh": zh, "en": en, "own": code in tables.own_matters}
            for code, (zh, en) in tables.matters.items()
        ],
    }
