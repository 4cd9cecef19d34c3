"""A watch list (监测名单): prepared from a finished check or from files, added only after an approval."""

from dataclasses import replace
from typing import Final

from starlette.responses import Response

from node.client.drafts import Draft, Drafts
from node.console.pages.prepared import (
    Head,
    choices,
    find_open,
    pack,
    read_rows,
    send_prepared,
    show_prepared,
    typed,
    unpack,
)
from node.console.visits import Visit
from node.domain.jobs import VERIFICATION, WATCH
from node.domain.mandate import MONITORING
from node.domain.new_ids import new_id
from node.domain.subjects import Subjects
from node.domain.verification import Verification
from node.errors import NotFoundError
from node.tabular.person_lists import read_households, read_mandates
from node.wire.drafts import WatchOfJob

_BASIS: Final = "SA-2026-46"


def begin(visit: Visit) -> Response:
    """A new draft: of the people of a job, where the form names one, with what it asked."""
    head = Head(legal_basis=_BASIS, number=new_id("w"))
    if job := visit.field("job", 64):
        asked = visit.node.job(job)
        if asked.kind != VERIFICATION:
            raise NotFoundError("this job names no people")
        head = replace(head, items=asked.items, peers=tuple(one.peer for one in asked.parts), job=job)
    draft = Drafts(visit.node).save(pack(head), kind=WATCH)
    return visit.go(f"/watches/{draft.draft_id}")


def show_watch(visit: Visit) -> Response:
    """One that is prepared; one that waits or was sent is in the list of drafts."""
    found = find_open(visit, WATCH)
    if found is None:
        return visit.go("/checks")
    head = unpack(found.form)
    return show_prepared(visit, found.draft, head, found.reason, _choices(visit, head))


def send(visit: Visit) -> Response:
    """Hand it to an approver: the people of the job, or those of the files."""
    found = find_open(visit, WATCH)
    if found is None:
        return visit.go("/checks")
    head = typed(visit, unpack(found.form).job)

    def hand(drafts: Drafts, draft: Draft) -> None:
        if head.job:
            wanted = WatchOfJob(head.number, head.job, head.items, head.peers, head.legal_basis)
            drafts.send_watch_of_job(draft.draft_id, draft.version, wanted)
        else:
            drafts.send(draft.draft_id, draft.version, head.number, _of_files(visit, head), WATCH)

    draft, problem = send_prepared(visit, found.draft, head, hand)
    if problem is None:
        return visit.go("/checks?state=waiting")
    return show_prepared(visit, draft, head, found.reason, _choices(visit, head), problem)


def _of_files(visit: Visit, head: Head) -> Verification:
    people = read_rows(visit, "list", read_households)
    mandates = read_rows(visit, "mandates", read_mandates, "请选择授权书文件")
    named = {one.mandate for one in people}
    return Verification(
        items=head.items,
        peers=head.peers,
        purpose=MONITORING,
        legal_basis=head.legal_basis,
        subjects=Subjects.of(people),
        mandates={number: one for number, one in mandates.items() if number in named},
    )


def _choices(visit: Visit, head: Head) -> dict[str, object]:
    """As for other lists; of a job's people no more than the job asked."""
    if not head.job:
        return choices(visit, summed=False)
    asked = visit.node.job(head.job)
    return choices(visit, summed=False, items=asked.items, peers=[one.peer for one in asked.parts])
