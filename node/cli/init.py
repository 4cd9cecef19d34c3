"""`heqiao init` and `join`: a node's home, and its place in the federation."""

import importlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from keys.pki.enrolment import Bundle, ca_fingerprint, make_request
from keys.pki.names import Role, check_address, check_code, check_host, check_name, split_address
from keys.store.atomic_files import PUBLIC, write_new
from keys.store.key_store import KeyStore
from keys.store.kinds import NODE_KEYS, PLATFORM_KEYS, generate_secret
from node.cli.fingerprint_check import compare, fingerprint_option
from node.cli.folders import KEEP_APART, prepare_passphrase
from node.cli.options import checked, home_option, json_option, load_config, require_own_home, show
from node.config import FILE, HOME_VARIABLE, PASSPHRASE, REQUEST, Config, open_key_store
from node.config.default import render_default
from node.domain.days import china_day
from node.federation.joining import require_known_ca, take_bundle
from node.files import new_folder

CA_OPTION: Final = "--ca-fingerprint"


@click.command()
@click.option("--home", type=click.Path(path_type=Path), envvar=HOME_VARIABLE, show_envvar=True,
              required=True, help="Folder to make; it must not exist.")  # fmt: skip
@click.option("--code", required=True, callback=checked(check_code),
              help="Province code, two digits (45 for 广西; 66 for the 兵团).")  # fmt: skip
@click.option(
    "--name", required=True, callback=checked(check_name), help="Name that people read, such as 广西."
)
@click.option("--role", type=click.Choice(["node", "platform"]), default="node", show_default=True,
              help="A platform calls nodes and serves nobody.")  # fmt: skip
@click.option("--passphrase-file", type=click.Path(path_type=Path, dir_okay=False),
              help="File with the passphrase of the key store; without it a random one is made.")  # fmt: skip
@click.option("--peer-listen", callback=checked(split_address), metavar="HOST:PORT",
              help="Address to listen on for other provinces' nodes.  [default: 127.0.0.1:7443]")  # fmt: skip
@click.option("--platform-listen", callback=checked(split_address), metavar="HOST:PORT",
              help="Address to listen on for this province's platforms.  "
              "[default: 127.0.0.1:7444]")  # fmt: skip
@click.option("--advertise", callback=checked(check_address), metavar="HOST:PORT",
              help="Address that peers call, if not the one to listen on.")  # fmt: skip
@click.option("--host", "hosts", multiple=True, callback=checked(check_host),
              help="Further host name or IP address for the certificate; may be repeated.")  # fmt: skip
@json_option
def init(
    home: Path,
    code: str,
    name: str,
    role: Role,
    passphrase_file: Path | None,
    peer_listen: str | None,
    platform_listen: str | None,
    advertise: str | None,
    hosts: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Make a node's home: keys, configuration, request to join.

    Next: send request.json from the home to the federation's CA, which answers it with a bundle
    (`heqiao ca issue`), and accept that with `heqiao join`.

    \b
    heqiao init --home 45 --code 45 --name 广西 --advertise gx.example.cn:7443
    """  # noqa: D301 - click wants the real \b character
    text = render_default(
        code,
        name,
        role,
        peer_listen=peer_listen,
        platform_listen=platform_listen,
        advertise=advertise,
        passphrase_file=str(passphrase_file.absolute()) if passphrase_file else None,
    )
    asked = (*hosts, *_own_hosts(advertise, peer_listen, platform_listen)) if role == "node" else ()
    with new_folder(home) as partial:
        passphrase = prepare_passphrase(partial, passphrase_file)
        store = KeyStore.create(partial / "keys", passphrase)
        for purpose in NODE_KEYS if role == "node" else PLATFORM_KEYS:
            store.add(f"{purpose}.1", generate_secret(purpose))
        write_new(partial / FILE, text.encode(), PUBLIC)
        request = make_request(store, role, code, name, asked)
        write_new(partial / REQUEST, request.to_json(), PUBLIC)
    lines = [
        f"{role} {code} {name}: home made in {home}",
        f"Request to join: {home / REQUEST}",
        f"Its fingerprint, for the CA to compare: {request.fingerprint()}",
    ]
    if passphrase_file is None:
        how = f"set [keys] passphrase_file in {home / FILE}"
        lines.append(KEEP_APART.format(path=home / PASSPHRASE, how=how))
    result = {
        "home": str(home),
        "role": role,
        "code": code,
        "request": str(home / REQUEST),
        "request_fingerprint": request.fingerprint(),
        "passphrase_made": passphrase_file is None,
    }
    show(result, "\n".join(lines), as_json=as_json)


def _own_hosts(*addresses: str | None) -> Iterator[str]:
    """Hosts of the addresses that others can call; loopback where none is given, as node.toml has it."""
    for address in addresses:
        host = split_address(address)[0] if address else "127.0.0.1"
        if host not in ("0.0.0.0", "::"):  # noqa: S104  compared, not listened on
            yield host


@click.command()
@home_option
@click.argument("bundle", type=click.Path(path_type=Path, dir_okay=False))
@fingerprint_option("the federation's CA", CA_OPTION)
@json_option
def join(home: Path, bundle: Path, fingerprint: str | None, *, as_json: bool) -> None:
    """Accept the federation's bundle for this home.

    The BUNDLE is what the federation's CA made of this home's request: certificate, CA certificate and
    salt. The fingerprint of the CA must be given, or typed when it is asked for, as its administrator reads
    it out by telephone. Joining again with a later bundle renews the certificate: then the CA must be the one
    that this home trusts already, and its fingerprint need not be given. The bundle also brings the CA's
    revocation list, which is taken if it is newer. A node notes it on its audit chain.
    """
    config = load_config(home)
    offered = Bundle.load(bundle)
    trusted = _check_ca(config, offered, fingerprint)
    for path in (config.tls.ca, config.tls.certificate, config.tls.revocations):
        require_own_home(path)
    now = datetime.now(UTC)
    member = take_bundle(config, open_key_store(config), offered, trusted, bundle, now)
    if config.node.role == "node":
        # Not above: a platform's installation has no database to import.
        importlib.import_module("node.governance.certificates").record_taken(config, member, now)
    identity = member.identity
    result = {
        "federation": identity.federation,
        "role": identity.role,
        "code": identity.code,
        "not_after": identity.not_after.isoformat(),
        "ca_fingerprint": member.ca_fingerprint,
        "salt_version": member.salt_version,
    }
    lines = (
        f"{identity.role} {identity.code} is a member of federation {identity.federation} "
        f"until {china_day(identity.not_after)}; salt version {member.salt_version}"
    )
    show(result, lines, as_json=as_json)


def _check_ca(config: Config, bundle: Bundle, fingerprint: str | None) -> bytes:
    """Refuse a CA other than the one whose fingerprint a person gave, or than a trusted one; return the
    roots to trust.
    """
    is_first = not config.tls.ca.exists()
    if is_first or fingerprint is not None:
        what = f"the CA of federation {bundle.federation}"
        compare(what, ca_fingerprint(bundle.ca.encode()), fingerprint, CA_OPTION)
    return bundle.ca.encode() if is_first else require_known_ca(config, bundle)
