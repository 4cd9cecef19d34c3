"""Lists and reports read, counted and written one object after another: what the columns must agree with."""

import csv
import io
import json
from collections import Counter, defaultdict

from heqiao.platform.v1 import platform_pb2 as pb

from matcher import identity, names
from matcher.errors import IdentityError
from node.domain.findings import Outcome
from node.domain.subjects import Subject, holds_identity
from node.reports.coverage import ANSWERED, HAS
from node.reports.wording import answer_text, value_text
from node.tabular.csv_writer import disarm

TYPES = {
    pb.IDENTITY_TYPE_UNSPECIFIED: None,
    pb.IDENTITY_TYPE_RESIDENT: identity.RESIDENT,
    pb.IDENTITY_TYPE_HMT_PERMIT: identity.PERMIT,
    pb.IDENTITY_TYPE_FOREIGN_PERMIT: identity.FOREIGN,
    pb.IDENTITY_TYPE_FOREIGN_PERMIT_OLD: identity.FOREIGN_OLD,
}


def read_subject(ref, household, name, mandate, identities):
    """The subject that a platform describes, None where it must be refused; identities are (type, value)."""
    texts = (ref, household, name, mandate)
    if any(len(text) > 200 for text in texts) or not ref or not 0 < len(identities) <= 8:
        return None
    try:
        found = [identity.parse(value[:200], TYPES.get(code, "unknown")) for code, value in identities]
    except IdentityError:
        return None
    own = tuple(dict.fromkeys(found))
    if any(holds_identity(number, own) for number in (ref, household, mandate)):
        return None
    return Subject(ref, household, names.normalise_name(name), own, mandate)


def count_report(report):
    """The figures of a report: people, people by peer, mismatches, not mandated, answers, items."""
    has = [one for one in report.findings if one.outcome in HAS]
    items = dict.fromkeys((*report.items, *(one.item for one in report.findings)))
    return {
        "people": len({one.subject for one in has}),
        "people_by_peer": {
            peer.peer: len({one.subject for one in has if one.peer == peer.peer}) for peer in report.peers
        },
        "name_mismatches": _with(report.findings, Outcome.NAME_MISMATCH),
        "not_mandated": _with(report.findings, Outcome.NOT_MANDATED),
        "answers": sum(one.outcome in ANSWERED for one in report.findings),
        "unanswered": sum(one.outcome not in ANSWERED for one in report.findings),
        "items": [count_item(report, code) for code in items],
    }


def count_item(report, code):
    findings = [one for one in report.findings if one.item == code]
    has = [one for one in findings if one.outcome in HAS]
    values = [one.value for one in has if one.value is not None]
    dates = [one.as_of for one in has if one.as_of is not None]
    missing = defaultdict(Counter)
    for one in findings:
        if one.outcome not in ANSWERED:
            missing[one.peer][one.outcome] += 1
    return {
        "item": code,
        "people": len({one.subject for one in has}),
        "total": sum(values),
        "histogram": sorted(Counter(values).items()),
        "by_peer": {peer.peer: len({o.subject for o in has if o.peer == peer.peer}) for peer in report.peers},
        "outcomes": {outcome: _with(findings, outcome) for outcome in {one.outcome for one in findings}},
        "as_of": (min(dates), max(dates)) if dates else None,
        # in order of first appearance: the files show them so
        "missing": {peer.peer: list(missing[peer.peer].items()) for peer in report.peers},
    }


def _with(findings, outcome):
    return len({one.subject for one in findings if one.outcome is outcome})


def csv_file(report, catalogue):
    """findings.csv without its header, by the csv module alone."""
    known = {item.code: item for item in catalogue.items}
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for one in report.findings:
        item = known.get(one.item)
        cells = (
            one.subject, one.item, item and item.name_zh, item and item.name_en, one.peer, one.outcome.value,
            answer_text(one, "zh"), one.value, value_text(item, one.value, "zh"),
            value_text(item, one.value, "en"), one.as_of and one.as_of.isoformat(), one.reason,
            one.reused_from and one.reused_from.job, one.reused_from and one.reused_from.day.isoformat(),
        )  # fmt: skip
        writer.writerow([disarm(cell) if isinstance(cell, str) else cell for cell in cells])
    return buffer.getvalue().encode()


def json_findings(report):
    """The lines of the findings in report.json, by the json module alone."""
    return [
        json.dumps(
            {
                "subject": one.subject,
                "item": one.item,
                "peer": one.peer,
                "outcome": one.outcome.value,
                "value": one.value,
                "as_of": one.as_of and one.as_of.isoformat(),
                "reason": one.reason,
                **(
                    {"reused_from": {"job": one.reused_from.job, "day": one.reused_from.day.isoformat()}}
                    if one.reused_from
                    else {}
                ),
            },
            ensure_ascii=False,
        )
        for one in report.findings
    ]
