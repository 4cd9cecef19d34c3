"""The audit chain: any change of any event is detected, with its place."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from blake3 import blake3

from node.domain.audit_chain import START, first_broken, link

NOW = datetime(2026, 6, 30, 8, 30, 0, 123456, tzinfo=UTC)


def chain(length):
    events, last = [], None
    for number in range(length):
        details = {"peer": "44", "items": ["C21", "C23"], "points": number, "name": "广东"}
        last = link(last, "query_answered", details, NOW + timedelta(seconds=number))
        events.append(last)
    return events


def test_a_whole_chain():
    assert first_broken([]) is None
    assert first_broken(chain(1)) is None
    assert first_broken(chain(9)) is None


def test_a_link_as_documented():
    """Computed from docs/data-model.md, without the code under test."""
    first, second = chain(2)
    assert (first.seq, first.previous, second.previous) == (1, bytes(32), first.digest)
    assert first.details == '{"items":["C21","C23"],"name":"广东","peer":"44","points":0}'
    text = json.dumps(
        [1, "2026-06-30T08:30:00.123456+00:00", "query_answered", first.details], ensure_ascii=False
    )
    digest = blake3(START + text.encode(), derive_key_context="heqiao v1 audit event").digest()
    assert first.digest == digest


def test_the_time_zone_of_the_writer_does_not_matter():
    beijing = link(None, "e", {}, NOW.astimezone(timezone(timedelta(hours=8))))
    assert beijing.digest == link(None, "e", {}, NOW).digest


CHANGES = {
    "seq": 7,
    "at": NOW + timedelta(microseconds=1),
    "event": "query_refused",
    "details": "{}",
    "previous": bytes(32),
    "digest": bytes(32),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("place", [2, 4])
def test_a_changed_field_is_found(name, place):
    events = chain(5)
    events[place] = replace(events[place], **{name: CHANGES[name]})
    assert first_broken(events) == place + 1
    assert set(CHANGES) == {field.name for field in fields(events[0])}


def test_what_is_removed_put_in_or_moved_is_found():
    events = chain(5)
    assert first_broken(events[1:]) == 1
    assert first_broken(events[:2] + events[3:]) == 3
    assert first_broken([events[0], events[2], events[1]]) == 2
    assert first_broken([*events[:2], events[1], *events[2:]]) == 3
    forged = link(events[1], "query_answered", {}, NOW)
    assert first_broken([*events[:2], forged, *events[3:]]) == 4, "the next link does not know it"


def test_a_cut_end_is_not_found_without_another_witness():
    """Therefore checkpoints should be exchanged with peers (design.md section 7)."""
    assert first_broken(chain(5)[:3]) is None
