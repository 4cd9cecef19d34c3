"""`heqiao keys rewrap` and `policy`: how the key store is sealed, how often its keys are due."""

from dataclasses import asdict, dataclass
from pathlib import Path

import click

from keys import read_passphrase
from keys.store.header import KeyWrapping, by_passphrase
from keys.store.pkcs11 import by_token, make_token_key
from node.cli.approvals import guard
from node.cli.options import admin_option, home_option, json_option, load_config, read_config, show
from node.cli.terminal import print_table
from node.config import Config, open_key_store
from node.config.default import toml_literal
from node.config.rotation import ROTATED
from node.domain.audit_chain import Detail
from node.governance import audit

file_type = click.Path(path_type=Path, dir_okay=False)


@click.command()
@home_option
@json_option
@click.option("--new-passphrase-file", "passphrase_file", type=file_type,
              help="File with the new passphrase (chmod 600).")  # fmt: skip
@click.option("--token", metavar="LABEL", help="Label of a PKCS#11 token to seal the key store with.")
@click.option("--key", metavar="LABEL", default="heqiao-kek", show_default=True,
              help="Label of the AES key in the token; made there if there is none.")  # fmt: skip
@click.option("--pin-file", type=file_type, help="File with the user PIN of the token (chmod 600).")
@click.option("--pkcs11-module", "module", type=file_type,
              help="Library of the token.  [default: [keys] pkcs11_module]")  # fmt: skip
@admin_option
def rewrap(
    home: Path,
    as_json: bool,
    passphrase_file: Path | None,
    token: str | None,
    key: str,
    pin_file: Path | None,
    module: Path | None,
    admin: Path | None,
) -> None:
    """Seal the key store with another passphrase or a token.

    The keys stay as they are. Give --new-passphrase-file, or --token with --pin-file. The header is replaced
    in one write: if that is interrupted, either the old or the new passphrase opens the whole store. Then
    set [keys] passphrase_file, and with a token [keys] pkcs11_module; a running node keeps serving.

    \b
    heqiao keys rewrap --home 45 --new-passphrase-file /run/credentials/new
    heqiao keys rewrap --home 45 --token province --pin-file /run/credentials/pin
    """  # noqa: D301 - click wants the real \b character
    context = click.get_current_context()
    if (passphrase_file is None) == (token is None) or (token is None) != (pin_file is None):
        raise click.UsageError("give --new-passphrase-file, or --token with --pin-file", context)
    config = load_config(home)
    store = open_key_store(config)
    file = passphrase_file or pin_file
    secret = read_passphrase(Path(str(file)))
    # Who chooses the passphrase can open every copy of the key store from then on.
    asked: dict[str, Detail] = {"by": "passphrase"}
    guard(config, admin, "keys rewrap", {"token": token, "key": key} if token else asked)
    closing = by_passphrase(secret) if token is None else _with_token(config, token, key, secret, module)
    store.rewrap(closing)
    audit.record(config, "key_store_rewrapped", {"by": "token" if store.token else "passphrase"})
    now = f"token {token}, key {key}" if token else "a passphrase"
    settings = {"passphrase_file": str(Path(str(file)).absolute())}
    if token:
        settings["pkcs11_module"] = str((module or config.keys.pkcs11_module or Path()).absolute())
    lines = [f"{config.keys.store}: sealed with {now}", "Set in node.toml, before the next start:", "[keys]"]
    lines += [f"{name} = {toml_literal(value)}" for name, value in settings.items()]
    lines.append(
        "Old copies of the key store still open in the old way: destroy them, and make a new backup."
    )
    show({"store": str(config.keys.store), "closed_by": now, **settings}, "\n".join(lines), as_json=as_json)


def _with_token(config: Config, token: str, key: str, pin: bytes, module: Path | None) -> KeyWrapping:
    library = module or config.keys.pkcs11_module
    closing = by_token(library, token, key, pin)
    if make_token_key(closing):
        click.echo(f"key {key} made in token {token}", err=True)
    return closing


@dataclass(frozen=True, slots=True)
class _Policy:
    key: str
    every_days: int
    grace_days: int


@click.command()
@home_option
@json_option
def policy(home: Path, as_json: bool) -> None:
    """Show how often keys are due, and how long grace lasts.

    These are the keys of [rotation] in node.toml; docs/rotation.md says why the defaults are what they are.
    `heqiao keys status` shows what is due.
    """
    config = read_config(home)
    rotation = config.rotation
    found = [_Policy(purpose, *rotation.days(purpose)) for purpose in ROTATED]
    if as_json:
        show({"policy": [asdict(one) for one in found]}, "", as_json=True)
        return
    print_table(
        ("key", "rotate every", "old one answered for"),
        ((line.key, f"{line.every_days} days", f"{line.grace_days} days") for line in found),
    )
