"""Homes of a federation, made with the same functions as by `heqiao init`, `ca issue` and `join`.

They use the cheapest Argon2id parameters, so that a test gets a federation quickly.
"""

import json
import secrets
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from keys import KdfCost, KeyStore, accept_bundle, create_ca, issue_bundle, make_request
from keys.pki.issuing import Authority, create_request, issue, load_ca
from keys.store.key_pairs import generate_tls_key, load_tls_key
from keys.store.kinds import NODE_KEYS, PLATFORM_KEYS, generate_secret
from tests.support.cached import empty_database, paillier_key

REQUESTER, PROVIDERS = "45", ("44", "33")
CHEAP = KdfCost(iterations=1, lanes=1, memory_kib=8)
PASSPHRASE = b"only for tests"
# Small buckets, chunks and batches, so that a list of 300 people already needs many of each.
SMALL_LIMITS: Mapping[str, object] = {"k_anonymity": 8, "chunk_points": 16, "planted_per_partition": 3}
QUICK_RETRIES: Mapping[str, object] = {"retry_attempts": 3, "retry_wait_s": 0.05, "retry_wait_max_s": 0.2}
# Peers with buckets of a few entries are accepted, and nothing is synced beside jobs.
SMALL_MIRRORS: Mapping[str, object] = {"min_bucket_entries": 1, "mirror_sync_hours": 0}
PATIENT_RETRIES: Mapping[str, object] = {"retry_attempts": 60, "retry_wait_s": 0.1, "retry_wait_max_s": 0.5}
# A part whose peer is away ends, and waits for no other day.
ENDS_AT_ONCE: Mapping[str, object] = {"retry_min_s": 0}
NO_POLLING: Mapping[str, object] = {"poll_s": 600}
# Another process soon takes over the jobs of a killed one.
QUICK_LEASES: Mapping[str, object] = {"lease_s": 1.5, "poll_s": 0.2}


@dataclass(frozen=True)
class Federation:
    """A CA and a salt, from which homes are made."""

    authority: Authority
    salt: bytes

    @classmethod
    def create(cls, name: str = "test") -> "Federation":
        return cls(create_ca(name, datetime.now(UTC)), secrets.token_bytes(32))

    def save(self, folder: Path) -> None:
        """Save it for another process of the tests."""
        (folder / "ca.pem").write_bytes(self.authority.pem)
        (folder / "ca.key").write_bytes(
            self.authority.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        (folder / "salt").write_bytes(self.salt)

    @classmethod
    def load(cls, folder: Path) -> "Federation":
        """Load a saved federation."""
        authority = load_ca((folder / "ca.pem").read_bytes(), (folder / "ca.key").read_bytes())
        return cls(authority, (folder / "salt").read_bytes())

    def make_home(
        self,
        folder: Path,
        code: str,
        role: str = "node",
        *,
        limits: Mapping[str, object] = SMALL_LIMITS,
        requester: Mapping[str, object] = QUICK_RETRIES,
        store: Mapping[str, object] | None = None,
    ) -> Path:
        """A home as `heqiao init` and `heqiao join` make it."""
        folder.mkdir(parents=True)
        (folder / "passphrase").write_bytes(PASSPHRASE)
        (folder / "passphrase").chmod(0o600)
        keys = KeyStore.create(folder / "keys", PASSPHRASE, cost=CHEAP)
        for purpose in NODE_KEYS if role == "node" else PLATFORM_KEYS:
            made = paillier_key(code) if purpose == "paillier" else generate_secret(purpose)
            keys.add(f"{purpose}.1", made)
        now = datetime.now(UTC)
        request = make_request(keys, role, code, f"province {code}", ["127.0.0.1"] if role == "node" else [])
        member = accept_bundle(
            keys,
            issue_bundle(self.authority, request, self.salt, 1, now),
            role,
            code,
            f"province {code}",
            now,
        )
        (folder / "tls").mkdir()
        (folder / "tls" / "node.pem").write_bytes(member.certificate)
        (folder / "tls" / "ca.pem").write_bytes(member.ca)
        sections = {
            "node": {"code": code, "name": f"province {code}", "role": role},
            "peer": {"listen": "127.0.0.1:0"},
            "platform": {"listen": "127.0.0.1:0"},
            "limits": limits,
            "requester": {**SMALL_MIRRORS, **requester},
            "store": store or {},
            "jobs": NO_POLLING,
            "deadlines": ENDS_AT_ONCE,
        }
        write_config(folder, sections)
        if store is None:
            (folder / "heqiao.db").write_bytes(empty_database())
        return folder

    def client(self, code: str, name: str = "", days: int = 30, now: datetime | None = None) -> "Identity":
        """A certificate of the federation: of a platform where a name is given, else of a node."""
        role = "platform" if name else "node"
        key = generate_tls_key()
        moment = now or datetime.now(UTC)
        certificate = issue(
            self.authority, create_request(load_tls_key(key)), role, code, moment, days, name=name
        )
        return Identity(self.authority.pem, key, certificate)


@dataclass(frozen=True)
class Identity:
    """TLS files of a gRPC client: trusted CA, key, certificate (None for no certificate)."""

    ca: bytes
    key: bytes | None = field(repr=False)
    certificate: bytes | None


def write_config(folder: Path, sections: Mapping[str, Mapping[str, object]]) -> None:
    lines = []
    for section, values in sections.items():
        lines.append(f"[{section}]")
        # A JSON string, number, boolean or list of those is the same in TOML.
        lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    (folder / "node.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def allow_sums(homes: Iterable[Path]) -> None:
    """Let every peer ask for more sums than the quotas of a province allow."""
    for home in homes:
        set_config(home, "quotas", sums_30_days=1_000, sum_points_30_days=10**9)


def set_config(folder: Path, section: str, /, **values: object) -> None:
    """Change keys of a home's node.toml."""
    sections = tomllib.loads((folder / "node.toml").read_text(encoding="utf-8"))
    sections.setdefault(section, {}).update(values)
    write_config(folder, sections)


def without_holidays(folder: Path, year: int) -> None:
    """Give a home a table of days without holidays, so that working days are counted by hand."""
    (folder / "days.toml").write_text(f"years = {[year - 1, year, year + 1]}\n", encoding="utf-8")
    set_config(folder, "calendar", path="days.toml")
