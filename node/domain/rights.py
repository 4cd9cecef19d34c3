"""Who may call what: one line for each RPC of the platform port and each command (domain.md, S38).

Pure. A call without a line is refused, and a test compares the lines with everything there is. What a person
of a unit sees of others' work is a second question: see node.domain.job_access.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from node.domain.units import tier
from node.domain.users import ADMINISTRATORS, OFFICERS, Person, Role

EVERYBODY: Final = frozenset(Role)
_PREPARER: Final = frozenset({Role.PREPARER})
_APPROVER: Final = frozenset({Role.APPROVER})
_SYSTEM: Final = frozenset({Role.SYSTEM})
_SECURITY: Final = frozenset({Role.SECURITY})
_AUDIT: Final = frozenset({Role.AUDIT})
_WATCHERS: Final = frozenset({Role.SYSTEM, Role.AUDIT, Role.OBSERVER})


@dataclass(frozen=True, slots=True)
class Right:
    """A line of the table: the roles that may, and whether a platform's certificate may.

    `before` says that it is part of signing in: no session is needed. `unready` says that it may be called
    with a session before password, second factor and confidentiality record are in order. `whole` says that
    it is about the whole province: people of a unit below it may not.
    """

    roles: frozenset[Role]
    platform: bool = False
    before: bool = False
    unready: bool = False
    whole: bool = False


CONSOLE: Final = "console"  # the name in the certificate of a console: it acts for people who signed in only
_HIGH_TIERS: Final = ("ministry", "province")
_SIGN_IN: Final = Right(EVERYBODY, before=True)
_OWN: Final = Right(EVERYBODY, unready=True)


def _service(name: str, rights: Mapping[str, Right], package: str = "platform") -> Mapping[str, Right]:
    return {f"/heqiao.{package}.v1.{name}/{method}": right for method, right in rights.items()}


RPCS: Final[Mapping[str, Right]] = {
    **_service(
        "PlatformService",
        {
            # With [users] approval a person's verification is a draft that another person approves.
            "SubmitVerification": Right(_PREPARER, platform=True),
            "SubmitSum": Right(_PREPARER, platform=True),
            "WatchJob": Right(OFFICERS, platform=True),
            "GetReport": Right(OFFICERS, platform=True),
            "GetSumReport": Right(OFFICERS, platform=True),
            "CancelJob": Right(OFFICERS, platform=True),
            "ListJobs": Right(OFFICERS, platform=True),
            "ListPeers": Right(EVERYBODY, platform=True),
            "GetCatalogue": Right(EVERYBODY, platform=True),
            "RevokeMandates": Right(_PREPARER, platform=True),
        },
    ),
    **_service(
        "JobService",
        {
            "RetryPart": Right(OFFICERS, platform=True),
            "ListDeadlines": Right(OFFICERS, platform=True),
            "GetPeerTimes": Right(EVERYBODY, platform=True),
            "GetStatistics": Right(EVERYBODY, platform=True),
            "CountDaysLeft": Right(EVERYBODY, platform=True),
        },
    ),
    **_service(
        "MandateService",
        {
            "AddMandates": Right(_PREPARER, platform=True),
            "ListMandates": Right(OFFICERS, platform=True),
            "GetMandate": Right(OFFICERS, platform=True),
            "EndMandate": Right(_PREPARER, platform=True),
            "CheckMandates": Right(OFFICERS, platform=True),
            "AddForm": Right(_PREPARER, platform=True),
            "GetForm": Right(OFFICERS, platform=True),
        },
    ),
    **_service(
        "HouseholdService",
        {
            "PutHouseholds": Right(_PREPARER, platform=True),
            "ListHouseholds": Right(OFFICERS, platform=True),
            "GetHousehold": Right(OFFICERS, platform=True),
            "RemoveHousehold": Right(_PREPARER, platform=True),
            # With [users] approval a person's verification is a draft that another person approves.
            "VerifyHouseholds": Right(_PREPARER, platform=True),
            "ReportSubject": Right(OFFICERS, platform=True),
        },
    ),
    **_service(
        "WatchService",
        {
            "AddWatch": Right(_PREPARER, platform=True),
            "RunWatch": Right(_PREPARER, platform=True),
            "ListWatches": Right(OFFICERS, platform=True),
            "RemoveWatch": Right(_PREPARER, platform=True),
            "ListAlerts": Right(OFFICERS, platform=True),
            "AcknowledgeAlerts": Right(OFFICERS, platform=True),
            "WatchAlerts": Right(OFFICERS, platform=True),
        },
    ),
    **_service(
        "NoticeService",
        {
            "ListNotices": Right(ADMINISTRATORS | {Role.OBSERVER}, platform=True),
            "WatchNotices": Right(ADMINISTRATORS | {Role.OBSERVER}, platform=True),
        },
    ),
    **_service(
        "CatalogueService",
        {
            "DescribeCatalogue": Right(EVERYBODY, platform=True),
            "ListDifferences": Right(EVERYBODY, platform=True),
            "ListCodes": Right(EVERYBODY, platform=True),
        },
    ),
    **_service(
        "SourceService",
        {
            "ListQualityReports": Right(_WATCHERS, platform=True, whole=True),
            "GetQualityReport": Right(_WATCHERS, platform=True, whole=True),
        },
    ),
    **_service(
        "CaseService",
        {
            "GetCaseFacts": Right(OFFICERS, platform=True),
            "AddObjection": Right(_PREPARER, platform=True),
            "ListObjections": Right(OFFICERS, platform=True),
            "GetObjection": Right(OFFICERS, platform=True),
            # With [users] approval a re-check, too, is a draft that another person approves.
            "RecheckObjection": Right(_PREPARER, platform=True),
            "CloseObjection": Right(OFFICERS, platform=True),
            # It tells the other province who the person is, so it is the approver's.
            "SendCorrection": Right(_APPROVER, platform=True),
            "ListSentCorrections": Right(OFFICERS, platform=True),
            "SyncCorrections": Right(OFFICERS, platform=True),
            # What other provinces ask concerns the province's registers, not the cases of one unit.
            "ListReceivedCorrections": Right(OFFICERS, platform=True, whole=True),
            "GetReceivedCorrection": Right(OFFICERS, platform=True, whole=True),
            "FindCorrectionPerson": Right(OFFICERS, platform=True, whole=True),
            "AnswerCorrection": Right(_APPROVER, platform=True, whole=True),
        },
    ),
    **_service(
        "ReportService",
        {
            "StreamReportFile": Right(OFFICERS, platform=True),
            "VerifyReportFile": Right(EVERYBODY, platform=True),
            "CountReportFiles": Right(OFFICERS, platform=True),
        },
    ),
    **_service(
        "SessionService",
        {
            "SignIn": _SIGN_IN,
            "BeginSecondFactor": _SIGN_IN,
            "FinishSignIn": _SIGN_IN,
            "SignOut": _OWN,
            "GetPerson": _OWN,
            "ChangePassword": _OWN,
            "SignRecord": _OWN,
            "ListSessions": _OWN,
            "ListSignIns": _OWN,
            "EndOtherSessions": _OWN,
            "EndSession": _OWN,
        },
    ),
    **_service(
        "DraftService",
        {
            "SaveDraft": Right(_PREPARER),
            "GetDraft": Right(OFFICERS),
            "ListDrafts": Right(OFFICERS),
            "DeleteDraft": Right(_PREPARER),
            "SendForApproval": Right(_PREPARER),
            "GetContent": Right(OFFICERS),
            "Approve": Right(_APPROVER),
            "Return": Right(_APPROVER),
        },
    ),
    # Name and numbers of one person: for those who work on the case, never for administrators.
    **_service("PersonService", {"ShowPerson": Right(OFFICERS)}),
    **_service(
        "UserService",
        {
            "ListUsers": Right(_SECURITY),
            "AddUser": Right(_SECURITY),
            "SetRoles": Right(_SECURITY),
            "DisableUser": Right(_SECURITY),
            "ResetUser": Right(_SECURITY),
            "ConfirmUsers": Right(_SECURITY),
        },
        "admin",
    ),
    **_service(
        "OverviewService",
        {
            "GetHealth": Right(ADMINISTRATORS | {Role.OBSERVER}),
            "GetKeys": Right(_SECURITY, whole=True),
        },
        "admin",
    ),
    **_service(
        "KeyService",
        {
            "ListBackups": Right(_SECURITY, whole=True),
            "MakeBackup": Right(_SECURITY, whole=True),
            "GetKeyChanges": Right(_SECURITY, whole=True),
            "RequestCertificate": Right(_SECURITY, whole=True),
            "GetCertificateRequest": Right(_SECURITY, whole=True),
            "TakeBundle": Right(_SECURITY, whole=True),
            "ChangeSalt": Right(_SECURITY, whole=True),
            "RetireKeys": Right(_SECURITY, whole=True),
            "DestroyKeys": Right(_SECURITY, whole=True),
        },
        "admin",
    ),
    **_service(
        "ApprovalService",
        {
            "ListApprovals": Right(ADMINISTRATORS, whole=True),
            # Of another person's request, whatever its kind: who approves starts nothing.
            "Approve": Right(ADMINISTRATORS, whole=True),
            "Withdraw": Right(ADMINISTRATORS, whole=True),
        },
        "admin",
    ),
    **_service(
        "AccessService",
        {
            "ListQuotas": Right(ADMINISTRATORS, whole=True),
            "SetQuota": Right(_SECURITY, whole=True),
            "Suspend": Right(_SECURITY, whole=True),
            "LiftSuspension": Right(_SECURITY, whole=True),
            "ListAlerts": Right(ADMINISTRATORS, whole=True),
            "ListGrants": Right(ADMINISTRATORS, whole=True),
            "SetGrants": Right(_SECURITY, whole=True),
        },
        "admin",
    ),
    **_service(
        "PeerAdminService",
        {
            "ListPeerStates": Right(ADMINISTRATORS, whole=True),
            "AddPeer": Right(_SYSTEM, whole=True),
            "TestPeer": Right(_SYSTEM, whole=True),
            "PausePeer": Right(_SYSTEM, whole=True),
            "ResumePeer": Right(_SYSTEM, whole=True),
            "RemovePeer": Right(_SYSTEM, whole=True),
        },
        "admin",
    ),
    **_service(
        "WorkService",
        {
            "ListWorks": Right(ADMINISTRATORS, whole=True),
            "StartRotation": Right(_SECURITY, whole=True),
            "StartMirrorSync": Right(_SYSTEM, whole=True),
            "StartSource": Right(_SYSTEM, whole=True),
        },
        "admin",
    ),
    **_service(
        "ImportService",
        {
            "ListFiles": Right(_SYSTEM, whole=True),
            "StartFileCheck": Right(_SYSTEM, whole=True),
            "StartFileImport": Right(_SYSTEM, whole=True),
            "GetImport": Right(_SYSTEM, whole=True),
            # Lines, columns and reasons: never a number, a name or a value.
            "StreamRejects": Right(_SYSTEM, whole=True),
        },
        "admin",
    ),
    **_service(
        "RecordService",
        {
            "ListIncomingQueries": Right(_WATCHERS | _SECURITY),
            "ListEvents": Right(_AUDIT, whole=True),
            "ExportEvents": Right(_AUDIT, whole=True),
            "VerifyChain": Right(_AUDIT, whole=True),
            "ListSources": Right(_SYSTEM, whole=True),
            "ListImports": Right(_SYSTEM, whole=True),
        },
        "admin",
    ),
}

# Commands by their words; those without a line here change nothing in a home, or ask the running node, which
# judges them by RPCS.
COMMANDS: Final[Mapping[str, frozenset[Role]]] = {
    "import": _SYSTEM,
    "sources add": _SYSTEM,
    "sources check": _SYSTEM,
    "sources import": _SYSTEM,
    "sources remove": _SYSTEM,
    "sources reports": _WATCHERS,
    "index republish": _SYSTEM,
    "index verify": _SYSTEM,
    "mirror sync": _SYSTEM,
    "mirror status": _SYSTEM,
    "mirror verify": _SYSTEM,
    "mirror drop": _SYSTEM,
    "peers add": _SYSTEM,
    "peers remove": _SYSTEM,
    "peers pause": _SYSTEM,
    "peers resume": _SYSTEM,
    "peers grant": _SECURITY,
    "peers revocations": _SECURITY,
    "peers roots": _SECURITY,
    "watch thresholds set": _SECURITY,
    "notices send": _SYSTEM,
    "quotas set": _SECURITY,
    "quotas lift": _SECURITY,
    "keys rotate": _SECURITY,
    "keys retire": _SECURITY,
    "keys destroy": _SECURITY,
    "keys rewrap": _SECURITY,
    "keys backup": _SECURITY,
    "retention show": ADMINISTRATORS,
    "retention run": _SECURITY,
    "offices accept": _SECURITY,
    "offices issue": _SECURITY,
    "offices revoke": _SECURITY,
    "admins add": _SECURITY,
    "admins remove": _SECURITY,
    "approve": ADMINISTRATORS,
    "approvals withdraw": ADMINISTRATORS,
    "users add": _SECURITY,
    "users roles": _SECURITY,
    "users disable": _SECURITY,
    "users reset": _SECURITY,
    "users confirm": _SECURITY,
    "users list": ADMINISTRATORS,
}


def refusal(right: Right | None, person: Person | None) -> str:
    """Why a person may not call something: a stable word, empty where the person may.

    `no_line`: the table does not have it; `need_` and what must be done first; `role`: other roles may;
    `unit`: only people of the whole province may.
    """
    if right is None:
        return "no_line"
    if person is None:
        return "" if right.before else "session"
    if person.need is not None and not (right.before or right.unready):
        return f"need_{person.need}"
    if right.before:
        return ""
    if not person.roles & right.roles:
        return "role"
    return "unit" if right.whole and not is_whole(person.unit) else ""


def is_whole(unit: str) -> bool:
    """Whether a unit is the whole province, or the ministry."""
    return tier(unit) in _HIGH_TIERS


def command_roles(words: str) -> frozenset[Role] | None:
    """The roles that may run a command, by its words; None for one that no role is needed for."""
    parts = words.split()
    for end in range(len(parts), 0, -1):
        found = COMMANDS.get(" ".join(parts[:end]))
        if found is not None:
            return found
    return None
