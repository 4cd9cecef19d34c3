"""A TCP relay in front of a node: it loses requests or responses, as a network does.

TLS goes through it untouched, so it sees pieces of a stream, not messages: a fault strikes after so many
pieces, in the handshake or in the middle of a fetch.
"""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

FaultKind = Literal["request", "response", "call"]


@dataclass
class Fault:
    """Occurs once, after a number of further pieces from the caller."""

    kind: FaultKind
    after: int
    call: Callable[[], None] = lambda: None


class Tap:
    """Listens on a fixed port, and relays to the current port of the node."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._target: int | None = None
        self._fault: Fault | None = None
        self._lock, self._flow = threading.Lock(), threading.Event()
        self._flow.set()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        threading.Thread(target=self._accept, name="tap", daemon=True).start()

    def relay_to(self, port: int | None) -> None:
        """Relay to a port from now on; None: refuse connections, and close open ones."""
        with self._lock:
            self._target = port
            ended = set() if port else set(self._pairs)
        for pair in ended:
            self._end(pair)
        self._flow.set()

    def hold(self) -> None:
        """Hold all data back until the next `relay_to`."""
        self._flow.clear()

    def arm(self, fault: Fault | None) -> None:
        """Arm a fault, which occurs once; None disarms it."""
        with self._lock:
            self._fault = fault

    def close(self) -> None:
        """Stop listening."""
        self.relay_to(None)
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._server.accept()
            except OSError:
                return
            with self._lock:
                target = self._target
            try:
                node = socket.create_connection(("127.0.0.1", target or 1), timeout=30)
            except OSError:
                caller.close()
                continue
            node.settimeout(None)
            pair = (caller, node)
            with self._lock:
                self._pairs.add(pair)
            lost = threading.Event()  # the response to what was sent last is lost
            threading.Thread(target=self._send, args=(pair, lost), daemon=True).start()
            threading.Thread(target=self._answer, args=(pair, lost), daemon=True).start()

    def _send(self, pair: tuple[socket.socket, socket.socket], lost: threading.Event) -> None:
        caller, node = pair
        with suppress(OSError):
            while piece := caller.recv(1 << 16):
                fault = self._strike()
                if fault is not None and fault.kind != "response":
                    fault.call()
                    break
                if fault is not None:
                    lost.set()
                self._flow.wait()
                node.sendall(piece)
        self._end(pair)

    def _answer(self, pair: tuple[socket.socket, socket.socket], lost: threading.Event) -> None:
        caller, node = pair
        with suppress(OSError):
            while (piece := node.recv(1 << 16)) and not lost.is_set():
                self._flow.wait()
                caller.sendall(piece)
        self._end(pair)

    def _strike(self) -> Fault | None:
        with self._lock:
            if self._fault is None:
                return None
            self._fault.after -= 1
            if self._fault.after >= 0:
                return None
            fault, self._fault = self._fault, None
            return fault

    def _end(self, pair: tuple[socket.socket, socket.socket]) -> None:
        with self._lock:
            self._pairs.discard(pair)
        for one in pair:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
