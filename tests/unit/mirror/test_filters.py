"""Kept filters: verified once, mapped, and always that of the manifest."""

import secrets
from dataclasses import replace

import pytest
from blake3 import blake3

from matcher import filter as filters
from node.mirror import filters as filter_cache
from node.mirror.filters import FilterCache
from node.wire.manifest import PartitionOffer

TAGS = secrets.token_bytes(10 * 5_000)
DATA = filters.serialise(filters.build(TAGS))
PART = PartitionOffer(
    item="C21", origin="45", epoch=1, version=1, entries=5_000, bits=2, root=bytes(32), as_of=20_000,
    date=20_100, record_size=12, planted=(), filter_size=len(DATA), filter_digest=blake3(DATA).digest(),
)  # fmt: skip


@pytest.fixture
def cache(tmp_path):
    kept = FilterCache(tmp_path)
    kept.keep("44", PART, DATA)
    return kept


def kept_file(tmp_path):
    (path,) = (tmp_path / filter_cache.FOLDER).iterdir()
    return path


def test_what_was_kept_is_read_as_it_was(cache):
    found = cache.read("44", PART)
    assert filters.contains(found, TAGS).all()
    assert filters.serialise(found) == DATA


def test_a_filter_is_verified_once(cache, monkeypatch):
    """A query about one person must not read ten million entries again."""
    parsed, original = [], filters.parse
    monkeypatch.setattr(filters, "parse", lambda data: parsed.append(1) or original(data))
    first = cache.read("44", PART)
    assert cache.read("44", PART) is first
    assert parsed == [1]


@pytest.mark.parametrize("damage", [b"", DATA[:-4], DATA[:-1] + b"x", b"x" * len(DATA)],
                         ids=["empty", "short", "altered", "other"])  # fmt: skip
@pytest.mark.parametrize("warm", [True, False])
def test_a_damaged_file_is_not_used(cache, tmp_path, damage, warm):
    if warm:
        assert cache.read("44", PART) is not None
    path = kept_file(tmp_path)
    other = path.with_suffix(".other")
    other.write_bytes(damage)
    other.replace(path)
    assert cache.read("44", PART) is None
    cache.keep("44", PART, DATA)
    assert filters.serialise(cache.read("44", PART)) == DATA


def test_another_version_takes_the_place_of_the_one_before(cache, tmp_path):
    tags = secrets.token_bytes(10 * 4_000)
    data = filters.serialise(filters.build(tags))
    newer = replace(PART, version=2, entries=4_000, filter_digest=blake3(data).digest())
    held = cache.read("44", PART)
    cache.keep("44", newer, data)
    assert cache.read("44", PART) is None
    assert filters.contains(cache.read("44", newer), tags).all()
    assert filters.contains(held, TAGS).all()  # a running query keeps using its own filter
    assert kept_file(tmp_path).name.startswith("44-C21-45-")


def test_the_number_of_entries_must_be_the_manifests(cache):
    assert cache.read("44", replace(PART, entries=4_999)) is None
