"""What an administrator must know of the keys of a home: each with its state, and what is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from keys import CertifiedIdentity, KeyringError, KeyStore, verify_chain
from keys.certs import tls_epoch
from keys.inventory import KeyFacts, check_files, inspect
from node.config import Config

ACTIVE: Final = "active"
PENDING: Final = "pending"
GRACE: Final = "grace"


@dataclass(frozen=True, slots=True)
class KeyLine:
    """One key as `heqiao keys status` shows it."""

    facts: KeyFacts
    state: str


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """All keys of a home. `problems` are those of the store and the certificate, not of single keys."""

    keys: tuple[KeyLine, ...]
    problems: tuple[str, ...]
    certificate: CertifiedIdentity | None

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems and not any(line.facts.problems for line in self.keys)


def read_status(config: Config, store: KeyStore, now: datetime) -> KeyStatus:
    """Open every key of a home's store and check the store's files and the certificate."""
    problems = check_files(store)
    fitting, certificate = 0, None
    if config.tls.certificate.exists():
        try:
            fitting, certificate = _check_certificate(config, store, now)
        except KeyringError as error:
            problems.append(str(error))
    else:
        problems.append("no certificate yet: this home has not joined a federation")
    facts = inspect(store, now)
    lines = [KeyLine(one, _state_of(one, facts, fitting)) for one in facts]
    return KeyStatus(tuple(lines), tuple(problems), certificate)


def _check_certificate(config: Config, store: KeyStore, now: datetime) -> tuple[int, CertifiedIdentity]:
    certificate = config.tls.certificate.read_bytes()
    epoch = tls_epoch(store, certificate)
    return epoch, verify_chain(certificate, config.tls.ca.read_bytes(), now)


def _state_of(one: KeyFacts, every: Sequence[KeyFacts], certified: int) -> str:
    """State by what lies in the store: of tls keys the certified one is active, of others the newest."""
    newest = max(facts.epoch for facts in every if facts.purpose == one.purpose)
    active = certified if one.purpose == "tls" and certified else newest
    if one.epoch == active:
        return ACTIVE
    return PENDING if one.epoch > active else GRACE
