"""Members of a household from an uploaded list."""

from node.console import forms
from node.console.forms import CheckForm, Member
from node.console.pages.uploaded_lists import read_list, require_right
from node.console.visits import Visit
from node.tabular.person_lists import read_members


def add_from_list(visit: Visit, form: CheckForm) -> CheckForm:
    """With the people of an uploaded list. Raises InputError, WrongRowsError, LimitError."""
    people, rejects = read_list(visit, "list", read_members, "名单无法读取：首行须有“姓名”和“证件号码”两列")
    require_right(rejects)
    outside = visit.field("outside", 8) == "yes"
    for name, identities in people:
        current, *former = (one.value for one in identities)
        new = Member(no="", name=name, id_no=current, former=former[0] if former else "", outside=outside)
        form = forms.add_member(form, new)
    return form
