"""The key that signs a home's reports, and the keys whose signatures a home accepts."""

import re
from contextlib import suppress
from pathlib import Path

from keys.errors import KeyringError
from keys.pki.enrolment import load_card
from node.cli.options import read_config
from node.config import Config, open_key_store
from node.credentials.active_keys import SIGNING
from node.errors import InputError
from node.governance.peers import known_keys
from node.reports.signature import Signer, Trusted
from node.rotation.signing import read_signer

_FINGERPRINT = re.compile(r"[0-9a-f]{16}")


def own_signer(config: Config) -> Signer:
    """The active signing key of a node. Raises KeyringError, UnavailableError."""
    store = open_key_store(config)
    return Signer(config.node.code, store.get(f"{SIGNING}.{read_signer(config, store).epoch}"))


def trusted_by(home: Path | None, keys: tuple[str, ...]) -> Trusted:
    """The keys that a verifier accepts: those of its home and peers, and the cards and fingerprints given.

    A given key replaces the home's: then only what it has signed is accepted.

    Raises InputError, EnrolmentError.
    """
    if keys:
        return _given(keys)
    if home is None:
        raise InputError(
            "nothing says which key may have signed it",
            "name the node's card or fingerprint with --key, or your own node's home with --home",
        )
    config = read_config(home)
    found = {key: f"{code} {words}" for key, (code, words) in known_keys(config).items()}
    with suppress(KeyringError):  # an account that may not open the keys can still check what peers signed
        store = open_key_store(config)
        code = config.node.code
        found |= {
            Signer(code, store.get(f"{SIGNING}.{epoch}")).key: f"{code} this node"
            for epoch in store.epochs(SIGNING)
        }
    return Trusted(found)


def _given(keys: tuple[str, ...]) -> Trusted:
    cards, fingerprints = {}, []
    for one in keys:
        if _FINGERPRINT.fullmatch(one.lower()):
            fingerprints.append(one.lower())
        elif Path(one).is_file():
            card = load_card(Path(one))
            cards[card.signing_key] = f"{card.code} {card.name}, by its card"
        else:
            raise InputError(
                f"{one}: neither a card nor a fingerprint of 16 hex digits",
                "`heqiao card` writes the card of a node; `heqiao peers list` shows fingerprints",
            )
    return Trusted(cards, fingerprints)
