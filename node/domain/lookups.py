"""Digests by which records of people are found in the database, under the lookup key of the key store. Pure.

Identity numbers are a space that can be tried out, so their digests are keyed (docs/adr/0027). The key
derives from one that never rotates: after a rotation of the storage key the digests still fit.
"""

from collections.abc import Iterable

from matcher import vectorised

NUMBER_BYTES = 32
PERSON_BYTES = 16


def number_digest(key: bytes, number: str) -> bytes:
    """32 bytes for the number of a household or mandate, however its letters are typed."""
    return number_digests(key, [number])[0]


def number_digests(key: bytes, numbers: Iterable[str]) -> list[bytes]:
    """The same of several."""
    texts = [b"number\0" + one.strip().upper().encode("utf-8", "surrogatepass") for one in numbers]
    return vectorised.rows_of(vectorised.keyed(key, texts, NUMBER_BYTES))


def person_digests(key: bytes, values: Iterable[str]) -> list[bytes]:
    """16 bytes for each canonical identity number."""
    texts = [b"person\0" + one.encode() for one in values]
    return vectorised.rows_of(vectorised.keyed(key, texts, PERSON_BYTES))


def by_prefix(digests: Iterable[bytes]) -> dict[int, bytes]:
    """Digests by their first byte, each once and in order, joined."""
    parts: dict[int, list[bytes]] = {}
    for one in sorted(set(digests)):
        parts.setdefault(one[0], []).append(one)
    return {first: b"".join(found) for first, found in parts.items()}
