"""The signed test records of each partition (design.md section 2)."""

from matcher.types import Level
from node.domain.catalogue import Item


def planted_value(item: Item, number: int) -> int:
    """The value that planted subject `number` of an item carries: small, allowed at the item's level."""
    if item.level is Level.BAND:
        return number % (len(item.bands) + 1)
    if item.level is Level.CODE:
        return number % len(item.codes)
    if item.level in (Level.COUNT, Level.VALUE):
        return number + 1
    return 1
