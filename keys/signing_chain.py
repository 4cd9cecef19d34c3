"""From one signing key to the next: statements that both keys sign, so that peers follow automatically.

A peer that pinned the old key receives a chain of statements with a manifest under the new one. `follow`
checks the chain from the pinned key to the last: each statement is signed by the old key (which names its
successor) and by the new one (which proves its possession), and is valid until the old key's grace ends.
After that a person must hand over a new card.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Annotated, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from keys.errors import SuccessionError
from keys.pki.documents import Base64, Key32
from keys.pki.names import check_code

CONTEXT: Final = b"heqiao v1 succession\x00"
MAX_CHAIN: Final = 16  # statements in one message or card
CLOCK_SKEW: Final = timedelta(minutes=5)
_CARD_HINT: Final = "get a new card from the peer's administrator, check it by telephone, `heqiao peers add`"
_INFORM_HINT: Final = "the pinned key stays in use; inform the peer's administrator"


def _check_signature(value: bytes) -> bytes:
    if len(value) != 64:
        raise ValueError("must be 64 bytes in base64")
    return value


Code = Annotated[str, AfterValidator(check_code)]
Signature = Annotated[Base64, AfterValidator(_check_signature)]
Moment = Annotated[int, Field(ge=0, lt=1 << 40)]


class Succession(BaseModel):
    """One statement: of province `code`, key `number` (its epoch, from 2) follows the one before.

    Keys are Ed25519, the public halves; times are Unix seconds. Raises ValueError when malformed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    code: Code
    number: Annotated[int, Field(ge=2, lt=1 << 31)]
    old_key: Key32
    new_key: Key32
    issued_at: Moment
    expires_at: Moment
    by_old: Signature
    by_new: Signature

    def plain(self) -> dict[str, str | int | bytes]:
        """All fields unchanged; a model's own dump would convert bytes to text."""
        return {name: getattr(self, name) for name in type(self).model_fields}

    def signed_part(self) -> bytes:
        """The bytes that both signatures cover."""
        return _signed_part(
            self.code, self.number, self.old_key, self.new_key, (self.issued_at, self.expires_at)
        )


def sign(
    code: str, number: int, old: bytes, new: bytes, issued_at: datetime, expires_at: datetime
) -> Succession:
    """The statement that key `number`, the 32-byte secret `new`, follows the secret `old`."""
    signers = [Ed25519PrivateKey.from_private_bytes(secret) for secret in (old, new)]
    old_key, new_key = (signer.public_key().public_bytes_raw() for signer in signers)
    times = int(issued_at.timestamp()), int(expires_at.timestamp())
    signed = _signed_part(code, number, old_key, new_key, times)
    by_old, by_new = (signer.sign(signed) for signer in signers)
    return Succession(
        code=code,
        number=number,
        old_key=old_key,
        new_key=new_key,
        issued_at=times[0],
        expires_at=times[1],
        by_old=by_old,
        by_new=by_new,
    )


def follow(
    code: str, pinned: bytes, chain: Sequence[Succession], now: datetime, replaced: Collection[bytes] = ()
) -> tuple[Succession, ...]:
    """The part of a chain that leads from the pinned key to the last; empty where the last is pinned already.

    `replaced` are keys that were pinned before. Raises SuccessionError, whose `check` names the fault; then
    no part of the chain may be used.
    """
    if len(chain) > MAX_CHAIN:
        raise SuccessionError("order", f"a chain of more than {MAX_CHAIN} successions", _INFORM_HINT)
    for statement in chain:
        _require_signed(code, statement)
    for before, after in pairwise(chain):
        if (
            before.new_key != after.old_key
            or after.number <= before.number
            or after.issued_at < before.issued_at
        ):
            raise SuccessionError("order", "successions of keys do not follow one another", _INFORM_HINT)
    if not chain or chain[-1].new_key == pinned:
        return ()
    start = next((at for at, statement in enumerate(chain) if statement.old_key == pinned), None)
    if any(statement.new_key in replaced for statement in chain[start or 0 :]):
        raise SuccessionError("replayed", "a succession leads back to a key that was replaced", _INFORM_HINT)
    if start is None:
        raise SuccessionError("gap", "no succession leads on from the key that is pinned here", _CARD_HINT)
    rest = tuple(chain[start:])
    for statement in rest:
        _require_now(statement, now)
    return rest


def _require_signed(code: str, statement: Succession) -> None:
    signed = statement.signed_part()
    try:
        if statement.code != code or statement.old_key == statement.new_key:
            raise ValueError("not of this peer")  # noqa: TRY301  one answer to every fault
        Ed25519PublicKey.from_public_bytes(statement.old_key).verify(statement.by_old, signed)
        Ed25519PublicKey.from_public_bytes(statement.new_key).verify(statement.by_new, signed)
    except (InvalidSignature, ValueError):
        raise SuccessionError(
            "forged", "a succession of keys is not signed by both of them", _INFORM_HINT
        ) from None


def _require_now(statement: Succession, now: datetime) -> None:
    issued, expires = (datetime.fromtimestamp(at, UTC) for at in (statement.issued_at, statement.expires_at))
    if issued > now + CLOCK_SKEW:
        raise SuccessionError(
            "clock", "a succession of keys is from the future", "compare the clocks of both nodes"
        )
    if expires + CLOCK_SKEW < now:
        raise SuccessionError(
            "expired", "the grace in which a succession of keys could be followed is over", _CARD_HINT
        )


def _signed_part(code: str, number: int, old_key: bytes, new_key: bytes, times: tuple[int, int]) -> bytes:
    words = code.encode() + number.to_bytes(4, "big")
    return CONTEXT + words + old_key + new_key + b"".join(at.to_bytes(8, "big") for at in times)
