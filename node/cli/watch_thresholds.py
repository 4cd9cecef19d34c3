"""`heqiao watch thresholds`: which changes become alerts, as experts set it."""

from datetime import timedelta
from pathlib import Path

import click

from node.cli.options import count, home_option, json_option, load_config, read_config, show
from node.clock import utc_now
from node.config.loading import MAX_BYTES
from node.domain.days import FIRST_DAY, china_day
from node.domain.thresholds import parse_thresholds
from node.federation.catalogue_file import load_catalogue
from node.files import disk_errors
from node.governance.thresholds import read_versions, set_thresholds


@click.group()
def thresholds() -> None:
    """Show and set the thresholds of alerts."""


@thresholds.command("set")
@home_option
@json_option
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def set_(home: Path, as_json: bool, file: Path) -> None:
    """Set a new version of the thresholds, from a TOML file.

    Valid from its own day on; versions that were set before are kept. docs/watch.md has an example.
    """
    config = load_config(home)
    with disk_errors("name a file that you may read"), file.open("rb") as opened:
        content = opened.read(MAX_BYTES + 1)
    found = parse_thresholds(content, load_catalogue(config))
    is_new = set_thresholds(config, found, utc_now())
    text = f"thresholds {found.version} of {found.set_by}: {count(len(found.rules), 'rule')}, valid from "
    text += f"{found.valid_from}" + ("" if is_new else "; set before")
    result = {"version": found.version, "rules": len(found.rules), "new": is_new}
    show({**result, "valid_from": found.valid_from.isoformat()}, text, as_json=as_json)


@thresholds.command("show")
@home_option
@json_option
@click.option("--all", "every", is_flag=True, help="Every version, not only the one that is valid today.")
def show_(home: Path, as_json: bool, every: bool) -> None:
    """Show the thresholds that are valid today."""
    known = read_versions(read_config(home), china_day(utc_now()))
    shown = [(one, valid) for one, valid in known if valid or every]
    plain = [
        {
            "version": one.version,
            "set_by": one.set_by,
            "valid_from": (FIRST_DAY + timedelta(days=one.valid_from)).isoformat(),
            "set_at": one.set_at.isoformat(),
            "valid_today": valid,
            "content": one.content,
        }
        for one, valid in shown
    ]
    texts = [
        f"# set {china_day(one.set_at)}{', valid today' if valid else ''}\n{one.content}"
        for one, valid in shown
    ]
    none = "no thresholds are valid today: no change becomes an alert"
    show({"thresholds": plain}, "\n".join(texts).rstrip() or none, as_json=as_json)
