"""Decides whether a requester trusts a peer's manifest: pure, bytes in, verdict or refusal out.

`PeerKeys` judges the signature, `TrustedState` what is signed, in this order:

1. The signature is by the pinned key of the peer. One by a key that was replaced counts for
   OVERLAP after that (`succession_replayed`); one by an unknown key only if the chain that came with it leads
   there from the known key (`succession_...`, `manifest_signature`). A manifest that was checked when it came
   and was kept since may also be signed by a key that was replaced later.
2. It is well formed (`manifest_form`).
3. It is between this peer and this node (`manifest_parties`).
4. It was not issued in the future, beyond CLOCK_SKEW.
5. It names a suite of this node.
6. This node holds its salt version, and the salt under it is the same.
7. Both nodes' catalogues have the same major version (`catalogue_major`). What the two define differently, or
   this node does not define, is left out of the content, and named as a conflict (docs/adr/0026).
8. The records of its partitions have the size that the catalogue gives them (`manifest_form`).
9. A manifest that just came has not expired: an old one would bring old partitions back.
10. Its partitions are no finer cut than this node accepts (`require_geometry`), and no older than those seen
    before (`seen_manifests`).
11. Where it renews a query: the epoch and the planted subjects of the batch are the same
   (`require_same_batch`); of a sum the keys and the salt (`require_same_sums`).

Reading and following keys in the database is done by `pinned_keys`, fetching by `handshake`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from keys.errors import SuccessionError
from keys.signing_chain import Succession, follow
from matcher.errors import SuiteError
from matcher.suites import suite as suites
from matcher.suites.suite import Suite
from node.domain.catalogue_items import Catalogue, major_of
from node.errors import (
    CatalogueMismatchError,
    DishonestPeerError,
    EpochError,
    ItemNotOfferedError,
    PreconditionError,
    SaltError,
    UnknownSuiteError,
)
from node.wire.manifest import Manifest, PlantedSubject, comparable_part, is_signed, verify
from node.wire.match import parse_manifest
from node.wire.sum_messages import SumOffer

# Several processes of a peer switch within half a second of each other, an answer may be in transit, and a
# kept connection uses one manifest for a minute (node/transport/peer_client.py).
OVERLAP: Final = timedelta(minutes=2)
CLOCK_SKEW: Final = timedelta(minutes=5)
# Of one bucket, which is in memory as a whole. The largest k_anonymity that a configuration may have is
# 65,536, and an average bucket has up to 2.5 times as many entries before the partition is cut again: 7 MiB.
MAX_BUCKET_BYTES: Final = 16 * 1024 * 1024


class OfferChangedError(Exception):
    """The planted subjects of the batch are no longer those of the partitions."""


@dataclass(frozen=True, slots=True)
class PeerKeys:
    """The pinned signing key (32 bytes) of a peer, and earlier keys with the time of their replacement."""

    code: str
    key: bytes
    replaced: Mapping[bytes, datetime] = field(default_factory=dict)

    def verify(
        self, serialised: bytes, signature: bytes, chain: Sequence[Succession], now: datetime
    ) -> tuple[Succession, ...]:
        """Rule 1 for a manifest that just came: the steps that lead to its key, none where it is known.

        Raises DishonestPeerError.
        """
        if is_signed(serialised, signature, self.key):
            return ()
        for key, replaced_at in self.replaced.items():
            if is_signed(serialised, signature, key):
                if replaced_at <= now <= replaced_at + OVERLAP:
                    return ()
                raise DishonestPeerError(
                    "the peer's manifest is signed by a key that was replaced",
                    "an old copy of the peer's node is running, or its old key was stolen: telephone",
                    {"check": "succession_replayed"},
                )
        try:
            steps = follow(self.code, self.key, chain, now, self.replaced)
        except SuccessionError as error:
            raise DishonestPeerError(str(error), error.hint, {"check": f"succession_{error.check}"}) from None
        verify(serialised, signature, steps[-1].new_key if steps else self.key)
        return steps

    def verify_kept(self, serialised: bytes, signature: bytes) -> None:
        """Rule 1 for a manifest that was checked when it came. Raises DishonestPeerError."""
        if not any(is_signed(serialised, signature, key) for key in self.replaced):
            verify(serialised, signature, self.key)


@dataclass(frozen=True, slots=True)
class TrustedManifest:
    """A manifest for which all rules hold, with the suite and the salt that it names."""

    content: Manifest = field(repr=False)
    suite: Suite
    salt: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class TrustedState:
    """What this node knows, and checks a manifest against; `salts` are those it has.

    `catalogue` is this node's own.
    """

    requester: str
    responder: str
    salts: Mapping[int, bytes] = field(repr=False)
    catalogue: Catalogue

    def read(self, serialised: bytes, now: datetime) -> TrustedManifest:
        """Rules 2 to 8 for signed bytes. Raises the error of the first rule that is broken."""
        return self.judge(parse_manifest(serialised), now)

    def judge(self, manifest: Manifest, now: datetime) -> TrustedManifest:
        """Rules 3 to 8. Raises the error of the first rule that is broken."""
        self._require_parties(manifest)
        if manifest.issued_at > now + CLOCK_SKEW:
            raise PreconditionError(
                "the peer's manifest is from the future",
                "compare the clocks of both nodes",
                {"rule": "clock"},
            )
        try:
            suite = suites.choose(manifest.suites)
        except SuiteError:
            raise UnknownSuiteError("the peer and this node have no suite in common") from None
        salt = self._require_salt(manifest, suite)
        self._require_catalogue(manifest)
        content = comparable_part(manifest, self.catalogue.definitions)
        self._require_sizes(content)
        return TrustedManifest(content, suite, salt)

    def _require_parties(self, manifest: Manifest) -> None:
        if manifest.responder != self.responder or manifest.requester != self.requester:
            raise DishonestPeerError(
                "the manifest is between other provinces", details={"check": "manifest_parties"}
            )

    def _require_salt(self, manifest: Manifest, suite: Suite) -> bytes:
        salt = self.salts.get(manifest.salt_version)
        if salt is None:
            raise SaltError(
                "the peer has another salt version",
                "the node with the older version asks the federation's administrator for a new bundle",
                {"salt_version": str(manifest.salt_version)},
            )
        if manifest.salt_check != suite.salt_check(salt):
            raise SaltError(
                "the peer has another salt under this version", "one of the two joined another federation"
            )
        return salt

    def _require_catalogue(self, manifest: Manifest) -> None:
        if major_of(manifest.catalogue_version) != self.catalogue.major:
            raise CatalogueMismatchError(
                f"the catalogues of the two nodes have different major versions: {self.catalogue.version} "
                f"here, {manifest.catalogue_version} there",
                "the node with the older one takes the federation's current catalogue; see docs/catalogue.md",
                {"catalogue": manifest.catalogue_version, "rule": "catalogue_major"},
            )

    def _require_sizes(self, manifest: Manifest) -> None:
        """An entry of another size would be searched for in vain, or read as another record."""
        widths = self.catalogue.widths
        if any(part.width != widths.get(part.item) for part in manifest.partitions):
            raise DishonestPeerError(
                "the peer's records have another size than the catalogue says",
                details={"check": "manifest_form"},
            )


def require_fresh(manifest: Manifest, now: datetime) -> None:
    """Rule 9. Raises PreconditionError."""
    if manifest.expires_at + CLOCK_SKEW < now:
        raise PreconditionError(
            "the peer's manifest has expired already", "compare the clocks of both nodes", {"rule": "clock"}
        )


def require_geometry(manifest: Manifest, min_bucket_entries: int, max_bucket_bits: int) -> None:
    """Rule 10: a bucket that holds a few entries names the people whose buckets are fetched, and one that
    holds very many costs this node's memory.

    Raises DishonestPeerError.
    """
    for part in manifest.partitions:
        if part.bits > max_bucket_bits or (part.bits and part.entries < min_bucket_entries << part.bits):
            raise DishonestPeerError(
                "the peer cuts a partition into smaller buckets than this node accepts",
                "the peer's administrator restores `[limits] k_anonymity`; nothing was fetched",
                {"check": "manifest_geometry"},
            )
        if part.entries * part.entry_size > (MAX_BUCKET_BYTES // 2) << part.bits:
            raise DishonestPeerError(
                "the peer cuts a partition into larger buckets than any node does",
                "the peer's administrator imports the item again; nothing was fetched",
                {"check": "manifest_geometry"},
            )


def require_same_batch(newer: Manifest, last: Manifest, layout: Manifest) -> None:
    """Rule 11 for a verification: `layout` is the manifest the batch was laid out by, `last` the one in use.

    Raises EpochError, OfferChangedError.
    """
    if newer.epoch != last.epoch:
        raise EpochError("the peer's epoch changed", details={"epoch": str(newer.epoch)})
    if _planted(newer) != _planted(layout):
        raise OfferChangedError


def require_same_sums(newer: Manifest, layout: Manifest) -> SumOffer:
    """Rule 11 for a sum: the offer, under the keys and the salt of the query.

    Raises EpochError, ItemNotOfferedError where there is no offer of sums.
    """
    offer, first = sum_offer(newer), sum_offer(layout)
    began = (first.epoch, first.modulus, layout.salt_version)
    if (offer.epoch, offer.modulus, newer.salt_version) != began:
        raise EpochError(
            "the peer changed its keys of sums", "the query begins anew", {"epoch": str(offer.epoch)}
        )
    return offer


def sum_offer(manifest: Manifest) -> SumOffer:
    """The offer of sums of a manifest. Raises ItemNotOfferedError where it has none."""
    if manifest.sums is None:
        raise ItemNotOfferedError("the peer offers no sums")
    return manifest.sums


def _planted(manifest: Manifest) -> dict[tuple[str, str], tuple[PlantedSubject, ...]]:
    return {(part.item, part.origin): part.planted for part in manifest.partitions}
