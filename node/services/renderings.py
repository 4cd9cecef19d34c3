"""Files of reports in worker processes: how many at once, their temporary files, and their end."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from node.compute.engine import Engine, open_engine
from node.compute.scratch import KEY_SIZE, SealedScratch, remove_folder
from node.context import Node
from node.domain.findings import Report
from node.errors import UnavailableError
from node.reports.kinds import AnyReport
from node.reports.rendering import Order, Rendered, Renderer, render_file
from node.reports.signature import Signer
from node.transport.stream_limits import StreamLimits

FOLDER: Final = ".reports"
_SMALL: Final = 2_000  # findings of a report that the process for households makes: a few households


class Renderings:
    """The processes that make files of reports for one node.

    One process, started when it is first needed, makes those of households, so that its font is read once. A
    larger file has a process of its own, whose memory is free again afterwards.
    """

    def __init__(self, node: Node) -> None:
        self._node, self._folder = node, node.config.folder / FOLDER
        self._limits = StreamLimits(node.config.limits.max_renderings, "renderings")
        self._stack, self._lock = ExitStack(), threading.Lock()
        self._engine: Engine | None = None
        remove_folder(self._folder)  # what a killed node left

    @contextmanager
    def take(self) -> Iterator[None]:
        """Hold a place. Raises LimitError with the rule `renderings` where all are taken."""
        with self._limits.take("all"):
            yield

    @contextmanager
    def make(self, report: AnyReport, one: str, lang: str) -> Iterator[tuple[Rendered, Iterator[bytes]]]:
        """A file of a report and its bytes, which are there until this block ends.

        The caller holds a place. Raises as `node.reports.files.write` does.
        """
        node, key = self._node, secrets.token_bytes(KEY_SIZE)
        folder = self._new_folder()
        try:
            signer = Signer(node.code, node.keys.signing)
            order = Order(report, one, lang, signer, folder, key)
            made = self._render(order)
            scratch = SealedScratch(folder, key)
            yield made, (scratch.read(piece) for piece in made.pieces)
        finally:
            remove_folder(folder)

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A private folder for temporary files that have no name."""
        folder = self._new_folder()
        try:
            yield folder
        finally:
            remove_folder(folder)

    def close(self) -> None:
        """End the processes."""
        with self._lock:
            self._stack.close()
            self._engine = None

    def _render(self, order: Order) -> Rendered:
        if isinstance(order.report, Report) and len(order.report.findings) > _SMALL:
            with open_engine(self._renderer(), 1) as engine:
                return next(engine.map(render_file, [order]))
        try:
            return next(self._small().map(render_file, [order]))
        except UnavailableError:
            self.close()  # the process may have been killed: the next call starts another
            raise

    def _small(self) -> Engine:
        with self._lock:
            if self._engine is None:
                self._engine = self._stack.enter_context(open_engine(self._renderer(), 1))
            return self._engine

    def _renderer(self) -> Renderer:
        return Renderer(self._node.catalogue, self._folder, secrets.token_bytes(KEY_SIZE))

    def _new_folder(self) -> Path:
        """Raises UnavailableError."""
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            return Path(mkdtemp(dir=self._folder))
        except OSError as error:
            raise UnavailableError(
                f"{self._folder}: cannot be written: {error.strerror}",
                "check the home's folder and the free space",
            ) from None
