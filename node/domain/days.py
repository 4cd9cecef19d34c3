"""Days as numbers."""

from datetime import date

from node.domain.records import FIRST_DAY

DAY_ZERO = FIRST_DAY.toordinal()


EPOCH_START = date(1970, 1, 1)
