"""What a folder or a plan file for `heqiao import --all` means, and what is refused before anything runs."""

import os
import re
import stat
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain import catalogue
from node.errors import ConfigError, InputError
from node.registers.plan import find_code, make_plan, read_folder
from node.registers.plan_file import read_plan_file
from node.registers.requests import ImportRequest
from tests.support.paths import ROOT

ITEMS = catalogue.load()
CODES = [item.code for item in ITEMS.items]
TODAY = date(2026, 7, 1)
WORDS = st.text(
    st.characters(exclude_characters="-_.", exclude_categories=["Z", "C"]), min_size=1, max_size=6
)
MARKS = st.sampled_from(["-", "_", ".", " ", "__", "- "])


def put(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("id_no\n1\n")
    return folder


def read(folder, **common):
    return read_folder(folder, ITEMS, ImportRequest("", **common))


def found(folder):
    return {one.item: [str(path.relative_to(folder)) for path in one.files] for one in read(folder).requests}


def refused(folder):
    with pytest.raises(InputError) as caught:
        read(folder)
    assert caught.value.hint
    return str(caught.value)


def looks_like_code(word):
    return re.fullmatch("[A-Z][0-9][0-9][a-z]?", word, re.ASCII) is not None


@given(st.lists(WORDS, max_size=3), st.lists(WORDS, max_size=3), st.sampled_from(CODES), MARKS)
def test_a_name_with_one_code_is_of_that_item(before, after, code, mark):
    if any(looks_like_code(word) and word != code for word in before + after):
        with pytest.raises(ValueError, match="has the codes"):
            find_code(mark.join([*before, code, *after]), CODES)
    else:
        assert find_code(mark.join([*before, code, *after]), CODES) == code


@given(st.lists(WORDS, min_size=1, max_size=4), MARKS)
def test_a_name_without_a_code_is_refused(words, mark):
    """A code inside a longer word is none: C212 is not C21."""
    codes = {word for word in words if looks_like_code(word)}
    name = mark.join(words)
    if len(codes) == 1 and codes <= set(CODES):
        assert find_code(name, CODES) in codes
    else:
        with pytest.raises(ValueError, match=r"name|item"):
            find_code(name, CODES)


@pytest.mark.parametrize("shape", ["{}x", "x{}", "{}1", "1{}", "{}号"])
def test_part_of_a_word_is_no_code(shape):
    for word in {shape.format(code) for code in CODES} - set(CODES):
        with pytest.raises(ValueError, match=r"name|catalogue"):
            find_code(word, CODES)


def test_a_folder_of_an_export(tmp_path):
    put(
        tmp_path, "C21.csv", "C22-2026-09.CSV", "C22-2026-10.txt", "税务_B11_工资薪金.csv", "D32m.Parquet",
        "C23/part-1.csv", "C23/part-2.csv", "C23/_SUCCESS", ".hidden", ".C21.csv.swp", "C21-rejects.csv",
    )  # fmt: skip
    assert found(tmp_path) == {
        "C21": ["C21.csv"],
        "C22": ["C22-2026-09.CSV", "C22-2026-10.txt"],
        "C23": ["C23/part-1.csv", "C23/part-2.csv"],
        "D32m": ["D32m.Parquet"],
        "B11": ["税务_B11_工资薪金.csv"],
    }
    plan = read(tmp_path, mode="upsert", as_of=date(2026, 6, 30))
    assert list(plan.missing) == [code for code in CODES if code not in found(tmp_path)]
    assert {(one.mode, one.as_of) for one in plan.requests} == {("upsert", date(2026, 6, 30))}
    assert [one.item for one in plan.requests] == [code for code in CODES if code in found(tmp_path)]


FAULTS = [
    (["cars.csv"], "cars.csv: no word of its name is the code of an item"),
    (["c21.csv"], "c21.csv: no word of its name is the code of an item: did you mean C21?"),
    (["C99.csv"], "C99.csv: the catalogue has no item C99"),
    (["C21_C22.csv"], "C21_C22.csv: its name has the codes C21 and C22"),
    (["C21/a.xlsb"], "C21: a.xlsb: a spreadsheet of another kind"),
    (["C21.csv.gz"], "C21: C21.csv.gz: does not end in .csv"),
    (["C21"], "C21: C21: does not end in .csv"),
    (["C21.csv", "C21.parquet"], "C21: two kinds of sources (C21.csv, C21.parquet)"),
    (["C21.csv", "C21/a.csv"], "C21: two kinds of sources (C21, C21.csv)"),
    (["C21-a/1.csv", "C21-b/1.csv"], "C21: two kinds of sources (C21-a, C21-b)"),
    (["C21/a/b.csv"], "C21: a: a folder"),
    (["C21/a.csv", "C21/b.parquet"], "C21: two kinds of sources (a.csv, b.parquet)"),
    (["C21/.a"], "C21: C21: the folder is empty"),
    (["C21.csv", "C21.xlsx"], "C21: two kinds of sources (C21.csv, C21.xlsx)"),
    (["Thumbs.db"], "Thumbs.db: no word"),
]


@pytest.mark.parametrize(("names", "said"), FAULTS, ids=[" ".join(one[0]) for one in FAULTS])
def test_what_is_no_source_is_refused_by_name(tmp_path, names, said):
    put(tmp_path, "D34.csv", *names)
    assert said in refused(tmp_path)


def test_all_faults_are_named_at_once(tmp_path):
    put(tmp_path, *(name for names, _ in FAULTS[:4] for name in names))
    assert all(said in refused(tmp_path) for _, said in FAULTS[:4])


def test_an_empty_folder(tmp_path):
    put(tmp_path, ".hidden", "C21-rejects.csv")
    assert "nothing to import" in refused(tmp_path)
    assert "No such file" in refused(tmp_path / "none")


def test_links(tmp_path):
    data = put(tmp_path / "data", "x.csv", "part/a.csv")
    folder = put(tmp_path / "in", "D34.csv")
    (folder / "C21.csv").symlink_to(data / "x.csv")
    (folder / "C22").symlink_to(data / "part")
    assert set(found(folder)) == {"C21", "C22", "D34"}
    (folder / "C23.csv").symlink_to(data / "gone.csv")
    assert "C23.csv: leads to a file that does not exist" in refused(folder)
    (folder / "C23.csv").unlink()
    (folder / "C23.csv").symlink_to("C23.csv")
    assert "C23: C23.csv:" in refused(folder)
    (folder / "C23.csv").unlink()
    for make in (os.symlink, os.link):
        make(data / "x.csv", folder / "D35.csv")
        assert "is named for C21 and for D35" in refused(folder)
        (folder / "D35.csv").unlink()
        make(data / "x.csv", folder / "C21-2.csv")
        assert "are one file" in refused(folder)
        (folder / "C21-2.csv").unlink()


def test_no_regular_file(tmp_path):
    """A pipe would be waited for, for ever."""
    os.mkfifo(put(tmp_path, "D34.csv") / "C21.csv")
    assert stat.S_ISFIFO((tmp_path / "C21.csv").stat().st_mode)
    assert "C21.csv: no regular file" in refused(tmp_path)


# ---- plan files


def plan_of(tmp_path, text):
    path = tmp_path / "plan.toml"
    path.write_text(text, encoding="utf-8")
    return read_plan_file(path, ITEMS, TODAY)


def test_a_plan_file(tmp_path):
    (tmp_path / "url").write_text("sqlite:///x")
    (tmp_path / "url").chmod(0o600)
    put(tmp_path, "cars/1.csv", "cars/2.csv", "cars/C21-rejects.csv", "banks.dat", "x[1].csv")
    plan = plan_of(
        tmp_path,
        """
[C23]
files = "banks.dat"
columns = { amount_yuan = "结余" }
unit = "万元"
keep_zeros = true
delimiter = "tab"
encoding = "gb18030"
as_of = 2026-06-30

[C21]
files = ["cars/*.csv"]
mode = "upsert"
[C22]
sql_url_file = "url"
query = "SELECT 1"
allow_empty = true
[D34]
files = ["x[1].csv"]
""",
    )
    banks, cars, homes, funds = plan.requests
    assert (banks.item, banks.files, banks.columns) == (
        "C23",
        (tmp_path / "banks.dat",),
        {"amount_yuan": "结余"},
    )
    assert (banks.unit, banks.keep_zeros, banks.as_of, banks.mode) == (
        "万元",
        True,
        date(2026, 6, 30),
        "full",
    )
    assert (banks.form.delimiter, banks.form.encoding) == ("\t", "gb18030")
    assert (cars.files, cars.mode) == ((tmp_path / "cars/1.csv", tmp_path / "cars/2.csv"), "upsert")
    assert (homes.url_file, homes.query, homes.files, homes.allow_empty) == (
        tmp_path / "url",
        "SELECT 1",
        (),
        True,
    )
    assert funds.files == (tmp_path / "x[1].csv",)
    assert "C21" not in plan.missing
    assert "D35" in plan.missing
    assert plan.folder == tmp_path


def test_the_examples_of_the_document(tmp_path):
    text = (ROOT / "docs/import.md").read_text(encoding="utf-8").split("### Everything", 1)[1]
    put(tmp_path, "vehicles/a.csv", "banks-1.csv", "banks-2.csv", "medical.xlsx", "changed.txt")
    (tmp_path / "homes.url").touch(0o600)
    plan = plan_of(tmp_path, re.search(r"```toml\n(.*?)```", text, re.DOTALL)[1])
    assert [one.item for one in plan.requests] == ["C21", "C23", "D35", "C22", "D34"]
    lines = re.search(r"    registers/\n(.*?)\n\n", text, re.DOTALL)[1].splitlines()
    named = {line.split()[0]: line.split()[1].strip(":") for line in lines}
    folder = put(tmp_path / "registers", *named)
    assert {name: item for item, names in found(folder).items() for name in names} == named


PLAN_FAULTS = [
    ("[C21]\nfile = 'a.csv'", "[C21] file: unknown key, did you mean files?"),
    ("[C21]\nfiles = 'a.csv'\nmode = 'replace'", "[C21] mode: Input should be 'full', 'upsert' or 'delete'"),
    ("[C21]\nfiles = 'none.csv'", "[C21] files: no file matches none.csv"),
    ("[C21]\nfiles = ['a.csv', 'no*.csv']", "[C21] files: no file matches no*.csv"),
    ("[C21]\nfiles = ['a**']", "[C21] files: no file matches a**"),
    ("[C21]\nfiles = ['']", "[C21] files: must be a name in quotes"),
    ("[C21]\nfiles = 3", "[C21] files: must be a name in quotes"),
    ("[C21]\nfiles = 'd'", "[C21] files: d: a folder"),
    ("[C21]\nfiles = ['a.csv', 'a.csv']", "are one file"),
    ("[C21]\nfiles = ['a.csv', 'd/../a.csv']", "are one file"),
    ("[C21]\nfiles = ['a.csv', 'a*.csv']", "are one file"),
    ("[C21]\nfiles = ['a.csv', 'b.parquet']", "[C21] files: two kinds of sources (a.csv, b.parquet)"),
    ("[C21]\nfiles = 'c.et'", "[C21] files: c.et: a spreadsheet of another kind"),
    ("[C21]\nfiles = 'a.csv'\n[C22]\nfiles = 'a.csv'", "is named for C21 and for C22"),
    ("[C21]", "[C21]: needs either files or a query"),
    ("[C21]\nquery = 'SELECT 1'", "[C21]: sql_url_file and query go together"),
    ("[C21]\nsql_url_file = 'u'", "[C21]: sql_url_file and query go together"),
    ("[C21]\nsql_url_file = 'u'\nquery = 'q'\nfiles = 'a.csv'", "[C21]: needs either files or a query"),
    ("[C21]\nsql_url = 'postgresql://me:secret@host/db'\nquery = 'q'", "[C21] sql_url: unknown key"),
    (
        "[C21]\nsql_url_file = 'postgresql://me:secret@host/db'\nquery = 'q'",
        "[C21] sql_url_file: must be the name",
    ),
    ("[C21]\nfiles = 'a.csv'\nas_of = '2026-06-30'", "[C21] as_of: Input should be a valid date"),
    ("[C21]\nfiles = 'a.csv'\nas_of = 2026-07-02", "[C21]: the as-of date must be a day"),
    ("[C21]\nfiles = 'a.csv'\nunit = '万辆'", "[C21]: C21 is counted in"),
    ("[C23]\nfiles = 'a.csv'\nunit = '美元'", "[C23]: C23: amounts cannot be read in that unit"),
    ("[C21]\nfiles = 'a.csv'\ndelimiter = ';'", "[C21] delimiter: must be one of comma, tab"),
    ("[C21]\nfiles = 'a.csv'\nencoding = 'latin-1'", "[C21] encoding: must be one of utf-8"),
    ("[C21]\nfiles = 'a.csv'\ncolumns = { owner = 'x' }", "[C21] columns: must be FIELD = HEADER"),
    ("[C21]\nfiles = 'a.csv'\ncolumns = { name = '' }", "[C21] columns: must be FIELD = HEADER"),
    ("[C21]\nfiles = 'a.csv'\nkeep_zeros = 1", "[C21] keep_zeros: Input should be a valid boolean"),
    ("C21 = 'a.csv'", "[C21]: must be a section"),
    ("[C99]\nfiles = 'a.csv'", "the catalogue has no item C99"),
    ("[[C21]]\nfiles = 'a.csv'", "[C21]: must be a section"),
    ("[C21\nfiles = 'a.csv'", "not TOML"),
    ("", "nothing to import"),
]


@pytest.mark.parametrize(
    ("text", "said"), PLAN_FAULTS, ids=[text.replace("\n", " ") for text, _ in PLAN_FAULTS]
)
def test_faults_of_a_plan_file_say_where(tmp_path, text, said):
    put(tmp_path, "a.csv", "b.parquet", "c.et", "d/x.csv")
    with pytest.raises((ConfigError, InputError)) as caught:
        plan_of(tmp_path, text)
    assert said in str(caught.value)
    assert caught.value.hint
    assert "secret" not in str(caught.value) + caught.value.hint


def test_all_faults_of_a_plan_file_are_named_at_once(tmp_path):
    with pytest.raises(ConfigError) as caught:
        plan_of(tmp_path, "[C21]\nfile = 'a'\n[C22]\nmode = 1\n[C23]\nfiles = 'x'\nkeep_zero = true")
    assert all(one in str(caught.value) for one in ("[C21] file:", "[C22] mode:", "[C23] keep_zero:"))


def test_a_file_may_hold_two_items_where_each_names_its_columns(tmp_path):
    put(tmp_path, "pay.csv")
    both = "[B11]\nfiles = 'pay.csv'\ncolumns = { amount_yuan = '工资' }\n[D32]\nfiles = 'pay.csv'\n"
    with pytest.raises(InputError, match="is named for B11 and for D32"):
        plan_of(tmp_path, both)
    assert len(plan_of(tmp_path, both + "columns = { amount_yuan = '基数' }").requests) == 2


def test_absolute_names(tmp_path):
    put(tmp_path / "far", "1.csv", "2.csv")
    plan = plan_of(tmp_path, f"[C21]\nfiles = '{tmp_path}/far/*.csv'")
    assert [path.name for path in plan.requests[0].files] == ["1.csv", "2.csv"]


def test_a_plan_over_nothing(tmp_path):
    with pytest.raises(InputError, match="nothing to import"):
        make_plan(tmp_path, [], ITEMS)
