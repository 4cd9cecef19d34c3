"""The form of a catalogue file: keys, types and limits of each; node/domain/catalogue.py has the rules."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from node.domain.sum_rules import SumForm

CODE_PATTERN = r"[A-Z][0-9]{2}[a-z]?"


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


_Words = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]
_Code = Annotated[str, Field(pattern=rf"^{CODE_PATTERN}$")]
_TableCode = Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9a-z.-]{1,39}$")]
# Labels carry amounts in eight bytes; a quadrillion fen is beyond any household.
_Bound = Annotated[int, Field(gt=0, le=10**15)]


class _Text(_Form):
    zh: _Words
    en: _Words


class TableForm(_Form):
    """A published table."""

    code: _TableCode
    kind: Literal["threshold", "bands"]
    issuer: _Text
    valid_from: date
    bounds_fen: Annotated[list[_Bound], Field(min_length=1, max_length=32)]


class ItemForm(_Form):
    """One item."""

    code: _Code
    name: _Text
    format: _Text
    measure: _Text
    unit: _Text
    definition: _Text
    holder: _Text
    time: Literal["instant", "period"]
    period_months: Annotated[int, Field(ge=1, le=120)] | None = None
    sensitivity: Literal["P", "SP", "SF", "SM"]
    level: Literal["existence", "count", "band", "threshold", "value", "aggregate"]
    value_kind: Literal["flag", "count", "money"]
    combine: Literal["any", "count", "sum", "latest"]
    freshness_days: Annotated[int, Field(ge=1, le=3660)]
    table: _TableCode | None = None
    sum: SumForm | None = None


class CatalogueForm(_Form):
    """The whole file."""

    version: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,39}$")]
    title: _Text
    issuer: _Text
    valid_from: date
    tables: list[TableForm] = []
    items: Annotated[list[ItemForm], Field(min_length=1, max_length=500)]
