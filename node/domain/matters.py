"""Matters: the kinds of help that a household applies for, and what forms of mandates are known (domain.md
sections 7, 8).

The two digits of a matter are also those of the programme in a mandate's number. Pure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# Social Assistance Law 2026, articles 13 and 18 to 23; 91 to 99 are a province's own.
MATTERS: Final[Mapping[str, tuple[str, str]]] = {
    "01": ("最低生活保障", "minimum living allowance"),
    "02": ("特困人员救助供养", "support for people in extreme difficulty"),
    "03": ("最低生活保障边缘家庭救助", "help for households just above the minimum"),
    "04": ("刚性支出困难家庭救助", "help for households with rigid spending"),
    "05": ("受灾人员救助", "help after a disaster"),
    "06": ("临时救助", "temporary help"),
    "07": ("疾病应急救助", "emergency medical help"),
    "08": ("流浪乞讨救助", "help for people without a home"),
    "90": ("其他民生事项", "other matters of the people's livelihood"),
}
_OWN: Final = re.compile(r"9[1-9]", re.ASCII)
# An urgent check has this legal basis, and no other check has it (domain.md section 8, art. 50).
URGENT_BASIS: Final = "SA-2026-50"


def is_matter(code: str) -> bool:
    """Whether it is one of MATTERS, or one of a province's own: 91 to 99."""
    return code in MATTERS or _OWN.fullmatch(code) is not None


@dataclass(frozen=True, slots=True)
class Wording:
    """What follows from how a form is worded.

    `resigned_on_change`: it is signed again when the household changes; `lapses_on_failure`: it ends when the
    verification fails; `names_regions` and `names_matter`: it is for named provinces and for one matter,
    never for all.
    """

    family: str
    resigned_on_change: bool
    lapses_on_failure: bool
    names_regions: bool
    names_matter: bool


NATIONAL: Final = Wording("national", False, False, False, False)
JIANGSU: Final = Wording("jiangsu", True, True, True, True)
# A wording that is not known may have the strict conditions of any other.
OTHER: Final = Wording("other", True, True, False, False)


def wording_of(template_id: str) -> Wording:
    """The wording of a form by its code: `national`, `jiangsu`, or longer with a hyphen: `jiangsu-2021`."""
    families = {one.family: one for one in (NATIONAL, JIANGSU)}
    return families.get(template_id.lower().partition("-")[0], OTHER)
