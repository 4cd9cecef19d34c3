"""The log: JSON lines with allowed fields only, and without the text of errors."""

import json

import pytest
import structlog

from node.config import LogSection
from node.telemetry import log

NUMBER = "459999199001010010"


@pytest.fixture
def lines(tmp_path):
    def configured(level="info"):
        log.configure(LogSection(level=level, file=tmp_path / "heqiao.log"), "45")
        return lambda: [json.loads(line) for line in (tmp_path / "heqiao.log").read_text().splitlines()]

    yield configured
    structlog.reset_defaults()


def test_one_json_line_for_each_event(lines):
    read = lines()
    log.get_logger().info("serving", port=7443, backend="openssl")
    log.get_logger().error("call", status="INTERNAL")
    first, second = read()
    assert (first["event"], first["level"], first["node"], first["port"]) == ("serving", "info", "45", 7443)
    assert first["timestamp"].endswith("Z")
    assert (second["level"], second["status"]) == ("error", "INTERNAL")


def test_a_field_that_is_not_allowed_is_dropped_and_named(lines):
    read = lines()
    log.get_logger().info("call", method="Evaluate", id_no=NUMBER, name="韦一", value=50_000)
    (event,) = read()
    assert event["dropped"] == ["id_no", "name", "value"]
    assert NUMBER not in json.dumps(event)
    assert "韦一" not in json.dumps(event, ensure_ascii=False)


def test_no_allowed_field_could_hold_a_person():
    assert not log.FIELDS & {
        "id_no",
        "name",
        "subject",
        "value",
        "token",
        "identity",
        "message",
        "error",
        "key",
    }


def test_where_gives_places_and_no_text():
    def fail():
        raise ValueError(f"{NUMBER} is not a number")

    try:
        fail()
    except ValueError as error:
        places = log.where(error)
    assert len(places) == 2
    assert places[-1].startswith("fail ")
    assert __file__ in places[-1]
    assert NUMBER not in "".join(places)


def test_the_level_of_the_configuration_holds(lines):
    read = lines("warning")
    log.get_logger().info("serving")
    log.get_logger().warning("slow")
    assert [event["event"] for event in read()] == ["slow"]


def test_the_file_is_appended_to(lines):
    read = lines()
    log.get_logger().info("first")
    lines()
    log.get_logger().info("second")
    assert [event["event"] for event in read()] == ["first", "second"]
