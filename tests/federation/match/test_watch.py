"""Watch lists: what was asked once is looked at again at home; a change is one alert."""

from pathlib import Path

import pytest

from tests.support.watching import Watching, make_homes, watching


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_homes(tmp_path_factory.mktemp("watch"))


@pytest.fixture(scope="module")
def run(homes, tmp_path_factory):
    with watching(homes, tmp_path_factory.mktemp("run")) as found:
        found.hold({"C21": {0: 1, 1: 2}, "Z59b": {2: 1}, "C23": {3: 60_000}})
        found.set_rules()
        yield found


def test_it_asks_once_and_then_looks_at_home(run: Watching) -> None:
    run.add("once", range(8))
    assert run.look("once") == ("done", "")
    assert run.calls.count("Evaluate") == 2  # a query for each class
    run.calls.clear()
    assert run.look("once") == ("done", "")
    assert run.calls == []
    assert run.alerts("once") == []
    run.hold({"C21": {0: 1, 1: 4, 4: 1}, "Z59b": {}, "C23": {3: 60_000, 5: 60_000}})
    run.sync()
    run.calls.clear()
    assert run.look("once") == ("done", "")
    assert run.calls == []
    assert run.alerts("once") == [
        (1, "C21", "count_rises"),
        (4, "C21", "appears"),
        (2, "Z59b", "disappears"),
        (5, "C23", "threshold_passes"),
    ]
    run.look("once")
    assert len(run.alerts("once")) == 4
