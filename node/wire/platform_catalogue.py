"""The catalogue, and its differences from those of peers, as messages of the platform port."""

from collections.abc import Iterable
from datetime import date

from heqiao.platform.v1 import catalogue_pb2, platform_pb2

from matcher.types import Level
from node.domain.catalogue import Catalogue, CodeEntry, Item, Table
from node.domain.catalogue_differences import DifferenceKind, ItemDifference
from node.domain.code_tables import CodeTables
from node.domain.legal_bases import LegalBasis
from node.wire.common import days_of

KINDS = {one: getattr(catalogue_pb2, f"DIFFERENCE_KIND_{one.name}") for one in DifferenceKind}


def catalogue_message(catalogue: Catalogue) -> platform_pb2.GetCatalogueResponse:
    """The catalogue's items and attributes."""
    return platform_pb2.GetCatalogueResponse(
        version=catalogue.version, digest=catalogue.digest, items=map(item_message, catalogue.items)
    )


def whole_catalogue_message(
    catalogue: Catalogue, *, is_signed: bool
) -> catalogue_pb2.DescribeCatalogueResponse:
    """The whole catalogue, with its tables."""
    return catalogue_pb2.DescribeCatalogueResponse(
        version=catalogue.version,
        digest=catalogue.digest,
        title_zh=catalogue.title_zh,
        title_en=catalogue.title_en,
        issuer_zh=catalogue.issuer_zh,
        issuer_en=catalogue.issuer_en,
        valid_from=days_of(catalogue.valid_from),
        is_signed=is_signed,
        items=map(item_message, catalogue.items),
        tables=map(_table_message, catalogue.tables),
    )


def item_message(item: Item) -> platform_pb2.CatalogueItem:
    """One item with all its attributes."""
    return platform_pb2.CatalogueItem(
        code=item.code,
        name_zh=item.name_zh,
        name_en=item.name_en,
        holder=item.holder_zh,
        level=item.level.name.lower(),
        time=item.time,
        period_months=item.period_months or 0,
        unit=item.unit_en,
        definition_zh=item.definition_zh,
        definition_en=item.definition_en,
        sensitivity=item.sensitivity,
        freshness_days=item.freshness_days,
        bounds=item.bands or ((item.threshold,) if item.threshold is not None else ()),
        format_zh=item.format_zh,
        format_en=item.format_en,
        measure_zh=item.measure_zh,
        measure_en=item.measure_en,
        unit_zh=item.unit_zh,
        holder_en=item.holder_en,
        value_kind=item.value_kind,
        combine=item.combine,
        frequency=item.frequency,
        share=item.share,
        table=item.table or "",
        codes=_code_messages(item.codes if item.level is Level.CODE else ()),
        width=item.width,
        slots=item.sum.layout.slots if item.sum else 0,
        example=item.example,
        named_only=item.named_only,
        definition_digest=item.definition,
    )


def read_item(message: platform_pb2.CatalogueItem) -> Item:
    """An item as the own node describes it, for its words: without the rule of its sums."""
    level = Level[message.level.upper()]
    texts = {
        f"{name}_{lang}": getattr(message, f"{name}_{lang}")
        for name in ("name", "format", "measure", "definition")
        for lang in ("zh", "en")
    }
    return Item(
        code=message.code,
        **texts,
        unit_zh=message.unit_zh,
        unit_en=message.unit,
        holder_zh=message.holder,
        holder_en=message.holder_en,
        time=message.time,
        period_months=message.period_months or None,
        sensitivity=message.sensitivity,
        level=level,
        value_kind=message.value_kind,
        combine=message.combine,
        freshness_days=message.freshness_days,
        frequency=message.frequency,
        share=message.share,
        example=message.example,
        named_only=message.named_only,
        table=message.table or None,
        bands=tuple(message.bounds) if level is Level.BAND else (),
        threshold=message.bounds[0] if level is Level.THRESHOLD and message.bounds else None,
        codes=tuple(CodeEntry(one.code, one.zh, one.en) for one in message.codes),
    )


def _code_messages(entries: Iterable[CodeEntry]) -> list[platform_pb2.CatalogueCode]:
    return [platform_pb2.CatalogueCode(code=one.code, zh=one.zh, en=one.en) for one in entries]


def _table_message(table: Table) -> catalogue_pb2.CatalogueTable:
    return catalogue_pb2.CatalogueTable(
        code=table.code,
        kind=table.kind,
        issuer_zh=table.issuer_zh,
        issuer_en=table.issuer_en,
        valid_from=days_of(table.valid_from),
        valid_to=None if table.valid_to is None else days_of(table.valid_to),
        bounds=table.bounds_fen,
        codes=_code_messages(table.entries),
    )


def difference_message(found: ItemDifference) -> catalogue_pb2.ItemDifference:
    """One item that two catalogues do not have alike."""
    return catalogue_pb2.ItemDifference(
        item=found.item,
        kind=KINDS[found.kind],
        attributes=[
            catalogue_pb2.AttributeDifference(attribute=one.attribute, here=one.here, there=one.there)
            for one in found.attributes
        ],
    )


def code_tables_message(tables: CodeTables) -> catalogue_pb2.ListCodesResponse:
    """Legal bases and matters."""
    return catalogue_pb2.ListCodesResponse(
        legal_bases=[
            catalogue_pb2.LegalBasis(
                code=code,
                name_zh=one.name[0],
                name_en=one.name[1],
                about_zh=one.about[0],
                about_en=one.about[1],
                is_for_people=one.for_people,
                valid_from=one.first.isoformat() if one.first else "",
                valid_to=one.last.isoformat() if one.last else "",
                is_own=code in tables.own_bases,
            )
            for code, one in tables.bases.items()
        ],
        matters=[
            catalogue_pb2.Matter(code=code, name_zh=zh, name_en=en, is_own=code in tables.own_matters)
            for code, (zh, en) in tables.matters.items()
        ],
    )


def read_code_tables(message: catalogue_pb2.ListCodesResponse) -> CodeTables:
    """The code tables of the own node: what is published is known already."""
    bases = {
        one.code: LegalBasis(
            (one.name_zh, one.name_en),
            (one.about_zh, one.about_en),
            one.is_for_people,
            date.fromisoformat(one.valid_from) if one.valid_from else None,
            date.fromisoformat(one.valid_to) if one.valid_to else None,
        )
        for one in message.legal_bases
        if one.is_own
    }
    return CodeTables(bases, {one.code: (one.name_zh, one.name_en) for one in message.matters if one.is_own})
