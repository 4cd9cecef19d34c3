# ruff: noqa: E501, DTZ001  (a type of the table is one line; moments without a zone are cases)
"""Every Arrow type in every column of a register: the right value, a reject, or a refusal that names the type."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from node.errors import InputError
from node.registers.sources import Files, Reading
from tests.support.typed_columns import (
    CATALOGUE,
    FIELDS,
    FILE,
    ID,
    OLD_ID,
    ROW,
    UNIQUE,
    Meaning,
    columns_for,
    expectations,
    meaning_of,
    name_of,
    read_all,
)

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

INTS = [0, 1, 7, 42, -5, 20260630, 20260631, OLD_ID, 2**53 - 1, 2**53, int(ID), 6222021234567890123]
FLOATS = [
    0.0, 1.0, 0.5, 250000.5, 0.1 + 0.2, 0.07, 20260630.0, 2.0**53, 6.22202e18, 4.49999190001010034e17, -1.0, 1e-7,
    float("nan"), float("inf"), -float("inf"),
]  # fmt: skip
DECIMALS = ["0", "1", "7", "250000.50", "1234.5", "0.01", "0.001", "20260630", str(OLD_ID), ID, "-3"]
MOMENTS = [
    datetime(2026, 6, 29, 15, 59, 59),
    datetime(2026, 6, 29, 16, 0, 0),
    datetime(2026, 6, 30, 0, 0, 0),
    datetime(1970, 1, 1),
    datetime(1969, 12, 31, 23, 59),
    datetime(2026, 7, 1, 20, 0),
]
START = datetime(1970, 1, 1)
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def integers(kind, low, high):
    values = [value for value in INTS if low <= value < high]
    return pa.array(values, kind), list(map(meaning_of, values))


def decimals(kind):
    values = [
        Decimal(text).quantize(Decimal(1).scaleb(-kind.scale))
        for text in DECIMALS
        if -Decimal(text).as_tuple().exponent <= kind.scale and len(text) + kind.scale < kind.precision
    ]
    return pa.array(values, kind), list(map(meaning_of, values))


def moments(unit, zone):
    seconds = [int((each - START).total_seconds()) for each in MOMENTS]
    numbers = [each * PER_SECOND[unit] for each in seconds]
    meanings = [meaning_of(each.replace(tzinfo=UTC) if zone else each) for each in MOMENTS]
    if unit != "s":  # a fraction of a second, as small as the unit, does not move the day
        numbers.append(numbers[0] + PER_SECOND[unit] - 1)
        meanings.append(meanings[0])
    if unit in ("s", "ms"):  # in no calendar; a Parquet file has no seconds, only milliseconds
        numbers.append(10**15 // 1000 * PER_SECOND[unit])
        meanings.append(Meaning("day", None))
    kind = pa.timestamp(unit, zone)
    return pa.array([*numbers, None], pa.int64()).cast(kind), [*meanings, Meaning("null")]


def texts(kind):
    return lambda field: (
        pa.array([FIELDS[field][1], None], pa.string()).cast(kind),
        [Meaning("text"), Meaning("null")],
    )


def bad_texts(kind):
    """Chinese in GB18030 in a column that says UTF-8, beside good text: only its row is refused."""

    def make(field):
        raw = pa.array([FIELDS[field][1].encode(), "张三".encode("gb18030"), None], pa.binary())
        plain = pa.Array.from_buffers(pa.string(), 3, raw.buffers())
        array = plain if kind == pa.string() else pa.Array.from_buffers(
            pa.large_string(), 3, pa.array(raw.to_pylist(), pa.large_binary()).buffers()
        )  # fmt: skip
        return array, [Meaning("text"), Meaning("bad text"), Meaning("null")]

    return make


def fixed(array, *meanings):
    return lambda _field: (array, list(meanings))


def others(values, kind):
    return lambda _field: (pa.array(values, kind), [Meaning("other")] * len(values))


TYPES = {
    **{f"int{size}": (lambda _f, s=size: integers(getattr(pa, f"int{s}")(), -(2 ** (s - 1)), 2 ** (s - 1))) for size in (8, 16, 32, 64)},
    **{f"uint{size}": (lambda _f, s=size: integers(getattr(pa, f"uint{s}")(), 0, 2**s)) for size in (8, 16, 32, 64)},
    "double": fixed(pa.array(FLOATS, pa.float64()), *map(meaning_of, FLOATS)),
    "float": others([1.0, 20000001.0, 0.1], pa.float32()),
    "halffloat": others([1.0, 7.0], pa.float16()),
    **{
        str(kind): (lambda _f, k=kind: decimals(k))
        for kind in (pa.decimal128(20, 0), pa.decimal128(30, 2), pa.decimal128(20, 4), pa.decimal256(60, 2))
    },
    **{str(kind): texts(kind) for kind in (pa.string(), pa.large_string(), pa.string_view())},
    **{
        str(kind): texts(kind)
        for kind in (pa.dictionary(pa.int32(), pa.string()), pa.dictionary(pa.int8(), pa.large_string()))
    },
    "string, not UTF-8": bad_texts(pa.string()),
    "large_string, not UTF-8": bad_texts(pa.large_string()),
    **{
        f"timestamp {unit} {zone}": (lambda _f, u=unit, z=zone: moments(u, z))
        for unit in PER_SECOND
        for zone in (None, "UTC", "+08:00", "Asia/Shanghai", "America/New_York")
    },
    "date32": fixed(pa.array([date(2026, 6, 30), date(2026, 7, 2), date(1969, 12, 31)], pa.date32()), *map(meaning_of, (date(2026, 6, 30), date(2026, 7, 2), date(1969, 12, 31)))),
    "date32, no day": fixed(pa.array([2**31 - 1, None], pa.int32()).view(pa.date32()), Meaning("day", None), Meaning("null")),
    "date64": fixed(pa.array([date(2026, 6, 30)], pa.date64()), meaning_of(date(2026, 6, 30))),
    "bool": fixed(pa.array([True, False]), Meaning("bool", True), Meaning("bool", False)),
    "null": fixed(pa.array([None, None], pa.null()), Meaning("null"), Meaning("null")),
    "uuid": fixed(pa.array([UNIQUE.bytes], pa.uuid()), Meaning("uuid", UNIQUE)),
    "binary": others([b"\xe5\xbc\xa0", ID.encode()], pa.binary()),
    "large_binary": others([b"1"], pa.large_binary()),
    "binary_view": others([b"1"], pa.binary_view()),
    "fixed_size_binary": others([ID.encode()], pa.binary(18)),
    "time32": others([1, 2], pa.time32("s")),
    "time64": others([1, 2], pa.time64("ns")),
    "duration": others([1, 2], pa.duration("us")),
    "list": others([[ID], []], pa.list_(pa.string())),
    "large_list": others([[ID]], pa.large_list(pa.string())),
    "fixed_size_list": others([[1, 2]], pa.list_(pa.int32(), 2)),
    "struct": others([{"a": ID}], pa.struct([("a", pa.string())])),
    "map": others([[("a", ID)]], pa.map_(pa.string(), pa.string())),
    "json": fixed(pa.ExtensionArray.from_storage(pa.json_(), pa.array(['"1"'])), Meaning("other")),
    "bool8": fixed(pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1], pa.int8())), Meaning("other")),
    "dictionary of int64": fixed(pa.array([7, 7], pa.int64()).dictionary_encode(), *[Meaning("int", 7)] * 2),
}  # fmt: skip


def write(path, field, array, **options):
    columns = {name: pa.array([text] * len(array), pa.string()) for name, text in columns_for(field).items()}
    parquet.write_table(pa.table({**columns, name_of(field): array}), path, **options)
    return Files([path])


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("kind", TYPES)
def test_every_type_in_every_column(tmp_path, kind, field):
    array, meanings = TYPES[kind](field)
    expected = expectations(field, meanings)
    source = write(tmp_path / "r.parquet", field, array)
    if FILE in expected:
        with pytest.raises(InputError, match="of the type") as caught:
            list(read_all(source, field))
        assert caught.value.hint
        return
    assert list(read_all(source, field)) == expected


def test_the_generator_reaches_each_outcome():
    found = [one for kind in TYPES for field in FIELDS for one in expectations(field, TYPES[kind](field)[1])]
    assert found.count(FILE) > 500
    assert found.count(ROW) > 200
    assert len([one for one in found if one not in (FILE, ROW)]) > 400


def test_a_timestamp_that_does_not_say_its_zone_is_refused(tmp_path):
    array = pa.array([datetime(2026, 6, 29, 16)], pa.timestamp("ns"))
    source = write(tmp_path / "r.parquet", "as_of", array, use_deprecated_int96_timestamps=True)
    with pytest.raises(InputError, match="INT96"):
        list(read_all(source, "as_of"))
    assert list(
        read_all(write(tmp_path / "n.parquet", "note", array, use_deprecated_int96_timestamps=True), "note")
    ) == [None]


UNREAD = {
    "moments of one day": pa.array([1, 2], pa.int64()).cast(pa.timestamp("ns")),
    "times below a microsecond": pa.array([1, 2], pa.int64()).cast(pa.time64("ns")),
    "lists of bytes": pa.array([[b"a"], [b"b"]]),
    "long bytes": pa.array([b"a" * 5000 + b"1", b"a" * 5000 + b"2"]),
    "numbers and words": pa.array([1.5, 1.25]),
}


@pytest.mark.parametrize("case", UNREAD)
def test_rows_that_differ_in_a_column_nobody_reads_are_two(tmp_path, case):
    columns = {"id_no": [ID] * 4, "note": pa.concat_arrays([UNREAD[case]] * 2)}
    parquet.write_table(pa.table(columns), tmp_path / "r.parquet")
    source = Files([tmp_path / "r.parquet"])
    keys = [
        tuple(row.cells) for block in source.blocks(Reading(CATALOGUE.item("C21"), {})) for row in block.rows
    ]
    assert len(keys) == 4
    assert len(set(keys)) == 2
