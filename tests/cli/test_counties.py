"""`heqiao counties`: what an address code is, and was."""

import json

import pytest

from tests.support.cli_runner import heqiao


def test_a_county_with_its_history():
    code, out, err = heqiao("counties", "440106")
    assert (code, err) == (0, "")
    assert out == "440106 广东省 广州市 芳村区: 1985 to 1988\n440106 广东省 广州市 天河区: 1988 to now\n"
    assert heqiao("counties", "510212")[1] == "510212 四川省 重庆市 沙坪坝区: 1980 or before to 1997\n"
    assert heqiao("counties", "4419")[1] == "441900 广东省 东莞市: 1988 to now\n"


def test_for_programs():
    code, out, _ = heqiao("counties", "440106", "--on", "1986-05-01", "--json")
    assert code == 0
    assert json.loads(out) == {
        "code": "440106",
        "province": "广东省",
        "city": "广州市",
        "periods": [{"name": "芳村区", "first_year": 1985, "last_year": 1988}],
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("449999",), "449999 was in no list since 1980"),
        (("441900", "--on", "1980-01-01"), "441900 was in no list in 1980"),
        (("45010",), "six digits"),
        (("45010x",), "six digits"),
    ],
)
def test_a_code_of_no_list_fails(words, said):
    code, out, err = heqiao("counties", *words)
    assert (code, out) == (1, "")
    assert said in err
    assert "Traceback" not in err


def test_a_code_of_no_list_for_programs():
    code, out, _ = heqiao("counties", "449999", "--json")
    assert (code, json.loads(out)["periods"]) == (1, [])
