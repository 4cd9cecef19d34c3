"""Members of a household from an Excel or CSV file: all of them or none, with the rows that are wrong."""

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.datastructures import UploadFile

from node.console import forms
from node.console.forms import CheckForm, Member
from node.console.visits import Visit
from node.errors import InputError, LimitError
from node.tabular.excel import UPLOAD, bounded
from node.tabular.person_lists import read_members

SUFFIXES: Final = (".csv", ".xlsx", ".xls", ".ods")
_MOST_SHOWN: Final = 100
_PIECE: Final = 1 << 16
_AT_ONCE: Final = threading.BoundedSemaphore(2)
_WAIT_S: Final = 10.0  # for a place, before a person is asked to try again
_COLUMNS: Final = {"id_no": "证件号码", "name": "姓名", "id_type": "证件类型", "former_id_no": "曾用证件号码"}
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


@dataclass(frozen=True, slots=True)
class WrongRow:
    """A row that cannot be used: its line in the file, the column, and why; never what it holds."""

    line: int
    column: str
    reason: str


class WrongRowsError(InputError):
    """Some rows cannot be used, so none was."""

    def __init__(self, rows: tuple[WrongRow, ...]) -> None:
        super().__init__("名单中有{count}行有误，未导入任何一行")
        self.rows = rows


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


def add_from_list(visit: Visit, form: CheckForm) -> CheckForm:
    """With the people of an uploaded list. Raises InputError, WrongRowsError."""
    upload = visit.upload("list")
    if upload is None:
        raise InputError("请选择名单文件")
    suffix = Path(upload.filename or "").suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError("名单须为CSV、XLSX、XLS或ODS文件")
    with saved_upload(upload, suffix) as path:
        try:
            people, rejects = read_members(path)
        except InputError:
            raise InputError("名单无法读取：首行须有“姓名”和“证件号码”两列") from None
    if rejects:
        raise WrongRowsError(
            tuple(
                WrongRow(one.line, _COLUMNS.get(one.column, one.column), REASONS.get(one.reason, "内容有误"))
                for one in rejects[:_MOST_SHOWN]
            )
        )
    outside = visit.field("outside", 8) == "yes"
    for name, identities in people:
        current, *former = (one.value for one in identities)
        new = Member(no="", name=name, id_no=current, former=former[0] if former else "", outside=outside)
        form = forms.add_member(form, new)
    return form
