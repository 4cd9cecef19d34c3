"""Files that an editor saved with a byte order mark are read as without one: every file that people give."""

import codecs
import json
import shutil

import pytest

from node.domain import catalogue
from node.reports import kinds
from tests.support.cli_runner import heqiao, ok
from tests.support.members import add_peer, answer, join
from tests.support.reports import CATALOGUE, REPORTS


def mark(path):
    content = path.read_bytes()
    assert not content.startswith(codecs.BOM_UTF8)
    path.write_bytes(codecs.BOM_UTF8 + content)
    return path


@pytest.fixture
def world(made, tmp_path):
    shutil.copytree(made, tmp_path / "world")
    return tmp_path / "world"


def test_configuration_and_catalogue(world):
    home = world / "44"
    shown = json.loads(ok("catalogue", "--home", home, "--json"))
    shutil.copy(catalogue.BUILT_IN, home / "own.toml")
    config = (home / "node.toml").read_text(encoding="utf-8")
    config = config.replace("[catalogue]", '[catalogue]\npath = "own.toml"')
    assert "own.toml" in config
    (home / "node.toml").write_text(config, encoding="utf-8")
    mark(home / "node.toml")
    mark(home / "own.toml")
    assert json.loads(ok("catalogue", "--home", home, "--json")) == shown


def test_request_bundle_card_and_list(world):
    home = world / "45"
    ok("init", "--home", home, "--code", "45", "--name", "45")
    answer(world / "ca", mark(home / "request.json"), world / "45.bundle2")
    join(home, mark(world / "45.bundle2"), world / "ca")
    card = world / "45.card"
    code, out, err = heqiao("card", "--home", home)
    assert code == 0, err
    card.write_text(out, encoding="utf-8")
    add_peer(world / "44", mark(card))
    ok("peers", "revocations", "--home", world / "44", mark(world / "revoked.pem"))


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_that_is_shown_again(tmp_path, name):
    kinds.write(REPORTS[name], CATALOGUE, tmp_path)
    path = tmp_path / kinds.JSON_FILE
    assert kinds.load(mark(path)) == REPORTS[name]
