"""A query to a peer as pure data, and the outcomes of opened labels."""

import secrets
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher import Identity, LabelRecord, batch, identity, label
from matcher.suites import tokens
from matcher.suites.suite import CURRENT
from node.domain import catalogue, days
from node.domain.findings import Outcome
from node.domain.size_classes import size_class
from node.domain.subjects import Subject
from node.requester import match, match_query
from node.requester import points as points_module
from node.requester.match_query import Answer, Question, build_query
from node.requester.outcomes import Opened, conclude, conclude_all, open_names
from node.requester.points import MappedPoints
from node.wire.manifest import PlantedSubject
from tests.support.examples import MANDATE, MANIFEST, PART

SALT = bytes(range(32))
TODAY = date(2026, 11, 20)
DAY = (date(2026, 10, 1) - days.FIRST_DAY).days
ITEMS = {item.code: item for item in catalogue.load().items}
A, B, C = (
    identity.parse(number) for number in ("449999190001010034", "449999190001010050", "449999190001010077")
)
OFFER = replace(
    MANIFEST,
    partitions=(
        replace(PART, origin="44", planted=tuple(PlantedSubject(f"hit-{n}", n + 1) for n in range(8))),
    ),
)


def question(*people: tuple[Identity, ...], uncovered: tuple[dict[str, str], ...] | None = None) -> Question:
    subjects = tuple(Subject(f"h/{n}", "h", "", found, "M") for n, found in enumerate(people))
    return Question(
        subjects, uncovered or ({},) * len(people), (None,) * len(people), (ITEMS["C21"],), "review", ""
    )


def build(asked: Question, seed: bytes = bytes(32)) -> match_query.Query:
    return build_query(asked, OFFER, seed, MappedPoints(CURRENT, SALT, asked.subjects))


@given(st.integers(0, 5_000_000))
def test_size_classes_are_few_and_near(points: int) -> None:
    size = size_class(points)
    assert size >= max(points, 16)
    assert size <= max(points * (1.26 if points <= 4096 else 1.0625) + 1024 * (points > 4096) + 4, 16)
    assert size_class(size) == size


def test_size_classes_by_number() -> None:
    expected = {1: 16, 17: 20, 33: 40, 4_000: 4_096, 4_097: 5_120, 10_050: 10_240, 16_385: 17_408,
                100_050: 102_400, 131_073: 139_264}  # fmt: skip
    assert {points: size_class(points) for points in expected} == expected


def test_the_same_seed_gives_the_same_batch() -> None:
    asked = question((A,), (B,))
    first, second = build(asked), build(asked)
    assert replace(first, batch=second.batch) == second
    assert first.misses.tolist() == second.misses.tolist()
    assert first.batch.tobytes() == second.batch.tobytes()
    assert build(asked, b"x" * 32).batch.tobytes() != second.batch.tobytes()


def test_every_point_has_its_place() -> None:
    built = build(question((A, B), (C,)))
    points = built.batch.tobytes()
    row = lambda at: points[32 * at : 32 * at + 32]  # noqa: E731
    for point, found in zip(built.subjects, (A, B, C), strict=True):
        assert row(point.position) == tokens.map_to_curve(SALT, found)
        assert point.prefix == tokens.bucket_prefix(SALT, found)
    constants = tokens.canary_points()
    for position, constant in built.canaries.items():
        assert row(position) == constants[32 * constant : 32 * constant + 32]
    for hit in built.planted:
        name = next(one.name for one in OFFER.partitions[0].planted if one.value == hit.value)
        assert row(hit.position) == tokens.map_to_curve(SALT, identity.planted("C21", "44", name))
    places = [p.position for p in (*built.subjects, *built.planted)] + [at for _, at in built.misses]
    assert sorted([*places, *built.canaries]) == list(range(built.points))
    assert (len(built.canaries), len(built.planted)) == (2, 2)
    assert len(built.misses) >= 2


def test_equal_identities_are_sent_once() -> None:
    """A person in two households costs one point, and is one leaf."""
    built = build(question((A,), (A,), (A, B)))
    points = built.batch.tobytes()
    rows = [points[at : at + 32] for at in range(0, len(points), 32)]
    assert len(set(rows)) == len(rows)
    assert len({point.position for point in built.subjects}) == 2
    assert [point.subject for point in built.subjects] == [0, 1, 2, 2]


def test_no_person_without_a_mandate_is_queried() -> None:
    built = build(question((A,), (B,), uncovered=({"C21": "expired"}, {})))
    assert tokens.map_to_curve(SALT, A) not in built.batch.tobytes()
    assert [point.subject for point in built.subjects] == [1]


def test_a_question_is_split_by_class() -> None:
    asked = replace(question((A,)), items=tuple(ITEMS[code] for code in ("C23", "C21", "D34")))
    ordinary, sensitive = match_query.split_classes(asked)
    assert (ordinary.codes, sensitive.codes) == (("C21", "D34"), ("C23",))
    assert match_query.split_classes(ordinary) == (ordinary,)
    assert match_query.split_classes(sensitive) == (sensitive,)
    assert match_query.split_classes(replace(asked, items=())) == ()


def test_the_batch_of_a_class_holds_only_people_with_a_mandate_for_an_item_of_it() -> None:
    items = tuple(ITEMS[code] for code in ("C21", "C23"))
    asked = replace(question((A,), (B,), uncovered=({"C23": "item"}, {})), items=items)
    offer = replace(
        OFFER, partitions=(*OFFER.partitions, replace(OFFER.partitions[0], item="C23")), items=("C21", "C23")
    )
    mapped = MappedPoints(CURRENT, SALT, asked.subjects)
    ordinary, sensitive = (
        build_query(one, offer, bytes(32), mapped) for one in match_query.split_classes(asked)
    )
    assert (ordinary.items, sensitive.items) == (("C21",), ("C23",))
    assert [point.subject for point in ordinary.subjects] == [0, 1]
    assert [point.subject for point in sensitive.subjects] == [1]
    assert tokens.map_to_curve(SALT, A) not in sensitive.batch.tobytes()
    assert {hit.item for hit in sensitive.planted} == {"C23"}


def test_an_item_without_a_granted_partition_is_not_asked() -> None:
    """Nor are people with a mandate for such items only."""
    items = tuple(ITEMS[code] for code in ("C21", "D34"))
    asked = replace(question((A,), (B,), uncovered=({}, {"C21": "item"})), items=items)
    built = build(asked)
    assert (built.items, [point.subject for point in built.subjects]) == (("C21",), [0])
    nothing = build_query(
        asked, replace(OFFER, partitions=()), bytes(32), MappedPoints(CURRENT, SALT, asked.subjects)
    )
    assert (nothing.items, len(nothing.subjects)) == ((), 0)


def test_mandate_leaves_do_not_distinguish_people_from_padding() -> None:
    asked = question((A,))
    built = build(asked)
    points = CURRENT.blinded(built.batch.tobytes())

    def leaves_of(asked: Question) -> list[bytes]:
        return match_query.mandate_leaves(points, match_query.mandate_rows(asked, built, bytes(32)))

    leaves = leaves_of(asked)
    assert len(set(leaves)) == len(leaves) == built.points
    changed = [a != b for a, b in zip(leaves, leaves_of(replace(asked, mandates=(MANDATE,))), strict=True)]
    assert [at for at, differs in enumerate(changed) if differs] == [built.subjects[0].position]


def record(
    value: int,
    number: bytes = b"record",
    as_of: int = DAY,
    check: int | None = None,
    converted: int = 0,
) -> LabelRecord:
    return LabelRecord(value, as_of, check or 0, check is not None, number, converted=converted)


OLD = DAY - 4_000
CONCLUSIONS = {
    "nothing": ("C21", "", [], False, Answer(Outcome.NOT_FOUND)),
    "nothing_over_a_threshold": ("C23", "", [], False, Answer(Outcome.NOT_OVER)),
    "an_origin_not_granted": ("C21", "", [], True, Answer(Outcome.REFUSED, reason="origin_not_granted")),
    "found_though_one_origin_is_not_granted": (
        "C21",
        "",
        [(record(2), (0, 0))],
        True,
        Answer(Outcome.FOUND, 2, DAY),
    ),
    "found": ("C21", "", [(record(2), (0, 0))], False, Answer(Outcome.FOUND, 2, DAY)),
    "found_twice_under_two_numbers": (
        "C21",
        "",
        [(record(2), (0, 0)), (record(2), (0, 0))],
        False,
        Answer(Outcome.FOUND, 2, DAY),
    ),
    "two_records_add_up": (
        "C21",
        "",
        [(record(2), (0, 0)), (record(3, b"anothr"), (0, 0))],
        False,
        Answer(Outcome.FOUND, 5, DAY),
    ),
    "the_highest_band_counts": (
        "D34",
        "",
        [(record(2), (0, 0)), (record(1, b"anothr"), (0, 0))],
        False,
        Answer(Outcome.FOUND, 2, DAY),
    ),
    "over": ("C23", "", [(record(1), (0, 0))], False, Answer(Outcome.OVER, 1, DAY)),
    "stale": ("C21", "", [(record(1, as_of=OLD), (0, 0))], False, Answer(Outcome.STALE, 1, OLD)),
    "as_old_as_its_oldest_part": (
        "C21",
        "",
        [(record(1), (0, 0)), (record(1, b"anothr", OLD), (0, 0))],
        False,
        Answer(Outcome.STALE, 2, OLD),
    ),
    "same_name": ("C21", "甲", [(record(1, check=9), (9, 0))], False, Answer(Outcome.FOUND, 1, DAY)),
    "another_name": (
        "C21",
        "甲",
        [(record(1, check=9, converted=4), (8, 8))],
        False,
        Answer(Outcome.NAME_MISMATCH),
    ),
    "a_name_equal_after_conversion": (
        "C21",
        "甲",
        [(record(1, check=9, converted=4), (8, 4))],
        False,
        Answer(Outcome.NAME_MISMATCH, reason="name_converted"),
    ),
    "one_of_two_other_names_is_equal_after_conversion": (
        "C21",
        "甲",
        [(record(1, check=9, converted=4), (8, 8)), (record(2, b"anothr", check=9, converted=8), (8, 8))],
        False,
        Answer(Outcome.NAME_MISMATCH, reason="name_converted"),
    ),
    "equal_after_conversion_though_the_first_name_differs_by_chance": (
        "C21",
        "甲",
        [(record(1, check=9, converted=4), (9, 8))],
        False,
        Answer(Outcome.FOUND, 1, DAY),
    ),
    "no_name_asked": ("C21", "", [(record(1, check=9), (0, 0))], False, Answer(Outcome.FOUND, 1, DAY)),
    "no_name_held": ("C21", "甲", [(record(1), (7, 0))], False, Answer(Outcome.FOUND, 1, DAY)),
    "one_of_two_records_has_the_name": (
        "C21",
        "甲",
        [(record(1, check=9), (9, 0)), (record(5, b"anothr", check=8), (9, 0))],
        False,
        Answer(Outcome.FOUND, 1, DAY),
    ),
}


@pytest.mark.parametrize("name", CONCLUSIONS)
def test_conclusions(name: str) -> None:
    item, asked_name, found, missing, expected = CONCLUSIONS[name]
    subject = Subject("h/1", "h", asked_name, (A,), "M")
    assert conclude(ITEMS[item], subject, found, missing, TODAY) == expected


RECORDS = st.builds(
    LabelRecord,
    st.integers(1, 3),
    st.sampled_from((DAY, OLD)),
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from((b"record", b"anothr", b"athird")),
    converted=st.sampled_from((0, 4)),
)
CHECKS = st.tuples(st.integers(0, 3), st.sampled_from((0, 4)))


@given(st.lists(st.tuples(st.lists(st.tuples(RECORDS, CHECKS), max_size=3), st.booleans())))
def test_all_are_concluded_as_each_alone(people: list) -> None:
    asked = question(*((A,) for _ in people))
    pairs = [(number, pair) for number, (found, _) in enumerate(people) for pair in found]
    opened = Opened(
        np.array([number for number, _ in pairs], dtype=np.int64),
        np.concatenate([batch_record(one) for _, (one, _) in pairs] or [np.empty(0, batch.RECORD)]),
        np.array([checks for _, (_, checks) in pairs], dtype=np.uint8).reshape(-1, 2),
    )
    missing = np.array([gap for _, gap in people], dtype=bool)
    named = replace(asked, subjects=tuple(replace(one, name="甲") for one in asked.subjects))
    expected = [
        conclude(ITEMS["C21"], named.subjects[number], found, gap, TODAY)
        for number, (found, gap) in enumerate(people)
    ]
    assert conclude_all(named, ITEMS["C21"], [opened], missing, TODAY) == expected


@pytest.mark.parametrize(
    ("held", "asked", "outcome", "reason"),
    [
        ("陳國強", "陳國強", Outcome.FOUND, ""),
        ("陳國強", "陈国强", Outcome.NAME_MISMATCH, "name_converted"),
        ("陈国强", "陳國強", Outcome.NAME_MISMATCH, "name_converted"),
        ("陳国强", "陈國強", Outcome.NAME_MISMATCH, "name_converted"),
        ("陳國強", "张三", Outcome.NAME_MISMATCH, ""),
        ("陈国强", "", Outcome.FOUND, ""),
        ("", "陈国强", Outcome.FOUND, ""),
    ],
)
def test_a_name_from_the_import_to_the_answer(held: str, asked: str, outcome: Outcome, reason: str) -> None:
    """Through the sealed record, with names in both kinds of characters."""
    number, none = np.frombuffer(b"record", np.uint8).reshape(1, -1), np.zeros(1, dtype=bool)
    checks = CURRENT.name_checks(number, [held.encode()])
    plain = batch.pack_records(2, np.array([2]), np.array([0]), number, checks, np.array([bool(held)]), none)
    opened = batch.read_records(plain, 2, DAY)
    named = replace(question((A,)), subjects=(Subject("h/1", "h", asked, (A,), "M"),))
    found = open_names(CURRENT, named, np.zeros(1, dtype=np.int64), opened)
    answers = conclude_all(named, ITEMS["C21"], [found], none, TODAY)
    assert [(one.outcome, one.reason) for one in answers] == [(outcome, reason)]


def batch_record(one: LabelRecord) -> np.ndarray:
    flags = (label.HAS_NAME if one.has_name else 0) | (label.PLANTED if one.planted else 0)
    row = (flags, one.name_check, one.converted, one.as_of, one.value, one.record)
    return np.array([row], dtype=batch.RECORD)


def test_a_large_batch_is_blinded_behind_the_mapping(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunk by chunk or all at once: the same bytes, each identity mapped once."""
    bodies = (f"44999919900101{n:03}" for n in range(700))
    asked = question(*((identity.parse(body + identity.check_digit(body)),) for body in bodies))
    whole = build(asked)
    blinds = CURRENT.point_blinds(secrets.token_bytes(32), whole.points)
    expected = CURRENT.blind_each(blinds.scalars, whole.batch.tobytes())
    monkeypatch.setattr(points_module, "BATCH_POINTS", 64)
    monkeypatch.setattr(match, "BATCH_POINTS", 64)
    people = MappedPoints(CURRENT, SALT, asked.subjects)
    cut = build_query(asked, OFFER, bytes(32), people)
    assert match.blind_batch(blinds, cut) == expected
    assert people.points.tobytes() == MappedPoints(CURRENT, SALT, asked.subjects).points.tobytes()
