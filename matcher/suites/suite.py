"""A suite: one choice of curve, hash and seal, with the protocol's steps on top (design.md section 2).

    identity -> M -> B -> E -> T -> tag and label key -> sealed label

The steps here work on arrays, one record a row: identity values as (n, 18) ASCII bytes filled up with zeros
(planted ones may be wider), points as (n, point), tags as (n, tag), sealed labels as (n, sealed). They are
the same for every suite; the parts of a `Suite` differ. A new suite is a file with such parts
and one line in `SUITES`. A session looks up its suite once, with `find`, and passes it on.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import count as count_up
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from matcher import batch, label, oprf, vectorised
from matcher.errors import CountError, LabelError, PointError, SuiteError
from matcher.names import simplify_all
from matcher.suites import tokens, x25519
from matcher.suites.points import Blinded, Blinds, Evaluated
from matcher.types import SUITE, TokenClass
from matcher.vectorised import Bytes

DIGEST_SIZE = 16  # of the digest that places identities into buckets
_STREAM_CANDIDATES = 2  # taken at once: three identities in four need no more


class Group(Protocol):
    """The oblivious function over a group; points are n * `sizes.point` bytes, scalars `sizes.scalar`."""

    def clamp(self, raw: bytes) -> bytes:
        """A scalar from `sizes.scalar` random bytes."""

    def invert_each(self, raw: Bytes) -> tuple[Bytes, Bytes, NDArray[np.bool_]]:
        """Scalars of random rows (n, scalar), the inverse of each, and which of them have one."""

    def blind(self, scalar: bytes, mapped: bytes) -> bytes:
        """B = r * M, one blind for all."""

    def blind_each(self, scalars: bytes, mapped: bytes) -> bytes:
        """B_i = r_i * M_i, each point with its own blind."""

    def evaluate(self, key: bytes, blinded: bytes) -> bytes:
        """E = k * B of points from outside: all are checked first. Raises PointError."""

    def finalize(self, blind_scalar: bytes, evaluated: bytes) -> bytes:
        """T = r' * E of points from outside, one blind for all. Raises PointError."""

    def finalize_each(self, inverses: bytes, evaluated: bytes) -> bytes:
        """T_i = r_i' * E_i of points from outside, by the inverses of their blinds. Raises PointError."""

    def evaluate_own(self, key: bytes, mapped: bytes) -> bytes:
        """T = k * M of own records."""

    def commit(self, blind_scalar: bytes) -> bytes:
        """A commitment to a blind, that a later proof can be held against."""

    def is_commitment(self, commitment: bytes) -> bool:
        """Whether bytes from outside are a commitment to some blind."""

    def rekey(self, new: bytes, old: bytes, tokens: bytes) -> bytes:
        """T' = (k'/k) * T. Raises ScalarError for the rare pair of keys without such a scalar."""


class Hash(Protocol):
    """A hash with keys, contexts and output of any length, for many short inputs at a time, one a row."""

    def keyed(self, key: bytes, messages: Sequence[bytes], size: int, at: int = 0) -> Bytes:
        """`size` bytes from byte `at` on of each message's stream under one key."""

    def hash_each(self, messages: Sequence[bytes], size: int) -> Bytes:
        """The first `size` bytes of each message's hash."""

    def derive(self, context: str, materials: Bytes) -> Bytes:
        """A 32-byte key of each row, in a context."""

    def derive_stream(self, context: str, messages: Sequence[bytes], size: int, at: int = 0) -> Bytes:
        """`size` bytes from byte `at` on of each message's stream in a context."""

    def expand(self, keys: Bytes, message: bytes, size: int) -> Bytes:
        """`size` bytes of one message's stream under each key."""


class Cipher(Protocol):
    """Authenticated encryption, many short texts of one length at a time, one a row."""

    def seal(self, keys: Bytes, plain: Bytes, associated: Iterable[bytes]) -> Bytes:
        """Ciphertext and authentication tag of each: the same of the same input."""

    def unseal(self, keys: Bytes, sealed: Bytes, associated: Iterable[bytes]) -> Bytes:
        """The plain texts. Raises LabelError when one was altered."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes of everything whose length the suite decides; `canaries` is their number."""

    point: int
    scalar: int
    tag: int
    label_key: int
    overhead: int  # of a sealed text: its authentication tag
    salt_check: int
    canaries: int

    def sealed(self, width: int) -> int:
        """A sealed label whose value has `width` bytes."""
        return label.record_size(width) + self.overhead

    def entry(self, width: int) -> int:
        """An entry as it is served: tag and sealed label."""
        return self.tag + self.sealed(width)


@dataclass(frozen=True, slots=True)
class Contexts:
    """The strings that keep one use of the hash apart from all others."""

    identity: bytes
    bucket: bytes
    class_key: bytes
    token: str
    canary: str
    point_blind: str
    cohort_blind: str
    salt_check: str
    name: bytes


@dataclass(frozen=True, slots=True)
class Suite:
    """One suite; `name` as written on the wire. `candidates` says which rows of a stream are points."""

    name: str
    sizes: Sizes
    contexts: Contexts
    group: Group = field(repr=False)
    hash: Hash = field(repr=False)
    cipher: Cipher = field(repr=False)
    candidates: Callable[[Bytes], tuple[Bytes, NDArray[np.bool_]]] = field(repr=False)

    def __reduce__(self) -> tuple[Callable[[str], "Suite"], tuple[str]]:
        return find, (self.name,)  # a worker process finds the same suite by its name

    # ---- identities

    def digests(self, salt: bytes, types: NDArray[np.uint8], values: Bytes) -> Bytes:
        """(n, 16): the first bytes of the digest that places identities into buckets, one for an identity.

        The first four, big endian, are `tokens.bucket_prefix`.
        """
        return self.hash.keyed(salt, batch.messages(self.contexts.bucket, types, values), DIGEST_SIZE)

    def map_to_curve(self, salt: bytes, types: NDArray[np.uint8], values: Bytes) -> Bytes:
        """The points M, (n, point): `tokens.map_to_curve` of each identity."""
        messages = batch.messages(self.contexts.identity, types, values)
        return self._first_points(messages, lambda some, size, at: self.hash.keyed(salt, some, size, at))

    @cache  # noqa: B019  suites live as long as the program; a query of one person would cost a quarter more
    def canary_points(self) -> bytes:
        """The public constants M_c whose evaluations a manifest pins, one after the other."""
        numbers = [index.to_bytes(4, "big") for index in range(self.sizes.canaries)]
        context = self.contexts.canary
        stream = self._first_points(
            numbers, lambda some, size, at: self.hash.derive_stream(context, some, size, at)
        )
        return stream.tobytes()

    def salt_check(self, salt: bytes) -> bytes:
        """A few bytes that distinguish two salts without helping anyone to find one (the salt is random)."""
        found = self.hash.derive(self.contexts.salt_check, np.frombuffer(salt, np.uint8).reshape(1, -1))
        return found[0, : self.sizes.salt_check].tobytes()

    def _first_points(
        self, messages: Sequence[bytes], read: Callable[[list[bytes], int, int], Bytes]
    ) -> Bytes:
        """The first candidate in each message's stream that is a point: try and increment."""
        size = self.sizes.point
        points, pending = np.empty((len(messages), size), dtype=np.uint8), np.arange(len(messages))
        for start in count_up(0, _STREAM_CANDIDATES * size):
            stream = read([messages[at] for at in pending.tolist()], _STREAM_CANDIDATES * size, start)
            for at in range(0, _STREAM_CANDIDATES * size, size):
                found, good = self.candidates(stream[:, at : at + size])
                points[pending[good]] = found[good]
                pending, stream = pending[~good], stream[~good]
            if not len(pending):
                break
        return points

    # ---- keys

    def class_key(self, epoch_key: bytes, token_class: TokenClass) -> bytes:
        """The key of a class of items in an epoch (design.md section 2, step 4)."""
        message = self.contexts.class_key + token_class.value.encode()
        return self.group.clamp(self.hash.keyed(epoch_key, [message], self.sizes.scalar).tobytes())

    def class_keys(self, epoch_key: bytes) -> dict[TokenClass, bytes]:
        """The keys of all classes in an epoch."""
        return {each: self.class_key(epoch_key, each) for each in TokenClass}

    # ---- points

    def point_blinds(self, seed: bytes, count: int) -> Blinds:
        """The blinds of a verification's batch: the seed fixes each by its place (design.md 2, step 5)."""
        return self._blinds(self.contexts.point_blind, seed, count)

    def cohort_blind(self, seed: bytes) -> bytes:
        """The one blind of a sum's cohort."""
        return self._blinds(self.contexts.cohort_blind, seed, 1).scalars.tobytes()

    def _blinds(self, context: str, seed: bytes, count: int) -> Blinds:
        """For place i the first scalar with an inverse of seed || i as u64 || t as u32, t = 0, 1, ..."""
        messages = np.zeros((count, len(seed) + 12), dtype=np.uint8)
        messages[:, : len(seed)] = np.frombuffer(seed, dtype=np.uint8)
        messages[:, len(seed) : -4] = np.arange(count, dtype=">u8").view(np.uint8).reshape(-1, 8)
        found = Blinds(*np.empty((2, count, self.sizes.scalar), dtype=np.uint8))
        pending = np.arange(count)
        for t in count_up():
            messages[:, -4:] = np.frombuffer(t.to_bytes(4, "big"), dtype=np.uint8)
            rows = vectorised.rows_of(messages[pending])
            scalars, inverses, good = self.group.invert_each(
                self.hash.derive_stream(context, rows, self.sizes.scalar)
            )
            found.scalars[pending], found.inverses[pending] = scalars, inverses
            pending = pending[~good]
            if not len(pending):
                return found
        raise AssertionError  # the loop above has no end

    def blind(self, scalar: bytes, mapped: bytes) -> Blinded:
        """B = r * M of every mapped point."""
        return Blinded(self.group.blind(scalar, mapped), self.sizes.point)

    def blind_each(self, scalars: Bytes, mapped: bytes) -> Blinded:
        """B_i = r_i * M_i, each point with its own blind."""
        return Blinded(self.group.blind_each(scalars.tobytes(), mapped), self.sizes.point)

    def blinded(self, points: bytes, most: int | None = None) -> Blinded:
        """Bytes as points B; `evaluate` checks them. Raises PointError, CountError above `most`."""
        found = Blinded(points, self.sizes.point)
        if len(points) % self.sizes.point:
            raise PointError(f"points must be a multiple of {self.sizes.point} bytes")
        if most is not None and found.count > most:
            raise CountError("more points than announced")
        return found

    def evaluated(self, points: bytes) -> Evaluated:
        """Bytes from a responder as points E; `finalize` checks them."""
        return Evaluated(points, self.sizes.point)

    def evaluate(self, key: bytes, blinded: Blinded) -> Evaluated:
        """E = k * B, the responder's step. Checks all points first; raises PointError, computing nothing."""
        return self.evaluated(self.group.evaluate(key, blinded.points))

    def finalize(self, scalar: bytes, sent: Blinded, evaluated: Evaluated) -> bytes:
        """T = r' * E of the points returned for `sent`, under one blind.

        Raises CountError where a different number of points was returned, PointError for points that no
        honest responder returns.
        """
        evaluated.require_as_many(sent)
        return self.group.finalize(scalar, evaluated.points)

    def finalize_each(self, inverses: Bytes, sent: Blinded, evaluated: Evaluated) -> bytes:
        """T_i = r_i' * E_i of the points returned for `sent`, by the inverses of their blinds.

        Raises as `finalize`.
        """
        evaluated.require_as_many(sent)
        return self.group.finalize_each(inverses.tobytes(), evaluated.points)

    def own_tokens(self, key: bytes, mapped: Bytes) -> Bytes:
        """T = k * M of own records, (n, point)."""
        return self._rows(self.group.evaluate_own(key, mapped.tobytes()))

    def canary_tokens(self, key: bytes) -> bytes:
        """The evaluations k * M_c of the public constants under one key, as a manifest pins them."""
        return self.group.evaluate_own(key, self.canary_points())

    def class_canaries(self, epoch_key: bytes) -> dict[TokenClass, bytes]:
        """The evaluations of the public constants under the key of each class."""
        return {each: self.canary_tokens(key) for each, key in self.class_keys(epoch_key).items()}

    def rekey(self, new: bytes, old: bytes, own: Bytes) -> Bytes:
        """T' = (k'/k) * T of own records, (n, point). Raises ScalarError (see Group)."""
        return self._rows(self.group.rekey(new, old, own.tobytes()))

    def _rows(self, points: bytes) -> Bytes:
        return np.frombuffer(points, dtype=np.uint8).reshape(-1, self.sizes.point)

    # ---- tags and labels

    def token_secrets(self, own: Bytes) -> Bytes:
        """The secret y of each token T, (n, 32): the same for all items and epochs."""
        return self.hash.derive(self.contexts.token, own)

    def entry_keys(self, own: Bytes, item: str, epoch: int) -> tuple[Bytes, Bytes]:
        """Tags and label keys of tokens, (n, tag) and (n, label key) (design.md section 2, step 5)."""
        return self.secret_keys(self.token_secrets(own), item, epoch)

    def secret_keys(self, secrets: Bytes, item: str, epoch: int) -> tuple[Bytes, Bytes]:
        """The same of the secrets of tokens (n, 32)."""
        tag = self.sizes.tag
        stream = self.hash.expand(secrets, tokens.entry_context(item, epoch), tag + self.sizes.label_key)
        return stream[:, :tag], stream[:, tag:]

    def record_numbers(self, key: bytes, item: str, types: NDArray[np.uint8], values: Bytes) -> Bytes:
        """The record number of each identity under the record key, (n, 6) (design.md section 3.2).

        A record has that of its identity with the smallest digest of `digests`.
        """
        messages = batch.messages(label.record_context(item), types, values)
        return self.hash.keyed(key, messages, label.RECORD_NUMBER_SIZE)

    def name_checks(self, records: Bytes, names: Sequence[bytes]) -> Bytes:
        """`label.name_check` and `label.converted_check`, (n, 2), of record numbers (n, 6) and names.

        Names are normalised, in UTF-8.
        """
        head, numbers, simple = self.contexts.name, vectorised.rows_of(records), simplify_all(names)
        pairs = zip(numbers, names, strict=True)
        first = self.hash.hash_each([head + number + name for number, name in pairs], 1)
        checks = np.repeat(first, 2, axis=1)
        other = [row for row, name in enumerate(simple) if name != names[row]]
        checks[other, 1] = self.hash.hash_each([head + numbers[row] + simple[row] for row in other], 1)[:, 0]
        checks[:, 1] &= label.CONVERTED
        return checks

    def seal_labels(self, label_keys: Bytes, records: Bytes, associated: Sequence[bytes]) -> Bytes:
        """`label.seal` of plain records (n, 10 + w), (n, sealed)."""
        return self.cipher.seal(label_keys, records, associated)

    def open_labels(self, label_keys: Bytes, sealed: Bytes, associated: Sequence[bytes]) -> Bytes:
        """The plain records, (n, 10 + w), of sealed labels. Raises LabelError when one does not open."""
        return self.cipher.unseal(label_keys, sealed, associated)

    def read_labels(
        self, label_keys: Bytes, sealed: Bytes, associated: Sequence[bytes], width: int, day: int
    ) -> NDArray[np.void]:
        """`label.open_label` of n sealed labels: rows of `batch.RECORD`. Raises LabelError.

        `width` is that of the item's value, `day` the date of the partition.
        """
        if sealed.shape[1] != self.sizes.sealed(width):
            raise LabelError("a label has the wrong size")
        return batch.read_records(self.open_labels(label_keys, sealed, associated), width, day)


X25519_BLAKE3 = Suite(
    name=SUITE,
    sizes=Sizes(
        point=x25519.POINT_SIZE,
        scalar=x25519.POINT_SIZE,
        tag=tokens.TAG_SIZE,
        label_key=tokens.LABEL_KEY_SIZE,
        overhead=label.OVERHEAD,
        salt_check=tokens.SALT_CHECK_SIZE,
        canaries=tokens.CANARIES,
    ),
    contexts=Contexts(
        identity=tokens.IDENTITY_CONTEXT,
        bucket=tokens.BUCKET_CONTEXT,
        class_key=tokens.CLASS_KEY_CONTEXT,
        token=tokens.TOKEN_CONTEXT,
        canary=tokens.CANARY_CONTEXT,
        point_blind=tokens.POINT_BLIND_CONTEXT,
        cohort_blind=tokens.COHORT_BLIND_CONTEXT,
        salt_check=tokens.SALT_CHECK_CONTEXT,
        name=label.NAME_CONTEXT,
    ),
    group=oprf,
    hash=vectorised,
    cipher=vectorised,
    candidates=x25519.candidates,
)
# By name as on the wire; a peer that knows none of these is refused.
SUITES: Final = {suite.name: suite for suite in (X25519_BLAKE3,)}
# The suite in which this node keeps its index and answers.
CURRENT: Final = SUITES[SUITE]


def find(name: str) -> Suite:
    """The suite of this name. Raises SuiteError."""
    try:
        return SUITES[name]
    except KeyError:
        raise SuiteError("no suite of this name is known") from None


def choose(names: Iterable[str]) -> Suite:
    """The first of some names, in a peer's order, that this node knows. Raises SuiteError."""
    return find(next((name for name in names if name in SUITES), ""))
