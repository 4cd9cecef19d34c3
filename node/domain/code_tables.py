"""Code tables that a province extends: legal bases and matters of its own, beside the published ones
(domain.md section 8). Pure.

A published code keeps its meaning: a province adds codes, and changes none.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Final

from pydantic import Field, ValidationError

from node.domain.catalogue_form import Form, TextForm
from node.domain.catalogue_rules import Fault, form_fault, shown
from node.domain.legal_bases import LEGAL_BASES, LegalBasis, find_basis
from node.domain.matters import MATTERS

MAX_BASES: Final = 200
_DIGITS: Final = re.compile(r"[0-9]{15}", re.ASCII)
Pair = tuple[str, str]


class BasisForm(Form):
    """A legal basis of the province."""

    code: Annotated[
        str,
        Field(
            pattern=r"^[A-Z][A-Za-z0-9._-]{1,31}$",
            description="A capital letter, then letters, digits, dot, underscore and hyphen",
        ),
    ]
    name: Annotated[TextForm, Field(description="Law and article")]
    about: Annotated[TextForm | None, Field(description="What it is about, in a few words")] = None
    valid_from: Annotated[date | None, Field(description="First day on which it is in force")] = None
    valid_to: Annotated[date | None, Field(description="Last day; none is until further notice")] = None
    for_people: Annotated[bool, Field(description="Whether forms for checks of people offer it")] = True


class MatterForm(Form):
    """A matter of the province: what households apply for."""

    code: Annotated[str, Field(pattern=r"^9[1-9]$", description="91 to 99 are a province's own")]
    name: TextForm


class TablesForm(Form):
    """Legal bases and matters of a province (docs/mandates.md)."""

    legal_bases: Annotated[list[BasisForm], Field(default_factory=list, max_length=MAX_BASES)]
    matters: Annotated[list[MatterForm], Field(default_factory=list, max_length=9)]


@dataclass(frozen=True, slots=True)
class CodeTables:
    """The published codes, and those of the province: names in Chinese and English by code."""

    own_bases: Mapping[str, LegalBasis] = field(default_factory=dict)
    own_matters: Mapping[str, Pair] = field(default_factory=dict)

    @property
    def bases(self) -> Mapping[str, LegalBasis]:
        """All legal bases that are listed one by one, the published ones first."""
        published = ((code, find_basis(code)) for code in LEGAL_BASES)
        return {**{code: one for code, one in published if one is not None}, **self.own_bases}

    @property
    def matters(self) -> Mapping[str, Pair]:
        """All matters that have a name."""
        return {**MATTERS, **self.own_matters}

    def basis(self, code: str) -> LegalBasis | None:
        """A legal basis by its code; None where it is on no list."""
        return self.own_bases.get(code) or find_basis(code)

    def own_names(self) -> Mapping[str, Pair]:
        """The names of the province's own codes, of both kinds: no code is of both."""
        return {**{code: one.name for code, one in self.own_bases.items()}, **self.own_matters}


@dataclass(frozen=True, slots=True)
class CheckedTables:
    """The tables of a file, or its faults."""

    tables: CodeTables | None
    faults: tuple[Fault, ...] = ()


def check_tables(text: str) -> CheckedTables:
    """What the text of a file says; every fault of it with its key, what was found and what is allowed."""
    try:
        raw: Mapping[str, Any] = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return CheckedTables(None, (Fault("file", "", "a TOML file"),))
    try:
        form = TablesForm.model_validate(raw)
    except ValidationError as invalid:
        return CheckedTables(None, tuple(map(form_fault, invalid.errors(include_url=False))))
    faults = (*_basis_faults(form.legal_bases), *_matter_faults(form.matters))
    return CheckedTables(None, faults) if faults else CheckedTables(_build(form))


def _basis_faults(forms: list[BasisForm]) -> Iterator[Fault]:
    seen: set[str] = set()
    for place, one in enumerate(forms):
        key = f"legal_bases[{place}]"
        if one.code in seen:
            yield Fault(f"{key}.code", one.code, "each code once")
        if find_basis(one.code) is not None:
            yield Fault(f"{key}.code", one.code, "a published code keeps its meaning: choose another one")
        if _DIGITS.search(one.code):  # it stands in logs and audit chains, as an identity number never may
            yield Fault(f"{key}.code", "", "not 15 digits in a row")
        if one.valid_from and one.valid_to and one.valid_to < one.valid_from:
            yield Fault(f"{key}.valid_to", one.valid_to.isoformat(), "not before valid_from")
        yield from _text_faults(key, one.name, one.about)
        seen.add(one.code)


def _matter_faults(forms: list[MatterForm]) -> Iterator[Fault]:
    seen: set[str] = set()
    for place, one in enumerate(forms):
        if one.code in seen:
            yield Fault(f"matters[{place}].code", one.code, "each code once")
        yield from _text_faults(f"matters[{place}]", one.name)
        seen.add(one.code)


def _text_faults(key: str, *texts: TextForm | None) -> Iterator[Fault]:
    """Names reach reports and screens: no mark in them may turn round what is read there."""
    for one in filter(None, texts):
        for text in (one.zh, one.en):
            if not text.isprintable():
                yield Fault(key, shown(text), "printable characters on one line")


def _build(form: TablesForm) -> CodeTables:
    bases = {
        one.code: LegalBasis(
            _pair(one.name),
            _pair(one.about) if one.about else ("", ""),
            for_people=one.for_people,
            first=one.valid_from,
            last=one.valid_to,
        )
        for one in form.legal_bases
    }
    return CodeTables(bases, {one.code: _pair(one.name) for one in form.matters})


def _pair(text: TextForm) -> Pair:
    return text.zh, text.en


def schema() -> dict[str, Any]:
    """The JSON Schema of the file."""
    return TablesForm.model_json_schema()
