"""All that a request asks, as its approver reads it: people masked, codes and figures in words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from node.client.drafts import Request
from node.console.pages.checks import EVENT_WORDS, PURPOSES
from node.console.pages.reference import code_tables, known_items
from node.console.render import date_words, mask_name, mask_number
from node.console.visits import Visit
from node.console.words import comma
from node.domain.catalogue import Item
from node.domain.declared import DeclaredHousehold
from node.domain.legal_bases import described
from node.domain.mandate import ANY, Mandate
from node.domain.subjects import Subjects
from node.domain.summation import Summation
from node.domain.verification import Verification
from node.reports.comparisons import EXACT, Amount
from node.reports.declared import amount_words
from node.reports.declared_words import cause_text, id_type_text
from node.reports.wording import amount_text

SUMS: Final = {"statistics": "统计汇总"}
_MOST_SHOWN: Final = 200
_TOTAL_WORDS: Final = {"income": "收入合计", "assets": "财产合计", "spending": "支出合计"}


@dataclass(frozen=True, slots=True)
class _Words:
    """What codes mean, in the language of the page."""

    visit: Visit
    items: Mapping[str, Item]
    peers: Mapping[str, str]
    matters: Mapping[str, tuple[str, str]]

    @classmethod
    def of(cls, visit: Visit) -> "_Words":
        """Of this node as it is now."""
        peers = {one.code: one.name for one in visit.node.peers()}
        return cls(visit, known_items(visit), peers, code_tables(visit).matters)

    def join(self, texts: Iterable[str]) -> str:
        """Several in one line."""
        return comma(self.visit.lang).join(texts)

    def item(self, code: str) -> str:
        """Code and name of an item."""
        found = self.items.get(code)
        return f"{code} {found.text('name', self.visit.lang)}" if found else code

    def matter(self, code: str) -> str:
        """What is applied for; an unknown code as it is."""
        if code in ("", ANY):
            return self.visit.say("全部事项") if code else self.visit.say("未写明")
        return self.matters[code][self.visit.lang == "en"] if code in self.matters else code

    def programme(self, code: str) -> str:
        """What a mandate is for."""
        if code in ("", ANY):
            return self.visit.say("全部用途") if code else self.visit.say("未写明")
        return self.visit.say(PURPOSES[code]) if code in PURPOSES else code

    def scope_items(self, codes: Iterable[str]) -> str:
        """The items that a mandate covers."""
        found = sorted(codes)
        return self.visit.say("全部项目") if ANY in found else self.join(map(self.item, found))

    def scope_regions(self, codes: Iterable[str]) -> str:
        """The provinces that a mandate covers."""
        found = sorted(codes)
        if ANY in found:
            return self.visit.say("全部省份")
        return self.join(f"{code} {self.peers.get(code, '')}".rstrip() for code in found)


def content_values(visit: Visit, asked: Request) -> dict[str, object]:
    """What the page of an approval says of the request itself."""
    words = _Words.of(visit)
    shared = {
        "asked": asked,
        "basis": described(asked.legal_basis, visit.lang, code_tables(visit).own_bases),
        "purposes": PURPOSES | SUMS,
        "items": words.items,
        "names": words.peers,
    }
    if isinstance(asked, Summation):
        return {
            **shared,
            **_cohort(asked, words),
            "more": (),
            "mandates": (),
            "declared": (),
            "households": 0,
        }
    numbers = sorted(asked.mandates)[:_MOST_SHOWN]
    return {
        **shared,
        **_people(asked, words),
        "more": _more(asked, words),
        "mandates": [_mandate(asked.mandates[number], words) for number in numbers],
        "declared": [_declared(one, words) for one in asked.declared[:_MOST_SHOWN]],
        "households": len(asked.declared),
    }


def _more(asked: Verification, words: _Words) -> list[tuple[str, str]]:
    """What else is approved with it: the matter, and how the node asks."""
    say = words.visit.say
    found = [
        (say("救助事项"), words.matter(asked.matter)),
        (say("授权书"), say("紧急：先行核对，授权书随后补交") if asked.urgent else say("核对前须齐备")),
        (say("先前结果"), say("仍有效的沿用，不再询问") if asked.reuse else say("不沿用，全部重新询问")),
    ]
    if asked.recheck_of:
        found.append((say("重新核对的任务"), asked.recheck_of))
    return found


def _cohort(asked: Summation, words: _Words) -> dict[str, object]:
    """Of a sum numbers only, masked: its people have no names."""
    shown = asked.cohort[:_MOST_SHOWN]
    rows = [{"numbers": words.join(mask_number(one.value) for one in person)} for person in shown]
    return {"people": rows, "count": len(asked.cohort), "named": False}


def _people(asked: Verification, words: _Words) -> dict[str, object]:
    """Masked: an approver compares with the file, and sees nobody whole; what the mandate of each is for."""
    people = Subjects.of(asked.subjects)
    relatives = {ref for one in asked.declared for ref in one.relatives}
    rows = []
    for at in range(min(len(people), _MOST_SHOWN)):
        one = people[at]
        mandate = asked.mandates.get(one.mandate)
        rows.append(
            {
                "ref": one.ref,
                "name": mask_name(one.name),
                "numbers": words.join(mask_number(each.value) for each in one.identities),
                "outside": one.ref in relatives,
                "mandate": one.mandate,
                "scope": _scope(mandate, words) if mandate is not None else (),
            }
        )
    return {"people": rows, "count": len(people), "named": True}


def _scope(mandate: Mandate, words: _Words) -> tuple[tuple[str, str], ...]:
    """授权范围: purpose, matter, items and provinces."""
    say = words.visit.say
    return (
        (say("用途"), words.programme(mandate.programme)),
        (say("救助事项"), words.matter(mandate.matter)),
        (say("项目"), words.scope_items(mandate.items)),
        (say("省份"), words.scope_regions(mandate.regions)),
    )


def _mandate(one: Mandate, words: _Words) -> dict[str, object]:
    visit = words.visit
    if one.valid_to is not None:
        until = date_words(visit.lang, one.valid_to)
    else:
        until = visit.say(EVENT_WORDS[one.event]) if one.event in EVENT_WORDS else one.event
    return {
        "number": one.number,
        "office": one.office,
        "signers": len(one.signers),
        "valid": f"{date_words(visit.lang, one.valid_from)} — {until}",
        "doc_hash": one.doc_hash,
    }


def _declared(one: DeclaredHousehold, words: _Words) -> dict[str, object]:
    """What a household declares, as its report will show it beside what was verified."""
    visit = words.visit
    figures = [
        (visit.say(_TOTAL_WORDS[name]), _yuan(value, visit.lang))
        for name, value in one.totals.items()
        if value is not None
    ]
    figures += [
        (words.item(code), amount_text(words.items.get(code), value, visit.lang))
        for code, value in sorted(one.items.items())
    ]
    applicant: Sequence[str] = [one.applicant] if one.applicant else []
    if one.applicant_id_type:
        applicant = [*applicant, id_type_text(one.applicant_id_type, visit.lang)]
    return {
        "household": one.household,
        "figures": figures,
        "causes": words.join(cause_text(cause, visit.lang) for cause in one.causes),
        "numbers": words.join(filter(None, (one.application_no, one.acceptance_no))),
        "applicant": words.join(applicant),
        "relatives": words.join(one.relatives),
    }


def _yuan(fen: int, lang: str) -> str:
    return amount_words(Amount(EXACT, True, fen, fen), None, lang, money=True)
