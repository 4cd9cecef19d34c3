"""Subjects of a verification that must not be queried at a peer, with reasons, packed for the database."""

import json
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from node.domain.packed import add_version, strip_version

Refusals = Mapping[str, str]  # of one subject: item -> why, one of mandate.REASONS
_FORM = 1


def pack_refusals(refusals: Sequence[Refusals]) -> bytes:
    """The distinct refusals as JSON and the index of each subject's, compressed: most mandates are alike."""
    shared = {key: json.dumps(one, sort_keys=True) for key, one in {id(one): one for one in refusals}.items()}
    different = list(dict.fromkeys(shared.values()))
    number = {text: place for place, text in enumerate(different)}
    place_of = {key: number[text] for key, text in shared.items()}
    text = f"[{','.join(different)}]".encode()
    places = np.array([place_of[id(one)] for one in refusals], dtype="<u4").tobytes()
    return add_version(_FORM, zlib.compress(len(text).to_bytes(4, "big") + text + places, 1))


def unpack_refusals(packed: bytes) -> list[Refusals]:
    """The opposite of `pack_refusals`; raises as `split_refusals` does."""
    different, places = split_refusals(packed)
    return [different[place] for place in places.tolist()]


def split_refusals(packed: bytes) -> tuple[list[Refusals], NDArray[np.uint32]]:
    """What `pack_refusals` made, as the different refusals and the index of each subject's.

    The input was sealed under this node's own key. Raises PreconditionError for a form of another version.
    """
    plain = zlib.decompress(strip_version(_FORM, packed))
    end = 4 + int.from_bytes(plain[:4], "big")
    return json.loads(plain[4:end]), np.frombuffer(plain, dtype="<u4", offset=end)
