"""Lists that people upload, as CSV or a spreadsheet: all of a list or nothing, and which rows are wrong."""

import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from starlette.datastructures import UploadFile

from node.console.visits import Visit
from node.domain.records import Reject
from node.errors import InputError, LimitError
from node.tabular.excel import UPLOAD, bounded

_SUFFIXES: Final = (".csv", ".xlsx", ".xls", ".ods")
MOST_WRONG: Final = 100  # rows that are shown
_PIECE: Final = 1 << 16
_AT_ONCE: Final = threading.BoundedSemaphore(2)
_WAIT_S: Final = 10.0  # for a place, before a person is asked to try again
_COLUMNS: Final = {
    "id_no": "证件号码",
    "name": "姓名",
    "id_type": "证件类型",
    "former_id_no": "曾用证件号码",
    "household_no": "户编号",
    "member_no": "成员编号",
    "mandate_no": "授权书编号",
}
REASONS: Final = {
    "empty": "没有填写",
    "wrong_length": "位数不对",
    "bad_characters": "有不允许的字符",
    "bad_date": "出生日期有误",
    "bad_check_digit": "校验码不符",
    "bad_name": "姓名有误或没有填写",
    "unknown_type": "证件类型不明",
    "type_conflict": "号码与证件类型不符",
    "too_many": "曾用号码过多",
    "rounded": "号码在表格中被当作数字，末位已丢失",
    "cell_too_long": "内容过长",
}
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class WrongRow:
    """A row that cannot be used: its line in the file, the column, and why; never what it holds."""

    line: int
    column: str
    reason: str


class WrongRowsError(InputError):
    """Some rows cannot be used, so none was: `count` rows, the first of which are `rows`."""

    def __init__(self, found: Sequence[WrongRow]) -> None:
        super().__init__("名单中有{count}行有误，未导入任何一行")
        self.count = len({one.line for one in found})
        self.rows = tuple(found[:MOST_WRONG])


@contextmanager
def saved_upload(upload: UploadFile, suffix: str) -> Iterator[Path]:
    """An uploaded list as a private file, until the block ends; the browser's name for it is not a path.

    Few at once, each within bounds: lists that unpack to a thousand times their size, sent together, must not
    take the machine from everybody else. Raises LimitError.
    """
    if not _AT_ONCE.acquire(timeout=_WAIT_S):
        raise LimitError("too many lists are being read", "try again in a moment")
    try:
        with tempfile.TemporaryDirectory(prefix="heqiao-list-") as folder, bounded(UPLOAD):
            path = Path(folder) / f"list{suffix}"
            with path.open("wb") as file:
                while piece := upload.file.read(_PIECE):
                    file.write(piece)
            yield path
    finally:
        _AT_ONCE.release()


def read_list(
    visit: Visit, name: str, reader: Callable[[Path], R], unreadable: str, missing: str = "请选择名单文件"
) -> R:
    """What a reader makes of an uploaded list. Raises InputError with Chinese words, LimitError."""
    upload = visit.upload(name)
    if upload is None:
        raise InputError(missing)
    suffix = Path(upload.filename or "").suffix.lower()
    if suffix not in _SUFFIXES:
        raise InputError("名单须为CSV、XLSX、XLS或ODS文件")
    with saved_upload(upload, suffix) as path:
        try:
            return reader(path)
        except InputError:  # its own text may quote a cell
            raise InputError(unreadable) from None


def require_right(rejects: Sequence[Reject]) -> None:
    """Raise WrongRowsError where a list has rows that cannot be used."""
    if rejects:
        raise WrongRowsError(
            [
                WrongRow(one.line, _COLUMNS.get(one.column, one.column), REASONS.get(one.reason, "内容有误"))
                for one in rejects
            ]
        )
