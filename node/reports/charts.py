"""Histograms of a report of sums as a picture: one row of bars per item, one colour per province.

Drawn with matplotlib, the extra `plot`. Chinese labels need a font that has the characters; where this
machine has none the labels are English and provinces are their codes, since boxes for characters say nothing.
"""

import importlib
from pathlib import Path
from typing import Any

from node.domain.catalogue import Catalogue, Item
from node.domain.sum_findings import SumFinding, SumReport
from node.errors import ConfigError, InputError
from node.reports.sums_wording import band_text, mode_text
from node.reports.wording import item_text, word

_WIDTH, _HEIGHT, _DPI = 10.0, 3.6, 120
_SPACE = 0.8  # of a band that its bars take
# A font that has this one too draws a box for every character: a font of last resort.
_UNASSIGNED = 0xF1234
_HIDDEN = ("不予公布", "suppressed")


def draw_histograms(report: SumReport, catalogue: Catalogue, lang: str, target: Path, kind: str) -> bool:
    """Write a picture, `kind` png or svg; False where no font had the Chinese characters asked for.

    Raises InputError for a report without any histogram or a file that cannot be written, ConfigError without
    matplotlib.
    """
    shown = [code for code in report.items if _with_bands(report, code)]
    if not shown:
        raise InputError(
            "no histogram in this report",
            "only sums of items with bands that a province released have one; the tables have the rest",
        )
    figures, fonts = _matplotlib()
    known = {item.code: item for item in catalogue.items}
    text = "".join(_texts(report, known, shown, "zh"))
    font = _font_with(fonts, text) if lang == "zh" else None
    spoken = "zh" if font else "en"
    settings = {"font.family": [font] if font else ["DejaVu Sans"], "svg.fonttype": "path"}
    with figures.rc_context(settings):
        drawn, places = figures.subplots(
            len(shown), 1, figsize=(_WIDTH, _HEIGHT * len(shown)), squeeze=False, layout="constrained"
        )
        for axes, code in zip(places[:, 0], shown, strict=True):
            _draw_item(axes, _with_bands(report, code), known.get(code), code, report, spoken)
        drawn.suptitle(f"{word('sum_title', spoken)}  {report.job}", fontsize=12)
        try:
            # No date: the same report gives the same picture.
            drawn.savefig(target, format=kind, dpi=_DPI, metadata={"Date": None} if kind == "svg" else None)
        except OSError as error:
            raise InputError(f"{target}: {error.strerror}", "name a file that you may write") from None
        finally:
            figures.close(drawn)
    return lang == spoken


def _draw_item(
    axes: Any, found: list[SumFinding], item: Item | None, code: str, report: SumReport, lang: str
) -> None:
    bands = max(len(one.bands) for one in found)
    width = _SPACE / len(found)
    top = max((cell or 0 for one in found for cell in one.bands), default=0) or 1
    for turn, one in enumerate(found):
        places = [band - _SPACE / 2 + width * (turn + 0.5) for band in range(len(one.bands))]
        bars = axes.bar(
            places, [max(cell or 0, 0) for cell in one.bands], width, label=_label(report, one, lang)
        )
        axes.bar_label(bars, ["" if cell is None else f"{cell:,}" for cell in one.bands], fontsize=8)
        for place, cell in zip(places, one.bands, strict=True):
            if cell is None:
                # A word, not an empty place: nothing shown must not read as nobody.
                style = {"rotation": 90, "ha": "center", "va": "bottom", "fontsize": 7, "color": "0.35"}
                axes.text(place, top * 0.02, _HIDDEN[lang == "en"], **style)
    ranges = [band_text(item, band, lang).replace(", ≤", ",\n≤") for band in range(bands)]
    axes.set_xticks(range(bands), ranges, fontsize=8)
    axes.set_title(item_text(item, code, lang), loc="left", fontsize=10)
    axes.set_ylabel(word("bands", lang), fontsize=9)
    axes.set_ylim(0, top * 1.15)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)


def _label(report: SumReport, found: SumFinding, lang: str) -> str:
    name = next((peer.name for peer in report.peers if peer.peer == found.peer), "")
    label = f"{found.peer} {name}" if lang == "zh" else found.peer
    noise = mode_text(found, lang)
    return f"{label}  ({noise})" if noise else label


def _with_bands(report: SumReport, code: str) -> list[SumFinding]:
    return [one for one in report.findings if one.item == code and one.bands]


def _texts(report: SumReport, known: dict[str, Item], shown: list[str], lang: str) -> list[str]:
    found = [item_text(known.get(code), code, lang) for code in shown]
    found += [band_text(known.get(code), 0, lang) for code in shown]
    return [
        *found,
        *(peer.name for peer in report.peers),
        word("sum_title", lang),
        word("bands", lang),
        "含噪声，ε",
        *_HIDDEN,
    ]


def _matplotlib() -> tuple[Any, Any]:
    # Loaded here: it takes a second, and no other command needs it.
    try:
        mpl = importlib.import_module("matplotlib")
    except ImportError:
        raise ConfigError(
            "drawing needs matplotlib, which is not installed", "install Heqiao with the extra `plot`"
        ) from None
    mpl.use("agg")  # a picture file, no window
    return importlib.import_module("matplotlib.pyplot"), importlib.import_module("matplotlib.font_manager")


def _font_with(fonts: Any, text: str) -> str | None:
    """The name of a font of this machine that has every character of a text."""
    wanted = {ord(character) for character in text if not character.isspace()}
    for entry in sorted(fonts.fontManager.ttflist, key=lambda one: (one.style != "normal", one.name)):
        try:
            held = set(fonts.get_font(entry.fname).get_charmap())
            if wanted <= held and _UNASSIGNED not in held:
                return str(entry.name)
        except (OSError, RuntimeError):
            continue  # a broken font file
    return None
