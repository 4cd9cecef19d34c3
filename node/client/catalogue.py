"""The catalogue of a platform's own node, and where peers' catalogues differ. It needs no database.

with Platform.open(home) as platform:
    for peer in CatalogueClient(platform).differences():
        ...
"""

from collections.abc import Sequence

from heqiao.platform.v1 import catalogue_pb2 as pb
from heqiao.platform.v1 import catalogue_pb2_grpc

from node.client.platform import Platform
from node.domain.code_tables import CodeTables
from node.wire.platform_catalogue import read_code_tables


class CatalogueClient:
    """The calls of heqiao.platform.v1.CatalogueService. Every method raises NodeError kinds."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._stub = catalogue_pb2_grpc.CatalogueServiceStub

    def describe(self) -> pb.DescribeCatalogueResponse:
        """The whole catalogue, with its tables, code lists and example answers."""
        found: pb.DescribeCatalogueResponse = self._platform.call(
            self._stub, "DescribeCatalogue", pb.DescribeCatalogueRequest()
        )
        return found

    def code_tables(self) -> CodeTables:
        """Legal bases and matters: the published codes, and those of the province."""
        found: pb.ListCodesResponse = self._platform.call(self._stub, "ListCodes", pb.ListCodesRequest())
        return read_code_tables(found)

    def differences(self, peers: Sequence[str] = ()) -> Sequence[pb.PeerDifferences]:
        """Where the catalogues of some peers differ, by default of all; each is asked now.

        Raises NotFoundError for a peer that the node does not know.
        """
        found: pb.ListDifferencesResponse = self._platform.call(
            self._stub, "ListDifferences", pb.ListDifferencesRequest(peers=peers), slow=True
        )
        return found.peers
