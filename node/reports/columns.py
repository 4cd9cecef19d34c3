"""The findings of a large verification by columns: one for each item and province (ADR 0034). Pure.

A list of 60,000 people, eight items and five provinces has 2.4 million findings, 300 MB as objects and 5 MB
as columns: few answers of a province about an item differ. report.json has columns above MOST_OBJECTS
findings, and another `format`; all other keys are the same. docs/report-columns.schema.json is its schema.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, overload

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from node.domain.findings import Finding, Findings, Outcome, Report, ReusedFrom
from node.errors import InputError
from node.reports import json
from node.reports.answer_json import outcome_json
from node.reports.common import HEAD_KEYS
from node.reports.grid import Grid

FORMAT: Final = "heqiao-report-columns/1"
MOST_OBJECTS: Final = 100_000  # findings of a report.json that has one object for each: 13 MB
NOTHING: Final = -1  # a place without an answer


class ColumnAnswer(BaseModel):
    """One of the different answers of a column, with the keys of a finding."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    outcome: Outcome
    value: int | None = None
    as_of: date | None = None
    reason: str = ""
    reused_from: ReusedFrom | None = None


class FindingColumn(BaseModel):
    """What one province answers about one item: `places[i]`, of person i of `subjects`, is an index of
    `answers`, or -1 without an answer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    item: str
    peer: str
    answers: tuple[ColumnAnswer, ...]
    places: list[Annotated[int, Field(ge=NOTHING)]]


@dataclass(frozen=True, slots=True)
class FindingColumns(Sequence[Mapping[str, Any]]):
    """The columns of a report as plain JSON values, each made when it is asked for."""

    _grid: Grid
    _asked: tuple[int, ...]  # the questions that have any answer

    @classmethod
    def of(cls, report: Report) -> "FindingColumns":
        """The columns of a report, in the order of its items and peers."""
        grid = Grid.of(report)
        return cls(grid, tuple(np.flatnonzero((grid.place >= 0).any(axis=0)).tolist()))

    def __len__(self) -> int:
        return len(self._asked)

    @overload
    def __getitem__(self, at: int) -> Mapping[str, Any]: ...
    @overload
    def __getitem__(self, at: slice) -> "FindingColumns": ...
    def __getitem__(self, at: int | slice) -> "Mapping[str, Any] | FindingColumns":
        if isinstance(at, slice):
            return FindingColumns(self._grid, self._asked[at])
        question = self._asked[at]
        answers, places = _own(self._grid.place[:, question])
        item, peer = self._grid.questions[question]
        return {
            "item": item,
            "peer": peer,
            "answers": [outcome_json(self._grid.answers[one]) for one in answers],
            "places": places,
        }


def _own(column: NDArray[np.int32]) -> tuple[list[int], list[int]]:
    """The different answers of a column in order of first use, and of each person which of them."""
    found, first, inverse = np.unique(column, return_index=True, return_inverse=True)
    order = np.argsort(first)
    order = order[found[order] >= 0]
    rank = np.full(len(found), NOTHING)
    rank[order] = np.arange(len(order))
    return found[order].tolist(), rank[inverse].tolist()


# ---- reading


class _Columns(BaseModel):
    findings: tuple[FindingColumn, ...]


def read(path: Path, content: bytes, hint: str) -> Report:
    """The report of a report.json by columns. Raises InputError naming the file and the key."""
    columns = json.read(path, content, _Columns, hint).findings
    head = json.read(path, json.without_findings(content), Report, hint)
    wrong = _fault(columns, head)
    if wrong:
        raise InputError(f"{path}: {wrong}", hint)
    return replace(head, findings=findings_of(columns, head.subjects))


def findings_of(columns: Sequence[FindingColumn], subjects: tuple[str, ...]) -> Findings:
    """The findings of columns, in the order of columns and people; places must be within bounds."""
    answers: list[Finding] = []
    subject, answer = array("I"), array("I")
    for column in columns:
        places = np.array(column.places, dtype=np.int64)
        said = np.flatnonzero(places >= 0)
        subject.frombytes(said.astype(np.uintc).tobytes())
        answer.frombytes((places[said] + len(answers)).astype(np.uintc).tobytes())
        answers += [
            Finding(
                "", column.item, column.peer, one.outcome, one.value, one.as_of, one.reason, one.reused_from
            )
            for one in column.answers
        ]
    return Findings(subjects, tuple(answers), subject, answer)


def _fault(columns: Sequence[FindingColumn], head: Report) -> str:
    """What is wrong with columns: a place and a sentence, or nothing."""
    asked = {(item, peer.peer) for item in head.items for peer in head.peers}
    seen = set[tuple[str, str]]()
    for number, column in enumerate(columns):
        question = (column.item, column.peer)
        if question not in asked:
            return f"findings.{number}: names an item or peer that the report does not have"
        if question in seen:
            return f"findings.{number}: answers what an earlier one has answered"
        seen.add(question)
        if len(column.places) != len(head.subjects):
            return f"findings.{number}.places: one place for each of {len(head.subjects)} subjects is due"
        if max(column.places, default=NOTHING) >= len(column.answers):
            return f"findings.{number}.places: a place names an answer that the column does not have"
    return ""


def schema() -> dict[str, Any]:
    """The JSON Schema of a report.json by columns; of the keys that both forms share only the types."""
    found = TypeAdapter(_Columns).json_schema()
    text, texts = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
    moment = {"type": "string", "format": "date-time"}
    one = {"type": "object"}
    objects = {"type": "array", "items": one}
    shared: dict[str, Any] = {
        "format": {"const": FORMAT},
        **dict.fromkeys(HEAD_KEYS, text),
        **dict.fromkeys(("created_at", "due_at"), moment),
        "finished_at": {"anyOf": [moment, {"type": "null"}]},
        **dict.fromkeys(("items", "subjects"), texts),
        **dict.fromkeys(("item_facts", "peers"), objects),
        **dict.fromkeys(("summary", "notes"), one),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "report.json of a large verification",
        "type": "object",
        "properties": {**shared, **found["properties"], "signature": {"type": "object"}},
        "required": [*shared, "findings"],
        "$defs": found["$defs"],
    }
