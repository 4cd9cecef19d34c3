"""Puts a node together: TLS, interceptor, servicers, health, reflection, background jobs, drain."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from heqiao.peer.v1 import correction_pb2, correction_pb2_grpc, service_pb2, service_pb2_grpc

from matcher.suites import x25519
from node.context import Node
from node.domain.jobs import JobRequest
from node.errors import ConfigError
from node.index.sum_packing import outdated_sums
from node.jobs.calendar import working_days
from node.jobs.leases import Leases
from node.jobs.runner import Runner
from node.jobs.scheduler import Scheduler
from node.services import source_runs
from node.services.corrections import CorrectionServicer
from node.services.health import HealthWatch
from node.services.job_process import JobProcess
from node.services.peer import PeerServicer, peer_admission
from node.services.periodic import periodic_tasks
from node.services.platform import platform_admission
from node.services.platform_port import PLATFORM_SERVICES, add_platform_services
from node.services.reload import reload_keys
from node.services.renderings import Renderings
from node.services.source_runs import source_tasks
from node.services.works import Works
from node.telemetry import log
from node.transport.interceptors import Admission, CallGuard
from node.transport.secure_channel import KEEPALIVE_MS
from node.transport.tls import server_credentials

PEER_SERVICE = service_pb2.DESCRIPTOR.services_by_name["PeerService"].full_name
CORRECTION_SERVICE = correction_pb2.DESCRIPTOR.services_by_name["CorrectionService"].full_name
PEER_SERVICES = (PEER_SERVICE, CORRECTION_SERVICE)
DRAIN_S = 10.0
CONNECTION_OPTIONS = (
    # Callers send pings while they wait (KEEPALIVE_MS); the default ends their connection.
    ("grpc.http2.min_ping_interval_without_data_ms", KEEPALIVE_MS // 3),
    ("grpc.so_reuseport", 0),  # two nodes on one port would answer in turn
    ("grpc.max_concurrent_streams", 128),  # of one connection
    ("grpc.max_allowed_incoming_connections", 1_024),
    ("grpc.server_handshake_timeout_ms", 10_000),
    ("grpc.max_connection_idle_ms", 600_000),
    # Connections end now and then, so that each certificate is looked at anew; streams may end first.
    ("grpc.max_connection_age_ms", 3_600_000),
    ("grpc.max_connection_age_grace_ms", 3_600_000),
)
WAITING_PER_WORKER = 8  # calls beyond that are refused at once: the queue is bounded


class Server:
    """A running node: two ports and the background jobs."""

    def __init__(self, node: Node, home: Path | None = None, large_jobs: JobProcess | None = None) -> None:
        """`home` is the home or its configuration file, by default the folder of the configuration. Without
        a process for large jobs they run in this one.
        """
        self._node, self._large_jobs = node, large_jobs
        jobs = node.config.jobs
        working_days(node)  # a table of days that cannot be read is told at the start
        self._leases = Leases(node.store, jobs.lease_s)
        elsewhere = None if large_jobs is None else large_jobs.run
        self._runner = Runner(node, self._leases, jobs.poll_s, elsewhere=elsewhere)
        self._scheduler = Scheduler(node, self._leases, periodic_tasks(node), jobs.poll_s)
        sources = source_tasks(node, home or node.config.folder)
        self._sources = Scheduler(node, self._leases, sources, jobs.poll_s, source_runs.LEASE)
        self._health = health.HealthServicer()
        self._watch = HealthWatch(node, self._report)
        config = node.config
        self._admissions = peer_admission(node), platform_admission(node)
        self._peer = self._build(PEER_SERVICES, self._admissions[0], reflect=config.peer.reflection)
        service_pb2_grpc.add_PeerServiceServicer_to_server(PeerServicer(node), self._peer)
        correction_pb2_grpc.add_CorrectionServiceServicer_to_server(CorrectionServicer(node), self._peer)
        self._platform = self._build(
            PLATFORM_SERVICES, self._admissions[1], reflect=config.platform.reflection
        )
        self._renderings = Renderings(node)
        self._works = Works(node)
        add_platform_services(self._platform, node, self._runner, self._renderings, self._works)
        self.peer_port = self._listen(self._peer, config.peer.listen)
        self.platform_port = self._listen(self._platform, config.platform.listen)

    def start(self) -> None:
        """Serve, and resume the jobs that another process left open."""
        self._leases.start()
        self._peer.start()
        self._platform.start()
        self._watch.start()
        resumed = self._runner.resume()
        self._scheduler.start()
        self._sources.start()
        outdated = outdated_sums(self._node)
        if outdated:  # not offered before a full import
            log.get_logger().warning("sums_outdated", items=outdated)
        log.get_logger().info(
            "serving",
            port=[self.peer_port, self.platform_port],
            backend=x25519.backend().name,
            epoch=self._node.keys.epoch,
            job=resumed,
        )

    def start_job(self, job: str, submitted: JobRequest | None = None) -> None:
        """Run a job that was submitted to this node's database, as the platform service does."""
        self._runner.start(job, submitted)

    def stop(self) -> None:
        """Refuse new calls, give running ones time to end, leave open jobs to another process or restart."""
        self._health.enter_graceful_shutdown()
        self._watch.stop()
        ended = [server.stop(DRAIN_S) for server in (self._peer, self._platform)]
        if self._large_jobs is not None:
            self._large_jobs.finish()  # beside what ends here
        self._runner.stop()
        self._scheduler.stop()
        self._sources.stop()
        self._works.stop()
        if self._large_jobs is not None:
            self._large_jobs.close()
        self._leases.close()
        for event in ended:
            event.wait()
        self._renderings.close()
        for admission in self._admissions:
            admission.close()
        self._node.store.dispose()
        log.get_logger().info("stopped")

    def reload(self) -> None:
        """`reload_keys`, in all processes of this node; running calls go on."""
        reload_keys(self._node)
        if self._large_jobs is not None:
            self._large_jobs.reload()

    def wait(self, signals: Iterator[int]) -> None:
        """Serve until SIGTERM or SIGINT; on SIGHUP `reload`."""
        for number in signals:
            if number != signal.SIGHUP:
                break
            self.reload()
        log.get_logger().info("stopping", signal=number)
        self.stop()

    def _report(self, good: bool) -> None:
        answer = health_pb2.HealthCheckResponse
        for service in ("", *PEER_SERVICES, *PLATFORM_SERVICES):
            self._health.set(service, answer.SERVING if good else answer.NOT_SERVING)

    def _build(self, services: tuple[str, ...], admission: Admission, *, reflect: bool) -> grpc.Server:
        limits, threads = self._node.config.limits, admission.threads
        server = grpc.server(
            ThreadPoolExecutor(threads, thread_name_prefix="call"),
            interceptors=(CallGuard(admission),),
            maximum_concurrent_rpcs=threads * WAITING_PER_WORKER,
            options=(
                ("grpc.max_receive_message_length", limits.max_message_bytes),
                ("grpc.max_send_message_length", limits.max_message_bytes),
                *CONNECTION_OPTIONS,
            ),
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        if reflect:
            reflection.enable_server_reflection(
                (*services, health.SERVICE_NAME, reflection.SERVICE_NAME), server
            )
        return server

    def _listen(self, server: grpc.Server, address: str) -> int:
        credentials = server_credentials(self._node.ring)
        try:
            port: int = server.add_secure_port(address, credentials)
        except RuntimeError:
            port = 0
        if not port:
            raise ConfigError(
                f"cannot listen on {address}", "choose another address in node.toml, or stop what uses it"
            )
        return port
