"""Kinds of jobs: only the kind knows the content of a request."""

import ast

import pytest

from node.domain.summation import Summation
from node.domain.verification import Verification
from node.domain.watches import LookRequest
from node.errors import PreconditionError
from node.jobs.kinds import KINDS, count_people, find_kind
from tests.support.paths import ROOT

REQUESTS = (
    Verification((), (), "", "", (), {}),
    Summation((), (), "", ()),
    LookRequest("w", 0, (), (), ""),
)


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda one: one.kind)
def test_a_request_finds_its_kind(request_: Verification | Summation | LookRequest) -> None:
    kind = find_kind(request_.kind)
    assert kind.name == request_.kind
    assert kind.unpack(kind.pack(request_)) == request_
    assert count_people(request_) == 0 == len(list(kind.identities(request_)))


def test_every_kind_has_a_request() -> None:
    assert {one.kind for one in REQUESTS} == set(KINDS)


def test_an_unknown_kind_is_of_another_version() -> None:
    with pytest.raises(PreconditionError):
        find_kind("verdict")


@pytest.mark.parametrize("folder", ["node/jobs", "node/services", "node/cli", "node/client"])
def test_no_code_tests_the_kind_of_a_request(folder: str) -> None:
    names = {type(one).__name__ for one in REQUESTS}
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "isinstance":
                asked = {getattr(one, "id", "") for one in ast.walk(node.args[1])}
                assert not asked & names, f"{path}:{node.lineno}"
