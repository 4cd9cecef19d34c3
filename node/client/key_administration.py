"""What security administrators ask of the own node about keys: heqiao.admin.v1.KeyService. No database."""

from collections.abc import Sequence

from heqiao.admin.v1 import keys_pb2 as pb
from heqiao.admin.v1 import keys_pb2_grpc

from node.client.platform import Platform

_KEYS = keys_pb2_grpc.KeyServiceStub


class KeyAdmin:
    """The calls of KeyService."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def backups(self) -> pb.ListBackupsResponse:
        """Backups on record, and what none of them holds."""
        found: pb.ListBackupsResponse = self._platform.call(
            _KEYS, "ListBackups", pb.ListBackupsRequest(), slow=True
        )
        return found

    def make_backup(self) -> pb.MakeBackupResponse:
        """In the folder of the node."""
        found: pb.MakeBackupResponse = self._platform.call(
            _KEYS, "MakeBackup", pb.MakeBackupRequest(), slow=True
        )
        return found

    def changes(self) -> pb.GetKeyChangesResponse:
        """How far certificate and salt are."""
        found: pb.GetKeyChangesResponse = self._platform.call(
            _KEYS, "GetKeyChanges", pb.GetKeyChangesRequest(), slow=True
        )
        return found

    def request_certificate(self) -> str:
        """The next TLS key and its request; the fingerprint of the request."""
        request = pb.RequestCertificateRequest()
        found: pb.RequestCertificateResponse = self._platform.call(
            _KEYS, "RequestCertificate", request, slow=True
        )
        return found.fingerprint

    def certificate_request(self) -> bytes:
        """The request for the CA."""
        request = pb.GetCertificateRequestRequest()
        found: pb.GetCertificateRequestResponse = self._platform.call(
            _KEYS, "GetCertificateRequest", request, slow=True
        )
        return found.content

    def take_bundle(self, content: bytes) -> pb.TakeBundleResponse:
        """The CA's bundle."""
        request = pb.TakeBundleRequest(content=content)
        found: pb.TakeBundleResponse = self._platform.call(_KEYS, "TakeBundle", request, slow=True)
        return found

    def change_salt(self, step: str) -> None:
        """Begin, switch or abandon."""
        self._platform.call(_KEYS, "ChangeSalt", pb.ChangeSaltRequest(step=step), slow=True)

    def retire(self, purpose: str, *, early: bool) -> None:
        """Refuse epochs whose grace is over, with `early` all in grace."""
        request = pb.RetireKeysRequest(purpose=purpose, early=early)
        self._platform.call(_KEYS, "RetireKeys", request, slow=True)

    def destroy(self, purpose: str, epoch: int) -> Sequence[str]:
        """Erase a retired key; names of what was erased."""
        request = pb.DestroyKeysRequest(purpose=purpose, epoch=epoch)
        found: pb.DestroyKeysResponse = self._platform.call(_KEYS, "DestroyKeys", request, slow=True)
        return found.destroyed
