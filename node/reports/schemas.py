"""The JSON Schema of a report.json that has one object for each finding (docs/report.schema.json). Pure.

That of a large one, by columns, is in `node.reports.columns`.
"""

from typing import Any, Final

from pydantic import TypeAdapter

from node.domain.findings import Report
from node.domain.sum_findings import SumReport
from node.reports.common import HEAD_KEYS
from node.reports.signature import Statement

_Schema = dict[str, Any]
_TEXT: Final[_Schema] = {"type": "string"}
_TEXTS: Final[_Schema] = {"type": "array", "items": _TEXT}
_NUMBER: Final[_Schema] = {"type": "integer"}
_COUNT: Final[_Schema] = {"type": "integer", "minimum": 0}
_YES: Final[_Schema] = {"type": "boolean"}
_DIGEST: Final[_Schema] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_MOMENT: Final[_Schema] = {"type": "string", "format": "date-time"}


def schema() -> _Schema:
    """Of both kinds: a verification and a sum, told apart by `format`."""
    match, sums = (TypeAdapter(kind).json_schema() for kind in (Report, SumReport))
    signature = Statement.model_json_schema(mode="serialization")
    found = {**match["$defs"], **sums["$defs"], **signature.pop("$defs", {}), "Signature": signature}
    defs = {name: _closed(one) for name, one in found.items()}
    defs["SumFinding"]["properties"] |= {"mean": _or_null(_NUMBER), "deviation": _or_null(_NUMBER)}
    defs |= {"ItemFacts": _ITEM, "Summary": _summary(), "Compared": _compared(), "Spending": _spending()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "report.json",
        "oneOf": [_verification(match["properties"]), _sums()],
        "$defs": defs,
    }


def _verification(properties: _Schema) -> _Schema:
    more = {
        "subjects": _TEXTS,
        "summary": {"$ref": "#/$defs/Summary"},
        "findings": _list_of("Finding"),
    }
    sometimes = {
        "due_estimated": _YES,
        "left_out": _by_name(_TEXT),
        "declared": _list_of("DeclaredHousehold"),
        "compared": _list_of("Compared"),
        "causes": _by_name(_COUNT),
        "spending": _list_of("Spending"),
        "offices": properties["offices"],
        "office_names": _by_name(_TEXT),
        "recheck": {"$ref": "#/$defs/Recheck"},
    }
    return _report("heqiao-report/1", more, sometimes)


def _sums() -> _Schema:
    return _report("heqiao-sums/1", {"people": _COUNT, "findings": _list_of("SumFinding")}, {})


def _report(form: str, more: _Schema, sometimes: _Schema) -> _Schema:
    """`more` are keys that every report of a kind has, `sometimes` those that it may have."""
    texts = dict.fromkeys(HEAD_KEYS, _TEXT) | {"catalogue_digest": _DIGEST, "format": {"const": form}}
    always = {
        **texts,
        **dict.fromkeys(("created_at", "due_at"), _MOMENT),
        "finished_at": _or_null(_MOMENT),
        "items": _TEXTS,
        "item_facts": _list_of("ItemFacts"),
        "peers": _list_of("PeerSummary"),
        "notes": _object({"zh": _TEXTS, "en": _TEXTS}),
        **more,
    }
    name = {**_TEXTS, "minItems": 2, "maxItems": 2}  # Chinese, English
    named = {"issuing_body": _TEXT, "legal_basis_name": name, "matter": _TEXT, "matter_name": name}
    optional = {**named, **sometimes, "signature": {"$ref": "#/$defs/Signature"}}
    return {**_object({**always, **optional}), "required": list(always)}


# The catalogue's attributes of an item; docs/catalogue.schema.json has its own form of them.
_ITEM: Final[_Schema] = {
    "type": "object",
    "properties": {
        **dict.fromkeys(("code", "name_zh", "name_en", "level", "definition_zh", "definition_en"), _TEXT),
        "bands": {"type": "array", "items": _NUMBER},
        "threshold": {"anyOf": [_NUMBER, {"type": "null"}]},
        "codes": {"type": "array"},
        "freshness_days": _COUNT,
        "definition_digest": _DIGEST,
    },
}
_ITEM["required"] = list(_ITEM["properties"])


def _summary() -> _Schema:
    coverage = _object({"state": _TEXT, "answered": _COUNT, "missing": _by_name(_COUNT)})
    days = {"type": "array", "items": {"type": "string", "format": "date"}, "minItems": 2, "maxItems": 2}
    line = _object(
        {
            "item": _TEXT,
            **dict.fromkeys(("people", "total"), _COUNT),
            **dict.fromkeys(("histogram", "by_peer", "outcomes"), _by_name(_COUNT)),
            "as_of": _or_null(days),
            "coverage": _by_name(coverage),
        }
    )
    counts = ("subjects", "people", "name_mismatches", "not_mandated", "answers", "unanswered")
    plain = dict.fromkeys(counts, _COUNT)
    return _object({**plain, "people_by_peer": _by_name(_COUNT), "items": {"type": "array", "items": line}})


def _amount() -> _Schema:
    return {"known": _TEXT, "complete": _YES, "low": _or_null(_COUNT), "high": _or_null(_COUNT)}


def _compared() -> _Schema:
    figures = {"declared": _or_null(_COUNT), "difference": _or_null(_NUMBER)}
    return _object({"household": _TEXT, "what": _TEXT, **_amount(), **figures})


def _spending() -> _Schema:
    share = {"type": "array", "items": _or_null(_COUNT), "minItems": 2, "maxItems": 2}
    by_peer = {"by_peer": _by_name(_object(_amount())), "share_permille": _or_null(share)}
    return _object({"household": _TEXT, "item": _TEXT, **_amount(), **by_peer})


def _object(properties: _Schema) -> _Schema:
    return {
        "type": "object", "properties": properties, "required": list(properties),
        "additionalProperties": False,
    }  # fmt: skip


def _closed(one: _Schema) -> _Schema:
    """A class of this project: no other keys, and what its docstring says of the code is not for a reader."""
    kept = {key: value for key, value in one.items() if key != "description"}
    return {**kept, "additionalProperties": False} if one.get("type") == "object" else kept


def _by_name(value: _Schema) -> _Schema:
    return {"type": "object", "additionalProperties": value}


def _list_of(name: str) -> _Schema:
    return {"type": "array", "items": {"$ref": f"#/$defs/{name}"}}


def _or_null(one: _Schema) -> _Schema:
    return {"anyOf": [one, {"type": "null"}]}
