"""Planted people: their numbers, names and amounts are found in no file, no log, no message, no repr.

Real processes and the real command line; the homes are searched byte by byte afterwards.
"""

import csv
import importlib
import pkgutil
import re
from dataclasses import fields, is_dataclass
from pathlib import Path

import grpc
import numpy as np
import pytest
from blake3 import blake3
from heqiao.peer.v1 import match_pb2, service_pb2_grpc
from heqiao.platform.v1 import platform_pb2, platform_pb2_grpc

import keys as keys_package
import matcher as matcher_package
import node as node_package
from matcher import SUITE, Identity, LabelRecord, buckets, oprf
from matcher.identity import parse
from matcher.suites import tokens
from matcher.suites.points import Blinded, Blinds, Evaluated
from matcher.suites.suite import CURRENT
from matcher.types import TokenClass
from node.client.platform import Platform
from node.credentials import keyring
from node.database import sum_tables
from node.domain import catalogue, records, subjects, verification
from node.errors import NodeError
from node.index import sum_blocks
from node.mirror.folder import FOLDER
from node.requester import context, match_query
from node.requester.points import MappedPoints
from node.wire import match_messages
from tests.support.cluster import Process, channel, know, move_peer, open_home, processes, query_database
from tests.support.command_server import command_server
from tests.support.examples import mandate_for
from tests.support.federation import Federation
from tests.support.leakage import MANDATE_COLUMNS, forms, numbers
from tests.support.single_node import class_key

# Recognisable, and in no other data of a home.
NAMES = ("欧阳瓒翀", "司徒燊犇", "上官骉羴")
AMOUNTS = ("81234567.89", "70706060.51")
FEN = (8_123_456_789, 7_070_606_051)
SECRET_VALUE = 1_237


PEOPLE = numbers(12)
BAD = "459999198301170" + "99Z"  # looks like a number, has a letter in it
WRONG_CHECK = PEOPLE[0][:-1] + ("1" if PEOPLE[0][-1] != "1" else "2")


def heqiao(*arguments: object, fails: bool = False) -> str:
    done = command_server().run(arguments)
    text = done.stdout + done.stderr
    assert (done.returncode != 0) is fails, text
    return text


def write_rows(path: Path, header: tuple[str, ...], rows: list[tuple[object, ...]], encoding: str) -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[bytes]]:
    """Import, verify, cancel, bad rows, bad calls, errors; then the folder of homes and all that was said."""
    root = tmp_path_factory.mktemp("story")
    data = root.parent / f"{root.name}-data"  # the raw lists are not in the folder that is searched
    data.mkdir()
    federation = Federation.create()
    homes = {code: federation.make_home(root / code, code) for code in ("45", "44")}
    said: list[str] = []
    provider, requester = open_home(homes["44"]), open_home(homes["45"])
    know(provider, homes["45"], 0, ("45", "C23:45"))
    know(requester, homes["44"], 0)
    provider.store.dispose()

    money = [(PEOPLE[i], NAMES[i % 3], f"A{i}", AMOUNTS[i % 2], "2026-10-01") for i in range(8)]
    money += [(BAD, NAMES[0], "B1", AMOUNTS[0], "2026-10-01"), (WRONG_CHECK, NAMES[1], "B2", AMOUNTS[1], "")]
    money += [(PEOPLE[2], NAMES[2], "B3", "-" + AMOUNTS[0] + "x", "2026-13-01")]
    deposits = write_rows(
        data / "deposits.csv", ("id_no", "name", "record_no", "amount_yuan", "as_of"), money, "gb18030"
    )
    cars = write_rows(
        data / "cars.csv",
        ("id_no", "name", "record_no", "as_of"),
        [(PEOPLE[i], NAMES[i % 3], f"桂{i}", "2026-10-01") for i in range(6) for _ in range(2)],
        "utf-8-sig",
    )
    said.append(heqiao("import", "--home", homes["44"], "C23", deposits, "--rejects", data / "rejects.csv"))
    said.append(heqiao("import", "--home", homes["44"], "C21", cars, "--json"))
    wages = write_rows(
        data / "wages.csv",
        ("id_no", "former_id_no", "amount_yuan"),
        [(PEOPLE[i], PEOPLE[11] if not i else "", AMOUNTS[i % 2]) for i in range(8)],
        "utf-8",
    )
    said.append(heqiao("import", "--home", homes["44"], "B11", wages))
    said.append(heqiao("keys", "rotate", "sum", "--home", homes["44"]))
    said.append(heqiao("import", "--home", homes["44"], "B11", wages, "--upsert"))
    said.append(heqiao("import", "--home", homes["44"], "C99", cars, fails=True))
    said.append(heqiao("import", "--home", homes["44"], "C21", data / "no-such.csv", fails=True))
    said.append(heqiao("import", "--home", homes["44"], "C23", cars, fails=True))

    members = [("H1", f"{i:02d}", PEOPLE[i], NAMES[(i + (i == 4)) % 3], "M1") for i in range(10)]
    members += [("H2", "01", BAD, NAMES[0], "M1"), ("H2", "02", WRONG_CHECK, NAMES[1], "M1")]
    members += [("H3", PEOPLE[11], PEOPLE[11], NAMES[2], "M1")]
    listed = write_rows(
        data / "households.csv",
        ("household_no", "member_no", "id_no", "name", "mandate_no"),
        members,
        "utf-8",
    )
    wide = ("M1", "office", ";".join(PEOPLE), "*", "*", "2026-01-01", "2099-01-01", *[";".join(NAMES)] * 2)
    write_rows(data / "mandates.csv", MANDATE_COLUMNS, [(*wide, "ab" * 32)], "utf-8")
    with processes(homes["44"], homes["45"]) as (responder, asking):
        responder.start()
        move_peer(requester, "44", responder.port)
        asking.start()
        said += _ask(asking, listed, data / "out")
        said += _call_badly(federation, responder, asking)
        kept = [path.read_bytes() for path in _files(root)]  # while the nodes run: -wal files and all
        # Dirty ends: a node that is killed leaves what it had.
        responder.kill()
        asking.kill()
        said.append(responder.errors.read_text() + asking.errors.read_text())
    requester.store.dispose()
    kept += [path.read_bytes() for path in _files(root)] + [text.encode() for text in said]
    assert len(kept) > 20
    return root, kept


def _ask(asking: Process, listed: Path, out: Path) -> list[str]:
    node_option = ("--node", f"127.0.0.1:{asking.platform_port}")
    base = ("verify", "--home", asking.home, "--households", listed, "--peers", "44", *node_option)
    said = [heqiao(*base, "--items", "C23,C21", "--out", out, "--job", "one")]
    assert "OVER" in (out / "findings.csv").read_text(encoding="utf-8-sig")
    said.append(heqiao(*base, "--items", "C21", "--out", out, "--job", "two", "--detach"))
    with Platform.open(asking.home, f"127.0.0.1:{asking.platform_port}") as platform:
        platform.cancel("two")
        for _ in platform.watch("two"):
            pass
    said.append(heqiao(*base, "--items", "C22", "--out", out, "--job", "one", fails=True))
    said.append(heqiao(*base, "--items", "X1", "--out", out, fails=True))
    said.append(heqiao(*base, "--items", "C21", "--out", out, "--job", PEOPLE[0], fails=True))
    said.append(heqiao(*base, "--items", "C21", "--out", out, "--legal-basis", PEOPLE[0], fails=True))
    return [text.replace(PEOPLE[0], "") if "Usage" in text else text for text in said]


def _call_badly(federation: Federation, responder: Process, asking: Process) -> list[str]:
    said = []
    with channel(responder.port, "44.node.heqiao", federation.client("45")) as line:
        stub = service_pb2_grpc.PeerServiceStub(line)
        for start in (
            match_pb2.EvaluateStart(suite=SUITE, purpose=PEOPLE[1], items=[PEOPLE[1]]),
            match_pb2.EvaluateStart(
                suite=SUITE, epoch=1, salt_version=1, manifest_digest=bytes(32), query_id=bytes(16),
                points_announced=1, items=["C21"], purpose="review", legal_basis=PEOPLE[1],
                mandate_root=bytes(32), token_class="ordinary",
            ),
            match_pb2.EvaluateStart(suite=PEOPLE[1]),
        ):  # fmt: skip
            opening = match_pb2.EvaluateRequest(start=start)
            said.append(_error(lambda o=opening: list(stub.Evaluate(iter([o])))))
        request = match_pb2.FetchBucketsRequest(
            suite=SUITE, epoch=1, query_id=bytes(16), item=PEOPLE[2], origin="45", version=1, buckets=[0]
        )
        said.append(_error(lambda: list(stub.FetchBuckets(request))))
    with channel(asking.platform_port, "45.node.heqiao", federation.client("45", "system")) as line:
        platform = platform_pb2_grpc.PlatformServiceStub(line)
        said.append(_error(lambda: list(platform.WatchJob(platform_pb2.WatchJobRequest(job_id=PEOPLE[3])))))
        for subject in (
            _stock_subject("a/1", BAD, platform_pb2.IDENTITY_TYPE_RESIDENT),
            _stock_subject("a/1", PEOPLE[4], 99),
            _stock_subject("", PEOPLE[4], platform_pb2.IDENTITY_TYPE_UNSPECIFIED),
        ):
            start = platform_pb2.VerificationStart(
                job_id="bad", items=["C21"], peers=["44"], purpose="review", subjects_announced=1
            )
            messages = [
                platform_pb2.SubmitVerificationRequest(start=start),
                platform_pb2.SubmitVerificationRequest(
                    chunk=platform_pb2.VerificationChunk(subjects=subject)
                ),
            ]
            said.append(_error(lambda m=messages: platform.SubmitVerification(iter(m))))
    return said


def _stock_subject(ref: str, value: str, id_type: int) -> platform_pb2.Subjects:
    return platform_pb2.Subjects(
        refs=[ref],
        households=[""],
        names=[NAMES[0]],
        mandate_nos=[""],
        identities=platform_pb2.Identities(counts=[1], values=[value], types=[id_type]),
    )


def _error(call) -> str:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return f"{caught.value.details()} {caught.value.trailing_metadata()}"


def _files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def forms_of_people() -> dict[str, dict[str, bytes]]:
    wanted = [*PEOPLE[:10], BAD, WRONG_CHECK, *NAMES, *AMOUNTS]
    wanted += [re.sub(r"\.", "", amount) for amount in AMOUNTS]
    # The fifteen-digit form, and the number without its check digit.
    wanted += [number[:6] + number[8:17] for number in PEOPLE[:3]] + [number[:17] for number in PEOPLE[:3]]
    return {text: forms(text) for text in wanted}


@pytest.mark.parametrize("text", forms_of_people())
def test_nothing_of_a_person_is_kept_or_said(story: tuple[Path, list[bytes]], text: str) -> None:
    for form, wanted in forms(text).items():
        if len(wanted) < 6:
            continue
        assert all(wanted not in content for content in story[1]), form


def test_amounts_are_not_kept_as_numbers(story: tuple[Path, list[bytes]]) -> None:
    for fen in FEN:
        for order in ("big", "little"):
            for size in (5, 8):
                assert all(fen.to_bytes(size, order) not in content for content in story[1])


def test_the_values_of_sums_are_there_sealed(story: tuple[Path, list[bytes]]) -> None:
    """So the search above looked where they are: under both epochs they open with this home's key."""
    provider = open_home(story[0] / "44")
    with provider.store.transaction("look") as tx:
        groups = [group for epoch in (1, 2) for group in sum_tables.current_groups(tx, "B11", epoch)]
    assert {group.epoch for group in groups} == {1, 2}
    for group in groups:
        values = [int(value) for rows in sum_blocks.read_rows(provider, group) for value in rows["value"]]
        assert sorted(values) == sorted([*FEN] * 4)
    provider.store.dispose()


def test_neither_mapped_points_nor_tokens_are_kept_in_clear(story: tuple[Path, list[bytes]]) -> None:
    """A salted hash or a mapped point could be reversed by anyone who has the salt (design.md section 2)."""
    root, kept = story
    provider = open_home(root / "44")
    salt, keys = provider.keys.salt, CURRENT.class_keys(provider.keys.oprf).values()
    provider.store.dispose()
    for found in map(parse, PEOPLE[:10]):
        mapped = tokens.map_to_curve(salt, found)
        message = tokens.IDENTITY_CONTEXT + found.id_type.encode() + b"\0" + found.value.encode()
        for secret in (
            mapped,
            blake3(message, key=salt).digest(),
            *(oprf.evaluate_own(key, mapped) for key in keys),
            *(tokens.token_secret(oprf.evaluate_own(key, mapped)) for key in keys),
        ):
            assert all(secret not in content and secret.hex().encode() not in content for content in kept)


def test_the_search_finds_what_is_there(story: tuple[Path, list[bytes]]) -> None:
    """The tags of people with records are in the responder's database and in the requester's mirror of it."""
    root, kept = story
    provider = open_home(root / "44")
    mapped = tokens.map_to_curve(provider.keys.salt, parse(PEOPLE[0]))
    tag, _ = tokens.entry_keys(
        tokens.token_secret(oprf.evaluate_own(class_key(provider, "C21"), mapped)),
        "C21",
        provider.keys.epoch,
    )
    provider.store.dispose()
    assert any(tag in content for content in kept)
    mirrored = [path.read_bytes() for path in _files(root / "45" / FOLDER)]
    assert any(tag in content and content in kept for content in mirrored)


def test_secrets_of_an_ended_query_are_gone(story: tuple[Path, list[bytes]]) -> None:
    root, _ = story
    assert query_database(root / "45", "SELECT count(*) FROM tokens") == [(0,)]
    assert query_database(root / "45", "SELECT count(*) FROM parts WHERE session_sealed IS NOT NULL") == [
        (0,)
    ]
    assert len(query_database(root / "45", "SELECT * FROM answers")) >= 2


# ---- what a traceback or a log of an object would show

ONE = parse(PEOPLE[0])
SUBJECT = subjects.Subject("h/1", "h", NAMES[0], (ONE,), "M1")
MANDATE = mandate_for(*PEOPLE, number="M1", signers=NAMES, agents=NAMES)
RECORD = LabelRecord(SECRET_VALUE, 20_000, 77, True, b"secret", converted=4)
BYTES = b"secret-bytes-of-a-token-or-point"
ASKED, ROWS = MappedPoints(CURRENT, bytes(32), (SUBJECT,)), np.zeros(1, dtype=np.int64)
OBJECTS = {
    "identity": ONE,
    "subject": SUBJECT,
    "subjects": subjects.Subjects.of([SUBJECT]),
    "mandate": MANDATE,
    "label_record": RECORD,
    "entry": buckets.Entry(BYTES[:10], BYTES, BYTES, SECRET_VALUE),
    "bucket": buckets.Bucket(0, BYTES, BYTES),
    "verification": verification.Verification(("C21",), ("44",), "review", "L", (SUBJECT,), {"M1": MANDATE}),
    "question": match_query.Question((SUBJECT,), ({},), (MANDATE,), (), "review", ""),
    "query": match_query.Query(
        TokenClass.ORDINARY, ("C21",),
        match_query.Batch(ASKED, ROWS, np.zeros((0, 32), np.uint8), ROWS), (), (),
        np.zeros((0, 2), np.int64), {},
    ),
    "answer": match_query.Answer,
    "blinded": Blinded(BYTES, 32),
    "evaluated": Evaluated(BYTES, 32),
    "blinds": Blinds(np.frombuffer(BYTES, np.uint8), np.frombuffer(BYTES, np.uint8)),
    "session": context.Session(bytes(16), BYTES, b"", b"", b"", ()),
    "source_row": records.SourceRow(1, (ONE,), NAMES[0], "k", FEN[0], None),
    "record": records.Record((ONE,), NAMES[0], FEN[0], catalogue.load().valid_from),
    "chunk": match_messages.EvaluatedChunk(0, BYTES),
    "slice": match_messages.BucketSlice(0, 32, 0, BYTES),
    "mapped": ASKED,
    "keys": keyring.NodeKeys(
        1, BYTES, dict.fromkeys(TokenClass, BYTES), BYTES, {1: BYTES}, BYTES, None, BYTES, BYTES, BYTES, BYTES
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OBJECTS)
def test_representations(name: str) -> None:
    shown = f"{OBJECTS[name]!r} {OBJECTS[name]!s} {[OBJECTS[name]]} {NodeError('x', details={})!r}"
    for secret in (
        ONE.value,
        *NAMES,
        str(FEN[0]),
        str(SECRET_VALUE),
        repr(BYTES),
        repr(BYTES[:10]),
        "secret",
    ):
        assert secret not in shown


def test_every_dataclass_with_an_identity_hides_it() -> None:
    """Whatever dataclass of the node gets a field of identities or names, its repr must not show them."""
    shown = []
    for package in (node_package, matcher_package, keys_package):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            for kind in vars(importlib.import_module(module.name)).values():
                if isinstance(kind, type) and is_dataclass(kind) and kind.__module__ == module.name:
                    shown += [
                        f"{kind.__qualname__}.{one.name}"
                        for one in fields(kind)
                        if one.repr
                        and "Identity" in str(one.type)
                        and "Certified" not in str(one.type)
                        and "__repr__" not in vars(kind)
                    ]
    assert shown == []
    assert "****" in repr(Identity("resident", ONE.value))
