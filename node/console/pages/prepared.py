"""What the pages of a prepared sum and a prepared watch list have in common: a head, a file, problems.

The node keeps only the head as the draft's form; people go straight into what waits for the approval.
"""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from starlette.responses import Response

from node.client.drafts import Draft, Drafts, FoundDraft
from node.console.pages.reference import offered_bases
from node.console.pages.uploaded_lists import WrongRow, WrongRowsError, read_list, require_right
from node.console.render import show
from node.console.visits import Visit
from node.domain.records import Reject
from node.errors import (
    InputError,
    InvalidRequestError,
    ItemNotOfferedError,
    JobConflictError,
    NotFoundError,
    PreconditionError,
    RefusedError,
)

KIND_WORDS: Final = {"verification": "核对", "sum": "汇总", "watch": "监测名单"}
PATHS: Final = {"verification": "/checks", "sum": "/sums", "watch": "/watches"}
CLOSED: Final = ("waiting", "sent")
# What the page shows above itself: of the people, the items or the provinces, and of another version.
REFUSALS: Final = (
    JobConflictError,
    InputError,
    InvalidRequestError,
    ItemNotOfferedError,
    NotFoundError,
    PreconditionError,
)
_RULE_WORDS: Final = {
    "min_cohort": "人数少于该项目的最低人数，任何省份都不会答复；没有发出任何查询。",
    "min_opened": "人数过少，任何省份的结果都不能反馈；没有发出任何查询。",
    "draft_version": "草稿已被更改，请刷新后重试。",
}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Head:
    """What is typed: the list's own number and the job whose people it has (both of a watch list only)."""

    items: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    legal_basis: str = ""
    number: str = ""
    job: str = ""


def pack(head: Head) -> bytes:
    """As it is kept in a draft."""
    return json.dumps(asdict(head), ensure_ascii=False).encode()


def unpack(kept: bytes) -> Head:
    """The opposite of `pack`; an empty head for what another program kept."""
    try:
        plain = json.loads(kept)
        texts = {name: str(plain[name]) for name in ("legal_basis", "number", "job")}
        items, peers = (tuple(map(str, plain[name])) for name in ("items", "peers"))
    except (ValueError, TypeError, KeyError):
        return Head()
    return Head(items, peers, **texts)


def typed(visit: Visit, job: str = "") -> Head:
    """The head that a form sends; the job stays what the draft says."""
    return Head(
        tuple(visit.fields("items", 16)),
        tuple(visit.fields("peers", 2)),
        visit.field("legal_basis", 32),
        visit.field("number", 64),
        job,
    )


def find_open(visit: Visit, kind: str) -> FoundDraft | None:
    """The draft in the address; None where it waits, was sent or is of another kind."""
    found = Drafts(visit.node).get(visit.request.path_params["draft"])
    return found if found.draft.kind == kind and found.draft.state not in CLOSED else None


def require_head(visit: Visit, head: Head) -> None:
    """Raises InputError with the Chinese words of what is missing."""
    if not head.items:
        raise InputError("请选择核对项目")
    if not head.peers:
        raise InputError("请选择核对省份")
    if head.legal_basis not in offered_bases(visit):
        raise InputError("请选择法律依据")


def read_rows(
    visit: Visit,
    name: str,
    reader: Callable[[Path], tuple[T, list[Reject]]],
    missing: str = "请选择名单文件",
) -> T:
    """An uploaded list, all of it or none. Raises InputError, WrongRowsError, LimitError."""
    found, rejects = read_list(visit, name, reader, "名单无法读取：首行须为列名，各列见下方说明", missing)
    require_right(rejects)
    return found


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a draft was not sent: words, and the rows of a file that are wrong."""

    words: str
    rows: Sequence[WrongRow] = ()


def send_prepared(
    visit: Visit, draft: Draft, head: Head, send: Callable[[Drafts, Draft], Any]
) -> tuple[Draft, Problem | None]:
    """Keep the head, then `send` the draft; the draft as it is now, and the problem where it was not sent.

    Raises RefusedError for what is no matter of the list, such as another person's draft.
    """
    drafts = Drafts(visit.node)
    try:
        draft = drafts.save(pack(head), draft.draft_id, visit.number("version"), draft.kind)
        require_head(visit, head)
        send(drafts, draft)
    except WrongRowsError as error:
        return draft, Problem(visit.say(error.message, count=error.count), error.rows)
    except InputError as error:
        return draft, Problem(visit.say(error.message))
    except REFUSALS as error:
        rule = error.details.get("rule", "")
        known = _RULE_WORDS.get(rule)
        return draft, Problem(visit.say(known) if known else visit.say("未提交：{reason}", reason=str(error)))
    except RefusedError as error:
        known = _RULE_WORDS.get(error.details.get("rule", ""))
        if known is None:
            raise
        return draft, Problem(visit.say(known))
    return draft, None


def choices(
    visit: Visit,
    *,
    summed: bool,
    items: Collection[str] | None = None,
    peers: Collection[str] | None = None,
) -> dict[str, object]:
    """What the form offers: items that are summed or verified, provinces, legal bases; where items and
    provinces are given, only these.
    """
    every = visit.node.catalogue().items
    fit = [one for one in every if (one.slots > 0 if summed else one.level != "aggregate")]
    return {
        "offered": [one for one in fit if items is None or one.code in items],
        "peers": [one for one in visit.node.peers() if peers is None or one.code in peers],
        "bases": list(offered_bases(visit).items()),
    }


def show_prepared(
    visit: Visit,
    draft: Draft,
    head: Head,
    reason: str,
    offered: dict[str, object],
    problem: Problem | None = None,
) -> Response:
    """The page of a sum or watch list, with why it was not sent."""
    values = {"draft": draft, "head": head, "reason": reason, "problem": "", "wrong_rows": ()}
    if problem is not None:
        values |= {"problem": problem.words, "wrong_rows": problem.rows}
    return show(visit, f"{draft.kind}.html", offered | values, status=422 if problem else 200)
