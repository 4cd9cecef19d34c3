"""A new check, step by step; another person approves it (approvals.py)."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from starlette.datastructures import UploadFile
from starlette.responses import Response

from node.client.drafts import Draft, Drafts
from node.clock import utc_now
from node.console import forms
from node.console.form_coverage import Uncovered, find_uncovered
from node.console.forms import STEPS, Authorisation, CheckForm, Member
from node.console.pages.households import add_recorded
from node.console.pages.member_lists import add_from_list
from node.console.pages.prepared import CLOSED, KIND_WORDS, PATHS, find_open
from node.console.pages.reference import LEVELS, offered_bases
from node.console.pages.sign_in import problem_of
from node.console.pages.uploaded_lists import WrongRow, WrongRowsError
from node.console.render import show
from node.console.visits import Visit
from node.domain.days import china_day
from node.domain.jobs import VERIFICATION
from node.domain.mandate import EVENTS
from node.domain.mandate_words import reason_text
from node.domain.size_classes import size_class
from node.errors import (
    InputError,
    InvalidRequestError,
    ItemNotOfferedError,
    NotFoundError,
    PreconditionError,
)

PURPOSES: Final = {
    "new_application": "新申请",
    "review": "在保复核",
    "report": "举报或疑点",
    "monitoring": "动态监测",
    "other": "其他",
}
EVENT_WORDS: Final = {"programme_exit": "退出救助", "household_change": "家庭成员变化"}
STATES: Final = ("draft", "returned", "waiting", "sent")
_PAGE: Final = 50
_OWN_POINTS: Final = 4  # of every query beside those of people: canaries and misses
_REFUSALS = (InputError, InvalidRequestError, PreconditionError, NotFoundError, ItemNotOfferedError)


def show_drafts(visit: Visit) -> Response:
    """A page of the own drafts, in one state or any."""
    asked = visit.request.query_params
    state, after = asked.get("state", ""), asked.get("after", "")
    state = state if state in STATES else ""
    found = Drafts(visit.node).list(state, "own", _PAGE, after)
    values = {
        "drafts": found.drafts,
        "purposes": PURPOSES,
        "kinds": KIND_WORDS,
        "paths": PATHS,
        "after": after,
        "first": f"/checks?{urlencode({'state': state})}",
        "next": f"/checks?{urlencode({'state': state, 'after': found.next})}" if found.next else "",
    }
    return show(visit, "drafts.html", values)


def begin(visit: Visit) -> Response:
    """A new draft."""
    draft = Drafts(visit.node).save(forms.pack(CheckForm()))
    return visit.go(f"/checks/{draft.draft_id}")


def show_step(visit: Visit) -> Response:
    """One step of a draft; one that waits or was sent is only shown."""
    found = Drafts(visit.node).get(visit.request.path_params["draft"])
    if found.draft.state in CLOSED:
        return visit.go("/checks")
    if found.draft.kind != VERIFICATION:
        return visit.go(f"{PATHS.get(found.draft.kind, '/checks')}/{found.draft.draft_id}")
    if not found.form:  # of a command, which keeps no form
        return show(visit, "by_command.html", {"draft": found.draft, "reason": found.reason})
    if objection := forms.recheck_of(found.form):
        values = {"draft": found.draft, "objection": objection, "reason": found.reason}
        return show(visit, "recheck.html", values)
    return _step(visit, found.draft, forms.unpack(found.form), reason=found.reason)


def save_step(visit: Visit) -> Response:
    """What a form of a step does, then the step again or the next one."""
    draft, form, reason = _read(visit)
    action = visit.field("action", 32)
    change, version = _ACTIONS.get(action), visit.number("version")
    if change is None:
        raise InvalidRequestError("no such action")
    try:
        changed = change(visit, form)
        Drafts(visit.node).save(forms.pack(changed), draft.draft_id, version)
    except WrongRowsError as error:
        problem = visit.say(error.message, count=error.count)
        return _step(visit, draft, form, problem=problem, reason=reason, wrong_rows=error.rows, status=422)
    except InputError as error:
        return _step(visit, draft, form, problem=visit.say(error.message), reason=reason, status=422)
    except InvalidRequestError:
        problem = visit.say("有内容过长或无效，请修改后再提交")
        return _step(visit, draft, form, problem=problem, reason=reason, status=422)
    except PreconditionError as error:
        if error.details.get("rule") != "draft_version":
            raise
        draft, form, reason = _read(visit)  # as it is now, with the version that the form must name
        problem = visit.say("草稿已在别处更改，下面是最新内容；刚才填写的还在，请核对后再提交。")
        return _step(visit, draft, form, problem=problem, reason=reason, status=409)
    step = visit.field("step", 16)
    at = STEPS.index(step) if step in STEPS else 0
    following = STEPS[min(at + 1, len(STEPS) - 1)] if action in _LAST_OF_STEP else STEPS[at]
    return visit.go(f"/checks/{draft.draft_id}?step={following}")


def send(visit: Visit) -> Response:
    """Hand the draft to an approver."""
    draft, form, reason = _read(visit)
    version = visit.number("version")
    if forms.missing(form) or any(one.nothing for one in _uncovered(visit, form)):
        return _step(visit, draft, form, problem=visit.say("尚不能提交"), reason=reason, status=422)
    try:
        Drafts(visit.node).send(draft.draft_id, version, form.job, forms.to_verification(form))
    except _REFUSALS as error:
        return _step(visit, draft, form, problem=problem_of(visit, error), reason=reason, status=422)
    return visit.go("/checks?state=waiting")


def delete(visit: Visit) -> Response:
    """Delete the draft."""
    Drafts(visit.node).delete(visit.request.path_params["draft"])
    return visit.go("/checks")


def _read(visit: Visit) -> tuple[Draft, CheckForm, str]:
    found = find_open(visit, VERIFICATION)
    if found is None:
        raise PreconditionError("this draft was sent, or is no verification")
    return found.draft, forms.unpack(found.form), found.reason


def _uncovered(visit: Visit, form: CheckForm) -> Sequence[Uncovered]:
    """What no authorisation covers; of the whole form, so once it has all that it needs."""
    if forms.missing(form):
        return ()
    named_only = {one.code for one in visit.node.catalogue().items if one.named_only}
    return find_uncovered(form, named_only, china_day(utc_now()))


def _step(
    visit: Visit,
    draft: Draft,
    form: CheckForm,
    *,
    problem: str = "",
    reason: str = "",
    wrong_rows: Sequence[WrongRow] = (),
    status: int = 200,
) -> Response:
    wanted = visit.request.query_params.get("step", "") or visit.field("step", 16)
    step = wanted if wanted in STEPS else STEPS[0]
    values = {
        "back": f"/checks/{draft.draft_id}?step={step}",
        "typed": _typed(visit),
        "draft": draft,
        "form": form,
        "step": step,
        "problem": problem,
        "reason": reason,
        "wrong_rows": wrong_rows,
        "missing": forms.missing(form),
        "uncovered": _uncovered(visit, form) if step == "review" else (),
        "reason_text": partial(reason_text, lang=visit.lang),
        "purposes": PURPOSES,
        "bases": offered_bases(visit, for_people=True),
        "events": {name: EVENT_WORDS[name] for name in EVENTS},
        "items": visit.node.catalogue().items,
        "levels": LEVELS,
        "peers": visit.node.peers(),
        "at_least": size_class(_numbers(form) + _OWN_POINTS),
    }
    return show(visit, f"check_{step}.html", values, status=status)


def _typed(visit: Visit) -> dict[str, Any]:
    """What a form held that was not taken, so that nobody types it again, under the action of the form."""
    action = visit.form.get("action", "")
    if action not in _ACTIONS:
        return {}
    held: dict[str, Any] = {name: value for name, value in visit.form.items() if isinstance(value, str)}
    for name in _LISTS:
        held[name] = [one for one in visit.form.getlist(name) if isinstance(one, str)]
    if scan := visit.upload("scan"):  # no browser takes a file back: its digest stands for it
        held["doc_hash"] = _digest(scan)
    return {action: held}


def _numbers(form: CheckForm) -> int:
    return sum(1 + bool(one.former) for one in form.members)


def _save_household(visit: Visit, form: CheckForm) -> CheckForm:
    purpose, basis = visit.field("purpose", 32), visit.field("legal_basis", 32)
    if purpose not in PURPOSES or basis not in offered_bases(visit, for_people=True):
        raise InputError("请选择业务类型和法律依据")
    household = visit.field("household", 40)
    application = form.application_no if household == form.household else ""  # it is that of another one
    return replace(
        form, household=household, application_no=application, purpose=purpose, legal_basis=basis
    )  # fmt: skip


def _add_member(visit: Visit, form: CheckForm) -> CheckForm:
    new = Member(
        no="",
        name=visit.field("name", 200),
        id_no=visit.field("id_no", 32),
        former=visit.field("former", 32),
        outside=visit.field("outside", 8) == "yes",
    )
    return forms.add_member(form, new)


def _remove_member(visit: Visit, form: CheckForm) -> CheckForm:
    return forms.remove_member(form, visit.field("no", 8))


def _add_mandate(visit: Visit, form: CheckForm) -> CheckForm:
    scan, digest = visit.upload("scan"), visit.field("doc_hash", 200)
    if scan is not None:
        digest = _digest(scan)
    new = Authorisation(
        number=visit.field("number", 64),
        signers=tuple(filter(None, split_names(visit.field("signers")))),
        office=visit.field("office", 200),
        doc_hash=digest,
        valid_from=visit.field("valid_from", 10),
        valid_to=visit.field("valid_to", 10),
        event=visit.field("event", 32),
        members=tuple(visit.fields("members", 8)),
    )
    return forms.add_mandate(form, new)


def _digest(scan: UploadFile) -> str:
    """SHA-256 of a file, in hex: the scan itself is not kept."""
    scan.file.seek(0)
    found = hashlib.sha256()
    while piece := scan.file.read(1 << 16):
        found.update(piece)
    return found.hexdigest()


def _remove_mandate(visit: Visit, form: CheckForm) -> CheckForm:
    return forms.remove_mandate(form, visit.field("number", 64))


def _save_items(visit: Visit, form: CheckForm) -> CheckForm:
    return replace(form, items=tuple(visit.fields("items", 16)), peers=tuple(visit.fields("peers", 2)))


def split_names(text: str) -> list[str]:
    """Names separated by commas of either width, or by the Chinese mark between names."""
    for mark in "，、;；":
        text = text.replace(mark, ",")
    return [one.strip() for one in text.split(",")]


_ACTIONS: Final = {
    "household": _save_household,
    "add_member": _add_member,
    "add_list": add_from_list,
    "remove_member": _remove_member,
    "add_mandate": _add_mandate,
    "add_recorded": add_recorded,
    "remove_mandate": _remove_mandate,
    "items": _save_items,
}
_LISTS: Final = ("members", "items", "peers")
_LAST_OF_STEP: Final = ("household", "items")
