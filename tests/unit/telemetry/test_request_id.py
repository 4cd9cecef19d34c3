"""Request ids: their form, the accepted ones from outside, and the log lines that have them."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog

from node.config import LogSection
from node.errors import InvalidRequestError
from node.telemetry import log
from node.telemetry.request_id import (
    HEADER,
    current_request,
    in_new_request,
    in_request,
    new_request_id,
    read_request_id,
    request_metadata,
)

GOOD = "0123456789abcdef"
BAD = {
    "empty": [""],
    "too_short": [GOOD[:-1]],
    "too_long": [GOOD + "0"],
    "upper_case": [GOOD.upper()],
    "one_upper_case": ["0123456789abcdeF"],
    "no_hex": ["0123456789abcdeg"],
    "newline_at_the_end": [GOOD + "\n"],
    "newline_within": ["01234567\n9abcdef"],
    "newline_for_a_digit": [GOOD[:-1] + "\n"],
    "space_before": [" " + GOOD],
    "prefix": ["0x" + GOOD[:14]],
    "sign": ["-" + GOOD[:15]],
    "underscore": ["0123_456789abcde"],
    "full_width_digits": ["\uff10" * 16],
    "arabic_digits": ["\u0661" * 16],
    "an_identity_number": ["449999190001010034"],
    "bytes": [GOOD.encode()],
    "twice": [GOOD, GOOD],
    "two_of_them": [GOOD, "fedcba9876543210"],
    "one_good_one_bad": [GOOD, ""],
}


def test_ids_are_drawn_anew_and_are_accepted():
    drawn = {new_request_id() for _ in range(100)}
    assert len(drawn) == 100
    assert all(re.fullmatch("[0-9a-f]{16}", one) for one in drawn)
    assert all(read_request_id(request_metadata(one)) == one for one in drawn)


def test_a_call_without_an_id_has_none():
    assert read_request_id([]) == ""
    assert read_request_id([("user-agent", GOOD), (f"{HEADER}-bin", b"x")]) == ""


@pytest.mark.parametrize("name", BAD)
def test_anything_else_is_refused_and_not_quoted(name):
    sent = [("user-agent", "grpc"), *((HEADER, value) for value in BAD[name])]
    with pytest.raises(InvalidRequestError) as caught:
        read_request_id(sent)
    assert str(caught.value) == "the request id is not one of 16 lower-case hex digits"
    assert (caught.value.hint, caught.value.details) == ("", {})


def test_an_id_ends_with_its_block():
    assert current_request() == ""
    with in_request(GOOD):
        assert current_request() == GOOD
        with in_request("fedcba9876543210"):
            assert current_request() == "fedcba9876543210"
        assert current_request() == GOOD
    assert current_request() == ""
    with pytest.raises(ZeroDivisionError), in_request(GOOD):
        raise ZeroDivisionError
    assert current_request() == ""


def test_a_function_has_a_new_id_in_each_call_and_in_each_thread():
    together = threading.Barrier(4)

    @in_new_request()
    def work(_):
        together.wait(60)
        return current_request()

    with ThreadPoolExecutor(4) as pool:
        found = {*pool.map(work, range(4)), *pool.map(work, range(4))}
    assert len(found) == 8
    assert all(re.fullmatch("[0-9a-f]{16}", one) for one in found)


def test_every_line_inside_carries_it(tmp_path):
    log.configure(LogSection(file=tmp_path / "heqiao.log"), "45")
    try:
        log.get_logger().info("before")
        with in_request(GOOD):
            log.get_logger().info("part_ended", job="j1")
            log.get_logger().error("part_failed")
        log.get_logger().info("after")
    finally:
        structlog.reset_defaults()
    lines = [json.loads(line) for line in (tmp_path / "heqiao.log").read_text().splitlines()]
    assert [(line["event"], line.get("request")) for line in lines] == [
        ("before", None),
        ("part_ended", GOOD),
        ("part_failed", GOOD),
        ("after", None),
    ]
