"""Items as the own node describes them: their words are those of the catalogue itself."""

import pytest

from node.domain.catalogue import Item, load
from node.reports.wording import amount_text, value_text, value_texts
from node.wire.platform_catalogue import item_message, read_item


@pytest.mark.parametrize("item", load().items, ids=lambda one: one.code)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_an_item_keeps_its_words(item: Item, lang: str) -> None:
    found = read_item(item_message(item))
    assert [found.text(name, lang) for name in ("name", "unit", "definition", "holder")] == [
        item.text(name, lang) for name in ("name", "unit", "definition", "holder")
    ]
    assert value_texts(found, lang) == value_texts(item, lang)
    assert value_text(found, 1, lang) == value_text(item, 1, lang)
    assert amount_text(found, 765_400, lang) == amount_text(item, 765_400, lang)
    assert (found.level, found.value_kind, found.period_months) == (
        item.level,
        item.value_kind,
        item.period_months,
    )
