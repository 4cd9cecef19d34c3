"""Names come from other provinces: no command takes them for markup or lets them control a terminal."""

import pytest

from tests.support.cli_runner import heqiao, ok
from tests.support.members import add_peer

NAMES = {
    "a closing tag": "湖南[/]",
    "markup": "[red]湖南[/red]",
    "a link": "[link=file:///etc/passwd]湖南[/link]",
    "an escape": "湖南\x1b[2J\x1b]0;title\x07",
    "backspaces": "湖南\b\b广东",
    "right to left": "湖南\u202e44",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_names_reach_the_terminal_as_text(tmp_path, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "200")
    code, out, err = heqiao("init", "--home", tmp_path / "45", "--code", "45", "--name", name)
    if code:  # refused where it begins
        assert "\x1b" not in out + err
        return
    ok("init", "--home", tmp_path / "44", "--code", "44", "--name", "44")
    ok("card", "--home", tmp_path / "45", "--out", tmp_path / "45.card")
    shown = add_peer(tmp_path / "44", tmp_path / "45.card")
    shown += ok("peers", "list", "--home", tmp_path / "44")
    assert shown.count(name) == 2 if name.isprintable() else name not in shown
    assert not [c for c in shown if not (c.isprintable() or c == "\n")]
