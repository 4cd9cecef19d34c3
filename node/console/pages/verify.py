"""Whether a report's file is as a node signed it (验证报告); if not, which group of fields was altered."""

import shutil
import tempfile
from pathlib import Path
from typing import Final

from starlette.datastructures import UploadFile
from starlette.responses import Response

from node.client.report_files import ReportFiles
from node.console.problems import SHOWN, words_of
from node.console.render import show
from node.console.visits import Visit

PATH: Final = "/verify"
SUFFIXES: Final = (".pdf", ".xlsx", ".html", ".json", ".csv", ".txt")
GROUPS: Final = {
    "head": "报告抬头（编号、单位、用途、法律依据、时间）",
    "catalogue": "目录与项目",
    "findings": "核对结果",
    "peers": "各省答复情况",
    "subjects": "核对对象",
    "declared": "申报数据",
    "pages": "页面",
    "attachment": "附件中的记录",
    "content": "文件内容",
    "signature": "签名",
}
_SIGNATURE: Final = "report.sig.json"
_MOST_SIGNATURE: Final = 1 << 20


def show_verify(visit: Visit) -> Response:
    """The form. Raises SessionEndedError."""
    visit.require_person()
    return _page(visit)


def check(visit: Visit) -> Response:
    """Check an uploaded file, which is not kept. Raises SessionEndedError."""
    visit.require_person()
    upload, beside = visit.upload("file"), visit.upload("signature")
    suffix = Path(upload.filename or "").suffix.lower() if upload else ""
    if upload is None or suffix not in SUFFIXES:
        return _page(
            visit, problem=visit.say("请选择报告文件（PDF、XLSX、HTML、JSON、CSV或TXT）"), status=422
        )
    with tempfile.TemporaryDirectory(prefix="heqiao-verify-") as folder:
        path = _save(upload, Path(folder) / f"report{suffix}")  # as the signature names it
        if beside is not None and (beside.size or 0) <= _MOST_SIGNATURE:
            _save(beside, Path(folder) / _SIGNATURE)
        try:
            found = ReportFiles(visit.node).check(path)
        except SHOWN as error:
            return _page(visit, problem=words_of(visit, error), status=422)
    altered = [visit.say(GROUPS[one]) if one in GROUPS else one for one in found.altered]
    return _page(visit, found=found, altered=altered)


def _save(upload: UploadFile, path: Path) -> Path:
    """The node reads it; here it is only handed on."""
    with path.open("wb") as file:
        shutil.copyfileobj(upload.file, file)
    return path


def _page(
    visit: Visit,
    *,
    found: object = None,
    altered: list[str] | None = None,
    problem: str = "",
    status: int = 200,
) -> Response:
    values = {"found": found, "altered": altered or [], "problem": problem}
    return show(visit, "verify.html", values, status=status)
