"""The plain join: what all nodes must answer, computed in the clear (not allowed with real data).

Reads the truth folder of a synthetic federation (`heqiao synth`) and joins people with holdings in
sqlite3. It shares no code with the matcher, the keys or the node, so that no mistake is made twice.

    python testbed/plain_join.py REPORT.json FEDERATION_FOLDER
"""

import csv
import json
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Key = tuple[str, str, str]  # subject reference, item, province
Answer = tuple[str, int | None]  # outcome, disclosed value

MAX_EXAMPLES = 10

# The published tables of the federation's catalogue (domain.md section 4), written out once more.
_RULES = """
CREATE TABLE rules (item TEXT PRIMARY KEY, level TEXT, one INTEGER, two INTEGER, three INTEGER);
INSERT INTO rules VALUES
    ('Z59b', 'existence', NULL, NULL, NULL),
    ('B12r', 'existence', NULL, NULL, NULL),
    ('C21', 'count', NULL, NULL, NULL),
    ('C22', 'count', NULL, NULL, NULL),
    ('C23', 'threshold', 5000000, NULL, NULL),
    ('D34', 'band', 1000000, 5000000, 20000000),
    ('D32', 'band', 3600000, 7200000, 12000000);
"""
_TABLES = """
CREATE TABLE subjects (subject TEXT, identity TEXT, name TEXT, mandated INTEGER);
CREATE TABLE holdings (identity TEXT, province TEXT, item TEXT, records INTEGER, fen INTEGER, name TEXT);
"""
# A person's records under all of their numbers together; names differ only where none agrees.
_JOIN = """
WITH held AS (
    SELECT s.subject, s.mandated, h.item, h.province,
           sum(h.records) AS records, sum(h.fen) AS fen, max(h.name = s.name) AS named
    FROM subjects s JOIN holdings h ON h.identity = s.identity
    GROUP BY s.subject, h.item, h.province
)
SELECT subject, item, province,
    CASE WHEN NOT mandated THEN 'NOT_MANDATED'
         WHEN level = 'threshold' AND fen <= one THEN 'NOT_OVER'
         WHEN NOT named THEN 'NAME_MISMATCH'
         WHEN level = 'threshold' THEN 'OVER'
         ELSE 'FOUND' END,
    CASE WHEN NOT mandated OR NOT named THEN NULL
         WHEN level = 'threshold' AND fen <= one THEN NULL
         WHEN level = 'count' THEN records
         WHEN level = 'band' THEN (fen > one) + (fen > two) + (fen > three)
         ELSE 1 END
FROM held JOIN rules USING (item)
"""


@dataclass(frozen=True)
class Comparison:
    """A report held against the plain join; `answers == agree + differ`.

    The protocol's name check is one byte and lets 1 wrong name in 256 pass (design.md section 3).
    `names_caught` counts NAME_MISMATCH given where one was due, `names_passed` FOUND given there:
    both are in `agree`. `examples` shows some differences, by reference, never by number or name.
    """

    answers: int
    agree: int
    differ: int
    names_caught: int
    names_passed: int
    examples: tuple[str, ...]


def expected(folder: Path) -> dict[Key, Answer]:
    """The right answer for every valid person on the list, every item and every province."""
    plan = json.loads((folder / "truth" / "expected.json").read_text(encoding="utf-8"))
    people: dict[str, bool] = {}
    held: dict[tuple[str, str], dict[str, Answer]] = {}
    thresholds = _join(folder, people, held)
    answers: dict[Key, Answer] = {}
    for subject, mandated in people.items():
        for item in plan["items"]:
            nothing = "NOT_OVER" if item in thresholds else "NOT_FOUND"
            for province in plan["providers"]:
                answers[subject, item, province] = (nothing if mandated else "NOT_MANDATED", None)
    for (item, province), column in held.items():
        for subject, answer in column.items():
            answers[subject, item, province] = answer
    return answers


def _join(folder: Path, people: dict[str, bool], held: dict[tuple[str, str], dict[str, Answer]]) -> set[str]:
    """Fill `people` and what is held of them by item and province; returns the items with thresholds."""
    with closing(sqlite3.connect(":memory:")) as base:
        base.executescript(_RULES + _TABLES)
        base.executemany("INSERT INTO subjects VALUES (?, ?, ?, ?)", _subjects(folder, people))
        base.executemany("INSERT INTO holdings VALUES (?, ?, ?, ?, ?, ?)", _holdings(folder))
        base.execute("CREATE INDEX by_identity ON holdings (identity)")
        for subject, item, province, outcome, value in base.execute(_JOIN):
            held.setdefault((item, province), {})[subject] = (outcome, value)
        return {item for (item,) in base.execute("SELECT item FROM rules WHERE level = 'threshold'")}


@dataclass(frozen=True)
class Column:
    """What one province must answer about one item: `held` by subject, and of all others the usual answer."""

    nothing: str
    unmandated: frozenset[str]
    held: Mapping[str, Answer]

    def usual(self, subject: str) -> Answer:
        """The answer about a person of whom the province has no record."""
        return ("NOT_MANDATED" if subject in self.unmandated else self.nothing, None)

    def due(self, subject: str) -> Answer:
        """The right answer."""
        return self.held.get(subject) or self.usual(subject)


def expected_columns(
    folder: Path, items: Iterable[str], copied: Mapping[str, str]
) -> dict[tuple[str, str], Column]:
    """The right answers by item and province, for lists too long for `expected`.

    `copied` names items that hold the register of another one.
    """
    plan = json.loads((folder / "truth" / "expected.json").read_text(encoding="utf-8"))
    people: dict[str, bool] = {}
    held: dict[tuple[str, str], dict[str, Answer]] = {}
    thresholds = _join(folder, people, held)
    unmandated = frozenset(subject for subject, mandated in people.items() if not mandated)
    return {
        (item, province): Column(
            "NOT_OVER" if copied.get(item, item) in thresholds else "NOT_FOUND",
            unmandated,
            held.get((copied.get(item, item), province), {}),
        )
        for item in items
        for province in plan["providers"]
    }


def compare(report: Path, folder: Path, right: Mapping[Key, Answer] | None = None) -> Comparison:
    """Hold a report (`findings`: subject, item, peer, outcome, value; or columns) against the plain join.

    Asked items and peers are those that appear in the findings; each valid person must have exactly
    one answer for each of them. A missing, repeated or unknown answer differs. `right` are the right answers
    where they are not those of the folder: of a part of the list, or by another catalogue.
    """
    right = expected(folder) if right is None else right
    found = read_findings(json.loads(report.read_text(encoding="utf-8")))
    given: dict[Key, Answer] = {}
    counts: Counter[str] = Counter()
    examples: list[str] = []

    def differ(key: Key, due: str, got: str) -> None:
        counts["differ"] += 1
        if len(examples) < MAX_EXAMPLES:
            examples.append(f"{key[0]} {key[1]} in {key[2]}: {got}, due {due}")

    for finding in found:
        key = (str(finding["subject"]), str(finding["item"]), str(finding["peer"]))
        answer = (str(finding["outcome"]), finding.get("value"))
        if key in given:
            differ(key, "one answer", "a second answer")
        elif key not in right:
            differ(key, "no answer", _text(answer))
        else:
            verdict = judge(right[key], answer)
            if verdict == "differ":
                differ(key, _text(right[key]), _text(answer))
            counts[verdict] += verdict != "differ"
        given[key] = answer
    items, peers = {key[1] for key in given}, {key[2] for key in given}
    for key, due in right.items():
        if key[1] in items and key[2] in peers and key not in given:
            differ(key, _text(due), "no answer")
    agree = counts["agree"] + counts["caught"] + counts["passed"]
    return Comparison(
        agree + counts["differ"],
        agree,
        counts["differ"],
        counts["caught"],
        counts["passed"],
        tuple(examples),
    )


def read_findings(report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The findings of either form of a report.json (docs/report.md)."""
    for one in report["findings"]:
        if "places" not in one:
            yield one
            continue
        question = {"item": one["item"], "peer": one["peer"]}
        for subject, place in zip(report["subjects"], one["places"], strict=True):
            if place >= 0:
                yield {"subject": subject, **question, **one["answers"][place]}


def judge(due: Answer, got: Answer) -> str:
    """`agree`, `caught` or `passed` (of a name that differs), or `differ`.

    STALE is FOUND or OVER with an old date: how old is stale is the catalogue's matter, not the join's.
    """
    if due[0] == "NAME_MISMATCH":
        return {"NAME_MISMATCH": "caught", "FOUND": "passed", "STALE": "passed"}.get(got[0], "differ")
    if got[0] == "STALE" and due[0] in ("FOUND", "OVER"):
        return "agree" if got[1] == due[1] else "differ"
    return "agree" if got == due else "differ"


def _subjects(folder: Path, people: dict[str, bool]) -> Iterator[tuple[str, str, str, int]]:
    """A row per number of each valid person; notes every person and whether their mandate covers."""
    for row in _rows(folder / "truth" / "subjects.csv"):
        if row["valid"] != "1":
            continue
        mandated = row["mandated"] == "1"
        people[row["subject"]] = mandated
        for identity in dict.fromkeys((row["current"], *row["former"].split(";"))):
            if identity:
                yield row["subject"], identity, row["name"], mandated


def _holdings(folder: Path) -> Iterator[tuple[str, str, str, int, int, str]]:
    for row in _rows(folder / "truth" / "holdings.csv"):
        records, fen = int(row["records"]), int(row["total_fen"])
        yield row["identity"], row["province"], row["item"], records, fen, row["name"]


def _rows(path: Path) -> Iterable[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _text(answer: Answer) -> str:
    return answer[0] if answer[1] is None else f"{answer[0]} {answer[1]}"


def main() -> None:
    """Compare and print; exit 1 if anything differs."""
    if len(sys.argv) != 3:
        sys.exit("usage: python testbed/plain_join.py REPORT.json FEDERATION_FOLDER")
    found = compare(Path(sys.argv[1]), Path(sys.argv[2]))
    for example in found.examples:
        print(example)
    print(
        f"{found.answers} answers, {found.agree} agree with the plain join, {found.differ} differ "
        f"(wrong names: {found.names_caught} caught, {found.names_passed} passed the one-byte check)"
    )
    sys.exit(1 if found.differ or not found.answers else 0)


if __name__ == "__main__":
    main()
