"""Catalogues on the command line: checked, compared, published, and loaded with their signature."""

import json
import shutil

import pytest

from keys.errors import EnrolmentError
from keys.pki.catalogue_signature import CatalogueSignature
from keys.pki.issuing import create_ca
from node.clock import utc_now
from node.domain.catalogue import BUILT_IN, load
from tests.support.ca_member import load_ca
from tests.support.cli_runner import fails, heqiao, ok
from tests.support.federation import set_config
from tests.support.killed_commands import copy

TEXT = BUILT_IN.read_text(encoding="utf-8")
NEXT = TEXT.replace('version = "1.0"', 'version = "1.1"').replace("[5_000_000]", "[6_000_000]", 1)


@pytest.fixture
def world(made, tmp_path):
    place = copy(made, tmp_path / "world")
    (place / "first.toml").write_text(TEXT, encoding="utf-8")
    (place / "next.toml").write_text(NEXT, encoding="utf-8")
    return place


def publish(world, name="next.toml", *more):
    return ("catalogue", "publish", world / name, "--dir", world / "ca", *more)


def use(world, name="next.toml", **more):
    for ending in ("", ".sig"):
        if (world / f"{name}{ending}").exists():
            shutil.copy(world / f"{name}{ending}", world / "44" / f"own.toml{ending}")
    set_config(world / "44", "catalogue", path="own.toml", **more)
    return ("catalogue", "show", "--home", world / "44")


def test_publish_take_and_load(world):
    ok(*publish(world, "first.toml"))
    said = json.loads(ok(*publish(world, "next.toml", "--json")))
    assert (said["version"], said["follows"], said["changed"]) == ("1.1", "1.0", ["C23"])
    assert said["digest"] == load(world / "next.toml").digest.hex()
    assert (world / "ca/catalogues/1.1.toml").read_text(encoding="utf-8") == NEXT
    shown = json.loads(ok(*use(world, signed=True), "--json"))
    assert (shown["version"], shown["signed"]) == ("1.1", True)
    checked = ok("catalogue", "check", world / "next.toml", "--home", world / "44")
    assert "next.toml.sig: the signature holds" in checked


def test_comments_do_not_break_a_signature_and_content_does(world):
    ok(*publish(world))
    show = use(world, signed=True)
    own = world / "44/own.toml"
    own.write_text("# a comment\n" + NEXT.replace("6_000_000", "6000000"), encoding="utf-8")
    ok(*show)
    for altered in (
        NEXT.replace("[6_000_000]", "[600_000_000]", 1),  # a limit that nobody exceeds
        NEXT.replace('version = "1.1"', 'version = "1.2"', 1),
        NEXT.replace('share = "conditional"', 'share = "unconditional"', 1),
    ):
        own.write_text(altered, encoding="utf-8")
        assert "the signature is of another catalogue" in fails(*show)
    set_config(world / "44", "catalogue", path="own.toml", signed=False)
    assert "the signature is of another catalogue" in fails(*show)  # one that is there is always checked


def test_a_node_that_wants_a_signature_loads_nothing_without(world):
    assert "has no signature, and [catalogue] signed = true wants one" in fails(*use(world, signed=True))
    ok(*use(world, signed=False))
    set_config(world / "44", "catalogue", signed=True)
    (world / "44/own.toml.sig").write_bytes(b"{}")
    assert "Field required" in fails("catalogue", "show", "--home", world / "44")


def test_a_signature_of_another_federation_is_refused(world):
    """Attack: the same name, another key."""
    found, ours = load(world / "next.toml"), load_ca(world)
    stranger = create_ca("test", utc_now())
    made = CatalogueSignature.make([stranger], found.version, found.digest)
    (world / "next.toml.sig").write_bytes(made.to_json())
    assert "is not signed by this federation's CA" in fails(*use(world))
    both = CatalogueSignature.make([stranger, ours], found.version, found.digest)  # during a roll-over
    both.verify(ours.pem, found.version, found.digest, "44", "c.sig")
    forged = both.model_copy(update={"federation": "other"})
    with pytest.raises(EnrolmentError):
        forged.verify(ours.pem, found.version, found.digest, "44", "c.sig")


def test_a_catalogue_of_one_province_is_no_other_ones(world):
    ok(*publish(world, "next.toml", "--province", "33"))
    assert "was signed for province 33, this node is of 44" in fails(*use(world))
    ok(*publish(world, "next.toml", "--province", "44"))
    ok(*use(world))
    assert sorted(path.name for path in (world / "ca/catalogues").glob("*.toml")) == [
        "33-1.1.toml",
        "44-1.1.toml",
    ]


def test_versions_only_rise_and_one_version_is_one_content(world):
    ok(*publish(world))
    first = (world / "next.toml.sig").read_bytes()
    ok(*publish(world))  # again: signed again
    assert json.loads(first)["digest"] == json.loads((world / "next.toml.sig").read_bytes())["digest"]
    assert "version 1.0 is not above 1.1" in fails(*publish(world, "first.toml"))
    (world / "other.toml").write_text(NEXT.replace("6_000_000", "7_000_000"), encoding="utf-8")
    assert "version 1.1 is not above 1.1" in fails(*publish(world, "other.toml"))
    assert not (world / "other.toml.sig").exists()


def test_what_lowers_disclosure_is_neither_published_nor_loaded(world):
    bad = NEXT.replace('sensitivity = "SF"', 'sensitivity = "P"').replace(
        'level = "threshold"', 'level = "value"'
    )
    (world / "bad.toml").write_text(bad, encoding="utf-8")
    said = fails(*publish(world, "bad.toml"))
    assert "items[4].sensitivity" in said
    assert "items[4].level" in said
    assert "items[4].level" in fails(*use(world, "bad.toml"))
    code, out, _ = heqiao("catalogue", "check", world / "bad.toml", "--json")
    listed = json.loads(out)
    assert code == 1
    assert not listed["good"]
    assert len(listed["faults"]) > 20  # all of them, not the first
    assert {"key", "found", "allowed"} == set(listed["faults"][0])


def test_two_files_side_by_side(world):
    code, out, _ = heqiao("catalogue", "diff", world / "first.toml", world / "next.toml", "--json")
    (item,) = json.loads(out)["items"]
    assert code == 1
    assert (item["item"], item["kind"]) == ("C23", "conflict")
    assert item["attributes"] == [{"attribute": "bounds", "here": "5,000,000", "there": "6,000,000"}]
    assert "the catalogues are the same" in ok(
        "catalogue", "diff", world / "first.toml", world / "first.toml"
    )
    assert "there is no peer 33" in fails("catalogue", "diff", "33", "--home", world / "44")


def test_words_of_usage(world):
    code, _, err = heqiao("catalogue", "--json", "check", world / "next.toml")
    assert (code, "write --json after check" in err) == (2, True)
    code, _, err = heqiao("catalogue", "diff", world / "next.toml", "33")
    assert (code, "leave A away" in err) == (2, True)
