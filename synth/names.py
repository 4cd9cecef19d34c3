"""Names that look like the people of a county list and of a coastal register."""

import itertools
import random
from typing import Final

# Common surnames with weights near their frequency; the second table is Guangxi's (Zhuang and Yao).
_SURNAMES: Final = {
    "王": 72, "李": 72, "张": 68, "刘": 52, "陈": 45, "杨": 31, "黄": 22, "赵": 21, "吴": 20, "周": 19,
    "徐": 15, "孙": 15, "马": 13, "朱": 13, "胡": 12, "郭": 12, "何": 12, "林": 12, "罗": 11, "高": 11,
    "郑": 9, "梁": 9, "谢": 8, "宋": 8, "唐": 8, "许": 7, "韩": 7, "邓": 7, "冯": 7, "曹": 6,
    "彭": 6, "曾": 6, "肖": 6, "田": 6, "董": 5, "潘": 5, "袁": 5, "蔡": 5, "蒋": 5, "余": 5,
    "欧阳": 1, "司徒": 1,
}  # fmt: skip
_SURNAMES_45: Final = {
    "韦": 110, "黄": 105, "覃": 70, "李": 60, "陆": 55, "梁": 50, "陈": 45, "蓝": 45, "莫": 40, "农": 38,
    "卢": 25, "罗": 24, "潘": 22, "周": 18, "苏": 15, "蒙": 15, "石": 12, "杨": 12, "王": 12, "刘": 11,
    "唐": 10, "玉": 6, "班": 6, "岑": 6, "廖": 6, "甘": 5, "零": 3,
}  # fmt: skip
# Characters of given names by sex and by generation: before 1970, 1970 to 1989, later.
_GIVEN_MALE: Final = (
    "国建文德福贵生荣明金志永忠光华平祥才安富",
    "军伟强勇刚波涛辉斌超建明华志海林峰龙东江",
    "浩宇轩泽睿子豪俊杰博文嘉铭皓天佑晨阳一诺",
)
_GIVEN_FEMALE: Final = (
    "秀英兰凤玉桂珍美芳莲月花琼翠彩爱金春梅香",
    "丽敏静艳娟霞燕红玲萍婷芳华莉雪琳娜慧云梅",
    "欣怡雨涵梓萱思诗琪佳可馨语嫣婉晴若曦一诺",
)
_DOTTED: Final = ("买买提", "阿依古丽", "吐尔逊", "古丽娜尔", "阿不都", "热依汗", "库尔班", "帕提曼")
_FOREIGN_FIRST: Final = (
    "MARIA",
    "JOHN",
    "ANNA",
    "DAVID",
    "LINH",
    "AHMED",
    "YUKI",
    "PAVEL",
    "AMINA",
    "CARLOS",
)
_FOREIGN_LAST: Final = (
    "LOPEZ",
    "SMITH",
    "NGUYEN",
    "KIM",
    "SATO",
    "IVANOV",
    "KHAN",
    "MULLER",
    "SILVA",
    "DIALLO",
)


def _table(weights: dict[str, int]) -> tuple[list[str], list[int]]:
    return list(weights), list(itertools.accumulate(weights.values()))


_TABLES: Final = {"45": _table(_SURNAMES_45)}
_COMMON: Final = _table(_SURNAMES)


def draw_name(rng: random.Random, province: str, male: bool, year: int, surname: str = "") -> str:
    """A name for somebody born in `year` and first registered in `province`.

    A few names hold a middle dot (always `·` here) and a very few a Latin letter, as real lists do.
    """
    draw = rng.random()
    if draw < 0.002 or (province == "65" and draw < 0.6):
        return f"{rng.choice(_DOTTED)}·{rng.choice(_DOTTED)}"
    first = surname or draw_surname(rng, province)
    if draw > 0.9993:
        return first + rng.choice("ABCDE")
    era = 0 if year < 1970 else 1 if year < 1990 else 2
    characters = (_GIVEN_MALE if male else _GIVEN_FEMALE)[era]
    given = characters[int(rng.random() * len(characters))]
    if rng.random() < 0.78:
        given += characters[int(rng.random() * len(characters))]
    return first + given


def draw_surname(rng: random.Random, province: str) -> str:
    """A surname by its frequency in the province."""
    names, weights = _TABLES.get(province, _COMMON)
    return rng.choices(names, cum_weights=weights)[0]


def draw_foreign_name(rng: random.Random) -> str:
    """A foreign resident's name; some registers write the family name first, with a comma."""
    first, last = rng.choice(_FOREIGN_FIRST), rng.choice(_FOREIGN_LAST)
    return f"{last}, {first}" if rng.random() < 0.3 else f"{first} {last}"


def draw_other_name(rng: random.Random, province: str, name: str) -> str:
    """A name of somebody else: a clerk's mistake, or a number used by two people."""
    while True:
        other = draw_name(rng, province, rng.random() < 0.5, 1980)
        if other[0] != name[0]:
            return other


def write_name(rng: random.Random, name: str, rate: float) -> tuple[str, bool]:
    """The name as a county clerk types it, and whether it looks different (it is the same name).

    Two-character names are padded with a blank, dots and letters take another form.
    """
    if "·" in name:
        return (name.replace("·", "•"), True) if rng.random() < 0.5 else (name, False)
    if name[-1] in "ABCDE":
        return name[:-1] + chr(ord(name[-1]) + 0xFEE0), True
    if rng.random() >= 2 * rate:
        return name, False
    return (f"{name[0]}　{name[1]}" if len(name) == 2 else f" {name} "), True
