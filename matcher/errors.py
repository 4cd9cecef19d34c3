"""Errors of the matcher. Messages never contain an input."""


class MatcherError(Exception):
    """Base of every error the matcher raises; `code` is a stable label."""

    code = "matcher_error"


class IdentityError(MatcherError):
    """A raw identity value cannot be brought to canonical form; `reason` is a stable word."""

    code = "invalid_identity"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class PointError(MatcherError):
    """Bytes that are not acceptable points: wrong length, non-canonical, on the twist, of low order."""

    code = "invalid_point"


class CountError(PointError):
    """More points than announced, or a different number returned than was sent."""

    code = "wrong_count"


class SuiteError(MatcherError):
    """An unknown suite name."""

    code = "unknown_suite"


class ScalarError(MatcherError):
    """A scalar that is not a clamped 32-byte X25519 scalar, or has no usable inverse."""

    code = "invalid_scalar"


class LabelError(MatcherError):
    """A sealed label does not open: wrong key, wrong partition, or altered bytes."""

    code = "invalid_label"


class CipherMissingError(MatcherError):
    """The OpenSSL that Python uses is too old for the seal of labels."""

    code = "cipher_missing"


class BucketError(MatcherError):
    """Bucket bytes that are not a whole number of sorted, distinct entries, or fail their digest."""

    code = "invalid_bucket"


class BackendError(MatcherError):
    """The X25519 backend that was asked for is unknown or cannot run on this machine."""

    code = "backend_unavailable"


class PaillierError(MatcherError):
    """Base of the errors of encrypted sums."""

    code = "paillier_error"


class PaillierKeyError(PaillierError):
    """Bytes or numbers that are not a private key, or one that has no provable fixed base."""

    code = "invalid_paillier_key"


class PlaintextError(PaillierError):
    """A number that is not in [0, n)."""

    code = "invalid_plaintext"


class CiphertextError(PaillierError):
    """Bytes or a number that no honest peer sends as a ciphertext: wrong size, out of range, not a unit."""

    code = "invalid_ciphertext"


class ModulusError(PaillierError):
    """A peer's modulus is not acceptable; `reason` is a stable word (see matcher/sums/modulus_proof.py)."""

    code = "invalid_modulus"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class SlotsError(MatcherError):
    """A layout that cannot fit, a value that does not fit its slot, or a total no layout gives."""

    code = "invalid_slots"


class InconsistentError(SlotsError):
    """Opened totals that contradict each other: something other than this node's rows was added."""

    code = "inconsistent_totals"


class DisclosureError(MatcherError):
    """Rules of disclosure that do not make sense."""

    code = "invalid_rules"
