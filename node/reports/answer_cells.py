"""One answer in the words of a cell. Pure."""

from node.domain.catalogue import Item
from node.domain.findings import Finding, Outcome
from node.reports.print_words import phrase
from node.reports.wording import answer_text, choose, outcome_text, reason_text, value_text


def answer_cell(said: Finding | None, item: Item | None, lang: str) -> str | None:
    """One answer in words: outcome, value, date, and the reason of a refusal."""
    if said is None:
        return None
    text = answer_text(said, lang)
    value = value_text(item, said.value, lang) if said.value is not None else ""
    if value and value != outcome_text(Outcome.FOUND, lang):
        text = phrase("valued", lang).format(text=text, value=value)
    lines = [text]
    if said.reason and said.outcome not in (Outcome.NAME_MISMATCH,):
        lines.append(choose(("（{}）", "({})"), lang).format(reason_text(said.reason, lang)))
    if said.as_of is not None:
        lines.append(phrase("as_of", lang).format(day=said.as_of.isoformat()))
    return "\n".join(lines)
