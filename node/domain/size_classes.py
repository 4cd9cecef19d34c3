"""How large a batch looks to the peer that is asked: classes, not sizes (design.md section 3.3). Pure."""

from typing import Final

SMALLEST_CLASS: Final = 16
FINEST_STEP: Final = 1024  # points, between the classes of large batches


def size_class(points: int) -> int:
    """The class a batch is padded to, 16 at least, so that only its rough size is visible.

    Up to 4,096 points there are four classes per doubling, above sixteen: a class still covers a thousand
    sizes or more, and padding costs a large list a few per cent instead of up to a quarter.
    """
    size = SMALLEST_CLASS
    while size < points:
        quarter = 1 << max(size.bit_length() - 3, 2)
        size += min(quarter, max(quarter // 4, FINEST_STEP))
    return size
