"""Files of a job's report, made and signed by the node: given to the browser and kept nowhere here."""

import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from node.client.report_files import ReportFiles
from node.console.visits import Visit
from node.errors import NodeError, NotFoundError

TYPES: Final = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html; charset=utf-8",
    "json": "application/json",
}
SIGNED: Final = "zip"  # the PDF file and the signature that belongs beside it


def download(visit: Visit) -> Response:
    """The report of a job as a file. Raises NotFoundError for a kind that is not offered."""
    job, kind = visit.request.path_params["job"], visit.request.path_params["kind"]
    if kind not in TYPES and kind != SIGNED:
        raise NotFoundError("there is no such file")
    folder = Path(tempfile.mkdtemp(prefix="heqiao-report-"))  # only this account reads it
    try:
        made = ReportFiles(visit.node).save(job, "pdf" if kind == SIGNED else kind, folder, visit.lang)
        path = made.path if kind in TYPES else _pack(folder, made.path, made.signature)
    except NodeError:
        shutil.rmtree(folder)
        raise
    return FileResponse(
        path,
        media_type=TYPES.get(kind, "application/zip"),
        filename=f"{job}.{kind}",  # nothing of a person: the job's own number
        background=BackgroundTask(shutil.rmtree, folder),
    )


def _pack(folder: Path, *files: Path) -> Path:
    target = folder / "signed.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as packed:
        for path in files:
            packed.write(path, path.name)
    return target
