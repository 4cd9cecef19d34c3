"""A member made by the commands, with one register."""

import pytest

from tests.support.cli_runner import ok
from tests.support.members import make_member as make_home
from tests.support.once import made_once
from tests.support.single_node import number

REGISTER = f"id_no,name,record_no\n{number(1)},陈三,a\n"


def make_member(base):
    ok("ca", "init", "--dir", base / "ca", "--federation", "test")
    make_home(base, "44")
    (base / "r.csv").write_text(REGISTER, encoding="utf-8")
    ok("import", "--home", base / "44", "C21", base / "r.csv")


@pytest.fixture(scope="session")
def member(tmp_path_factory):
    """Its folder; tests copy the home."""
    return made_once(tmp_path_factory, "member", make_member)
