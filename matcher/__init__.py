"""The protocol's mathematics: pure functions, no file, network, clock or log (design.md sections 2 and 3).

    requester                                             responder
    ---------                                             ---------
    identity.parse        raw value -> identity           identity.parse
    tokens.map_to_curve   identity, salt -> M             tokens.map_to_curve
    oprf.blind            B = r * M
                                     ---- B ---->
                                                          oprf.evaluate    E = k * B
                                     <--- E -----
    oprf.finalize         T = r' * E                      oprf.evaluate_own    T = k * M
    tokens.entry_keys     T -> tag, label key             tokens.entry_keys
                                                          label.seal, buckets.build_buckets
                                     -- bucket numbers ->
                                     <-- buckets, path --
    merkle.verify, buckets.read_block
    label.open_label      sealed -> record

`sums` holds the mathematics of sums over encrypted rows (design.md section 5).

Only `suites.x25519` calls the curve libraries; randomness is always an argument.
"""

from matcher.errors import MatcherError, PointError
from matcher.types import SUITE, Identity, LabelRecord, Level

__all__ = ["SUITE", "Identity", "LabelRecord", "Level", "MatcherError", "PointError"]
