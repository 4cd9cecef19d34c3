"""The service of backups, certificate, salt and ends of keys: what `heqiao keys` does, from the console."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from heqiao.admin.v1 import keys_pb2 as pb
from heqiao.admin.v1 import keys_pb2_grpc

from keys import KeyStore
from keys.errors import KeyringError
from keys.pki.certificates import identity_of
from keys.pki.enrolment import Bundle
from keys.store.atomic_files import MAX_BYTES
from node.config import open_key_store
from node.context import Node
from node.errors import InvalidRequestError, NodeError, NotFoundError, PreconditionError
from node.federation.joining import require_known_ca, take_bundle
from node.files import disk_errors
from node.governance import backups
from node.governance.certificates import record_taken
from node.jobs.notices import collect
from node.rotation import driver
from node.rotation.changes import STEPS, plan_salt_step, read_certificate_change, read_salt_change, waits_for
from node.rotation.ends import ENDED, plan_destruction, plan_retirement
from node.rotation.kinds import KINDS, SALT, TLS
from node.rotation.tls import read_certificate, request_path
from node.services import key_messages as messages
from node.services.dual_control import require_second
from node.services.notice_sources import OF_KEYS
from node.services.opened_keys import OpenedKeys
from node.services.works import Act, Works
from node.telemetry.progress import Progress
from node.transport.interceptors import Call
from node.wire.common import require, timestamp


class KeyServicer(keys_pb2_grpc.KeyServiceServicer):  # type: ignore[misc]  # generated code
    """heqiao.admin.v1.KeyService."""

    def __init__(self, node: Node, works: Works, opened: OpenedKeys) -> None:
        self._node, self._works, self._opened = node, works, opened
        self._one = threading.Lock()  # of two changes of one key store at once the second sees the first

    def ListBackups(  # noqa: N802
        self, _request: pb.ListBackupsRequest, _call: Call
    ) -> pb.ListBackupsResponse:
        """Backups on record, and what none of them holds."""
        return messages.list_backups(self._node, self._opened.open())

    def MakeBackup(self, _request: pb.MakeBackupRequest, call: Call) -> pb.MakeBackupResponse:  # noqa: N802
        """As `heqiao keys backup`, with a share sealed to each holder; nobody is sent anything."""
        node = self._node
        with _told(), self._one:
            holders = backups.read_holders(node.config)
            split = backups.split_of(node.config, holders)
            backups.require_room(node.config)
            require_second(node, call, backups.ACTION, backups.asked(split, holders))
            keys = open_key_store(node.config)
            path, made = backups.write_backup(node.config, keys, holders, split, node.clock(), node.store)
        with suppress(NodeError):  # the backup is there; the notice ends with the next check at the latest
            collect(node, [OF_KEYS])
        return pb.MakeBackupResponse(file=path.name, fingerprint=made.fingerprint())

    def GetKeyChanges(  # noqa: N802
        self, _request: pb.GetKeyChangesRequest, _call: Call
    ) -> pb.GetKeyChangesResponse:
        """How far the certificate and the salt are."""
        node = self._node
        with _told():
            keys = self._opened.open()
            return messages.changes(node, read_certificate_change(node, keys), read_salt_change(node, keys))

    def RequestCertificate(  # noqa: N802
        self, _request: pb.RequestCertificateRequest, call: Call
    ) -> pb.RequestCertificateResponse:
        """As `heqiao keys rotate tls`; a request that waits for the CA stays as it is."""
        node = self._node
        with _told(), self._one:
            keys = open_key_store(node.config)
            found = read_certificate_change(node, keys)
            if not (found.pending and found.request):
                policy = TLS.policy(node.config)
                epoch = driver.prepare(TLS, node, keys, policy).epoch("tls")
                require_second(node, call, "keys rotate", {"purpose": "tls", "epoch": epoch})
                driver.rotate(TLS, node, keys, policy, epoch=epoch)
                found = read_certificate_change(node, keys)
        return pb.RequestCertificateResponse(fingerprint=found.request)

    def GetCertificateRequest(  # noqa: N802
        self, _request: pb.GetCertificateRequestRequest, _call: Call
    ) -> pb.GetCertificateRequestResponse:
        """The request for the newest key; without one a NotFoundError (rule `no_request`)."""
        node = self._node
        with _told():
            found = read_certificate_change(node, self._opened.open())
        if not found.request:
            raise NotFoundError(
                "there is no request for the newest TLS key", "make one first", {"rule": "no_request"}
            )
        with disk_errors("make another request"):
            content = request_path(node.config).read_bytes()
        return pb.GetCertificateRequestResponse(content=content, fingerprint=found.request)

    def TakeBundle(self, request: pb.TakeBundleRequest, _call: Call) -> pb.TakeBundleResponse:  # noqa: N802
        """As `heqiao join` of a home that has joined, by a trusted CA; no older certificate."""
        node = self._node
        require(0 < len(request.content) <= MAX_BYTES, "a bundle is a file of at most 1 MiB")
        with self._one, _refused_bundle():
            offered = Bundle.from_json(request.content, "the bundle")
            trusted = require_known_ca(node.config, offered)
            before = identity_of(read_certificate(node.config)).not_after
            if identity_of(offered.certificate.encode()).not_after < before:
                raise PreconditionError(
                    "the bundle's certificate ends before the one in use",
                    "take the bundle that the CA made last",
                    {"rule": "older_certificate"},
                )
            keys = open_key_store(node.config)
            member = take_bundle(node.config, keys, offered, trusted, Path("the bundle"), node.clock())
        record_taken(node.config, member, node.clock(), node.store)
        until, salt = member.identity.not_after, member.salt_version
        return pb.TakeBundleResponse(certificate_until=timestamp(until), salt_version=salt)

    def ChangeSalt(self, request: pb.ChangeSaltRequest, call: Call) -> pb.ChangeSaltResponse:  # noqa: N802
        """As `heqiao keys rotate salt`, with and without `--abandon`."""
        node, step = self._node, request.step
        require(step in STEPS, f"steps are {', '.join(STEPS)}")
        with _told():
            keys = open_key_store(node.config)
            version, asked = plan_salt_step(node, keys, step)
        require_second(node, call, "keys rotate salt", asked)
        kind, act = (
            ("abandonment", partial(_abandon, node, keys))
            if step == "abandon"
            else ("rotation", partial(_change_salt, node, keys, version))
        )
        return pb.ChangeSaltResponse(work_id=self._start(kind, "salt", call, act))

    def RetireKeys(self, request: pb.RetireKeysRequest, call: Call) -> pb.RetireKeysResponse:  # noqa: N802
        """As `heqiao keys retire`; with `early` as `--now`."""
        node, purpose, early = self._node, request.purpose, request.early
        kind = KINDS[_read_ended(purpose)]
        with _told():
            keys = open_key_store(node.config)
            end = plan_retirement(kind, node, keys, early=early)
        if not end.steps:
            raise PreconditionError("nothing is to be retired", "look again", {"rule": "nothing_to_end"})
        if end.early:
            require_second(node, call, "keys retire", {"keys": end.named})
        return pb.RetireKeysResponse(
            work_id=self._start("retirement", purpose, call, partial(_retire, node, keys, purpose, early))
        )

    def DestroyKeys(self, request: pb.DestroyKeysRequest, call: Call) -> pb.DestroyKeysResponse:  # noqa: N802
        """As `heqiao keys destroy PURPOSE EPOCH --confirm`."""
        node, kind = self._node, KINDS[_read_ended(request.purpose)]
        require(request.epoch > 0, "name an epoch")
        with _told(), self._one:
            keys = open_key_store(node.config)
            end = plan_destruction(kind, node, keys, request.epoch)
            if not end.steps:
                raise PreconditionError("it is destroyed already", "look again", {"rule": "nothing_to_end"})
            kind.require_unused(node, request.epoch)  # an approval is not used up for what is refused
            require_second(node, call, "keys destroy", {"keys": end.named})
            moved = driver.destroy(kind, node, keys, request.epoch)
            node.ring.refresh()
        return pb.DestroyKeysResponse(destroyed=[f"{key.purpose}.{key.epoch}" for key in moved])

    def _start(self, kind: str, subject: str, call: Call, act: Act) -> str:
        account = call.person.account if call.person else ""
        return self._works.start(kind, subject, account, act).id


def _read_ended(purpose: str) -> str:
    require(purpose in ENDED, f"kinds are {', '.join(ENDED)}")
    return purpose


@contextmanager
def _told() -> Iterator[None]:
    """What the key store says is wrong, as the caller may be told it: it names keys, and shows none."""
    try:
        yield
    except KeyringError as error:
        raise PreconditionError(str(error), error.hint, {"rule": "keys"}) from None


@contextmanager
def _refused_bundle() -> Iterator[None]:
    try:
        yield
    except KeyringError as error:
        raise InvalidRequestError(str(error), error.hint, {"rule": "bundle"}) from None


def _change_salt(
    node: Node, keys: KeyStore, version: int, progress: Progress, _stopping: threading.Event
) -> None:
    # No processes: a serving node has threads and connections, which no fork survives.
    done = driver.rotate(
        SALT, node, keys, SALT.policy(node.config), epoch=version, workers=0, progress=progress
    )
    if not done.begun and not done.switched:
        raise waits_for(done.missing)


def _abandon(node: Node, keys: KeyStore, _progress: Progress, _stopping: threading.Event) -> None:
    driver.abandon(SALT, node, keys)


def _retire(
    node: Node, keys: KeyStore, purpose: str, early: bool, _progress: Progress, _stopping: threading.Event
) -> None:
    driver.retire(KINDS[purpose], node, keys, early=early)
