"""Whether the office that signed a mandate may: its certificate, the province, the list of revoked ones."""

from keys.errors import EnrolmentError, KeyringError
from keys.pki.offices import OfficeCertificate, OfficeError, check_mandate, check_office
from node.context import Node
from node.domain.mandate_checks import Reason
from node.domain.stored_mandates import StoredMandate, signed_part

_HINT = "the office's certificate"


def judge_office(node: Node, stored: StoredMandate, revoked: frozenset[str]) -> tuple[str, str]:
    """The number of the office's certificate, and why its signature does not count; empty where it does.

    A mandate without a signature has neither; whether it needs one is the configuration's.
    """
    if not stored.is_signed:
        missing = node.config.mandates.signed_offices
        return "", str(Reason.UNSIGNED_BY_OFFICE) if missing else ""
    try:
        certificate = OfficeCertificate.from_json(stored.certificate, _HINT)
        check_office(certificate, node.code, node.keys.ca, node.clock())
        check_mandate(certificate, signed_part(stored), stored.signature)
    except OfficeError as error:
        return "", error.reason
    except (EnrolmentError, KeyringError):
        return "", str(Reason.OFFICE_UNKNOWN)
    if certificate.number in revoked:
        return certificate.number, str(Reason.OFFICE_REVOKED)
    if stored.mandate.office not in (certificate.code, certificate.name):
        return certificate.number, str(Reason.OFFICE_DIFFERS)
    return certificate.number, ""
