"""What a household declares: beside it a report shows what was disclosed (domain.md section 7). Pure.

Money is in fen. Everything is as the household's application says it, and nothing of it is sent to a peer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from matcher.identity import TYPES
from matcher.types import Identity
from node.domain.mandate import CODE
from node.domain.subjects import NUMBER, holds_identity

# Why a household is poor, as its application says (domain.md section 11, S37); a code is shown, never judged.
CAUSES: Final = ("illness", "disability", "schooling", "disaster", "labour", "accident", "other")
MOST_FEN: Final = 10**15  # ten trillion yuan: more is a slip of the pen
MOST_CAUSES: Final = len(CAUSES)
MOST_ITEMS: Final = 64
MOST_RELATIVES: Final = 50
MOST_HOUSEHOLDS: Final = 20_000  # of one job: a county's batch
TOTALS: Final = ("income", "assets", "spending")


@dataclass(frozen=True, slots=True)
class DeclaredHousehold:
    """One household's own figures, for a year where they are of a period.

    `items` is by catalogue code, in the unit of the item (fen for money). `causes` are of CAUSES. `applicant`
    and `relatives` (support-duty relatives outside the household) are references of the list,
    `applicant_id_type` the kind of the applicant's document. Numbers of application and acceptance are those
    of the office.
    """

    household: str
    income: int | None = field(default=None, repr=False)
    assets: int | None = field(default=None, repr=False)
    spending: int | None = field(default=None, repr=False)
    items: Mapping[str, int] = field(default_factory=dict, repr=False)
    causes: tuple[str, ...] = field(default=(), repr=False)
    application_no: str = ""
    acceptance_no: str = ""
    applicant: str = ""
    applicant_id_type: str = ""
    relatives: tuple[str, ...] = ()

    @property
    def totals(self) -> Mapping[str, int | None]:
        """The declared totals by TOTALS."""
        return {"income": self.income, "assets": self.assets, "spending": self.spending}


def is_number(text: str, own: tuple[Identity, ...]) -> bool:
    """Whether a text may be the number of an application or acceptance, and names no person.

    It is a code, or what households on record may have (受理〔2026〕1号). `own` are the household's
    identities: only by them the old form of 15 digits is told from another long number.
    """
    is_good = bool(CODE.fullmatch(text) or (NUMBER.fullmatch(text) and text.isprintable()))
    return is_good and not holds_identity(text, own)


def fault(
    one: DeclaredHousehold, refs: Sequence[str] | frozenset[str], own: tuple[Identity, ...] = ()
) -> str | None:
    """What is wrong with declared figures, in words that name nobody; None for good ones.

    `refs` are those of the list, `own` the identities of the household's people.
    """
    known = refs if isinstance(refs, frozenset) else frozenset(refs)
    amounts = [*(value for value in one.totals.values() if value is not None), *one.items.values()]
    numbers = (one.application_no, one.acceptance_no)
    checks = (
        (bool(one.household) and len(one.household) <= 100, "names no household"),
        (all(0 <= value <= MOST_FEN for value in amounts), f"has an amount outside 0 to {MOST_FEN}"),
        (len(one.items) <= MOST_ITEMS, f"declares more than {MOST_ITEMS} items"),
        (all(cause in CAUSES for cause in one.causes), f"has a cause that is not one of {', '.join(CAUSES)}"),
        (len(set(one.causes)) == len(one.causes), "names a cause twice"),
        (
            not any(holds_identity(number, own) for number in numbers),
            "uses an identity number as a reference",
        ),
        (all(not number or is_number(number, own) for number in numbers), "has a number that cannot be one"),
        (not one.applicant or one.applicant in known, "names an applicant who is not on the list"),
        (one.applicant_id_type in ("", *TYPES), "has an unknown kind of document"),
        (len(one.relatives) <= MOST_RELATIVES, f"names more than {MOST_RELATIVES} relatives"),
        (all(ref in known for ref in one.relatives), "names a relative who is not on the list"),
    )
    return next((text for good, text in checks if not good), None)


def pack_declared(found: Sequence[DeclaredHousehold]) -> list[list[object]]:
    """Plain JSON values."""
    return [
        [
            one.household,
            one.income,
            one.assets,
            one.spending,
            dict(sorted(one.items.items())),
            list(one.causes),
            one.application_no,
            one.acceptance_no,
            one.applicant,
            one.applicant_id_type,
            list(one.relatives),
        ]
        for one in found
    ]


def unpack_declared(plain: Sequence[Sequence[object]]) -> tuple[DeclaredHousehold, ...]:
    """Undoes `pack_declared`, of what this node packed itself."""
    found = []
    for household, income, assets, spending, items, causes, *rest in plain:
        application, acceptance, applicant, id_type, relatives = rest
        found.append(
            DeclaredHousehold(
                household, income, assets, spending, items, tuple(causes), application, acceptance,  # type: ignore[arg-type]
                applicant, id_type, tuple(relatives),  # type: ignore[arg-type]
            )
        )  # fmt: skip
    return tuple(found)
