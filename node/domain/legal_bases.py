"""Legal bases of queries: the published list of their codes, with names in Chinese and English (domain.md
section 8). A code that is not on it is shown as it is, and said not to be on it. Pure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from node.domain.matters import URGENT_BASIS


@dataclass(frozen=True, slots=True)
class LegalBasis:
    """A provision: the law with its article, in Chinese and English, and in a few words what it is about.

    `for_people` marks those on which a check of people is usually based; the console offers them. It is in
    force from `first` to `last`, both included; None is without a beginning or an end that is known.
    """

    name: tuple[str, str]
    about: tuple[str, str]
    for_people: bool = False
    first: date | None = None
    last: date | None = None

    def is_in_force(self, day: date) -> bool:
        """Whether a question of that day may be based on it."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


_ASSISTANCE: Final = ("社会救助法", "Social Assistance Law")
_MEASURES: Final = ("社会救助暂行办法", "Interim Measures for Social Assistance")
_SHARING: Final = ("政务数据共享条例", "Regulations on the Sharing of Government Data")
_PRIVACY: Final = ("个人信息保护法", "Personal Information Protection Law")
_BANKS: Final = ("商业银行法", "Law on Commercial Banks")
_LAWS: Final[Mapping[str, tuple[str, str]]] = {"SA-2026": _ASSISTANCE, "SA-2014": _MEASURES}
# The law is in force since the first of these days, and the interim measures were until the day before.
_SINCE: Final = date(2026, 7, 1)
_UNTIL: Final = date(2026, 6, 30)
_IN_FORCE: Final[Mapping[str, tuple[date | None, date | None]]] = {
    "SA-2026": (_SINCE, None),
    "SA-2014": (None, _UNTIL),
    "GD-2025": (date(2025, 8, 1), None),
    "PI-2021": (date(2021, 11, 1), None),
}
_ARTICLE: Final = re.compile(r"(SA-(?:2026|2014))-([1-9][0-9]{0,2})", re.ASCII)


def _of(law: tuple[str, str], article: int) -> tuple[str, str]:
    return f"《{law[0]}》第{article}条", f"{law[1]}, art. {article}"


LEGAL_BASES: Final[Mapping[str, LegalBasis]] = {
    "SA-2026-41": LegalBasis(
        _of(_ASSISTANCE, 41), ("审核家庭收入和财产状况", "checks of income and assets"), for_people=True
    ),
    "SA-2026-42": LegalBasis(
        _of(_ASSISTANCE, 42),
        ("核对机制与结果互认", "verification and recognition of its results"),
        for_people=True,
    ),
    "SA-2026-43": LegalBasis(_of(_ASSISTANCE, 43), ("乡镇、街道提请核对", "checks that a township asks for")),
    "SA-2026-46": LegalBasis(
        _of(_ASSISTANCE, 46), ("定期核查和抽查", "regular re-checks and spot checks"), for_people=True
    ),
    "SA-2026-50": LegalBasis(_of(_ASSISTANCE, 50), ("先行救助、事后说明", "urgent help first")),
    "SA-2014-58": LegalBasis(
        _of(_MEASURES, 58),
        ("核对申请家庭状况（2026年7月1日前）", "verification before 2026-07-01"),
        for_people=True,
    ),
    "GD-2025-20": LegalBasis(_of(_SHARING, 20), ("申请共享政务数据", "application for government data")),
    "GD-2025-26": LegalBasis(_of(_SHARING, 26), ("政务数据校核", "correction of government data")),
    "PI-2021-45": LegalBasis(_of(_PRIVACY, 45), ("个人查阅、复制", "access by the person concerned")),
    "CB-2015-29": LegalBasis(_of(_BANKS, 29), ("个人存款查询", "inquiry into deposits of a person")),
}


def find_basis(code: str) -> LegalBasis | None:
    """What a published code means; None for one that is not on the list.

    Of the two laws on social assistance every article has a code.
    """
    found = LEGAL_BASES.get(code)
    if found is None:
        article = _ARTICLE.fullmatch(code)
        if article is None:
            return None
        found = LegalBasis(_of(_LAWS[article[1]], int(article[2])), ("", ""))
    first, last = _IN_FORCE.get(code[:7], (None, None))
    return replace(found, first=first, last=last)


def name_of(code: str) -> tuple[str, str] | None:
    """Law and article of a published code in Chinese and English; None where it is not on the list."""
    found = find_basis(code)
    return None if found is None else found.name


def usual_basis(purpose: str, day: date, *, urgent: bool = False) -> str:
    """The code on which a check for that purpose is usually based; empty where no law is the usual one.

    Purposes are those of `node.domain.mandate.PROGRAMMES`.
    """
    if urgent:
        return URGENT_BASIS
    if purpose not in _USUAL:
        return ""
    return "SA-2014-58" if day < _SINCE else _USUAL[purpose]


# Who applies is checked; who has help is checked again; a report of misuse is checked as an application is.
_USUAL: Final[Mapping[str, str]] = {
    "new_application": "SA-2026-41",
    "report": "SA-2026-41",
    "review": "SA-2026-46",
    "monitoring": "SA-2026-46",
}


def described(code: str, lang: str, own: Mapping[str, LegalBasis] | None = None) -> str:
    """A code in words of `zh` or `en`, with what it is about where that is known; an unknown one as it is.

    `own` are the province's own codes.
    """
    found, at = (own or {}).get(code) or find_basis(code), int(lang == "en")
    if found is None:
        return code
    return found.name[at] + (("：", ": ")[at] + found.about[at] if found.about[at] else "")
