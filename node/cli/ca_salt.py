"""`heqiao ca salt`: the federation's next salt, sealed to each member."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from keys.pki.certificates import has_issued, load_certificate
from keys.pki.enrolment import EnrolmentRequest, issue_bundle
from keys.pki.issuing import Authority
from keys.store.atomic_files import PUBLIC, write_new
from keys.store.kinds import fingerprint, generate_secret
from node.cli.ca_options import folder_option, passphrase_option
from node.cli.options import json_option, show
from node.errors import InputError
from node.federation.authority_folder import Member, choose_salt, describe, members, open_roots, trusted
from node.files import new_folder


@click.command("salt")
@folder_option
@click.option("--out", type=click.Path(path_type=Path), required=True,
              help="Folder to make, with a bundle for each member.")  # fmt: skip
@click.option("--again", type=click.IntRange(1), metavar="N",
              help="Make no salt; write the bundles for version N again.")  # fmt: skip
@passphrase_option
@json_option
def salt(folder: Path, out: Path, again: int | None, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Make the federation's next salt.

    Writes a bundle for every member, which only that member can open; certificates stay as they are.
    Members take it with `heqiao join`, which changes nothing yet; each then switches at its own time with
    `heqiao keys rotate salt`. This is rare: every province has to import its registers again.
    """
    now = datetime.now(UTC)
    with open_roots(folder, passphrase_file) as (store, authorities):
        known = members(folder, trusted(authorities), now)
        if out.exists():  # checked before a salt is made
            raise InputError(f"{out}: exists already", "name a folder that does not exist")
        version, secret = choose_salt(store, again)
        if again is None:
            version, secret = version + 1, generate_secret("salt")
        with new_folder(out) as partial:
            written = [
                _write_bundle(partial, authorities, member, member.request, version, secret, now)
                for member in known
                if member.request is not None
            ]
            if again is None:  # last: with a full disk no salt without bundles is left
                store.add(f"salt.{version}", secret)
    result: dict[str, object] = {
        "salt_version": version,
        "fingerprint": fingerprint("salt", secret),
        "dir": str(out),
        "bundles": written,
    }
    without = [one.identity.code for one in known if one.request is None and one.identity.role == "node"]
    if without:
        result["answer_their_request_json_again"] = without
    show(result, describe(result), as_json=as_json)


def _write_bundle(
    folder: Path,
    authorities: Sequence[Authority],
    member: Member,
    request: EnrolmentRequest,
    version: int,
    secret: bytes,
    now: datetime,
) -> str:
    """The bundle of one member, whose request this is; the name of its file."""
    # By the root of the member's certificate, which may still be the old one.
    own = next(
        one for one in authorities if has_issued(one.certificate, load_certificate(member.certificate))
    )
    bundle = issue_bundle(own, request, secret, version, now, certificate=member.certificate)
    name = f"{member.identity.code}-{member.identity.fingerprint[:8]}.bundle"
    write_new(folder / name, bundle.to_json(), PUBLIC)
    return name
