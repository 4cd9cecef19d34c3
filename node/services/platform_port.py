"""Every service of the platform port: a new one is a line here, and its lines in the table of rights."""

import grpc
from heqiao.admin.v1 import (
    access_pb2_grpc,
    approvals_pb2_grpc,
    imports_pb2_grpc,
    keys_pb2_grpc,
    overview_pb2_grpc,
    peers_pb2_grpc,
    records_pb2_grpc,
    users_pb2_grpc,
    works_pb2_grpc,
)
from heqiao.platform.v1 import (
    cases_pb2_grpc,
    catalogue_pb2_grpc,
    drafts_pb2_grpc,
    households_pb2_grpc,
    jobs_pb2_grpc,
    mandates_pb2_grpc,
    notices_pb2_grpc,
    persons_pb2_grpc,
    platform_pb2_grpc,
    reports_pb2_grpc,
    session_pb2_grpc,
    sources_pb2_grpc,
    watch_pb2_grpc,
)

from node.context import Node
from node.domain.rights import RPCS
from node.jobs.runner import Runner
from node.services.access_admin import AccessServicer
from node.services.approvals import ApprovalServicer
from node.services.cases import CaseServicer
from node.services.catalogue import CatalogueServicer
from node.services.drafts import DraftServicer
from node.services.households import HouseholdServicer
from node.services.import_admin import ImportServicer
from node.services.jobs import JobServicer
from node.services.key_admin import KeyServicer
from node.services.mandates import MandateServicer
from node.services.notices import NoticeServicer
from node.services.opened_keys import opened_keys
from node.services.overview import OverviewServicer
from node.services.peer_admin import PeerAdminServicer
from node.services.persons import PersonServicer
from node.services.platform import PlatformServicer
from node.services.records import RecordServicer
from node.services.renderings import Renderings
from node.services.report_files import ReportServicer
from node.services.sessions import SessionServicer
from node.services.sources import SourceServicer
from node.services.users import UserServicer
from node.services.watch import WatchServicer
from node.services.work_admin import WorkServicer
from node.services.works import Works

# Their full names, for health and reflection.
PLATFORM_SERVICES: tuple[str, ...] = tuple(dict.fromkeys(method.split("/")[1] for method in RPCS))


def add_platform_services(
    server: grpc.Server, node: Node, runner: Runner, renderings: Renderings, works: Works
) -> None:
    """Add all of them to a server that is not started yet."""
    platform = PlatformServicer(node, runner)
    opened = opened_keys(node)
    watchers = platform.watchers  # one bound on the streams of all services
    platform_pb2_grpc.add_PlatformServiceServicer_to_server(platform, server)
    watch_pb2_grpc.add_WatchServiceServicer_to_server(WatchServicer(node, runner, watchers), server)
    notices_pb2_grpc.add_NoticeServiceServicer_to_server(NoticeServicer(node, watchers), server)
    jobs_pb2_grpc.add_JobServiceServicer_to_server(JobServicer(node, runner), server)
    mandates_pb2_grpc.add_MandateServiceServicer_to_server(MandateServicer(node), server)
    households_pb2_grpc.add_HouseholdServiceServicer_to_server(HouseholdServicer(node, runner), server)
    catalogue_pb2_grpc.add_CatalogueServiceServicer_to_server(CatalogueServicer(node), server)
    sources_pb2_grpc.add_SourceServiceServicer_to_server(SourceServicer(node), server)
    cases_pb2_grpc.add_CaseServiceServicer_to_server(CaseServicer(node, runner), server)
    reports_pb2_grpc.add_ReportServiceServicer_to_server(ReportServicer(node, renderings), server)
    session_pb2_grpc.add_SessionServiceServicer_to_server(SessionServicer(node), server)
    drafts_pb2_grpc.add_DraftServiceServicer_to_server(DraftServicer(node, runner), server)
    persons_pb2_grpc.add_PersonServiceServicer_to_server(PersonServicer(node), server)
    users_pb2_grpc.add_UserServiceServicer_to_server(UserServicer(node), server)
    overview_pb2_grpc.add_OverviewServiceServicer_to_server(OverviewServicer(node, opened), server)
    approvals_pb2_grpc.add_ApprovalServiceServicer_to_server(ApprovalServicer(node), server)
    access_pb2_grpc.add_AccessServiceServicer_to_server(AccessServicer(node), server)
    peers_pb2_grpc.add_PeerAdminServiceServicer_to_server(PeerAdminServicer(node), server)
    records_pb2_grpc.add_RecordServiceServicer_to_server(RecordServicer(node), server)
    keys_pb2_grpc.add_KeyServiceServicer_to_server(KeyServicer(node, works, opened), server)
    works_pb2_grpc.add_WorkServiceServicer_to_server(WorkServicer(node, works), server)
    imports_pb2_grpc.add_ImportServiceServicer_to_server(ImportServicer(node, works), server)
