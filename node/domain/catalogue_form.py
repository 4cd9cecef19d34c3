"""The form of a catalogue's file, which is also its JSON Schema (docs/catalogue.schema.json)."""

from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from node.domain.catalogue_items import CODE_PATTERN
from node.domain.sum_rules import SumForm

MAX_ITEMS: Final = 500
MAX_TABLES: Final = 500
MAX_BOUNDS: Final = 32
MAX_ENTRIES: Final = 255  # the place of an entry is one byte on the wire
VERSION_PATTERN: Final = r"^[1-9][0-9]{0,3}\.(0|[1-9][0-9]{0,3})$"


class Form(BaseModel):
    """Base of the forms: unknown keys and other types are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Words = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]
ItemCode = Annotated[str, Field(pattern=rf"^{CODE_PATTERN}$")]
TableCode = Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9a-z.-]{1,39}$")]
# Labels carry amounts in eight bytes; a quadrillion fen is beyond any household.
Bound = Annotated[int, Field(gt=0, le=10**15)]


class TextForm(Form):
    """A text in both languages."""

    zh: Words
    en: Words


class EntryForm(Form):
    """An entry of a code list."""

    code: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,12}$", description="As registers write it")]
    zh: Annotated[str, Field(min_length=1, max_length=60, pattern=r"\S")]
    en: Annotated[str, Field(min_length=1, max_length=100, pattern=r"\S")]


class TableForm(Form):
    """A published table: the only source of thresholds, bands and code lists."""

    code: Annotated[TableCode, Field(description="What items call the table")]
    kind: Literal["threshold", "bands", "codes"]
    issuer: Annotated[TextForm, Field(description="The body that published and signed it")]
    valid_from: Annotated[date, Field(description="First day on which it is in force")]
    valid_to: Annotated[date | None, Field(description="Last day; none is until further notice")] = None
    bounds_fen: Annotated[
        list[Bound] | None,
        Field(
            min_length=1, max_length=MAX_BOUNDS, description="Of a threshold one bound; of bands ascending"
        ),
    ] = None
    entries: Annotated[
        list[EntryForm] | None,
        Field(
            min_length=1, max_length=MAX_ENTRIES, description="Of a code list, in the order of their places"
        ),
    ] = None


class ItemForm(Form):
    """An item: what may be verified, how it is counted, and how much a peer learns."""

    code: Annotated[ItemCode, Field(description="Of the federation; or X, a province, and such a code")]
    name: TextForm
    format: TextForm
    measure: TextForm
    unit: TextForm
    definition: Annotated[TextForm, Field(description="What is counted, over which period, for whom")]
    holder: Annotated[TextForm, Field(description="The department that holds the records")]
    time: Literal["instant", "period"]
    period_months: Annotated[int, Field(ge=1, le=120)] | None = None
    sensitivity: Annotated[
        Literal["P", "SP", "SF", "SM"],
        Field(description="Personal, sensitive, sensitive financial, medical"),
    ]
    level: Annotated[
        Literal["existence", "count", "band", "threshold", "value", "code", "aggregate"],
        Field(description="What a peer learns"),
    ]
    value_kind: Literal["flag", "count", "money", "code"]
    combine: Annotated[
        Literal["any", "count", "sum", "latest"],
        Field(description="How the rows of a person become one record"),
    ]
    freshness_days: Annotated[int, Field(ge=1, le=3660, description="Older records are answered as STALE")]
    frequency: Annotated[
        Literal["realtime", "daily", "weekly", "monthly", "quarterly", "half_yearly", "yearly"],
        Field(description="How often the holder updates its records"),
    ]
    share: Annotated[
        Literal["unconditional", "conditional", "not_shared"],
        Field(description="Class of sharing; what is not shared is never answered to a peer"),
    ]
    example: Annotated[int, Field(ge=0, le=10**15, description="The value of an example answer")]
    named_only: Annotated[bool, Field(description="Only a mandate that names the item covers it")] = False
    table: TableCode | None = None
    sum: SumForm | None = None


class HeadForm(Form):
    """What a catalogue's file says besides tables and items."""

    version: Annotated[str, Field(pattern=VERSION_PATTERN, description="Major and minor number, as 1.0")]
    title: TextForm
    issuer: Annotated[TextForm, Field(description="The body that published and signed the catalogue")]
    valid_from: date


class CatalogueForm(HeadForm):
    """A catalogue of items for verification between provinces (docs/catalogue.md)."""

    tables: Annotated[list[TableForm], Field(max_length=MAX_TABLES)] = []
    items: Annotated[list[ItemForm], Field(min_length=1, max_length=MAX_ITEMS)]


def schema() -> dict[str, Any]:
    """The JSON Schema of a catalogue's file."""
    return CatalogueForm.model_json_schema()
