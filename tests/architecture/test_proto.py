"""The shape of the messages, and that version 1 only grows.

tests/vectors/heqiao_v1.txt holds one line for every field, enum value and call of the v1 packages as
they were published. A removed line breaks the provinces that still run the older version: that
needs a v2 beside v1. A line that is new is added with

    python -m tests.architecture.test_proto
"""

import importlib
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from google.protobuf.descriptor import FieldDescriptor

from tests.support.paths import ROOT

STORED = ROOT / "tests/vectors/heqiao_v1.txt"
SOURCES = sorted((ROOT / "proto/heqiao").rglob("*.proto"))
# Every generated module: none is forgotten.
MODULES = [
    importlib.import_module(".".join(path.relative_to(ROOT / "proto/gen").with_suffix("").parts))
    for path in sorted((ROOT / "proto/gen/heqiao").rglob("*_pb2.py"))
]
FILES = [module.DESCRIPTOR for module in MODULES]
SERVICES = [service for file in FILES for service in file.services_by_name.values()]
METHODS = [method for service in SERVICES for method in service.methods]
TYPES = {
    number: name.removeprefix("TYPE_").lower()
    for name, number in vars(FieldDescriptor).items()
    if name.startswith("TYPE_")
}


def messages_of(container):
    for message in container:
        yield message
        yield from messages_of(message.nested_types)


MESSAGES = [message for file in FILES for message in messages_of(file.message_types_by_name.values())]
ENUMS = [enum for file in FILES for enum in file.enum_types_by_name.values()]
ENUMS += [enum for message in MESSAGES for enum in message.enum_types]


def describe():
    """One line for everything that the other side of a connection relies on."""
    for message in MESSAGES:
        yield f"message {message.full_name}"
        for field in message.fields:
            kind = (
                (field.message_type or field.enum_type).full_name
                if field.type in (11, 14)
                else TYPES[field.type]
            )
            many = "repeated " if field.is_repeated else "optional " if field.has_presence else ""
            within = f" in {field.containing_oneof.name}" if field.containing_oneof else ""
            yield f"field {message.full_name} {field.number} {field.name}: {many}{kind}{within}"
    for enum in ENUMS:
        yield from (f"value {enum.full_name} {value.number} {value.name}" for value in enum.values)
    for method in METHODS:
        asked, answered = (
            ("stream " if streaming else "") + kind.full_name
            for kind, streaming in (
                (method.input_type, method.client_streaming),
                (method.output_type, method.server_streaming),
            )
        )
        yield f"call {method.full_name}({asked}) -> {answered}"


def test_v1_only_grows():
    stored, now = set(STORED.read_text(encoding="utf-8").splitlines()), set(describe())
    assert not stored - now, "this breaks nodes of the published version; make a v2 beside v1"
    assert not now - stored, "new: run python -m tests.architecture.test_proto and commit the file"


def test_every_source_is_looked_at():
    named = {file.name for file in FILES}
    assert named == {str(path.relative_to(ROOT / "proto")) for path in SOURCES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_folder_is_package_and_ends_in_a_version(file):
    assert file.package == str(Path(file.name).parent).replace("/", ".")
    assert re.fullmatch(r"heqiao\.[a-z]+\.v[1-9]", file.package)


def test_every_call_has_its_own_request_and_response():
    users = Counter(each for m in METHODS for each in {m.input_type.full_name, m.output_type.full_name})
    for method in METHODS:
        assert method.containing_service.name.endswith("Service"), method.full_name
        assert method.input_type.name == f"{method.name}Request", method.full_name
        assert method.output_type.name == f"{method.name}Response", method.full_name
        assert users[method.input_type.full_name] == users[method.output_type.full_name] == 1, (
            method.full_name
        )


@pytest.mark.parametrize("enum", ENUMS, ids=lambda enum: enum.full_name)
def test_zero_of_every_enum_is_unspecified(enum):
    prefix = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", enum.name).upper()
    assert enum.values_by_number[0].name == f"{prefix}_UNSPECIFIED"
    assert all(value.name.startswith(f"{prefix}_") for value in enum.values)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_next_unused_field_numbers(path):
    text = path.read_text(encoding="utf-8")
    for name, body in re.findall(r"^message (\w+) \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL):
        code = re.sub(r"//.*", "", body)
        used = [int(number) for number in re.findall(r"= (\d+)[ ;\[]", code)]
        retired = [
            int(n) for line in re.findall(r"reserved ([\d, to]+);", code) for n in re.findall(r"\d+", line)
        ]
        if not used + retired:
            continue
        said = re.search(rf"// Next unused field number: (\d+)\nmessage {name} \{{", text)
        assert said, f"{name} does not say its next unused field number"
        assert int(said[1]) == max(used + retired) + 1, name
        assert not set(used) & set(retired), f"{name} uses a retired number again"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_every_message_and_call_is_explained(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    for before, line in pairwise(lines):
        if re.match(r"\s*rpc |service ", line):
            assert before.strip().startswith("//"), line


if __name__ == "__main__":
    STORED.write_text("".join(f"{line}\n" for line in describe()), encoding="utf-8")
