"""One file of a report, made by a worker process for a running node, which then streams it.

Neither the memory of a list nor the font of printed reports is held by the node, and its threads go on. What
a worker hands over is in sealed temporary files (node/compute/scratch.py); only the unfinished sheets of a
workbook are in the same private folder as they are, while it is made.
"""

import gc
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from node.compute.scratch import Piece, SealedScratch
from node.domain.catalogue import Catalogue
from node.reports.common import number_of
from node.reports.files import render
from node.reports.kinds import AnyReport
from node.reports.signature import Signer

PIECE: Final = 512 << 10  # bytes of a piece: a message takes 1 MiB


@dataclass(frozen=True, slots=True)
class Renderer:
    """What a worker knows of its node. It makes no temporary files of its own here."""

    catalogue: Catalogue
    folder: Path
    scratch_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Order:
    """Which file to make. `folder` and `key` are those of its temporary files."""

    report: AnyReport = field(repr=False)
    format: str
    lang: str
    signer: Signer
    folder: Path
    key: bytes = field(repr=False)


class Rendered(NamedTuple):
    """A file that was made: SHA-256 of its bytes, where they are, and the report.sig.json for it."""

    name: str
    number: str
    size: int
    digest: bytes
    pieces: tuple[Piece, ...]
    signature: bytes


def render_file(renderer: Renderer, _scratch: SealedScratch, order: Order) -> Rendered:
    """The file of an order. Raises as `node.reports.files.write` does."""
    found, scratch = hashlib.sha256(), SealedScratch(order.folder, order.key)
    pieces: list[Piece] = []
    size = 0

    def take(chunk: bytes) -> None:
        nonlocal size
        found.update(chunk)
        size += len(chunk)
        pieces.extend(scratch.write(chunk[at : at + PIECE]) for at in range(0, len(chunk), PIECE))

    try:
        name, signature = render(
            order.report, renderer.catalogue, order.format, order.lang, order.signer, order.folder, take
        )
    finally:
        scratch.close()
        gc.collect()  # workers run without the collector
    return Rendered(name, number_of(order.report), size, found.digest(), tuple(pieces), signature)
