"""A manifest, a partition and a mandate to change."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from matcher import SUITE
from matcher.types import TokenClass
from node.domain import catalogue
from node.domain.mandate import Mandate
from node.wire.manifest import Manifest, PartitionOffer, PeerLimits, PlantedSubject

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


PART = PartitionOffer(
    item="C21",
    origin="45",
    epoch=1,
    version=3,
    entries=8_000,
    bits=2,
    root=bytes(32),
    as_of=20_000,
    date=20_100,
    record_size=12,
    planted=(PlantedSubject("hit-0", 1),),
)


MANIFEST = Manifest(
    responder="44",
    requester="45",
    suites=(SUITE,),
    epoch=1,
    salt_version=1,
    salt_check=bytes(8),
    catalogue_version="1.0",
    catalogue_digest=bytes(32),
    items=("C21",),
    partitions=(PART,),
    canaries=dict.fromkeys(TokenClass, bytes(512)),
    limits=PeerLimits(1_048_576, 4_096, 1_000, 16_384),
    issued_at=NOW,
    expires_at=NOW + timedelta(hours=24),
    definitions=catalogue.load().definitions,
)


MANDATE = Mandate(
    number="4599992026070101000019",
    programme="new_application",
    items=frozenset({"C21", "C23"}),
    regions=frozenset({"44", "33"}),
    valid_from=date(2026, 1, 1),
    valid_to=date(2026, 12, 31),
    revoked_at=None,
    event="",
    office="459999000000",
    template_id="national",
    sig_type="handwritten",
    matter="",
    signers=("张三丰", "李四"),
    agents=(),
    people=frozenset({"449999190001010034"}),
    doc_hash="ab" * 32,
)


def mandate_for(*people: str, number: str = "M", **changes: Any) -> Mandate:
    """A mandate for some identity numbers that covers everything, from 2020 on."""
    every = frozenset("*")
    wide = replace(MANDATE, programme="*", items=every, regions=every, valid_from=date(2020, 1, 1))
    lasting = replace(wide, number=number, valid_to=None, event="programme_exit", people=frozenset(people))
    return replace(lasting, **changes)
