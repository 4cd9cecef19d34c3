"""The fingerprints that commands must be given. Here one program plays all administrators, so no telephone:
each is read from the sender's own file.
"""

from pathlib import Path

from keys.pki.enrolment import ca_fingerprint, load_card, load_request


def of_request(path: Path) -> tuple[str, str]:
    """The option of `heqiao ca issue` for a request."""
    return "--fingerprint", load_request(path).fingerprint()


def of_ca(folder: Path) -> tuple[str, str]:
    """The option of `heqiao join` for the CA in a folder."""
    return "--ca-fingerprint", ca_fingerprint((folder / "ca.pem").read_bytes())


def of_card(path: Path) -> tuple[str, str]:
    """The option of `heqiao peers add` for a card."""
    return "--fingerprint", load_card(path).fingerprint()
