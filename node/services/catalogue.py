"""The catalogue service: this province's own systems read the catalogue, and where peers' differ."""

from typing import Final

from heqiao.platform.v1 import catalogue_pb2 as pb
from heqiao.platform.v1 import catalogue_pb2_grpc

from node.context import Node
from node.database import peers as peer_rows
from node.domain.peers import PeerRow
from node.errors import InvalidRequestError, NotFoundError
from node.jobs.catalogue_comparison import ComparisonState, PeerComparison, compare_peers
from node.reports.wording import example_text
from node.transport.interceptors import Call
from node.wire import platform_catalogue as wire

MOST_PEERS: Final = 64
_STATES: Final = {one: getattr(pb, f"COMPARISON_STATE_{one.name}") for one in ComparisonState}


class CatalogueServicer(catalogue_pb2_grpc.CatalogueServiceServicer):  # type: ignore[misc]  # generated code
    """heqiao.platform.v1.CatalogueService."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def DescribeCatalogue(  # noqa: N802 - the name is the protocol's
        self, _request: pb.DescribeCatalogueRequest, _call: Call
    ) -> pb.DescribeCatalogueResponse:
        """The whole catalogue."""
        node = self._node
        message = wire.whole_catalogue_message(node.catalogue, is_signed=node.catalogue_signed)
        for item, written in zip(node.catalogue.items, message.items, strict=True):
            written.example_zh, written.example_en = example_text(item, "zh"), example_text(item, "en")
        return message

    def ListDifferences(  # noqa: N802
        self, request: pb.ListDifferencesRequest, _call: Call
    ) -> pb.ListDifferencesResponse:
        """Ask the peers now, all at once."""
        found = compare_peers(self._node, self._peers(tuple(request.peers)))
        return pb.ListDifferencesResponse(peers=map(_message, found))

    def ListCodes(self, _request: pb.ListCodesRequest, _call: Call) -> pb.ListCodesResponse:  # noqa: N802
        """Legal bases and matters."""
        return wire.code_tables_message(self._node.code_tables)

    def _peers(self, codes: tuple[str, ...]) -> list[PeerRow]:
        """The peers named, or all. Raises InvalidRequestError, NotFoundError."""
        if len(codes) > MOST_PEERS or len(set(codes)) != len(codes):
            raise InvalidRequestError(f"peers names at most {MOST_PEERS}, each once")
        with self._node.store.transaction("list peers") as tx:
            known = {peer.code: peer for peer in peer_rows.list_peers(tx)}
        if not known.keys() >= set(codes):
            raise NotFoundError("a peer is not known here", "`heqiao peers list` lists the peers")
        return [known[code] for code in codes] if codes else list(known.values())


def _message(found: PeerComparison) -> pb.PeerDifferences:
    return pb.PeerDifferences(
        peer=found.peer,
        state=_STATES[found.state],
        version=found.version,
        items=map(wire.difference_message, found.items),
        reason=found.reason,
        is_same_document=found.is_same_document,
    )
