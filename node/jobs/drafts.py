"""Drafts: one person prepares a verification, sum or watch list, another one approves it before it begins.

Both look at the same bytes: an approval names the version and the digest of what the approver saw. Approving
asks for password and second factor again (domain.md section 3: preparer and approver are different people).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from blake3 import blake3

from node.context import Node
from node.database import Connection
from node.database import audit_log as audit_rows
from node.database import drafts as rows
from node.database.drafts import DraftChoice, DraftPage, DraftRow
from node.domain import sealed_names
from node.domain.audit_chain import Detail
from node.domain.jobs import VERIFICATION
from node.domain.mandate import CODE
from node.domain.new_ids import new_id
from node.domain.units import covers, digits_of
from node.domain.users import Person, Role, unit_owner
from node.errors import InvalidRequestError, NotFoundError, PreconditionError, RefusedError
from node.jobs.acting import require_still
from node.jobs.draft_kinds import KINDS, require_kind

MAX_FORM: Final = 512 * 1024
MAX_REASON: Final = 500
STATES: Final = ("draft", "waiting", "returned", "sent")
WHOSE: Final = ("own", "others")
_OPEN: Final = ("draft", "returned")
_DIGEST_CONTEXT: Final = "heqiao v1 draft digest"


def save(node: Node, by: Person, draft: str, version: int, form: bytes, kind: str = "") -> DraftRow:
    """Keep what a person typed, as a new draft (`draft` empty) of a kind or as the next version of one.

    Raises InvalidRequestError for a form that is too large or an unknown kind, NotFoundError, RefusedError
    for another person's, PreconditionError for one that waits or was sent, of another kind or version.
    """
    if len(form) > MAX_FORM:
        raise InvalidRequestError(f"a draft holds at most {MAX_FORM // 1024} KiB")
    name, kind = draft or new_id("d"), require_kind(kind)
    sealed, now = _seal(node, name, "form", form), node.clock()

    def write(tx: Connection) -> DraftRow:
        if not draft:
            row = DraftRow(name, by.unit, by.account, kind, "draft", 1, None, (), (), "", 0, "", "", now, now)
            rows.add_draft(tx, row, sealed)
            return row
        row = _own_open(tx, by, draft, kind)
        cleared = {"request_sealed": None, "request_digest": None, "form_sealed": sealed, "state": row.state}
        return _change(tx, row, version, {**cleared, "updated_at": now})

    return node.store.retry_write("save a draft", write)


def read(node: Node, by: Person, draft: str) -> tuple[DraftRow, bytes, str]:
    """A draft of the unit or one below it, what was typed, and why it was returned. Raises NotFoundError."""
    with node.store.transaction("read a draft") as tx:
        row = _seen(tx, by, draft)
        held = rows.read_content(tx, draft)
    form = b"" if held.form is None else _open(node, draft, "form", held.form)
    reason = b"" if held.reason is None else _open(node, draft, "reason", held.reason)
    return row, form, reason.decode()


def require_own_open(node: Node, by: Person, draft: str) -> None:
    """An own draft that is not finished. Raises NotFoundError, RefusedError, PreconditionError."""
    with node.store.transaction("read a draft") as tx:
        _own_open(tx, by, draft)


def read_request(node: Node, by: Person, draft: str) -> tuple[DraftRow, Any]:
    """A draft that waits, and what it asks. Raises NotFoundError, PreconditionError."""
    with node.store.transaction("read a draft") as tx:
        row = _seen(tx, by, draft)
        held = rows.read_content(tx, draft)
    if row.state != "waiting" or held.request is None:
        raise PreconditionError("this draft does not wait for an approval")
    return row, KINDS[row.kind].unpack(_open(node, draft, "request", held.request))


def list_drafts(node: Node, by: Person, choice: DraftChoice) -> DraftPage:
    """A page of drafts of the unit and of those below it, newest change first; those that wait, oldest first.

    Raises InvalidRequestError.
    """
    if choice.state and choice.state not in STATES:
        raise InvalidRequestError(f"a draft is one of {', '.join(STATES)}")
    if choice.whose and choice.whose not in WHOSE:
        raise InvalidRequestError(f"drafts are those of {' or '.join(WHOSE)}")
    with node.store.transaction("list drafts") as tx:
        return rows.list_drafts(tx, digits_of(by.unit), by.account, choice)


def delete(node: Node, by: Person, draft: str) -> None:
    """Delete an own draft that was not sent. Raises NotFoundError, RefusedError, PreconditionError."""

    def write(tx: Connection) -> None:
        row = _own(tx, by, draft)
        if row.state == "sent":
            raise PreconditionError("this draft was sent", "cancel its job instead")
        rows.delete_draft(tx, draft)

    node.store.retry_write("delete a draft", write)


def send_for_approval(
    node: Node, by: Person, draft: str, version: int, job: str, request: Any, kind: str = VERIFICATION
) -> DraftRow:
    """Hand a draft to an approver, with the request that the approval submits under the id of a job or list.

    Raises what the kind's `check` does, as `save`, and PreconditionError for a draft of another kind.
    """
    KINDS[kind].check(node, job, request)
    plain = KINDS[kind].pack(request)
    sealed, now = _seal(node, draft, "request", plain), node.clock()
    values = {
        "state": "waiting",
        "request_sealed": sealed,
        "request_digest": _digest(node, kind, plain),
        "reason_sealed": None,
        "items": list(request.items),
        "peers": list(request.peers),
        "purpose": request.purpose,
        "subjects": KINDS[kind].people(request),
        "job": job,
        "approver": "",
        "updated_at": now,
    }

    def write(tx: Connection) -> DraftRow:
        require_still(tx, node, by, Role.PREPARER)
        changed = _change(tx, _own_open(tx, by, draft, kind), version, values)
        audit_rows.append(tx, "draft_sent_for_approval", _details(changed), now)
        return changed

    return node.store.retry_write("send a draft for approval", write)


def approve(
    node: Node,
    by: Person,
    draft: str,
    version: int,
    digest: bytes,
    start: Callable[[DraftRow, Any], object],
) -> DraftRow:
    """Approve another person's draft as it was seen, submit what it asks, and `start` that.

    The caller has checked password and second factor of `by`. The job or list belongs to the draft's unit, in
    the preparer's name, and is stored in the transaction of the approval. Raises RefusedError for the own
    draft, PreconditionError for an altered one or where another approver was first, NotFoundError,
    SessionEndedError for an approver who has left meanwhile.
    """
    with _noted(node, draft):
        changed, request = _approve(node, by, draft, version, digest)
    start(changed, request)
    return changed


def _approve(node: Node, by: Person, draft: str, version: int, digest: bytes) -> tuple[DraftRow, Any]:
    row, request = read_request(node, by, draft)
    if row.preparer == by.account:
        raise RefusedError(
            "nobody approves the own draft", "another approver of the unit does it", {"rule": "own_draft"}
        )
    if row.version != version or row.request_digest != digest:
        raise _changed()
    store = KINDS[row.kind].submission(node, row.job, request, unit_owner(row.unit))
    now = node.clock()
    sent = {"state": "sent", "approver": by.account, "request_sealed": None, "updated_at": now}

    def write(tx: Connection) -> DraftRow:
        require_still(tx, node, by, Role.APPROVER)
        changed = _change(tx, _seen(tx, by, draft), version, sent)
        audit_rows.append(tx, "draft_approved", {**_details(changed), "approver": by.account}, now)
        store(tx)
        return changed

    return node.store.retry_write("approve a draft", write), request


def give_back(node: Node, by: Person, draft: str, version: int, reason: str) -> DraftRow:
    """Return another person's draft with a reason.

    Raises as `approve`, InvalidRequestError for the reason.
    """
    text = reason.strip()
    if not text or len(text) > MAX_REASON:
        raise InvalidRequestError(f"a reason has 1 to {MAX_REASON} characters")
    sealed, now = _seal(node, draft, "reason", text.encode()), node.clock()

    def write(tx: Connection) -> DraftRow:
        row = _seen(tx, by, draft)
        if row.preparer == by.account:
            raise RefusedError("this is your own draft", "change it, or delete it", {"rule": "own_draft"})
        if row.state != "waiting":
            raise PreconditionError("this draft does not wait for an approval")
        values = {"state": "returned", "reason_sealed": sealed, "request_sealed": None}
        ended = {"request_digest": None, "approver": by.account, "updated_at": now}
        changed = _change(tx, row, version, {**values, **ended})
        audit_rows.append(tx, "draft_returned", {**_details(changed), "approver": by.account}, now)
        return changed

    with _noted(node, draft):
        return node.store.retry_write("return a draft", write)


@contextmanager
def _noted(node: Node, draft: str) -> Iterator[None]:
    """Refusals of an approval are on record: the own draft, and one that was altered or decided meanwhile."""
    try:
        yield
    except (RefusedError, PreconditionError) as error:
        details: dict[str, Detail] = {"draft": draft, "rule": error.details.get("rule", "draft_state")}
        now = node.clock()
        node.store.retry_write(
            "note a refusal", lambda tx: audit_rows.append(tx, "draft_refused", details, now)
        )
        raise


def _change(tx: Connection, row: DraftRow, version: int, values: Mapping[str, object]) -> DraftRow:
    if not rows.change_draft(tx, row.id, version, values):
        raise _changed()
    found = rows.find_draft(tx, row.id)
    if found is None:
        raise NotFoundError("there is no such draft")
    return found


def _changed() -> PreconditionError:
    return PreconditionError(
        "the draft was changed since it was shown", "look at it again", {"rule": "draft_version"}
    )


def _seen(tx: Connection, by: Person, draft: str) -> DraftRow:
    row = rows.find_draft(tx, draft, lock=True) if CODE.fullmatch(draft) else None
    if row is None or not covers(by.unit, row.unit):
        raise NotFoundError("there is no such draft")
    return row


def _own(tx: Connection, by: Person, draft: str) -> DraftRow:
    row = _seen(tx, by, draft)
    if row.preparer != by.account:
        raise RefusedError(
            "this draft is another person's", "that person can change it", {"rule": "draft_owner"}
        )
    return row


def _own_open(tx: Connection, by: Person, draft: str, kind: str = "") -> DraftRow:
    row = _own(tx, by, draft)
    if row.state not in _OPEN:
        raise PreconditionError("this draft waits for an approval, or was sent")
    if kind and row.kind != kind:  # what was typed for one kind says nothing of another
        raise PreconditionError("this draft is of another kind", "save a new one", {"rule": "draft_kind"})
    return row


def _digest(node: Node, kind: str, plain: bytes) -> bytes:
    # Keyed, because a small request could be guessed from a plain digest.
    key = blake3(node.keys.digest_key, derive_key_context=_DIGEST_CONTEXT).digest()
    return blake3(f"{kind} ".encode() + plain, key=key).digest()


def _details(row: DraftRow) -> dict[str, Detail]:
    return {
        "draft": row.id,
        "kind": row.kind,
        "unit": row.unit,
        "preparer": row.preparer,
        "job": row.job,
        "subjects": row.subjects,
        "items": list(row.items),
        "peers": list(row.peers),
        "purpose": row.purpose,
    }


def _seal(node: Node, draft: str, what: str, plain: bytes) -> bytes:
    return node.keys.vault.seal(sealed_names.of_draft(draft, what), plain)


def _open(node: Node, draft: str, what: str, sealed: bytes) -> bytes:
    return node.keys.vault.unseal(sealed_names.of_draft(draft, what), sealed)
