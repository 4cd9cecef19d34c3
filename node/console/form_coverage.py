"""Which of the people of a new check their authorisations permit to ask about, before it is sent. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from node.console.forms import CheckForm, mandate_of
from node.domain.mandate import Mandate, covers


@dataclass(frozen=True, slots=True)
class Uncovered:
    """A person who is not asked about, in some of the provinces or items.

    `why` is a code of node/domain/mandate_words.py; `nothing` where no item is left in any province.
    """

    no: str
    why: str
    items: tuple[str, ...]
    peers: tuple[str, ...]
    nothing: bool


def find_uncovered(form: CheckForm, named_only: Collection[str], today: date) -> Sequence[Uncovered]:
    """Everybody with an authorisation that does not permit all of what the form asks, once a reason.

    `named_only` are the items that only an authorisation that names them covers (design.md section 7).
    """
    found: list[Uncovered] = []
    for member in form.members:
        if not member.mandate:
            continue
        mandate = mandate_of(form, member.mandate)
        wrong = {
            (item, peer): why
            for item in form.items
            for peer in form.peers
            if (why := _why(form, mandate, item, peer, named_only, today))
        }
        nothing = len(wrong) == len(form.items) * len(form.peers)
        for reason in dict.fromkeys(wrong.values()):
            pairs = [pair for pair, why in wrong.items() if why == reason]
            items, peers = (tuple(dict.fromkeys(each)) for each in zip(*pairs, strict=True))
            found.append(Uncovered(member.no, reason, items, peers, nothing))
    return found


def _why(
    form: CheckForm, mandate: Mandate, item: str, peer: str, named_only: Collection[str], today: date
) -> str | None:
    if why := covers(mandate, item, peer, form.purpose, today):
        return why
    return "item_not_covered" if item in named_only and item not in mandate.items else None
