"""Messages of the service of keys."""

from heqiao.admin.v1 import keys_pb2 as pb

from keys import KeyStore
from keys.errors import KeyringError
from keys.store.backup import Recipient
from keys.store.inventory import inspect
from node.context import Node
from node.errors import PreconditionError
from node.governance import backups
from node.governance.administrators import ACCOUNT
from node.governance.backups import BackupRecord
from node.rotation.changes import CertificateChange, SaltChange
from node.rotation.kinds import SALT
from node.wire.common import timestamp


def list_backups(node: Node, keys: KeyStore) -> pb.ListBackupsResponse:
    """Backups on record, and who holds the shares of the next one."""
    with node.store.transaction("read backups") as tx:
        known = backups.read_backups(tx)
    message = pb.ListBackupsResponse(
        backups=map(_backup, known),
        unsaved=backups.unsaved(inspect(keys, node.clock()), known),
        shares_needed=node.config.backups.needed,
        dual_control=node.config.approvals.required,
        has_room=_has_room(node),
        code=node.config.node.code,
    )
    try:
        message.holders.extend(map(_holder, backups.read_holders(node.config)))
    except KeyringError as error:
        message.problem = str(error)
    return message


def changes(node: Node, certificate: CertificateChange, salt: SaltChange) -> pb.GetKeyChangesResponse:
    """How far certificate and salt are."""
    message = pb.GetKeyChangesResponse(
        certificate_until=timestamp(certificate.until),
        tls_epoch=certificate.epoch,
        tls_pending=certificate.pending,
        request_fingerprint=certificate.request,
        salt_version=salt.used,
        next_salt=salt.next,
        salt_state=salt.state,
        missing=[
            pb.MissingItem(item=one.item, partitions=one.partitions, sums=one.sums) for one in salt.missing
        ],
        salt_grace_days=SALT.policy(node.config).grace.days,
        dual_control=node.config.approvals.required,
        code=node.config.node.code,
    )
    for key in salt.old:
        old = message.old_salts.add(version=key.epoch, state=key.state.value)
        if key.grace_until is not None:
            old.grace_until.CopyFrom(timestamp(key.grace_until))
    for one in salt.peers:
        peer = message.peers.add(peer=one.peer, offers=one.offers, behind=one.behind)
        if one.at is not None:
            peer.at.CopyFrom(timestamp(one.at))
    return message


def _has_room(node: Node) -> bool:
    try:
        backups.require_room(node.config)
    except PreconditionError:
        return False
    return True


def _holder(one: Recipient) -> pb.ShareHolder:
    return pb.ShareHolder(name=one.name, fingerprint=one.fingerprint())


def _backup(one: BackupRecord) -> pb.Backup:
    return pb.Backup(
        at=timestamp(one.at),
        fingerprint=one.fingerprint,
        recipients=one.recipients,
        shares_needed=one.needed,
        shares_made=one.made,
        holders=one.holders,
        file=one.file,
        asked_by=one.who.removeprefix(ACCOUNT),
        approved_by=one.approver.removeprefix(ACCOUNT),
        keys=len(one.keys),
    )
