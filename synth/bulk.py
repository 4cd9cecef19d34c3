"""Synthetic people by the million: registers and lists as files, and the plain join of the two.

Person 0, 1, 2 ... has the same number, name and value in every file. Numbers are valid resident
identity numbers (domain.md section 5) whose county code ends in 9999, which no county has: one
province holds 43,829 days of birth (1900 to 2019) times 999 sequence numbers, 43.8 million people.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
People = NDArray[np.int64]

FIRST_DAY = np.datetime64("1900-01-01")
DAYS = 43_829
PER_DAY = 999  # sequence numbers 001 to 999
PEOPLE = DAYS * PER_DAY
STRIDE = 27_080_393  # a prime that does not divide PEOPLE: neighbours are born on far-apart days
MEMBERS = 4  # people of a household, who share a mandate
VALUES = 3
CHUNK = 1 << 18

_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])  # GB 11643-1999
_CHECK = np.frombuffer(b"10X98765432", dtype=np.uint8)
_FAMILY = np.frombuffer("王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗".encode(), dtype=np.uint8).reshape(-1, 3)
_GIVEN = np.frombuffer(
    "秀英桂兰玉梅凤霞小红丽娟建国志强海燕春花文军德明金平国庆永福长林水生天宝大山".encode(), dtype=np.uint8
).reshape(-1, 3)

NUMBER, NAME = 18, 9  # bytes
REGISTER_HEADER = b"id_no,name,record_no,value\n"
DATED_HEADER = b"id_no,name,record_no,value,as_of\n"
LIST_HEADER = b"household_no,member_no,id_no,name,mandate_no\n"
MANDATE_HEADER = (
    b"mandate_no,office,people,programme,scope_items,scope_regions,valid_from,valid_to,signers,doc_hash\n"
)


def people(count: int) -> People:
    """The first `count` people."""
    return np.arange(count, dtype=np.int64)


def identity_numbers(people: People, province: str) -> Bytes:
    """The identity numbers of some people, 18 ASCII characters in a row each."""
    place = people * STRIDE % PEOPLE
    day = FIRST_DAY + (place // PER_DAY).astype("timedelta64[D]")
    year = day.astype("datetime64[Y]")
    month = day.astype("datetime64[M]")
    born = (
        (year.astype(np.int64) + 1970) * 10_000
        + ((month - year).astype(np.int64) + 1) * 100
        + (day - month).astype(np.int64)
        + 1
    )
    found = np.empty((len(people), NUMBER), dtype=np.uint8)
    found[:, :6] = np.frombuffer(f"{province}9999".encode(), dtype=np.uint8)
    found[:, 6:14] = _digits(born, 8)
    found[:, 14:17] = _digits(place % PER_DAY + 1, 3)
    found[:, 17] = _CHECK[((found[:, :17] - 48) * _WEIGHTS).sum(axis=1) % 11]
    return found


def names(people: People) -> Bytes:
    """Names of three characters, nine UTF-8 bytes in a row each."""
    families, given = len(_FAMILY), len(_GIVEN)
    return np.hstack(
        (
            _FAMILY[people % families],
            _GIVEN[people // families % given],
            _GIVEN[people // (families * given) % given],
        )
    )


def values(people: People) -> People:
    """What a register says of them: a count from 1 to 3."""
    return people % VALUES + 1


def choose_subjects(entries: int, count: int, seed: int = 1) -> People:
    """People to ask about, in random order: one half spread over a register's, one half not in it."""
    common = min(count // 2, entries)
    inside = np.arange(common, dtype=np.int64) * entries // max(common, 1)
    outside = entries + np.arange(count - common, dtype=np.int64)
    return np.random.default_rng(seed).permutation(np.concatenate((inside, outside)))


def later_rows(rows: People) -> tuple[People, People]:
    """Who is in these rows of the next full export, and their values: one row in a hundred has changed.

    Half of them are the same person with another value, half a new person instead of one who left.
    """
    who = np.where(rows % 200 == 100, PEOPLE - 1 - rows, rows)
    return who, np.where(rows % 200 == 0, _other(values(who)), values(who))


def changed_rows(entries: int) -> tuple[People, People]:
    """Who changed on one day, 0.1 % of a register, and their values: people with another one, new people."""
    rows = np.arange(min(50, entries - 1), entries, 1_000, dtype=np.int64)
    who = np.where(rows % 2_000 < 1_000, rows, PEOPLE - 1 - rows)
    return who, np.where(who == rows, _other(values(who)), values(who))


def days(rows: People, *, later: bool = False) -> NDArray[np.datetime64]:
    """An as-of date of each row's own, spread over 1,000 days; later exports change that of changed rows."""
    own = np.datetime64("2023-01-01") + rows % 1_000
    return np.where((rows % 100 == 0) & later, np.datetime64("2025-10-01") + rows % 28, own)


def write_register(
    path: Path, entries: int, province: str, *, later: bool = False, dated: bool = False
) -> None:
    """A register as a department exports it: number, name, record number, value, and the date if `dated`.

    `later`: the next export, in which one row in a hundred has changed.
    """
    with path.open("wb") as file:
        file.write(DATED_HEADER if dated else REGISTER_HEADER)
        for rows in _chunks(entries):
            who, counts = later_rows(rows) if later else (rows, values(rows))
            columns = _columns(who, counts, province)
            file.write(_lines((*columns, _days(days(rows, later=later))) if dated else columns))


def write_changes(path: Path, entries: int, province: str) -> None:
    """The rows of one day's changes, as a department exports them."""
    path.write_bytes(REGISTER_HEADER + _lines(_columns(*changed_rows(entries), province)))


def write_after(path: Path, entries: int, province: str) -> None:
    """What a register holds after a later export and one day's changes."""
    changed, changed_values = changed_rows(entries)
    held = changed < entries
    with path.open("wb") as file:
        file.write(REGISTER_HEADER)
        for rows in _chunks(entries):
            who, counts = later_rows(rows)
            here = held & (changed >= rows[0]) & (changed <= rows[-1])
            counts[changed[here] - rows[0]] = changed_values[here]
            file.write(_lines(_columns(who, counts, province)))
        if not held.all():
            file.write(_lines(_columns(changed[~held], changed_values[~held], province)))


def write_list(folder: Path, subjects: People, province: str) -> None:
    """households.csv and mandates.csv of the people asked about, one mandate for each household."""
    rows = np.arange(len(subjects))
    household = rows // MEMBERS
    columns = (
        _prefixed(b"H", household, 7),
        _digits(rows % MEMBERS + 1, 1),
        identity_numbers(subjects, province),
        names(subjects),
        _prefixed(b"M", household, 7),
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "households.csv").write_bytes(LIST_HEADER + _lines(columns))
    numbers = [row.tobytes().decode() for row in columns[2]]
    mandates = [
        _mandate(number, numbers[MEMBERS * number : MEMBERS * (number + 1)])
        for number in range(-(-len(subjects) // MEMBERS))
    ]
    (folder / "mandates.csv").write_bytes(MANDATE_HEADER + b"".join(mandates))


def _mandate(number: int, people: list[str]) -> bytes:
    cells = (f"M{number:07d}", "459999000000", ";".join(people), "new_application,*,*,2020-01-01,2099-12-31")
    return ",".join((*cells, "王秀英", f"{number:064x}\n")).encode()


def write_plain(path: Path, people: People, province: str, header: str = "id") -> None:
    """Numbers alone, one in a line: what the peers are given."""
    with path.open("wb") as file:
        file.write(header.encode() + b"\n")
        for at in range(0, len(people), CHUNK):
            file.write(_lines((identity_numbers(people[at : at + CHUNK], province),)))


def reference(row: int) -> str:
    """The name that a report has for a row of the list."""
    return f"H{row // MEMBERS:07d}/{row % MEMBERS + 1}"


def plain_join(register: Path, households: Path) -> dict[str, int]:
    """Reference to value of every subject that the register holds: the plain join (test data only).

    It reads the two files, not the numbers that made them; both have rows of a fixed length.
    """
    held = _rows(register, REGISTER_HEADER)
    asked = _rows(households, LIST_HEADER)
    at = LIST_HEADER_OFFSETS
    keys = _keys(held[:, :NUMBER])
    order = np.argsort(keys)
    wanted = _keys(asked[:, at : at + NUMBER])
    places = np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)
    rows = order[places]
    hits = np.flatnonzero(keys[rows] == wanted)
    found = held[rows[hits], -2] - 48
    return {reference(int(row)): int(value) for row, value in zip(hits, found, strict=True)}


LIST_HEADER_OFFSETS = len(b"H0000000,1,")


def _rows(path: Path, header: bytes) -> Bytes:
    data = np.memmap(path, dtype=np.uint8, mode="r", offset=len(header))
    width = int(np.argmax(data[:256] == ord("\n"))) + 1
    return data.reshape(-1, width)


def _keys(numbers: Bytes) -> People:
    """The first 17 digits as one integer; the check digit follows from them."""
    keys = np.zeros(len(numbers), dtype=np.int64)
    for column in range(17):
        keys = keys * 10 + (numbers[:, column] - 48)
    return keys


def _chunks(count: int) -> Iterator[People]:
    for at in range(0, count, CHUNK):
        yield np.arange(at, min(at + CHUNK, count), dtype=np.int64)


def _other(counts: People) -> People:
    return counts % VALUES + 1


def _columns(who: People, counts: People, province: str) -> tuple[Bytes, ...]:
    number = _prefixed(b"V", who, 9)
    return identity_numbers(who, province), names(who), number, _digits(counts, 1)


def _days(found: NDArray[np.datetime64]) -> Bytes:
    return np.frombuffer(np.datetime_as_string(found, unit="D").astype("S10").tobytes(), np.uint8).reshape(
        -1, 10
    )


def _digits(numbers: People, width: int) -> Bytes:
    return (numbers[:, None] // 10 ** np.arange(width - 1, -1, -1) % 10 + 48).astype(np.uint8)


def _prefixed(prefix: bytes, numbers: People, width: int) -> Bytes:
    first = np.full((len(numbers), 1), ord(prefix), dtype=np.uint8)
    return np.hstack((first, _digits(numbers, width)))


def _lines(columns: tuple[Bytes, ...]) -> bytes:
    comma = np.full((len(columns[0]), 1), ord(","), dtype=np.uint8)
    parts = [part for column in columns for part in (column, comma)]
    table = np.hstack(parts)
    table[:, -1] = ord("\n")
    return table.tobytes()
