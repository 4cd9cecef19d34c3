"""The catalogue as a message of the platform service."""

from heqiao.platform.v1 import platform_pb2 as pb

from node.domain.catalogue import Catalogue


def catalogue_message(catalogue: Catalogue) -> pb.GetCatalogueResponse:
    """The catalogue's items and attributes."""
    message = pb.GetCatalogueResponse(version=catalogue.version, digest=catalogue.digest)
    for item in catalogue.items:
        message.items.add(
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
        )
    return message
