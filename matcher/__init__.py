"""The protocol's mathematics: pure functions, no file, network, clock or log (design.md sections 2 and 3).

    requester                                             responder
    ---------                                             ---------
    identity.parse        raw value -> identity           identity.parse
    token.map_to_curve    identity, salt -> M             token.map_to_curve
    oprf.blind            B = r * M
                                     ---- B ---->
                                                          oprf.evaluate    E = k * B
                                     <--- E -----
    oprf.finalize         T = r' * E                      oprf.evaluate_own    T = k * M
    token.entry_keys      T -> tag, label key             token.entry_keys
                                                          label.seal, index.build_buckets
                                     -- bucket numbers ->
                                     <-- buckets, path --
    merkle.verify, index.read_block
    label.open_label      sealed -> record

Sums over encrypted rows have `paillier`, `modulus`, `slots` and `disclosure` (design.md section 5).

Only `x25519` touches the curve libraries; randomness is always an argument.
"""

from matcher.errors import MatcherError, PointError
from matcher.types import SUITE, Identity, LabelRecord, Level

__all__ = ["SUITE", "Identity", "LabelRecord", "Level", "MatcherError", "PointError"]
