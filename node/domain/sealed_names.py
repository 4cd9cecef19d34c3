"""The places of sealed values, which are part of their seals: none opens in the place of another."""


def of_request(job: str) -> str:
    """The request of a job."""
    return f"request {job}"


def of_watch(watch: str, what: str) -> str:
    """Something of a watch list: `request`, `tokens` of a peer and class, `answers` of a peer and item."""
    return f"watch {watch} {what}"


def of_alert(alert: str, what: str) -> str:
    """The `content` of an alert, or the `note` of who acknowledged it."""
    return f"alert {alert} {what}"


def of_part(job: str, peer: str, what: str) -> str:
    """Something of a part: `session`, `refusals`, `reused`, `tokens` from a first point on, `product` of an
    item.
    """
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


def of_alias(item: str, epoch: int, tag: bytes) -> str:
    """Another identity of a record in the rows of sums."""
    return f"alias {item} {epoch} {tag.hex()}"


def of_bucket(kind: str, item: str, origin: int, epoch: int, number: int) -> str:
    """What is `kept` of a bucket, or its `links`."""
    return f"{kind} {item} {origin:02} {epoch} {number}"


def of_tokens(token_class: str, epoch: int, prefix: int, version: int) -> str:
    """A block of tokens."""
    return f"tokens {token_class} {epoch} {prefix} {version}"


def of_user(account: str, what: str) -> str:
    """The `name` of a person with an account, or its `secrets`."""
    return f"user {account} {what}"


def of_draft(draft: str, what: str) -> str:
    """Something of a draft: `form`, `request`, `reason`."""
    return f"draft {draft} {what}"


def of_household(owner: str, digest: bytes) -> str:
    """A household, by the digest of its number."""
    return f"household {owner} {digest.hex()}"


def of_mandate(owner: str, digest: bytes, what: str = "mandate") -> str:
    """A mandate by the digest of its number, or its `form`."""
    return f"{what} {owner} {digest.hex()}"


def of_urgent(job: str, place: int) -> str:
    """The reference of a person of an urgent check."""
    return f"urgent {job} {place}"


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
