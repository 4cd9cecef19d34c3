"""Options that several commands share."""

import errno
import importlib
import json
import sys
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click

from keys.pki.names import check_address
from keys.store.atomic_files import replace, require_owner
from node.config import FILE, HOME_VARIABLE, Config, Home
from node.errors import ConfigError
from node.files import disk_errors
from node.tabular.text_form import DELIMITERS, ENCODINGS, TextForm
from node.telemetry.printable import printable

Command = TypeVar("Command", bound=Callable[..., Any])


def home_option(command: Command) -> Command:
    """Give a command the parameter `home: Path`: the folder of a node, or its TOML file elsewhere."""
    return click.option(
        "--home",
        type=click.Path(path_type=Path, readable=False),  # `read_config` says who may read it
        envvar=HOME_VARIABLE,
        show_envvar=True,
        required=True,
        help=f"Home folder of the node, or the path of its {FILE}.",
    )(command)


def json_option(command: Command) -> Command:
    """Give a command the parameter `as_json: bool`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for programs.")(
        command
    )


def admin_option(command: Command) -> Command:
    """Give a command the parameter `admin: Path | None`: the folder of the administrator who runs it."""
    return click.option(
        "--as",
        "admin",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="HEQIAO_ADMIN",
        show_envvar=True,
        help="Your administrator's folder; needed if [approvals] are required.",
    )(command)


def wait_option(command: Command) -> Command:
    """Give a command the parameter `wait: bool`."""
    text = "Wait until another import or rotation has ended, instead of an error."
    return click.option("--wait", is_flag=True, help=text)(command)


def read_config(home: Path) -> Config:
    """Configuration of the home that `home_option` gave, for a command that writes nothing into the home.

    Raises:
        ConfigError: none there, or it cannot be used.
        InputError: this account may not enter the home.
    """
    with disk_errors("run as the account that owns the home"):
        found = Home.find(config=home) if home.is_file() else Home.find(home)
        return found.load()


def load_config(home: Path) -> Config:
    """Configuration of the home that `home_option` gave, for a command that may write into the home.

    The account of the key store is that of the home: a node.toml outside may belong to anybody.

    Raises:
        PermissionsError: the home belongs to another account; root counts as another one.
        ConfigError, InputError: as `read_config`.
        InputError, SignInError, RefusedError: [users] are required, and nobody signed in who may do this.
    """
    config = read_config(home)
    with disk_errors("run as the account that owns the home"):
        require_owner(config.keys.store if config.keys.store.is_dir() else config.folder)
    if config.users.required:
        # Loaded where it is needed: most homes of a trial have no accounts.
        importlib.import_module("node.cli.persons").require_person(config)
    return config


def address_option(command: Command) -> Command:
    """Give a command the parameter `address: str | None`: where the own node listens for platforms."""
    return click.option(
        "--node",
        "address",
        metavar="HOST:PORT",
        callback=checked(check_address),
        help="Address of the platform port of your own node.  [default: that of [platform] in node.toml]",
    )(command)


def lang_option(command: Command) -> Command:
    """Give a command the parameter `lang: str`: zh or en."""
    return click.option(
        "--lang",
        type=click.Choice(["zh", "en"]),
        default="zh",
        show_default=True,
        help="Language of the tables shown; the files hold both.",
    )(command)


def split_codes(_context: click.Context, _option: click.Parameter, text: str) -> tuple[str, ...]:
    """The codes of an option, separated by commas. Raises click.BadParameter."""
    codes = tuple(part.strip() for part in text.split(",") if part.strip())
    if not codes or len(set(codes)) != len(codes):
        raise click.BadParameter("write codes separated by commas, each once")
    return codes


def read_day_option(_context: click.Context, _option: click.Parameter, text: str | None) -> date | None:
    """The day of an option, None where it is not given. Raises click.BadParameter."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise click.BadParameter("write a day as 2026-06-30") from None


def asking_options(command: Command) -> Command:
    """Give a command that asks peers `peers`, `job`, `address`, `lang` and `detach`."""
    detach = click.option(
        "--detach",
        is_flag=True,
        help="Print the job's id and exit; `heqiao report` fetches the report later.",
    )
    job = click.option(
        "--job",
        metavar="ID",
        help="Id for the job; the same command with the same id watches it again.  [default: a random one]",
    )
    peers = click.option(
        "--peers",
        required=True,
        metavar="CODES",
        callback=split_codes,
        help="Provinces to ask, such as 44,33; `heqiao peers list` lists them. `auto`: every one that offers "
        "an item and grants it to this province (not for sums).",
    )
    return peers(job(address_option(lang_option(detach(command)))))


def approval_option(command: Command) -> Command:
    """Give a command `for_approval`: what it would submit waits for another person instead."""
    return click.option(
        "--for-approval",
        is_flag=True,
        help="With `heqiao --as`: keep it as a draft that another person approves.",
    )(command)


def text_options(command: Command) -> Command:
    """Give a command that reads lists `delimiter` and `encoding`, for `stated_form`."""
    delimiter = click.option(
        "--delimiter",
        type=click.Choice(list(DELIMITERS)),
        metavar="NAME",
        help=f"What separates the cells of text files: {', '.join(DELIMITERS)}.  [default: comma or tab, as "
        "each file tells]",
    )
    encoding = click.option(
        "--encoding",
        type=click.Choice(ENCODINGS),
        metavar="NAME",
        help=f"Encoding of text files: {' or '.join(ENCODINGS)}.  [default: as each file tells]",
    )
    return delimiter(encoding(command))


def stated_form(delimiter: str | None, encoding: str | None) -> TextForm:
    """What `text_options` said of text files."""
    return TextForm(DELIMITERS[delimiter] if delimiter else "", encoding or "")


def require_node_role(config: Config) -> Config:
    """The configuration of a home that holds records and serves peers.

    Raises:
        ConfigError: the home is of a platform.
    """
    if config.node.role != "node":
        raise ConfigError(
            "this home is of a platform, which holds no records and serves nobody",
            "name the home of the node with --home, or make one with `heqiao init --role node`",
        )
    return config


def checked(check: Callable[[str], Any]) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """A click callback that turns the ValueError of a check into wrong usage (exit code 2)."""

    def callback(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
        try:
            for one in value if isinstance(value, tuple) else (value,):
                if one is not None:
                    check(one)
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, param) from None
        return value

    return callback


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun: 1 row, 2 rows."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def percent(part: int, whole: int) -> str:
    """A share with one decimal, rounded down: only all is 100.0%, and only nothing is 0.0%."""
    tenths = part * 1000 // whole if whole else 0
    return "less than 0.1%" if part and not tenths else f"{tenths // 10}.{tenths % 10}%"


def show(result: Mapping[str, object], lines: str, *, as_json: bool) -> None:
    """Print a command's result: one JSON object for programs, or text for people."""
    click.echo(json_text(result) if as_json else printable(lines))


def json_text(value: object, indent: int | None = None) -> str:
    """JSON in the characters that the output can hold; all others are escaped as JSON has it."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, ensure_ascii=True, indent=indent)
    return text


def write_output(path: Path, content: bytes) -> None:
    """Write a file that others may read, in one step.

    Raises:
        InputError: it cannot be written.
        PermissionsError: it would be in a home of another account.
    """
    with disk_errors("name a file in a folder that exists and that you may write to"):
        require_own_home(path)
        if not path.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, "no such folder", path.parent)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a folder", path)
        replace(path, content)


def require_own_home(path: Path) -> None:
    """Refuse a path inside a home of another account. Raises PermissionsError."""
    for folder in path.absolute().parents:
        if (folder / FILE).is_file():
            require_owner(folder)
