"""What is typed into a new check: kept as JSON in a draft, and made into a verification.

The node keeps the form sealed and does not read it; what an approver sees is the verification itself.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any, Final

from matcher import identity, names
from matcher.errors import IdentityError
from node.domain.declared import DeclaredHousehold
from node.domain.mandate import ANY, DOC_HASH, PROGRAMMES, Mandate, fault
from node.domain.new_ids import new_id
from node.domain.subjects import Subject, Subjects
from node.domain.verification import Verification
from node.errors import InputError, PreconditionError

STEPS: Final = ("members", "mandates", "items", "review")
MOST_MEMBERS: Final = 50
_NUMBER: Final = re.compile(r"(?!.*[0-9]{15})[A-Za-z0-9._-]{1,40}")


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the household, or a relative with support duty outside it (`outside`)."""

    no: str
    name: str
    id_no: str
    former: str = ""
    outside: bool = False
    mandate: str = ""


@dataclass(frozen=True, slots=True)
class Authorisation:
    """An authorisation: whom it is for, by the numbers of members; until a day or an event.

    One that is typed covers everything; one on record has the scope of its own.
    """

    number: str
    signers: tuple[str, ...]
    office: str
    doc_hash: str
    valid_from: str
    valid_to: str
    event: str
    members: tuple[str, ...]
    programme: str = ANY
    scope_items: tuple[str, ...] = (ANY,)
    scope_regions: tuple[str, ...] = (ANY,)
    template_id: str = ""
    sig_type: str = ""
    matter: str = ""
    agents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckForm:
    """A new check of one household; the number of its application is known for one on record."""

    household: str = ""
    application_no: str = ""
    purpose: str = "new_application"
    legal_basis: str = "SA-2026-41"
    members: tuple[Member, ...] = ()
    mandates: tuple[Authorisation, ...] = ()
    items: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    job: str = field(default_factory=lambda: new_id("v"))


def pack(form: CheckForm) -> bytes:
    """As it is kept in a draft."""
    return json.dumps(asdict(form), ensure_ascii=False).encode()


def pack_recheck(objection: str) -> bytes:
    """What is kept in the draft of a re-check: the objection; the node itself knows what is asked."""
    return json.dumps({"recheck": objection}).encode()


def recheck_of(kept: bytes) -> str:
    """The objection of such a draft, empty for other drafts."""
    try:
        found = json.loads(kept).get("recheck", "")
    except (ValueError, AttributeError):
        return ""
    return found if isinstance(found, str) else ""


def unpack(kept: bytes) -> CheckForm:
    """The opposite of `pack`. Raises PreconditionError for what another program kept."""
    try:
        plain = json.loads(kept)
        members = tuple(Member(**one) for one in plain.pop("members"))
        mandates = tuple(map(_unpack_authorisation, plain.pop("mandates")))
        items, peers = tuple(plain.pop("items")), tuple(plain.pop("peers"))
        return CheckForm(**plain, items=items, peers=peers, members=members, mandates=mandates)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise PreconditionError("this draft was made by another program") from None


def _unpack_authorisation(one: Mapping[str, Any]) -> Authorisation:
    values: dict[str, Any] = {
        name: tuple(held) if isinstance(held, list) else held for name, held in one.items()
    }
    return Authorisation(**values)


def add_member(form: CheckForm, new: Member) -> CheckForm:
    """With one more person. Raises InputError with the Chinese words of what is wrong."""
    if len(form.members) >= MOST_MEMBERS:
        raise InputError("一次核对最多50人")
    _check_number(new.id_no)
    if new.former:
        _check_number(new.former)
    if not new.name.strip():
        raise InputError("请填写姓名")
    if any(_same(one.id_no, new.id_no) for one in form.members):
        raise InputError("该证件号码已在名单中")
    taken = {one.no for one in form.members}
    no = next(str(number) for number in range(1, MOST_MEMBERS + 1) if str(number) not in taken)
    return replace(form, members=(*form.members, replace(new, no=no)))


def remove_member(form: CheckForm, no: str) -> CheckForm:
    """Without a person, also in the authorisations."""
    left = tuple(one for one in form.members if one.no != no)
    mandates = tuple(
        replace(one, members=tuple(name for name in one.members if name != no)) for one in form.mandates
    )
    return replace(form, members=left, mandates=tuple(one for one in mandates if one.members))


def add_mandate(form: CheckForm, new: Authorisation) -> CheckForm:
    """With one more authorisation; it takes the place of earlier ones for its people. Raises InputError."""
    if not _NUMBER.fullmatch(new.number):
        raise InputError("授权书编号为1至40位字母、数字、点、下划线或连字符，且不得为证件号码")
    if any(one.number == new.number for one in form.mandates):
        raise InputError("该授权书编号已在列表中")
    if not new.members:
        raise InputError("请勾选授权书所涉人员")
    if not DOC_HASH.fullmatch(new.doc_hash):
        raise InputError("请上传授权书扫描件，或填写其摘要")
    if bool(new.valid_to) == bool(new.event):
        raise InputError("请填写有效期截止日，或选择失效事件，二者之一")
    found = _mandate(form, new)
    if fault(found) is not None:
        raise InputError("授权书信息不完整：须有签署人、委托单位、文件摘要、所涉人员和有效期")
    members = tuple(
        replace(one, mandate=new.number) if one.no in new.members else one for one in form.members
    )
    return replace(form, members=members, mandates=(*form.mandates, new))


def mandate_of(form: CheckForm, number: str) -> Mandate:
    """The authorisation of that number. Raises InputError where it has no such one, or a day that is none."""
    one = next((one for one in form.mandates if one.number == number), None)
    if one is None:
        raise InputError("没有这份授权书")
    return _mandate(form, one)


def remove_mandate(form: CheckForm, number: str) -> CheckForm:
    """Without an authorisation."""
    members = tuple(replace(one, mandate="") if one.mandate == number else one for one in form.members)
    return replace(
        form, members=members, mandates=tuple(one for one in form.mandates if one.number != number)
    )


def missing(form: CheckForm) -> Sequence[tuple[str, str, str]]:
    """What keeps the form from being sent: the step, Chinese words, and the number of a member (`no`)."""
    found: list[tuple[str, str, str]] = []
    if not _NUMBER.fullmatch(form.household):
        found.append(("members", "请填写家庭编号（不得为证件号码）", ""))
    if not form.members:
        found.append(("members", "请至少添加一名家庭成员", ""))
    found += [("mandates", "第{no}人没有授权书", one.no) for one in form.members if not one.mandate]
    if not form.items:
        found.append(("items", "请选择核对项目", ""))
    if not form.peers:
        found.append(("items", "请选择核对省份", ""))
    return found


def to_verification(form: CheckForm) -> Verification:
    """What the node is asked to do. Raises InputError where something is missing."""
    for _, words, no in missing(form):
        raise InputError(words.format(no=no))
    if form.purpose not in PROGRAMMES:
        raise InputError("请选择业务类型")
    subjects = [
        Subject(
            ref=f"{form.household}/{one.no}",
            household=form.household,
            name=names.normalise_name(one.name),
            identities=tuple(identity.parse(number) for number in (one.id_no, one.former) if number),
            mandate=one.mandate,
        )
        for one in form.members
    ]
    return Verification(
        items=form.items,
        peers=form.peers,
        purpose=form.purpose,
        legal_basis=form.legal_basis,
        subjects=Subjects.of(subjects),
        mandates={one.number: _mandate(form, one) for one in form.mandates},
        declared=_beside(form),
    )


def _beside(form: CheckForm) -> tuple[DeclaredHousehold, ...]:
    """Who lives elsewhere: approvers see it, and the report keeps them apart; the application's number."""
    found = tuple(f"{form.household}/{one.no}" for one in form.members if one.outside)
    if not (found or form.application_no):
        return ()
    return (DeclaredHousehold(form.household, application_no=form.application_no, relatives=found),)


def numbers_of(one: Member) -> frozenset[str]:
    """The canonical numbers of a member."""
    return frozenset(identity.parse(number).value for number in (one.id_no, one.former) if number)


def _mandate(form: CheckForm, one: Authorisation) -> Mandate:
    people = {
        identity.parse(number).value
        for member in form.members
        if member.no in one.members
        for number in (member.id_no, member.former)
        if number
    }
    return Mandate(
        number=one.number,
        programme=one.programme,
        items=frozenset(one.scope_items),
        regions=frozenset(one.scope_regions),
        valid_from=_day(one.valid_from),
        valid_to=_day(one.valid_to) if one.valid_to else None,
        revoked_at=None,
        event=one.event,
        office=one.office,
        template_id=one.template_id,
        sig_type=one.sig_type,
        matter=one.matter,
        signers=one.signers,
        agents=one.agents,
        people=frozenset(people),
        doc_hash=one.doc_hash,
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError("日期请按YYYY-MM-DD填写") from None


def _check_number(number: str) -> None:
    try:
        identity.parse(number)
    except IdentityError:
        raise InputError("证件号码有误：请核对位数、出生日期和校验码") from None


def _same(one: str, other: str) -> bool:
    return identity.parse(one) == identity.parse(other)
