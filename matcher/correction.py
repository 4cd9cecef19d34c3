"""The proof that a request for correction is about an entry which the caller has opened (ADR 0032).

A mirror shows every tag of a partition, those of pads too, so a tag alone proves nothing. Whoever evaluated
the person's identity has the label key of the entry; a key derived from it, which opens nothing, is what a
requester keeps to be able to ask for a correction later.
"""

from typing import Final

from blake3 import blake3

KEY_CONTEXT: Final = "heqiao v1 correction key"
MESSAGE_CONTEXT: Final = b"heqiao v1 correction"
KEY_SIZE: Final = 32
PROOF_SIZE: Final = 32
PLACE_BITS: Final = 13  # of the placing digest: as many as a partition has buckets at most


def correction_key(label_key: bytes) -> bytes:
    """32 bytes of one entry in one epoch. They do not open its label, nor that of any other entry."""
    return blake3(label_key, derive_key_context=KEY_CONTEXT).digest(length=KEY_SIZE)


def prove(key: bytes, message: bytes) -> bytes:
    """BLAKE3, keyed, over the context, a zero byte and the message: 32 bytes."""
    return blake3(MESSAGE_CONTEXT + b"\x00" + message, key=key).digest(length=PROOF_SIZE)
