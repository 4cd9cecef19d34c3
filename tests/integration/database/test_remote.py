"""A database elsewhere must prove who it is, or node.toml must say that it need not."""

import pytest
from sqlalchemy import make_url

from node.config import load
from node.context import open_node
from node.database import database_url, describe_database
from node.database.remote import is_local, is_verified
from node.errors import ConfigError
from node.services.checks import check_home
from tests.support.federation import Federation

LOCAL = (
    "postgresql+psycopg:///d",
    "postgresql+psycopg://u@/d",
    "postgresql+psycopg://u@localhost/d",
    "postgresql+psycopg://u@LOCALHOST:5433/d",
    "postgresql+psycopg://u@127.0.0.1:5432/d",
    "postgresql+psycopg://u@127.8.9.1/d",
    "postgresql+psycopg://u@[::1]:5432/d",
    "postgresql+psycopg://u@%2Fvar%2Frun%2Fpostgresql/d",
    "postgresql+psycopg://u@/d?host=/var/run/postgresql",
    "postgresql+psycopg://u@/d?host=127.0.0.1:5433",
    "postgresql+psycopg://u@localhost/d?hostaddr=127.0.0.1",
)
ELSEWHERE = (
    "postgresql+psycopg://u@db.internal/d",
    "postgresql+psycopg://u@10.0.0.7/d",
    "postgresql+psycopg://u@0.0.0.0/d",
    "postgresql+psycopg://u@[2001:db8::1]:5432/d",
    "postgresql+psycopg://u@localhost.example.cn/d",
    "postgresql+psycopg://u@127.0.0.1.example.cn/d",
    "postgresql+psycopg://u@localhost/d?hostaddr=10.0.0.7",
    "postgresql+psycopg://u@localhost/d?host=db.internal",
    "postgresql+psycopg://u@/d?host=localhost&host=db.internal",
    "postgresql+psycopg://u@/d?host=127.0.0.1,db.internal",
    "postgresql+psycopg://u@/d?service=central",
    "mysql://u@db.internal/d",
)


@pytest.mark.parametrize("url", LOCAL)
def test_on_this_machine(url):
    assert is_local(make_url(url), {})
    assert is_verified(make_url(url), {})


@pytest.mark.parametrize("url", ELSEWHERE)
def test_elsewhere(url):
    assert not is_verified(make_url(url), {})
    good = make_url(url).update_query_dict({"sslmode": "verify-full"})
    assert is_verified(good, {})
    for weaker in ("disable", "allow", "prefer", "require", "verify-ca", "", "VERIFY-FULL"):
        assert not is_verified(make_url(url).update_query_dict({"sslmode": weaker}), {})
    twice = make_url(url).update_query_pairs([("sslmode", "verify-full"), ("sslmode", "allow")])
    assert not is_verified(twice, {})


@pytest.mark.parametrize("name", ["PGHOST", "PGHOSTADDR", "PGSERVICE", "PGSERVICEFILE"])
def test_the_environment_sends_it_elsewhere(name):
    assert not is_verified(make_url("postgresql+psycopg:///d"), {name: "db.internal"})


@pytest.fixture
def home(tmp_path):
    return Federation.create().make_home(tmp_path / "44", "44")


def set_store(home, *lines):
    """Replace the section [store]."""
    text = (home / "node.toml").read_text(encoding="utf-8")
    start, _, rest = text.partition("[store]")
    text = "\n".join([start + "[store]", *lines, "", "[" + rest.partition("\n[")[2]])
    (home / "node.toml").write_text(text, encoding="utf-8")
    return load(home / "node.toml")


REMOTE = 'url = "postgresql+psycopg://u@db.invalid/d"'


def test_a_node_does_not_start_and_doctor_says_why(home):
    config = set_store(home, REMOTE)
    for refused in (lambda: database_url(config), lambda: open_node(config)):
        with pytest.raises(ConfigError, match="certificate is not verified") as caught:
            refused()
        assert "sslmode=verify-full" in caught.value.hint
        assert "allow_unverified = true" in caught.value.hint
    bad = [one for one in check_home(config) if not one.good]
    assert ["certificate is not verified" in one.text for one in bad] == [True]


def test_the_explicit_word(home):
    config = set_store(home, REMOTE, "allow_unverified = true")
    assert database_url(config).host == "db.invalid"
    assert "NOT verified" in describe_database(config)
    verified = set_store(home, REMOTE.replace('/d"', '/d?sslmode=verify-full"'))
    assert database_url(verified).query["sslmode"] == "verify-full"
    assert "NOT" not in describe_database(verified)
