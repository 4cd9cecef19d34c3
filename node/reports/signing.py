"""Who issues a printed report, and where it is signed and sealed. Pure."""

from typing import Final

from node.domain.findings import Report
from node.domain.sum_findings import SumReport
from node.reports.document import Column, Group, Table
from node.reports.households import household_of
from node.reports.print_words import phrase

_ROLES: Final = ("prepared_by", "checked_by", "seal")


def issuing_body(report: Report | SumReport, lang: str) -> str:
    """The official name of the body that issues a report; without one, whose verification body it is."""
    name = report.requester_name or report.requester
    return report.issuing_body or phrase("issuing_body", lang).format(name=name)


def signing_table(report: Report | SumReport, lang: str, signed_by: str) -> Table:
    """Places for two signatures, the seal and, on the report of a household, its receipt, each with a date.

    The days of an objection are counted from the receipt. `signed_by` is the fingerprint of the key that
    signs the files, empty where none does.
    """
    roles = (*_ROLES, "received_by") if _of_one_household(report) else _ROLES
    names = tuple(issuing_body(report, lang) if role == "seal" else "" for role in roles)
    dates = (phrase("signing_date", lang),) * len(roles)
    key = phrase("signed_with", lang).format(key=signed_by) if signed_by else phrase("unsigned", lang)
    columns = tuple(Column(phrase(role, lang)) for role in roles)
    return Table(phrase("signing", lang), columns, (Group((names, dates)),), (key,))


def _of_one_household(report: Report | SumReport) -> bool:
    return isinstance(report, Report) and len({household_of(one) for one in report.subjects}) == 1
