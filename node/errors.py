"""The errors of a node, by cause. Messages never contain an identity, name, value, token or key.

`code` is stable: it labels metrics, is sent to the caller, and selects the class raised there
(node/transport/status.py). `hint` says what to do next. `details` holds short public facts (a current
epoch, a rule's name), never by how much a limit was missed. `retry_after` is how long to wait before
repeating the same call, None where this is unknown.
"""

from collections.abc import Mapping
from datetime import timedelta


class NodeError(Exception):
    """Base of the node's errors."""

    code = "internal"

    def __init__(
        self,
        message: str,
        hint: str = "",
        details: Mapping[str, str] | None = None,
        *,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = dict(details or {})
        self.retry_after = retry_after


class ConfigError(NodeError):
    """The configuration or an option cannot be used."""

    code = "bad_config"


class InputError(NodeError):
    """A file given by a person cannot be used."""

    code = "bad_input"


class InvalidRequestError(NodeError):
    """A message is malformed, oversized, or breaks a limit."""

    code = "invalid_request"


class InvalidPointsError(InvalidRequestError):
    """Points of a wrong length, non-canonical, on the twist, of low order, or more than announced."""

    code = "invalid_points"


class UnknownSuiteError(InvalidRequestError):
    """A suite this node does not know."""

    code = "unknown_suite"


class UnknownCallerError(NodeError):
    """The caller's certificate names no peer or platform of this node."""

    code = "unknown_peer"


class RefusedError(NodeError):
    """A mandate, grant or policy forbids it; `details["rule"]` names the rule."""

    code = "refused"


class SignInError(RefusedError):
    """A password or code was wrong, or the account cannot sign in: one sentence for all causes.

    `details["left"]` is how many attempts are left; `details["locked"]` is `yes` where there are none.
    """

    code = "sign_in"


class SessionEndedError(UnknownCallerError):
    """The session of a person has ended, or never was."""

    code = "session_ended"


class NotFoundError(NodeError):
    """No such job, report or partition."""

    code = "not_found"


class ItemNotOfferedError(NotFoundError):
    """The node does not hold this item, or not for this origin."""

    code = "item_not_offered"


class JobConflictError(NodeError):
    """A job id was used before with other content."""

    code = "job_conflict"


class PreconditionError(NodeError):
    """Another step must be done first."""

    code = "precondition"


class EpochError(PreconditionError):
    """The epoch is not current; `details["epoch"]` names the current one."""

    code = "epoch_not_current"


class ManifestUnknownError(PreconditionError):
    """The query's manifest is none that this node issued to the caller within the last day."""

    code = "manifest_unknown"


class QueryUnknownError(PreconditionError):
    """A later part of a query came that this node does not know: it begins anew."""

    code = "query_unknown"


class SaltError(PreconditionError):
    """The salt version is not current; `details["salt_version"]` names the current one."""

    code = "salt_not_current"


class CatalogueMismatchError(PreconditionError):
    """The two nodes hold different catalogues; `details["catalogue"]` names the current version."""

    code = "catalogue_mismatch"


class PartitionVersionError(PreconditionError):
    """The partition has a newer version; `details["version"]` names it."""

    code = "partition_changed"


class DeltaGoneError(PreconditionError):
    """No delta leads from the version that the requester has to the one it wants."""

    code = "delta_gone"


class ConflictError(NodeError):
    """A write lost a race; try again."""

    code = "conflict"


class LimitError(NodeError):
    """A quota or the node's capacity is used up; `retry_after` says when to try again, if known."""

    code = "limit"


class UnavailableError(NodeError):
    """The database, the disk or a peer does not answer."""

    code = "unavailable"


class MirrorBehindError(UnavailableError):
    """A mirror is older than at the last look of a watch list: its files were put back."""

    code = "mirror_behind"


class RevocationListError(UnavailableError):
    """A node has had no new revocation list for too long, so it cannot tell whom it may trust."""

    code = "revocation_list_old"


class UnreachableError(UnavailableError):
    """No server answers at an address: the call certainly reached no node."""


class CancelledError(NodeError):
    """The job was cancelled."""

    code = "cancelled"


class LeaseLostError(CancelledError):
    """Another process has taken over the work: this process must write no more of it."""


class DishonestPeerError(NodeError):
    """A peer's answer fails a check: a canary, a planted row, a signature, a digest."""

    code = "peer_answer_wrong"


class AuditBrokenError(NodeError):
    """An event of the audit chain does not match its digest or the event before it."""

    code = "audit_broken"
