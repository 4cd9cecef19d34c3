"""What administrators ask of the own node: heqiao.admin.v1 without accounts. It needs no database.

Every method raises NodeError kinds; the node judges role and unit.
"""

from collections.abc import Iterator, Sequence

from heqiao.admin.v1 import (
    access_pb2,
    access_pb2_grpc,
    approvals_pb2,
    approvals_pb2_grpc,
    imports_pb2,
    imports_pb2_grpc,
    overview_pb2,
    overview_pb2_grpc,
    peers_pb2,
    peers_pb2_grpc,
    records_pb2,
    records_pb2_grpc,
    works_pb2,
    works_pb2_grpc,
)

from node.client.platform import Platform

_OVERVIEW = overview_pb2_grpc.OverviewServiceStub
Approval = approvals_pb2.Approval
HealthCard = overview_pb2.HealthCard
_APPROVALS = approvals_pb2_grpc.ApprovalServiceStub
_ACCESS = access_pb2_grpc.AccessServiceStub
_PEERS = peers_pb2_grpc.PeerAdminServiceStub
_IMPORTS = imports_pb2_grpc.ImportServiceStub
_RECORDS = records_pb2_grpc.RecordServiceStub
_WORKS = works_pb2_grpc.WorkServiceStub


class Overview:
    """The calls of OverviewService."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def health(self) -> Sequence[overview_pb2.HealthCard]:
        """The checks of the node, made now."""
        request = overview_pb2.GetHealthRequest()
        found: overview_pb2.GetHealthResponse = self._platform.call(
            _OVERVIEW, "GetHealth", request, slow=True
        )
        return found.cards

    def keys(self) -> overview_pb2.GetKeysResponse:
        """Keys and certificate."""
        request = overview_pb2.GetKeysRequest()
        found: overview_pb2.GetKeysResponse = self._platform.call(_OVERVIEW, "GetKeys", request, slow=True)
        return found


class Approvals:
    """The calls of ApprovalService."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def list(self, limit: int = 50, offset: int = 0) -> approvals_pb2.ListApprovalsResponse:
        """Requests under dual control, newest first."""
        request = approvals_pb2.ListApprovalsRequest(limit=limit, offset=offset)
        found: approvals_pb2.ListApprovalsResponse = self._platform.call(_APPROVALS, "ListApprovals", request)
        return found

    def approve(self, approval: str, digest: str, password: str, code: str) -> None:
        """Approve another person's request, as it was shown; with password and code again."""
        request = approvals_pb2.ApproveRequest(
            approval_id=approval, digest=digest, password=password, code=code
        )
        self._platform.call(_APPROVALS, "Approve", request)

    def withdraw(self, approval: str) -> None:
        """Take back the own request. Raises NotFoundError, PreconditionError for a used one."""
        request = approvals_pb2.WithdrawRequest(approval_id=approval)
        self._platform.call(_APPROVALS, "Withdraw", request)


class Access:
    """The calls of AccessService."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def quotas(self, peer: str = "") -> access_pb2.ListQuotasResponse:
        """Quotas of a peer or all."""
        request = access_pb2.ListQuotasRequest(peer=peer)
        found: access_pb2.ListQuotasResponse = self._platform.call(_ACCESS, "ListQuotas", request)
        return found

    def set_quota(self, peer: str, quota: str, amount: int | None) -> int:
        """Another quota, None for that of node.toml; the limit that applies now."""
        request = access_pb2.SetQuotaRequest(peer=peer, quota=quota, amount=amount)
        found: access_pb2.SetQuotaResponse = self._platform.call(_ACCESS, "SetQuota", request)
        return int(found.limit)

    def suspend(self, peer: str, measure: str) -> None:
        """Nothing of a measure passes."""
        self._platform.call(_ACCESS, "Suspend", access_pb2.SuspendRequest(peer=peer, measure=measure))

    def lift(self, peer: str, measure: str) -> None:
        """End a suspension."""
        request = access_pb2.LiftSuspensionRequest(peer=peer, measure=measure)
        self._platform.call(_ACCESS, "LiftSuspension", request)

    def alerts(self, limit: int = 50, offset: int = 0) -> Sequence[access_pb2.Alert]:
        """Alerts of all peers, newest first."""
        request = access_pb2.ListAlertsRequest(limit=limit, offset=offset)
        found: access_pb2.ListAlertsResponse = self._platform.call(_ACCESS, "ListAlerts", request)
        return found.alerts

    def grants(self) -> access_pb2.ListGrantsResponse:
        """Grants both ways."""
        request = access_pb2.ListGrantsRequest()
        found: access_pb2.ListGrantsResponse = self._platform.call(_ACCESS, "ListGrants", request)
        return found

    def set_grants(self, peer: str, grants: Sequence[str]) -> Sequence[str]:
        """All that a peer is granted, as `heqiao peers grant` writes it."""
        request = access_pb2.SetGrantsRequest(peer=peer, grants=grants)
        found: access_pb2.SetGrantsResponse = self._platform.call(_ACCESS, "SetGrants", request)
        return found.granted


class PeerAdmin:
    """The calls of PeerAdminService."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def states(self) -> peers_pb2.ListPeerStatesResponse:
        """Every peer."""
        request = peers_pb2.ListPeerStatesRequest()
        found: peers_pb2.ListPeerStatesResponse = self._platform.call(_PEERS, "ListPeerStates", request)
        return found

    def add(self, card: bytes, fingerprint: str, address: str, *, allow_platforms: bool) -> str:
        """Add a peer by its card and the fingerprint that was typed; its code."""
        request = peers_pb2.AddPeerRequest(
            card=card, fingerprint=fingerprint, address=address, allow_platforms=allow_platforms
        )
        found: peers_pb2.AddPeerResponse = self._platform.call(_PEERS, "AddPeer", request)
        return found.code

    def test(self, code: str) -> Sequence[peers_pb2.TestStep]:
        """How far a call to a peer comes."""
        request = peers_pb2.TestPeerRequest(code=code)
        found: peers_pb2.TestPeerResponse = self._platform.call(_PEERS, "TestPeer", request, slow=True)
        return found.steps

    def pause(self, code: str) -> None:
        """Neither ask nor answer a peer."""
        self._platform.call(_PEERS, "PausePeer", peers_pb2.PausePeerRequest(code=code))

    def resume(self, code: str) -> None:
        """End a pause."""
        self._platform.call(_PEERS, "ResumePeer", peers_pb2.ResumePeerRequest(code=code))

    def remove(self, code: str) -> None:
        """Forget a peer."""
        self._platform.call(_PEERS, "RemovePeer", peers_pb2.RemovePeerRequest(code=code))


class Works:
    """The calls of WorkService."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def list(self) -> Sequence[works_pb2.Work]:
        """What runs and what ended last, newest first."""
        request = works_pb2.ListWorksRequest()
        found: works_pb2.ListWorksResponse = self._platform.call(_WORKS, "ListWorks", request)
        return found.works

    def rotate(self, purpose: str) -> None:
        """Begin the rotation of a key."""
        request = works_pb2.StartRotationRequest(purpose=purpose)
        self._platform.call(_WORKS, "StartRotation", request, slow=True)

    def sync(self, peer: str) -> None:
        """Begin to bring a mirror up to date."""
        self._platform.call(_WORKS, "StartMirrorSync", works_pb2.StartMirrorSyncRequest(peer=peer))

    def import_source(self, item: str) -> None:
        """Begin to import a source."""
        self._platform.call(_WORKS, "StartSource", works_pb2.StartSourceRequest(item=item))


class Imports:
    """The calls of ImportService."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def files(self) -> imports_pb2.ListFilesResponse:
        """Files of [imports] folder by source."""
        request = imports_pb2.ListFilesRequest()
        found: imports_pb2.ListFilesResponse = self._platform.call(_IMPORTS, "ListFiles", request)
        return found

    def check(self, item: str, names: Sequence[str]) -> None:
        """Begin to check files of a source."""
        request = imports_pb2.StartFileCheckRequest(item=item, names=names)
        self._platform.call(_IMPORTS, "StartFileCheck", request)

    def begin(self, item: str, digest: bytes) -> None:
        """Begin to import the files that were checked last, by their digest."""
        request = imports_pb2.StartFileImportRequest(item=item, digest=digest)
        self._platform.call(_IMPORTS, "StartFileImport", request)

    def one(self, number: int) -> imports_pb2.GetImportResponse:
        """An import. Raises NotFoundError."""
        request = imports_pb2.GetImportRequest(number=number)
        found: imports_pb2.GetImportResponse = self._platform.call(_IMPORTS, "GetImport", request)
        return found

    def rejects(self, number: int) -> Iterator[imports_pb2.RejectedRow]:
        """Where the rejected rows of an import are, and why; reading them is an event."""
        request = imports_pb2.StreamRejectsRequest(number=number)
        for part in self._platform.stream(_IMPORTS, "StreamRejects", request):
            yield from part.rows


class Records:
    """The calls of RecordService."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def incoming(
        self, peer: str = "", limit: int = 50, offset: int = 0
    ) -> records_pb2.ListIncomingQueriesResponse:
        """Queries of peers, newest first."""
        request = records_pb2.ListIncomingQueriesRequest(peer=peer, limit=limit, offset=offset)
        found: records_pb2.ListIncomingQueriesResponse = self._platform.call(
            _RECORDS, "ListIncomingQueries", request
        )
        return found

    def events(self, limit: int = 50, offset: int = 0, **chosen: str) -> records_pb2.ListEventsResponse:
        """Audit events, newest first; `chosen` are fields of EventFilter."""
        request = records_pb2.ListEventsRequest(
            filter=records_pb2.EventFilter(**chosen), limit=limit, offset=offset
        )
        found: records_pb2.ListEventsResponse = self._platform.call(_RECORDS, "ListEvents", request)
        return found

    def export(self, **chosen: str) -> Iterator[records_pb2.Event]:
        """The same in order; the export is an event."""
        request = records_pb2.ExportEventsRequest(filter=records_pb2.EventFilter(**chosen))
        for part in self._platform.stream(_RECORDS, "ExportEvents", request):
            yield from part.events

    def verify_chain(self) -> records_pb2.VerifyChainResponse:
        """Whether an event was changed or removed."""
        request = records_pb2.VerifyChainRequest()
        found: records_pb2.VerifyChainResponse = self._platform.call(
            _RECORDS, "VerifyChain", request, slow=True
        )
        return found

    def sources(self) -> Sequence[records_pb2.Source]:
        """Where registers come from."""
        request = records_pb2.ListSourcesRequest()
        found: records_pb2.ListSourcesResponse = self._platform.call(_RECORDS, "ListSources", request)
        return found.sources

    def imports(self, limit: int = 50, offset: int = 0) -> records_pb2.ListImportsResponse:
        """Imports, newest first, and what is served of each item."""
        request = records_pb2.ListImportsRequest(limit=limit, offset=offset)
        found: records_pb2.ListImportsResponse = self._platform.call(_RECORDS, "ListImports", request)
        return found
