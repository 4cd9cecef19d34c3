"""What one administrator cannot do alone under dual control (attack A3, design.md section 6)."""

import json
import sqlite3

import pytest

from keys.pki.revocation import load_list
from keys.store.atomic_files import read_passphrase
from keys.store.key_store import KeyStore
from tests.support.cli_runner import heqiao, ok
from tests.support.dual_control import (
    approve,
    as_,
    ask,
    controlled,  # noqa: F401  a fixture
    events,
    refused,
    waiting,
    with_both,
)
from tests.support.single_node import number


@pytest.fixture
def world(controlled):
    return controlled


def used(world):
    """Requests that two people signed and that were used, by the audit chain."""
    return [details["id"] for event, details in events(world) if event == "approval_used"]


def test_a_backup_needs_two_and_opens_for_nobody_alone(world):
    ok("keys", "recipient", "--dir", world / "officer", "--name", "安全员")
    recipient = ("--recipient", world / "officer/recipient.json")
    split = ("--split", "2/3", "--shares-dir", world / "shares")
    backup = ("keys", "backup", "--home", world / "44", "--out", world / "b")
    for alone in (recipient, (*recipient, *split)):
        assert "nobody restores it alone" in refused(*backup, *alone, *as_(world, "李雷"))
    assert "with `--as`" in refused(*backup, *split)
    request, _ = with_both(world, *backup, *split)
    assert used(world) == [request]
    restore = ("keys", "restore", world / "b", "--home", world / "new")
    refused(*restore, "--recipient-dir", world / "officer")
    one = ("--share", world / "shares/share-01.txt")
    refused(*restore, *one)
    assert not (world / "new").exists()
    ok(*restore, *one, "--share", world / "shares/share-03.txt")


def test_a_new_passphrase_needs_two(world):
    """Who sets it alone could open every copy of the key store."""
    (world / "mine").write_text("a passphrase of one person\n")
    (world / "mine").chmod(0o600)
    rewrap = ("keys", "rewrap", "--home", world / "44", "--new-passphrase-file", world / "mine")
    assert "with `--as`" in refused(*rewrap)
    request = ask(world, *rewrap)
    KeyStore.open(world / "44/keys", read_passphrase(world / "44/passphrase"))  # as before
    approve(world, request)
    ok(*rewrap, *as_(world, "李雷"))
    KeyStore.open(world / "44/keys", read_passphrase(world / "mine"))


def test_ending_a_grace_early_needs_two(world):
    rotate = ("keys", "rotate", "oprf", "--home", world / "44")
    with_both(world, *rotate)
    early = ("keys", "retire", "oprf", "--home", world / "44", "--now")
    assert "nothing to retire" in ok(*early[:-1])  # what is due, one alone may do
    assert "with `--as`" in refused(*early)
    ask(world, *early)
    (details,) = [one["details"] for one in waiting(world)]
    assert [key.split()[0] for key in details["keys"]] == ["oprf.1"]
    approve(world, waiting(world)[0]["id"])
    assert "oprf.1 is retired" in ok(*early, *as_(world, "李雷"))
    assert "nothing to retire" in ok(*early)


def test_roots_and_lists_need_two(world):
    home, ca = world / "44", world / "ca"
    before = (home / "tls/ca.pem").read_bytes()
    ok("ca", "roll", "--dir", ca, "--out", world / "roots.json")
    take = ("peers", "roots", "--home", home, world / "roots.json")
    assert "with `--as`" in refused(*take)
    ask(world, *take)
    assert (home / "tls/ca.pem").read_bytes() == before
    ok("peers", "roots", "--home", home)  # to see them, one is enough
    with_both(world, *take)
    assert (home / "tls/ca.pem").read_bytes() != before

    first = (home / "tls/revoked.pem").read_bytes()  # that came with the bundle
    ok("ca", "revoke", "--dir", ca, "--code", "45", "--out", world / "list")
    taking = ("peers", "revocations", "--home", home, world / "list")
    ask(world, *taking)
    assert (home / "tls/revoked.pem").read_bytes() == first
    ok("ca", "revoke", "--dir", ca, "--code", "44", "--out", world / "list")  # another list of the same name
    approve(world, waiting(world)[-1]["id"])
    assert "this needs a second administrator" in refused(*taking, *as_(world, "李雷"))
    with_both(world, *taking)
    assert load_list((home / "tls/revoked.pem").read_bytes(), (ca / "ca.pem").read_bytes()).serials


# ---- registers


def write(path, orders):
    rows = "".join(f"{number(order)},陈{order},r{order}\n" for order in orders)
    path.write_text("id_no,name,record_no\n" + rows, encoding="utf-8")
    return path


def held(world):
    """Entries of C21 after each import, and whether it was approved to shrink."""
    with sqlite3.connect(world / "44/heqiao.db") as base:
        found = base.execute("SELECT mode, held, approved FROM imports ORDER BY id").fetchall()
    base.close()
    return [(mode, count, bool(approved)) for mode, count, approved in found]


def importing(world, file, *more):
    return ("import", "--home", world / "44", "C21", file, "--workers", "0", *more)


def test_an_import_that_shrinks_a_register_needs_two(world):
    full = importing(world, write(world / "full.csv", range(100)))
    ok(*full)  # the first, and what shrinks nothing: one alone
    ok(*full)
    ok(*importing(world, write(world / "few.csv", range(96))))  # 4 % fewer
    part = importing(world, write(world / "part.csv", range(94)))
    error = refused(*part)
    assert "with `--as`" in error
    request = ask(world, *part)
    (row,) = waiting(world)
    assert (row["action"], row["details"]["item"], row["details"]["mode"]) == ("import", "C21", "full")
    approve(world, request)
    write(world / "part.csv", range(20))  # another file under the same name
    assert "entries would become" in refused(*part, *as_(world, "李雷"))
    assert [count for _, count, _ in held(world)] == [100, 100, 96]
    with_both(world, *part)
    assert held(world)[-1] == ("full", 20, True)
    ok(*importing(world, write(world / "again.csv", range(20))))  # what was approved is the measure now
    ok("audit", "verify", "--home", world / "44")


def test_small_steps_are_no_way_round(world):
    ok(*importing(world, write(world / "full.csv", range(100))))
    gone = importing(world, write(world / "gone.csv", range(3)), "--delete")
    ok(*gone)
    assert "with `--as`" in refused(*importing(world, write(world / "more.csv", range(3, 6)), "--delete"))
    assert "with `--as`" in refused(*importing(world, write(world / "less.csv", range(6, 100))))
    ok(*importing(world, write(world / "back.csv", range(3)), "--upsert"))
    assert [count for _, count, _ in held(world)] == [100, 97, 100]


def test_an_emptied_register_needs_two(world):
    ok(*importing(world, write(world / "full.csv", range(100))))
    empty = importing(world, write(world / "empty.csv", ()), "--allow-empty")
    assert "with `--as`" in refused(*empty)
    with_both(world, *empty)
    assert held(world)[-1] == ("full", 0, True)


def test_a_folder_of_registers(world):
    ok(*importing(world, write(world / "full.csv", range(100))))
    (world / "all").mkdir()
    write(world / "all/C21.csv", range(50))
    write(world / "all/C22.csv", range(50))
    everything = ("import", "--home", world / "44", "--all", world / "all", "--workers", "0", "--json")
    code, out, _ = heqiao(*everything, *as_(world, "李雷"))
    assert code == 1
    found = json.loads(out)
    assert {one["item"]: one["state"] for one in found["items"]} == {"C21": "failed", "C22": "imported"}
    approve(world, waiting(world)[0]["id"])
    ok(*everything, *as_(world, "李雷"))
    assert held(world)[-1][1:] == (50, True)


def test_without_dual_control_it_is_a_warning(world):
    toml = world / "44/node.toml"
    toml.write_text(toml.read_text().replace("required = true", "required = false"))
    ok(*importing(world, write(world / "full.csv", range(100))))
    assert "if this is only a part" in ok(*importing(world, write(world / "part.csv", range(40))))
    assert held(world)[-1] == ("full", 40, False)
