"""A responder that cheats: each way is noticed, nothing of it is used, and the others' answers stay.

The cheat is a real server with a real certificate that runs the honest steps and alters what they say.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from matcher import oprf
from matcher.suites import tokens
from node.database import tables
from node.wire import manifest as manifests
from tests.support.altered_database import (
    KNOWN,
    altered,
    cook,
    double,
    drop_planted,
    ragged,
    reseal,
    serve_older,
    shorten_entries,
    spoil_known,
    spoil_labels,
    unsort,
)
from tests.support.cheating_responder import (
    Cheat,
    CheatingServicer,
    canaries,
    chunks,
    dated,
    done_alone,
    doubled,
    empty_parts,
    endless_bucket,
    endless_chunks,
    every_second,
    flip,
    flip_packed,
    forge_packed_path,
    forge_path,
    honest,
    lengthen,
    manifest,
    no_answer,
    no_points_root,
    one_bucket_more,
    other_class,
    other_key,
    other_points_root,
    pack_behind_a_part,
    packed,
    partitions,
    renumber,
    repeat_packed,
    same_canaries,
    serve_cheat,
    serve_cheats,
    set_points,
    set_sequence,
    shorten,
    slices,
    stops_early,
    swap_packed,
    swapped,
    without_done,
    wrong_transcript,
)
from tests.support.cluster import (
    Province,
    World,
    findings_of,
    move_peer,
    part_of,
    read_verification,
    run_job,
    serve_all,
)
from tests.support.federation import set_config
from tests.support.mirrors import forget
from tests.support.worlds import last_people

# One of each class: a cheat with the first query must leave nothing of the second. And that with bands.
ITEMS, BANDS = ("C21", "C23"), ("C21", "D34")
Served = tuple[int, CheatingServicer]


CHEATS: dict[str, tuple[Cheat, str, str]] = {
    "manifest_of_another_key": (
        Cheat(sign=lambda _node, serialised: manifests.sign(serialised, secrets.token_bytes(32))),
        "distrusted",
        "manifest_signature",
    ),
    "manifest_without_signature": (
        Cheat(sign=lambda _node, _serialised: b""),
        "distrusted",
        "manifest_signature",
    ),
    "manifest_for_another_requester": (manifest(requester="46"), "distrusted", "manifest_parties"),
    "manifest_of_another_responder": (manifest(responder="33"), "distrusted", "manifest_parties"),
    "manifest_from_the_future": (dated(timedelta(hours=1), timedelta(hours=2)), "refused", "clock"),
    "manifest_expired": (dated(-timedelta(hours=30), -timedelta(hours=6)), "refused", "clock"),
    "manifest_of_another_suite": (manifest(suites=["SM2-SM3"]), "refused", "unknown_suite"),
    "manifest_of_another_salt": (manifest(salt_check=bytes(8)), "refused", "salt_not_current"),
    "manifest_of_another_salt_version": (manifest(salt_version=9), "refused", "salt_not_current"),
    "manifest_of_another_major_version": (manifest(catalogue_version="9.0"), "refused", "catalogue_major"),
    "manifest_of_no_catalogue_version": (manifest(catalogue_version="last"), "distrusted", "manifest_form"),
    "manifest_with_short_canaries": (canaries(bytes(32)), "distrusted", "manifest_form"),
    "manifest_without_planted": (
        partitions(lambda part: part.planted.__delitem__(slice(None))),
        "distrusted",
        "manifest_form",
    ),
    "manifest_with_too_many_buckets": (
        partitions(lambda part: setattr(part, "bucket_bits", 25)),
        "distrusted",
        "manifest_form",
    ),
    "manifest_with_fine_buckets": (
        partitions(lambda part: setattr(part, "bucket_bits", 14)),
        "distrusted",
        "manifest_geometry",
    ),
    "manifest_with_fewer_entries_than_planted": (
        partitions(lambda part: setattr(part, "entries", 2)),
        "distrusted",
        "manifest_form",
    ),
    "manifest_with_too_many_entries": (
        partitions(lambda part: setattr(part, "entries", 2**60)),
        "distrusted",
        "manifest_form",
    ),
    "manifest_with_a_partition_twice": (Cheat(manifest=doubled), "distrusted", "manifest_form"),
    "manifest_of_mixed_epochs": (
        partitions(lambda part: setattr(part, "epoch", 7)),
        "distrusted",
        "manifest_form",
    ),
    "manifest_of_an_impossible_date": (
        partitions(lambda part: setattr(part, "date", 2**16)),
        "distrusted",
        "manifest_form",
    ),
    "manifest_without_a_date": (
        partitions(lambda part: setattr(part, "date", 0)),
        "distrusted",
        "manifest_form",
    ),
    "manifest_of_records_of_another_item": (
        partitions(lambda part: setattr(part, "record_size", 10 if part.item == "C21" else part.record_size)),
        "distrusted",
        "manifest_form",
    ),
    "manifest_of_records_that_none_can_be": (
        partitions(lambda part: setattr(part, "record_size", 13)),
        "distrusted",
        "manifest_form",
    ),
    "canaries_of_another_key": (
        canaries(oprf.evaluate_own(bytes(range(32)), tokens.canary_points())),
        "distrusted",
        "canary",
    ),
    "canaries_of_one_class_for_both": (Cheat(manifest=same_canaries), "distrusted", "canary"),
    "the_key_of_the_other_class": (chunks(other_class), "distrusted", "canary"),
    "another_key_for_all": (Cheat(node=other_key), "distrusted", "canary"),
    "another_key_for_some": (chunks(every_second), "distrusted", "canary planted transcript"),
    "wrong_transcript": (Cheat(evaluate=wrong_transcript), "distrusted", "transcript"),
    "root_of_other_points": (Cheat(evaluate=other_points_root), "distrusted", "points_root"),
    "no_root_of_the_points": (Cheat(evaluate=no_points_root), "distrusted", "points_root"),
    "more_points_back": (
        chunks(set_points(lambda points: points + points[:32])),
        "distrusted",
        "length",
    ),
    "fewer_points_back": (chunks(set_points(lambda points: points[:-32])), "distrusted", "length"),
    "no_points_back": (chunks(set_points(lambda _points: b"")), "distrusted", "length"),
    "twist_points_back": (
        chunks(set_points(lambda points: (2).to_bytes(32, "little") + points[32:])),
        "distrusted",
        "point",
    ),
    "zero_points_back": (chunks(set_points(lambda points: bytes(len(points)))), "distrusted", "point"),
    "low_order_points_back": (
        chunks(set_points(lambda points: points[:-32] + (1).to_bytes(32, "little"))),
        "distrusted",
        "point",
    ),
    "chunks_out_of_order": (chunks(set_sequence), "distrusted", "sequence"),
    "endless_chunks": (Cheat(evaluate=endless_chunks), "distrusted", "stream"),
    "stream_without_its_end": (Cheat(evaluate=without_done), "distrusted", "stream"),
    "end_without_an_answer": (Cheat(evaluate=done_alone), "distrusted", "stream"),
    "answer_without_points": (Cheat(evaluate=no_answer), "distrusted", "stream"),
    "stream_that_stops_early": (Cheat(evaluate=stops_early), "unavailable", "unavailable"),
    "bucket_altered": (slices(flip), "distrusted", "bucket_digest"),
    "bucket_shortened": (slices(shorten), "distrusted", "bucket_digest"),
    "bucket_larger_than_can_be": (slices(lengthen), "distrusted", "bucket_size"),
    "bucket_with_a_forged_path": (slices(forge_path), "distrusted", "bucket_digest"),
    "bucket_with_another_number": (slices(renumber), "distrusted", "bucket_order"),
    "buckets_swapped": (Cheat(fetch=swapped), "distrusted", "bucket_digest"),
    "packed_bucket_altered": (packed(flip_packed), "distrusted", "bucket_digest"),
    "packed_buckets_swapped": (packed(swap_packed), "distrusted", "bucket_digest"),
    "packed_bucket_with_a_forged_path": (packed(forge_packed_path), "distrusted", "bucket_digest"),
    "packed_bucket_twice": (packed(repeat_packed), "distrusted", "bucket_order"),
    "buckets_packed_behind_a_part": (packed(pack_behind_a_part), "distrusted", "bucket_order"),
    "bucket_without_end": (Cheat(fetch=endless_bucket), "distrusted", "bucket_size"),
    "bucket_in_empty_parts": (Cheat(fetch=empty_parts), "distrusted", "bucket_size"),
    "one_bucket_more": (Cheat(fetch=one_bucket_more), "distrusted", "bucket_order"),
    "buckets_that_stop_early": (Cheat(fetch=stops_early), "unavailable", "unavailable"),
    "buckets_of_an_older_version": (
        Cheat(cook=serve_older),
        "distrusted",
        "bucket_digest partition_root",
    ),
    "planted_row_missing": (
        Cheat(cook=cook("C21", "45", drop_planted)),
        "distrusted",
        "planted entries",
    ),
    "planted_row_altered": (
        Cheat(cook=cook("C21", "45", reseal("C21", altered(value=77), planted=True))),
        "distrusted",
        "planted",
    ),
    "planted_row_unmarked": (
        Cheat(cook=cook("C21", "45", reseal("C21", altered(planted=False), planted=True))),
        "distrusted",
        "planted",
    ),
    "bucket_unsorted": (Cheat(cook=cook("C21", "45", unsort)), "distrusted", "bucket_form"),
    "bucket_with_a_tag_twice": (
        Cheat(cook=cook("C21", "45", double)),
        "distrusted",
        "bucket_form bucket_size",
    ),
    "bucket_ragged": (
        Cheat(cook=cook("C21", "45", ragged)),
        "distrusted",
        "bucket_form bucket_size",
    ),
    "labels_altered": (Cheat(cook=cook("C21", "45", spoil_labels)), "distrusted", "planted"),
    "labels_of_people_altered": (Cheat(cook=cook("C21", "45", spoil_known)), "distrusted", "label_damaged"),
    "entries_of_another_size": (
        Cheat(cook=cook("C21", "45", shorten_entries)),
        "distrusted",
        "bucket_form bucket_size",
    ),
    "label_of_a_person_marked_planted": (
        Cheat(cook=cook("C21", "45", reseal("C21", altered(planted=True), planted=False))),
        "distrusted",
        "label_content",
    ),
    "band_beyond_the_table": (
        Cheat(cook=cook("D34", "45", reseal("D34", altered(value=9), planted=False))),
        "distrusted",
        "label_content",
    ),
}


@pytest.fixture(scope="module")
def asked(world: World):
    last = last_people(read_verification(world.data, (*ITEMS, BANDS[-1])))
    verification = replace(last, subjects=last.subjects[::2])  # still every outcome, and several chunks
    KNOWN.update(found for subject in verification.subjects for found in subject.identities)
    return verification


@pytest.fixture(scope="module", params=["buckets", "mirror"])
def plan(request: pytest.FixtureRequest) -> str:
    """The plan under which everything is asked."""
    return str(request.param)


@pytest.fixture(scope="module")
def provinces(
    world: World, plan: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Province]]:
    """The requester and the honest 33; 44 is the cheat."""
    homes = world.copy(tmp_path_factory.mktemp("honest"), "45", "33")
    if plan == "buckets":
        set_config(homes["45"], "requester", mirror_mib=0)
    with serve_all(homes) as found:
        yield found


@pytest.fixture(scope="module")
def cheating(world: World, plan: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A 44 for all cheats that alter only what it says: its port, and the cheat to be exchanged."""
    with serve_cheats(world.copy(tmp_path_factory.mktemp("cheating"), "44")["44"]) as found:
        yield found


@contextmanager
def cheating_by(cheat: Cheat, cheating: Served, world: World, folder: Path) -> Iterator[int]:
    """The port of a 44 that cheats so."""
    port, servicer = cheating
    if cheat.only_speaks:
        servicer.cheat = cheat
        yield port
    else:
        with serve_cheat(world.copy(folder, "44")["44"], cheat, world) as other:
            yield other


@pytest.fixture(scope="module")
def baseline(plan: str, provinces: dict[str, Province], asked, cheating: Served):
    """The same, with a 44 that is served by the cheating server and alters nothing."""
    move_peer(provinces["45"].node, "44", cheating[0])
    report = run_job(provinces["45"], "baseline", asked)
    assert report.state == "done"
    assert {outcome for outcome, _, _ in findings_of(report, "44").values()} > {"FOUND", "NOT_FOUND", "OVER"}
    assert {peer.plan for peer in report.peers} == {plan}
    return findings_of(report)


@pytest.mark.parametrize("name", CHEATS)
def test_cheating(
    name: str, world: World, plan: str, provinces: dict[str, Province], asked, baseline, cheating, tmp_path
) -> None:
    cheat, state, check = CHEATS[name]
    asked = replace(asked, items=BANDS if name == "band_beyond_the_table" else ITEMS)
    if plan == "mirror" and cheat.fetch is not honest:
        pytest.skip("a mirror fetches no buckets; test_cheating_mirrors.py alters what it fetches")
    if cheat != Cheat(evaluate=cheat.evaluate):  # else its mirror may be that of an honest moment
        forget(provinces["45"], "44")
    with cheating_by(cheat, cheating, world, tmp_path) as port:
        move_peer(provinces["45"].node, "44", port)
        report = run_job(provinces["45"], name, asked)
    found_state, reason = part_of(report, "44")
    assert found_state == state, reason
    assert reason.removeprefix("peer_answer_wrong:") in check.split()
    assert {f.outcome.value for f in report.findings if f.peer == "44"} == {
        "NOT_MANDATED",
        "REFUSED" if state == "refused" else "UNAVAILABLE",
    }
    assert all(f.value is None and f.as_of is None for f in report.findings if f.peer == "44")
    assert findings_of(report, "33") == {
        key: value for key, value in baseline.items() if key[1] in asked.items and key[2] == "33"
    }
    assert report.state == ("failed" if state == "distrusted" else "done")
    # The secrets of the query are erased with it.
    with provinces["45"].node.store.transaction("look") as tx:
        parts, kept = tables.parts, tables.tokens
        assert tx.execute(select(parts.c.session_sealed).where(parts.c.job == name)).scalars().all() == [
            None,
            None,
        ]
        assert tx.execute(select(kept).where(kept.c.job == name)).all() == []
