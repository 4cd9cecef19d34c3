"""Puts a node together: TLS, interceptor, servicers, health, reflection, background jobs, drain."""

import signal
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from heqiao.peer.v1 import service_pb2, service_pb2_grpc
from heqiao.platform.v1 import platform_pb2, platform_pb2_grpc

from keys import KeyringError
from matcher.suites import x25519
from node.context import Node
from node.domain.jobs import JobRequest
from node.errors import ConfigError, NodeError
from node.jobs.leases import Leases
from node.jobs.runner import Runner
from node.jobs.scheduler import Scheduler
from node.services.health import HealthWatch
from node.services.peer import PeerServicer
from node.services.periodic import periodic_tasks
from node.services.platform import PlatformServicer
from node.telemetry import log
from node.transport.interceptors import CallGuard
from node.transport.secure_channel import KEEPALIVE_MS
from node.transport.tls import server_credentials

PEER_SERVICE = service_pb2.DESCRIPTOR.services_by_name["PeerService"].full_name
PLATFORM_SERVICE = platform_pb2.DESCRIPTOR.services_by_name["PlatformService"].full_name
DRAIN_S = 10.0
WAITING_PER_WORKER = 8  # calls beyond that are refused at once: the queue is bounded


class Server:
    """A running node: two ports and the background jobs."""

    def __init__(self, node: Node) -> None:
        self._node = node
        jobs = node.config.jobs
        self._leases = Leases(node.store, jobs.lease_s)
        self._runner = Runner(node, self._leases, jobs.poll_s)
        self._scheduler = Scheduler(node, self._leases, periodic_tasks(node), jobs.poll_s)
        self._health = health.HealthServicer()
        self._watch = HealthWatch(node, self._report)
        config = node.config
        self._peer = self._build(config.peer.reflection, PEER_SERVICE, config.limits.worker_threads)
        service_pb2_grpc.add_PeerServiceServicer_to_server(PeerServicer(node), self._peer)
        self._platform = self._build(
            config.platform.reflection,
            PLATFORM_SERVICE,
            config.limits.worker_threads + config.limits.max_watchers,
        )
        platform_pb2_grpc.add_PlatformServiceServicer_to_server(
            PlatformServicer(node, self._runner), self._platform
        )
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
        self._runner.stop()
        self._scheduler.stop()
        self._leases.close()
        for event in ended:
            event.wait()
        self._node.store.dispose()
        log.get_logger().info("stopped")

    def reload(self) -> None:
        """Read keys, certificates, trusted roots and revocations again; running calls go on. What cannot be
        read is logged, and the node keeps what it has.

        All of it is also read when its files change; the log file is followed by every line that is written.
        """
        try:
            self._node.ring.reload()
        except (NodeError, KeyringError) as error:
            log.get_logger().error("reload", status="failed", reason=str(error))
        else:
            log.get_logger().info("reload", status="done", epoch=self._node.keys.epoch)
        self._node.revocations.reload()

    def wait(self, announce: Callable[[], None]) -> None:
        """Serve until SIGTERM or SIGINT; on SIGHUP `reload`. `announce` says that the node serves: only when
        signals are handled, since those who wait for it may send one at once.
        """
        # A signal may reach any thread, also one of gRPC, and then interrupts no lock that this one waits
        # for. Python writes its number to a socket at once, whichever thread it was.
        arrived, sender = socket.socketpair()
        sender.setblocking(False)
        signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
        for handled in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(handled, lambda _number, _frame: None)
        announce()
        while (number := arrived.recv(1)[0]) == signal.SIGHUP:
            self.reload()
        log.get_logger().info("stopping", signal=number)
        self.stop()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the interpreter resets handlers before it ends
        signal.set_wakeup_fd(-1)
        for end in (arrived, sender):
            end.close()

    def _report(self, good: bool) -> None:
        answer = health_pb2.HealthCheckResponse
        for service in ("", PEER_SERVICE, PLATFORM_SERVICE):
            self._health.set(service, answer.SERVING if good else answer.NOT_SERVING)

    def _build(self, reflect: bool, service: str, threads: int) -> grpc.Server:
        limits = self._node.config.limits
        server = grpc.server(
            ThreadPoolExecutor(threads, thread_name_prefix="call"),
            interceptors=(CallGuard(partial(self._node.revocations.require_good, whose="the caller")),),
            maximum_concurrent_rpcs=threads * WAITING_PER_WORKER,
            options=(
                ("grpc.max_receive_message_length", limits.max_message_bytes),
                ("grpc.max_send_message_length", limits.max_message_bytes),
                # Callers send pings while they wait (KEEPALIVE_MS); the default ends their connection.
                ("grpc.http2.min_ping_interval_without_data_ms", KEEPALIVE_MS // 3),
                ("grpc.so_reuseport", 0),  # two nodes on one port would answer in turn
            ),
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        if reflect:
            reflection.enable_server_reflection(
                (service, health.SERVICE_NAME, reflection.SERVICE_NAME), server
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
