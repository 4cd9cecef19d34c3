"""The histograms of a document as a picture: one row of bars an item, one colour a province.

Drawn with matplotlib, the extra `plot`. The font is that of printed reports (the extra `report`), or one of
this machine that has the characters; where there is none, labels are in English and provinces are shown by
code.
"""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from node.errors import ConfigError, InputError
from node.reports.document import Document, Histogram
from node.reports.glyphs import packaged_font

_WIDTH, _HEIGHT, _DPI = 10.0, 3.6, 120
_SPACE = 0.8  # of a band that its bars take
_LATIN_FONT = "DejaVu Sans"
# Only a font of last resort has this character: it draws a box for every character.
_UNASSIGNED = 0xF1234


def find_font(text: str) -> str | None:
    """The name of a font that has every character of a text, ours first. Raises ConfigError."""
    fonts = _import("matplotlib.font_manager")
    wanted = {ord(character) for character in text if not character.isspace()}
    ours = str(packaged_font() or "")
    if ours and all(one.fname != ours for one in fonts.fontManager.ttflist):
        fonts.fontManager.addfont(ours)

    def rank(one: Any) -> tuple[bool, bool, str]:
        return one.fname != ours, one.style != "normal", one.name

    for entry in sorted(fonts.fontManager.ttflist, key=rank):
        try:
            held = set(fonts.get_font(entry.fname).get_charmap())
            if wanted <= held and _UNASSIGNED not in held:
                return str(entry.name)
        except (OSError, RuntimeError):
            continue  # a broken font file
    return None


def draw_histograms(
    in_language: Callable[[str], Document],
    lang: str,
    target: Path,
    kind: str,
    find_font: Callable[[str], str | None] = find_font,
) -> bool:
    """Write a picture, `kind` png or svg; return False where no font has the Chinese characters.

    `in_language` makes the document of a report. Raises InputError for one without any histogram or a file
    that cannot be written, ConfigError without matplotlib.
    """
    document, font = in_language(lang), None
    if not document.histograms:
        raise InputError(
            "no histogram in this report",
            "only sums of items with bands that a province released have one; the tables have the rest",
        )
    if lang == "zh":
        font = find_font("".join(_texts(document)))
        document = document if font else in_language("en")
    _draw(document, font or _LATIN_FONT, target, kind)
    return document.lang == lang


def _draw(document: Document, font: str, target: Path, kind: str) -> None:
    _import("matplotlib").use("agg")  # a picture file, no window
    figures, rows = _import("matplotlib.pyplot"), len(document.histograms)
    with figures.rc_context({"font.family": [font], "svg.fonttype": "path"}):
        drawn, places = figures.subplots(
            rows, 1, figsize=(_WIDTH, _HEIGHT * rows), squeeze=False, layout="constrained"
        )
        for axes, histogram in zip(places[:, 0], document.histograms, strict=True):
            _draw_one(axes, histogram)
        drawn.suptitle(f"{document.title}  {document.job}", fontsize=12)
        try:
            # No date: the same report gives the same picture.
            drawn.savefig(target, format=kind, dpi=_DPI, metadata={"Date": None} if kind == "svg" else None)
        except OSError as error:
            raise InputError(f"{target}: {error.strerror}", "name a file that you may write") from None
        finally:
            figures.close(drawn)


def _draw_one(axes: Any, histogram: Histogram) -> None:
    width = _SPACE / len(histogram.series)
    top = max((cell or 0 for one in histogram.series for cell in one.cells), default=0) or 1
    for number, one in enumerate(histogram.series):
        places = [band - _SPACE / 2 + width * (number + 0.5) for band in range(len(one.cells))]
        bars = axes.bar(places, [max(cell or 0, 0) for cell in one.cells], width, label=one.label)
        axes.bar_label(bars, ["" if cell is None else f"{cell:,}" for cell in one.cells], fontsize=8)
        for place, cell in zip(places, one.cells, strict=True):
            if cell is None:
                # A word and not an empty place: a suppressed figure must not look like zero.
                style = {"rotation": 90, "ha": "center", "va": "bottom", "fontsize": 7, "color": "0.35"}
                axes.text(place, top * 0.02, histogram.hidden, **style)
    ranges = [band.replace(", ≤", ",\n≤") for band in histogram.bands]
    axes.set_xticks(range(len(ranges)), ranges, fontsize=8)
    axes.set_title(histogram.item, loc="left", fontsize=10)
    axes.set_ylabel(histogram.title, fontsize=9)
    axes.set_ylim(0, top * 1.15)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)


def _texts(document: Document) -> list[str]:
    texts = [document.title, document.job]
    for one in document.histograms:
        texts += [one.title, one.item, one.hidden, *one.bands, *(series.label for series in one.series)]
    return texts


def _import(module: str) -> Any:
    # Imported only when needed: it is optional, loading takes a second, and no other command uses it.
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ConfigError(
            "drawing needs matplotlib, which is not installed", "install Heqiao with the extra `plot`"
        ) from None
