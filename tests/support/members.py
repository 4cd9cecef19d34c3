"""Members of a federation, made with the commands; fingerprints are read from their senders' own files."""

from pathlib import Path

from testbed.fingerprints import of_ca, of_card, of_request
from tests.support.cli_runner import ok


def answer(ca: Path, request: Path, out: Path, *more: object) -> str:
    """`heqiao ca issue`."""
    return ok("ca", "issue", "--dir", ca, request, *of_request(request), "--out", out, *more)


def join(home: Path, bundle: Path, ca: Path, *more: object) -> str:
    """`heqiao join`, for the first time."""
    return ok("join", "--home", home, bundle, *of_ca(ca), *more)


def add_peer(home: Path, card: Path, *more: object) -> str:
    """`heqiao peers add`."""
    return ok("peers", "add", "--home", home, card, *of_card(card), *more)


def make_member(base: Path, code: str, *more: object) -> Path:
    """A home that has joined the federation of the CA in `base`/ca."""
    home, bundle = base / code, base / f"{code}.bundle"
    ok("init", "--home", home, "--code", code, "--name", code, *more)
    answer(base / "ca", home / "request.json", bundle)
    join(home, bundle, base / "ca")
    return home
