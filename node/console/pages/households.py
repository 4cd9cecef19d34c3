"""Households and mandates on record (在册), used in a new check; the node notes each look at one."""

from dataclasses import replace
from typing import Final

from starlette.responses import Response

from node.client.drafts import Drafts
from node.client.records import Records
from node.console import forms
from node.console.forms import Authorisation, CheckForm, Member
from node.console.render import show
from node.console.visits import Visit
from node.domain.households import RELATIVE
from node.domain.mandate import Mandate
from node.errors import InputError, NotFoundError

_SHOWN: Final = 200


def show_households(visit: Visit) -> Response:
    """Households of the unit, without who they are."""
    return show(visit, "households.html", {"households": Records(visit.node).households(_SHOWN)})


def use_household(visit: Visit) -> Response:
    """A new draft with the people of a household. Raises NotFoundError."""
    found = Records(visit.node).household(visit.field("number", 64), full=True).household
    form = CheckForm(household=found.number, application_no=found.application_no)
    for one in found.people:
        current, *former = (each.value for each in one.identities)
        new = Member("", one.name, current, former[0] if former else "", one.role == RELATIVE)
        form = forms.add_member(form, new)
    draft = Drafts(visit.node).save(forms.pack(form))
    return visit.go(f"/checks/{draft.draft_id}")


def add_recorded(visit: Visit, form: CheckForm) -> CheckForm:
    """With a mandate on record, for those of the people whom it names. Raises InputError."""
    try:
        found = Records(visit.node).mandate(visit.field("number", 64), full=True)
    except NotFoundError:
        raise InputError("没有这份在册授权书") from None
    if found.state:
        raise InputError("该在册授权书已失效")
    mandate = found.stored.mandate
    people = tuple(one.no for one in form.members if forms.numbers_of(one) <= mandate.people)
    if not people:
        raise InputError("该授权书不含名单中的人员")
    return forms.add_mandate(form, _authorisation(mandate, people))


def _authorisation(mandate: Mandate, people: tuple[str, ...]) -> Authorisation:
    """The same mandate, with no more scope than it has."""
    made = Authorisation(
        number=mandate.number,
        signers=mandate.signers,
        office=mandate.office,
        doc_hash=mandate.doc_hash,
        valid_from=mandate.valid_from.isoformat(),
        valid_to=mandate.valid_to.isoformat() if mandate.valid_to else "",
        event=mandate.event if not mandate.valid_to else "",
        members=people,
    )
    return replace(
        made,
        programme=mandate.programme,
        scope_items=tuple(sorted(mandate.items)),
        scope_regions=tuple(sorted(mandate.regions)),
        template_id=mandate.template_id,
        sig_type=mandate.sig_type,
        matter=mandate.matter,
        agents=mandate.agents,
    )
