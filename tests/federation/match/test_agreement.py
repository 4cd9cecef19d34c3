"""Whole jobs against the plain join, which shares no code with the node."""

import importlib.util
import sys
from types import ModuleType

import pytest

from node.domain import catalogue
from node.reports import kinds
from tests.support.cluster import World, read_verification, run_job
from tests.support.paths import ROOT


@pytest.fixture(scope="module")
def plain_join() -> ModuleType:
    source = ROOT / "testbed" / "plain_join.py"
    spec = importlib.util.spec_from_file_location("plain_join", source)
    module = importlib.util.module_from_spec(spec)
    sys.modules["plain_join"] = module
    spec.loader.exec_module(module)
    return module


def test_all_items_and_provinces_agree(world: World, served, plain_join, tmp_path):
    items = ("Z59b", "C21", "C22", "B12r", "C23", "D34", "D32")  # those of which a province holds a register
    result = run_job(served["45"], "all-items", read_verification(world.data, items))
    assert result.state == "done"
    kinds.write(result, catalogue.load(), tmp_path)
    compared = plain_join.compare(tmp_path / "report.json", world.data)
    assert compared.examples == ()
    assert (compared.differ, compared.answers) == (0, len(result.subjects) * len(items) * 2)
