"""The places of sealed values, which are part of their seals: none opens in the place of another."""


def of_request(job: str) -> str:
    """The request of a job."""
    return f"request {job}"


def of_part(job: str, peer: str, what: str) -> str:
    """Something of a part: `session`, `refusals`, `tokens` from a first point on, `product` of an item."""
    return f"part {job} {peer} {what}"


def of_answers(job: str, peer: str, item: str) -> str:
    """A part's answers about an item."""
    return f"answers {job} {peer} {item}"


def of_opened_sum(peer: str, query: bytes, item: str) -> str:
    """The answer that a peer was given about a sum."""
    return f"sum {peer} {query.hex()} {item}"


def of_guards(peer: str, query: bytes, item: str) -> str:
    """The totals of the guards of a sum that was opened for a peer."""
    return f"guards {peer} {query.hex()} {item}"


def of_exposure(peer: str, query: bytes, item: str) -> str:
    """The rows of a sum that a peer opened for this node."""
    return f"exposure {peer} {query.hex()} {item}"


def of_bucket(kind: str, item: str, origin: int, epoch: int, number: int) -> str:
    """What is `kept` of a bucket, or its `links`."""
    return f"{kind} {item} {origin:02} {epoch} {number}"


def of_tokens(token_class: str, epoch: int, prefix: int, version: int) -> str:
    """A block of tokens."""
    return f"tokens {token_class} {epoch} {prefix} {version}"


def of_matched_entries(job: str, peer: str, item: str) -> str:
    """The entries that a job opened at a peer for an item."""
    return f"entries {job} {peer} {item}"


def of_objection(objection: str) -> str:
    """Who objects to what, and why."""
    return f"objection {objection}"


def of_sent_correction(correction: bytes) -> str:
    """Whose record another province is asked to correct."""
    return f"correction sent {correction.hex()}"


def of_received_correction(peer: str, correction: bytes) -> str:
    """Which record a peer asks to correct."""
    return f"correction received {peer} {correction.hex()}"
