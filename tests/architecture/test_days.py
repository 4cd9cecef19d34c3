"""Only node/domain/days.py makes a day of an instant: days are days of China, in no other zone.

Read from the source, so that a `.date()` cannot come back. What is refused is what would take a day of UTC
or of the machine's zone; an instant with its zone beside it (`%H:%M UTC`) is none.
"""

import ast
import re

import pytest

from tests.support.paths import ROOT, python_files

TOPS = ("matcher", "keys", "node", "synth", "testbed", "bench")
SOURCES = {path.relative_to(ROOT).as_posix(): path for path in python_files(TOPS)}
DAYS = "node/domain/days.py"
# (file, source of the expression) -> why it is another thing
ALLOWED = {
    ("synth/lists.py", "{signed:%Y%m%d}"): "a date, written without hyphens in the number of a mandate",
    ("synth/numbers.py", "{born:%y%m%d}"): "a date of birth, as it is in an identity number",
}
# methods that make a day, or need the machine's zone, whatever they are called on
NEVER = {"date", "today", "utcnow", "utcfromtimestamp", "weekday", "isoweekday", "strftime", "timetuple"}
ZONED = {"now": 1, "fromtimestamp": 2, "astimezone": 1}  # how many arguments name a zone
TIME_MODULE = {"localtime", "gmtime", "ctime", "asctime", "mktime", "strftime", "tzset"}
DAY_FORMAT = re.compile(r"\{[^{}]*:[^{}]*%[dDFjx][^{}]*\}(?! UTC)")


def days_made(source):
    """The expressions of a module that make a day of an instant, or read the machine's zone."""
    tree = ast.parse(source)
    inside = {id(part) for one in ast.walk(tree) if isinstance(one, ast.JoinedStr) for part in one.values}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]
            found += [name for name in names if name in ("zoneinfo", "dateutil", "pytz")]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            found += [ast.unparse(node)] if makes_a_day(node, node.func) else []
        elif isinstance(node, ast.Subscript) and "isoformat(" in ast.unparse(node.value):
            found.append(ast.unparse(node))
        elif isinstance(node, ast.JoinedStr):
            found += formatted(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            found += DAY_FORMAT.findall(node.value)
    return found


def makes_a_day(call, method):
    given = len(call.args) + len(call.keywords)
    if isinstance(method.value, ast.Name) and method.value.id == "time":
        return method.attr in TIME_MODULE
    if method.attr == "date":
        return given == 0
    return method.attr in NEVER or (method.attr in ZONED and given < ZONED[method.attr])


def formatted(text):
    """Formats of a day in an f-string, apart from an instant said in UTC or shown as China time."""
    found = []
    for at, part in enumerate(text.values):
        if not isinstance(part, ast.FormattedValue) or part.format_spec is None:
            continue
        shown = "{" + f"{ast.unparse(part.value)}:{ast.unparse(part.format_spec)[2:-1]}" + "}"
        after = text.values[at + 1] if at + 1 < len(text.values) else None
        said = isinstance(after, ast.Constant) and str(after.value).startswith(" UTC")
        if DAY_FORMAT.match(shown) and not said and not shown.startswith("{china_time("):
            found.append(shown)
    return found


def test_no_day_but_of_china():
    """One test for all modules: a test for each takes longer to begin than to run."""
    found = {
        (name, one)
        for name, path in SOURCES.items()
        if name != DAYS
        for one in days_made(path.read_text(encoding="utf-8"))
    }
    assert not found - set(ALLOWED), "use china_day or written_day of node.domain.days"


def test_what_is_allowed_is_there():
    for name, expression in ALLOWED:
        assert expression in days_made(SOURCES[name].read_text(encoding="utf-8"))


MAKES_A_DAY = [
    "node.clock().date()",
    "date.today()",
    "datetime.today()",
    "datetime.now()",
    "datetime.now().astimezone()",
    "datetime.utcnow()",
    "datetime.fromtimestamp(at)",
    "at.astimezone().isoformat()",
    "at.isoformat()[:10]",
    "at.weekday()",
    "at.strftime('%H:%M')",
    "time.localtime()",
    "time.strftime('%Y')",
    "f'{at:%Y-%m-%d}'",
    "f'{at:%Y-%m-%d %H:%M}'",
    "f'{china_day(at)} {at:%d}'",
    "'since {at:%Y-%m-%d}'",
    "import zoneinfo",
    "from zoneinfo import ZoneInfo",
]
MAKES_NONE = [
    "datetime.now(UTC)",
    "datetime.now(tz=UTC)",
    "datetime.fromtimestamp(at, UTC)",
    "at.astimezone(UTC)",
    "china_day(at).isoformat()",
    "f'{at:%Y-%m-%d %H:%M} UTC'",
    "f'{china_time(at):%Y-%m-%d %H:%M}'",
    "'ended {at:%Y-%m-%d %H:%M} UTC'",
    "date(2026, 6, 30)",
    "click.DateTime(['%Y-%m-%d'])",
    "time.time()",
]


@pytest.mark.parametrize("source", MAKES_A_DAY)
def test_it_is_seen(source):
    assert days_made(source)


@pytest.mark.parametrize("source", MAKES_NONE)
def test_nothing_else_is(source):
    assert not days_made(source)
