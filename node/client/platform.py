"""A platform's connection to its own node. It needs no database, and only the package's base dependencies.

    with Platform.open(home) as platform:
        job = platform.submit(verification)
        for state in platform.watch(job): ...
        report = platform.report(job)

It uses the identity in a home folder (`heqiao init`, `heqiao join`).
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import grpc
from google.protobuf.message import Message
from heqiao.platform.v1 import cases_pb2, cases_pb2_grpc, platform_pb2_grpc
from heqiao.platform.v1 import platform_pb2 as pb

from keys import target_name
from keys.pki.names import split_address
from node.client.jobs import JobCalls
from node.config import Home
from node.credentials.tls_identity import TlsIdentity, load_tls_identity
from node.domain.findings import Report
from node.domain.job_progress import JobPage, JobProgress
from node.domain.new_ids import new_id
from node.domain.sum_findings import SumReport
from node.domain.summation import Summation
from node.domain.verification import Verification
from node.errors import ConfigError, NodeError, SessionEndedError, UnreachableError
from node.telemetry.request_id import new_request_id, request_metadata
from node.transport.secure_channel import secure_channel
from node.transport.session import session_metadata
from node.transport.status import from_rpc_error
from node.wire import platform
from node.wire import platform_sums as sums_wire
from node.wire.case_facts import add_facts
from node.wire.platform_jobs import read_job

_SLOW = 4  # several calls to a peer, one after the other
_REVOKED_AT_ONCE = 1_000  # numbers in a message, which stays below 1 MiB
_SIGN_IN = frozenset({"SignIn", "BeginSecondFactor", "FinishSignIn"})  # the calls before a session
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not listened on


class Platform(JobCalls):
    """A connection to the own province's node. Every method raises NodeError kinds."""

    def __init__(
        self, address: str, code: str, identity: TlsIdentity, max_message_bytes: int, call_s: float
    ) -> None:
        self._stack, self._address = ExitStack(), address
        channel = self._stack.enter_context(
            secure_channel(address, target_name(code), identity, max_message_bytes)
        )
        self._channel, self._stub = channel, platform_pb2_grpc.PlatformServiceStub(channel)
        self._call_s, self._session, self._is_use, self._people_only = call_s, "", True, False
        self._stubs: dict[Callable[[Any], Any], Any] = {}  # those of the copies, too

    @classmethod
    def open(cls, home: Path, address: str | None = None) -> Self:
        """Connect with the identity of a home; the address is that of its own configuration by default.

        Raises ConfigError, KeyringError, PreconditionError (not joined yet); the connection itself is made
        by the first call.
        """
        config = Home.find(home).load()
        limits = config.limits
        return cls(
            address or own_address(config.platform.listen),
            config.node.code,
            load_tls_identity(config),
            limits.max_message_bytes,
            limits.call_timeout_s,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def as_person(self, session: str, *, is_use: bool = True) -> "Platform":
        """The same connection, whose calls carry the token of a person's session (docs/users.md).

        Calls that are no `is_use` do not keep the session: what a page asks for by itself.
        """
        found = copy.copy(self)
        found._session, found._is_use = session, is_use  # noqa: SLF001  a copy of this
        return found

    def for_people(self) -> "Platform":
        """The same connection for a console: a call without a person's session raises SessionEndedError, but
        for those of signing in. It has the node's own rights, which no page may use.
        """
        found = copy.copy(self)
        found._people_only = True  # noqa: SLF001  a copy of this
        return found

    def close(self) -> None:
        """Close the connection."""
        self._stack.close()

    def submit(self, verification: Verification, job: str | None = None) -> str:
        """Submit a verification and return its job id; the same id and content is the same job."""
        job = job or new_id("v")
        messages = platform.submission(job, verification)
        response: pb.SubmitVerificationResponse = self._call("SubmitVerification", messages)
        return str(response.job_id)

    def sum(self, summation: Summation, job: str | None = None) -> SumReport:
        """Totals over many people, of several peers at once: submit, wait for the end, fetch the report.

        Longer than other calls: use `submit_sum`, `watch` and `sum_report` to see how far it is.
        """
        found = self.submit_sum(summation, job)
        for _ in self.watch(found):
            pass
        return self.sum_report(found)

    def submit_sum(self, summation: Summation, job: str | None = None) -> str:
        """Submit a sum and return its job id; the same id and content is the same job."""
        job = job or new_id("s")
        response: pb.SubmitSumResponse = self._call("SubmitSum", sums_wire.submission(job, summation))
        return str(response.job_id)

    def sum_report(self, job: str) -> SumReport:
        """The report of a sum that has ended."""
        return sums_wire.read_report(self._call("GetSumReport", pb.GetSumReportRequest(job_id=job)))

    def watch(self, job: str) -> Iterator[JobProgress]:
        """The job now and after every change, until it ends."""
        for response in self._stream("WatchJob", pb.WatchJobRequest(job_id=job)):
            yield read_job(response.job)

    def job(self, job: str) -> JobProgress:
        """The job as it is now. Raises NotFoundError."""
        return next(iter(self.watch(job)))

    def report(self, job: str) -> Report:
        """The report of a job that has ended, with what households declared and what it looks at again."""
        report = platform.read_report(self._stream("GetReport", pb.GetReportRequest(job_id=job)))
        asked = cases_pb2.GetCaseFactsRequest(job_id=job)
        facts = self.stream(cases_pb2_grpc.CaseServiceStub, "GetCaseFacts", asked)
        return add_facts(report, facts)

    def cancel(self, job: str) -> JobProgress:
        """Ask a job to stop."""
        response: pb.CancelJobResponse = self._call("CancelJob", pb.CancelJobRequest(job_id=job))
        return read_job(response.job)

    def jobs(
        self, limit: int = 50, *, after: str = "", states: Sequence[str] = (), unit: str = ""
    ) -> JobPage:
        """A page of jobs, newest first: those after the `next` of another page, in any of some states, of a
        unit and those below it.
        """
        wanted = [platform.JOB_STATES[state] for state in states]
        request = pb.ListJobsRequest(limit=limit, after=after, states=wanted, unit=unit)
        response: pb.ListJobsResponse = self._call("ListJobs", request)
        return JobPage(tuple(map(read_job, response.jobs)), response.next)

    def revoke_mandates(self, numbers: Sequence[str]) -> int:
        """Revoke mandates by their numbers, for good; returns how many were not revoked before.

        A platform revokes them for its own jobs, the node for all. No part of a job that begins later asks
        about people under them.
        """
        revoked = 0
        for at in range(0, len(numbers), _REVOKED_AT_ONCE):
            request = pb.RevokeMandatesRequest(mandate_nos=numbers[at : at + _REVOKED_AT_ONCE])
            response: pb.RevokeMandatesResponse = self._call("RevokeMandates", request)
            revoked += response.revoked
        return revoked

    def peers(self) -> Sequence[pb.Peer]:
        """Peers the node knows."""
        response: pb.ListPeersResponse = self._call("ListPeers", pb.ListPeersRequest())
        return response.peers

    def catalogue(self) -> pb.GetCatalogueResponse:
        """The node's item catalogue."""
        response: pb.GetCatalogueResponse = self._call("GetCatalogue", pb.GetCatalogueRequest())
        return response

    def call(
        self,
        stub: Callable[[Any], Any],
        method: str,
        message: Message | Iterator[Message],
        *,
        slow: bool = False,
    ) -> Any:
        """A call to another service of the node, by its generated stub; `slow`: the node asks peers first."""
        return self._call(method, message, self._stub_of(stub), self._call_s * (_SLOW if slow else 1))

    def stream(self, stub: Callable[[Any], Any], method: str, message: Message) -> Iterator[Any]:
        """The answers of a call to another service of the node, as they come."""
        return self._stream(method, message, self._stub_of(stub))

    def _stub_of(self, kind: Callable[[Any], Any]) -> Any:
        """Made once for a service: making one takes as long as a call."""
        if kind not in self._stubs:
            self._stubs[kind] = kind(self._channel)
        return self._stubs[kind]

    def _call(
        self,
        method: str,
        message: Message | Iterator[Message],
        stub: Any = None,
        timeout_s: float | None = None,
    ) -> Any:
        call, timeout = getattr(stub or self._stub, method), timeout_s or self._call_s
        try:
            return call(message, timeout=timeout, metadata=self._metadata(method))
        except grpc.RpcError as error:
            raise self._rebuild(error) from None

    def _stream(self, method: str, message: Message, stub: Any = None) -> Iterator[Any]:
        try:
            metadata = self._metadata(method)
            yield from getattr(stub or self._stub, method)(message, metadata=metadata)
        except grpc.RpcError as error:
            raise self._rebuild(error) from None

    def _metadata(self, method: str) -> tuple[tuple[str, str], ...]:
        if self._people_only and not self._session and method not in _SIGN_IN:
            raise SessionEndedError("nobody is signed in", "sign in", {"rule": "session"})
        session = session_metadata(self._session, is_use=self._is_use)
        return request_metadata(new_request_id()) + session

    def _rebuild(self, error: grpc.RpcError) -> NodeError:
        rebuilt = from_rpc_error(error)
        if not isinstance(rebuilt, UnreachableError):
            return rebuilt
        return UnreachableError(
            f"this province's own node does not answer at {self._address}",
            "start it with `heqiao serve`, or give the address of its platform port with --node",
        )


def own_address(listen: str) -> str:
    """Where to call a local server that listens on `listen`. Raises ConfigError for port 0."""
    host, port = split_address(listen)
    if port == 0:
        raise ConfigError(
            f"{listen}: a port chosen at the start of the node is not known here",
            "set a fixed port in node.toml, or give the port to a command that takes --node",
        )
    host = _LOOPBACK.get(host, host)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
