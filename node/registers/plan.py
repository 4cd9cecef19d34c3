"""What `heqiao import --all` imports: every item of a folder or of a plan file, decided before anything runs.

A file belongs to the item whose code is a word of its name, such as `C21.csv` or `税务_B11_工资薪金.csv`; the
files in a folder called `C21` belong to C21 whatever their names. What does not fit is refused by name.
"""

import errno
import os
import re
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from node.domain.catalogue import CODE_PATTERN, Catalogue
from node.errors import InputError
from node.registers.requests import ImportRequest
from node.tabular.excel import SUFFIXES

TEXT: Final = "text"
KINDS: Final = {
    **dict.fromkeys((".csv", ".txt", ".tsv"), TEXT),
    ".parquet": "Parquet",
    **dict.fromkeys(SUFFIXES, "spreadsheet"),
}
OTHER_SPREADSHEETS: Final = (".et", ".xlsb", ".xlsm")
_CODE: Final = re.compile(CODE_PATTERN)
_BETWEEN: Final = re.compile(r"[-_.\s]+")
_REJECTS: Final = re.compile(rf"{CODE_PATTERN}-rejects\.csv")
_NOTHING_DONE: Final = "nothing was imported"


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """Imports of different items, in order; `missing` are the items of the catalogue without a source."""

    place: Path
    requests: tuple[ImportRequest, ...]
    missing: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """The folder of the sources: where lists of rejects are by default."""
        return self.place if self.place.is_dir() else self.place.parent


def make_plan(place: Path, requests: Iterable[ImportRequest], catalogue: Catalogue) -> ImportPlan:
    """A plan over checked requests. Raises InputError where there is none, or a file is named twice."""
    found = tuple(requests)
    if not found:
        raise InputError(f"{place}: nothing to import", "name each file by the code of its item: C21.csv")
    _refuse_twice(found)
    named = {request.item for request in found}
    return ImportPlan(place, found, tuple(one.code for one in catalogue.items if one.code not in named))


def rejects_name(code: str) -> str:
    """The file name of an item's list of rejects."""
    return f"{code}-rejects.csv"


def is_passed_over(name: str) -> bool:
    """Whether a file in a folder is no source: hidden, a list of rejects, the mark of a finished export."""
    return name.startswith(".") or name == "_SUCCESS" or _REJECTS.fullmatch(name) is not None


def find_code(name: str, codes: Sequence[str]) -> str:
    """The item that a file or folder belongs to: the only word of the name that is a code.

    Words are separated by `-`, `_`, `.` and blanks; a code has the capitals of the catalogue. Raises
    ValueError, with what to do, where there is no code, more than one, or one of no item.
    """
    words = _BETWEEN.split(name)
    found = sorted({word for word in words if _CODE.fullmatch(word)})
    if len(found) == 1 and found[0] in codes:
        return found[0]
    if len(found) > 1:
        raise ValueError(f"its name has the codes {' and '.join(found)}; leave one")
    if found:
        raise ValueError(f"the catalogue has no item {found[0]}; `heqiao catalogue` lists the items")
    near = [code for code in codes if code.lower() in map(str.lower, words)]
    near = near or get_close_matches(words[0], codes, n=1)
    meant = f": did you mean {near[0]}?" if near else ", such as C21.csv or C21-2026-10.csv"
    raise ValueError(f"no word of its name is the code of an item{meant}")


# ---- a folder


def read_folder(folder: Path, catalogue: Catalogue, common: ImportRequest) -> ImportPlan:
    """The plan of a folder: a file, files or a folder for each item; `common` has the options of all.

    Raises InputError for everything in it that is no source of exactly one item, all of it at once.
    """
    codes = [item.code for item in catalogue.items]
    sources: dict[str, list[Path]] = {}
    faults = []
    for path in _list(folder):
        try:
            sources.setdefault(_code_of(path, codes), []).append(path)
        except ValueError as error:
            faults.append(f"{path.name}: {error}")
    requests = []
    for code in filter(sources.__contains__, codes):
        files = _files_of(sources[code])
        faults += [f"{code}: {fault}" for fault in (*_mixed(sources[code]), *file_faults(files, named=True))]
        requests.append(replace(common, item=code, files=files))
    if faults:
        raise InputError(
            f"{folder}: {'; '.join(faults)}",
            f"{_NOTHING_DONE}; rename these, move them out of the folder, or write a plan file",
        )
    return make_plan(folder, requests, catalogue)


def _code_of(path: Path, codes: Sequence[str]) -> str:
    return find_code(path.stem if path.suffix.lower() in KINDS else path.name, codes)


def _files_of(paths: Sequence[Path]) -> tuple[Path, ...]:
    return tuple(file for path in paths for file in (_list(path) if path.is_dir() else [path]))


def _mixed(paths: Sequence[Path]) -> list[str]:
    if any(path.is_dir() for path in paths) and len(paths) > 1:
        return [f"two kinds of sources ({_names(paths)}); keep the folder or the files"]
    return [f"{path.name}: the folder is empty" for path in paths if path.is_dir() and not _list(path)]


def _list(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not is_passed_over(path.name))
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror}", _NOTHING_DONE) from None


# ---- files


def file_faults(files: Sequence[Path], *, named: bool) -> list[str]:
    """What keeps files from being the source of one item: each can be opened, and all are of one kind.

    Without `named` text files may have other ends than those of KINDS.
    """
    faults = [f"{path.name}: {fault}" for path in files if (fault := _fault(path, named=named))]
    if not faults and len({KINDS.get(path.suffix.lower(), TEXT) for path in files}) > 1:
        faults.append(f"two kinds of sources ({_names(files)}); keep the files of one kind")
    return faults


def _names(paths: Sequence[Path]) -> str:
    return ", ".join(path.name for path in paths)


def _fault(path: Path, *, named: bool) -> str:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return "a folder, where a file was expected"
        if not stat.S_ISREG(mode):
            return "no regular file"
        os.close(os.open(path, os.O_RDONLY))
    except OSError as error:
        dangling = error.errno == errno.ENOENT and path.is_symlink()
        return "leads to a file that does not exist" if dangling else str(error.strerror)
    suffix = path.suffix.lower()
    if suffix in OTHER_SPREADSHEETS:
        return "a spreadsheet of another kind; save it as .xlsx"
    return f"does not end in {', '.join(KINDS)}" if named and suffix not in KINDS else ""


def _refuse_twice(requests: Sequence[ImportRequest]) -> None:
    """A file twice in an item would count its rows twice; in two items, one of them is likely a mistake."""
    owner: dict[tuple[int, int], tuple[ImportRequest, Path]] = {}
    for request in requests:
        for path in request.files:
            facts = path.stat()
            first, other = owner.setdefault((facts.st_dev, facts.st_ino), (request, path))
            if other is path:
                continue
            if first is request:
                raise InputError(
                    f"{request.item}: {other} and {path} are one file", f"{_NOTHING_DONE}; name it once"
                )
            if not (first.columns and request.columns):
                raise InputError(
                    f"{path}: is named for {first.item} and for {request.item}",
                    f"{_NOTHING_DONE}; where it holds both, say `columns` in a plan file for each of them",
                )
