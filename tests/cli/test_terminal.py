"""The progress bar: drawn where somebody looks, and what draws it is loaded only there."""

import io
import subprocess
import sys

import pytest

from node.cli.terminal import show_progress


class Screen(io.StringIO):
    def isatty(self):
        return True


def use_screen(monkeypatch):
    """Not a fixture: between a fixture and its test pytest puts standard error back."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    return screen


def test_each_part_has_a_line_with_its_name(monkeypatch):
    screen = use_screen(monkeypatch)
    with show_progress({"read": "reading rows"}, hidden=False) as update:
        update("read", 0, 0)
        update("read", 7, 9)
        update("44", 1, 2, "44 Guangdong: asked")
        update("44", 2, 2, "44 Guangdong: done")
    last = screen.getvalue()
    for text in ("reading rows", "7/9", "44 Guangdong: done", "2/2"):
        assert text in last


@pytest.mark.parametrize("name", ["湖南[/]", "[red]湖南[/red]", "湖南\x1b[2J", "湖南\x07\b"])
def test_a_name_is_text(monkeypatch, name):
    """As peers are named while a job is watched."""
    screen = use_screen(monkeypatch)
    with show_progress(hidden=False) as update:
        update("43", 1, 2, f"43 {name}: evaluate")
    shown = screen.getvalue()
    assert "\x1b[2J" not in shown
    assert "\x07" not in shown
    assert "\b" not in shown
    if name.isprintable():
        assert f"43 {name}: evaluate" in shown


def test_it_is_hidden_on_request(monkeypatch):
    screen = use_screen(monkeypatch)
    with show_progress(hidden=True) as update:
        update("read", 1, 2)
    assert screen.getvalue() == ""


def test_nothing_is_loaded_where_nobody_looks():
    code = (
        "import sys; from node.cli.terminal import show_progress\n"
        "with show_progress(hidden=False) as update: update('read', 1, 2)\n"
        "print('rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("False\n", "")
