"""The service of files to import, and of what imports left out; its long calls are work of the node."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from itertools import islice
from typing import Any, Final

from heqiao.admin.v1 import imports_pb2 as pb
from heqiao.admin.v1 import imports_pb2_grpc

from node.context import Node
from node.database import Connection, audit_log
from node.database import imports as import_rows
from node.database import partitions as index_rows
from node.database.imports import ListedImport
from node.domain.audit_chain import Detail
from node.errors import InputError, NotFoundError, PreconditionError
from node.registers.file_imports import (
    FileGroup,
    check_files,
    find_check,
    folder_of,
    import_files,
    list_groups,
    require_named,
    without_contents,
)
from node.registers.import_folder import FoundFile
from node.registers.kept_rejects import has_rejects, read_rejects
from node.registers.source_store import FileCheck, SourceFolder
from node.services.records import import_message
from node.services.works import Works
from node.telemetry.progress import Progress
from node.transport.interceptors import Call
from node.wire.admin import read_file_names, read_item
from node.wire.common import MAX_VERSION, require, require_digest, timestamp

_AT_ONCE: Final = 1_000


class ImportServicer(imports_pb2_grpc.ImportServiceServicer):  # type: ignore[misc]  # generated code
    """heqiao.admin.v1.ImportService."""

    def __init__(self, node: Node, works: Works) -> None:
        self._node, self._works = node, works

    def ListFiles(self, _request: pb.ListFilesRequest, _call: Call) -> pb.ListFilesResponse:  # noqa: N802
        """What lies in the folder; that there is none, or that it cannot be read, is an answer."""
        try:
            place, home = folder_of(self._node).path, self._node.config.folder
        except PreconditionError:
            return pb.ListFilesResponse()
        shown = str(place.relative_to(home) if place.is_relative_to(home) else place)
        try:
            groups, others = list_groups(self._node)
        except InputError:
            return pb.ListFilesResponse(folder=shown)
        messages = [self._group(one) for one in groups]
        return pb.ListFilesResponse(folder=shown, is_open=True, groups=messages, others=others)

    def StartFileCheck(  # noqa: N802
        self, request: pb.StartFileCheckRequest, call: Call
    ) -> pb.StartFileCheckResponse:
        """As `heqiao sources check ITEM`, of files of the folder."""
        node, item, names = self._node, read_item(request.item), read_file_names(request.names)
        with self._noted(item):
            require_named(node, item, names)

        def act(progress: Progress) -> None:
            check_files(node, item, names, progress)

        return pb.StartFileCheckResponse(work_id=self._start("check", item, call, act))

    def StartFileImport(  # noqa: N802
        self, request: pb.StartFileImportRequest, call: Call
    ) -> pb.StartFileImportResponse:
        """As `heqiao sources import ITEM --full`, of the files that were checked last."""
        node, item, digest = self._node, read_item(request.item), bytes(request.digest)
        require_digest(digest, "digest")
        with self._noted(item):
            require_named(node, item, find_check(node, item, digest).names)

        def act(progress: Progress) -> None:
            import_files(node, item, digest, progress)

        return pb.StartFileImportResponse(work_id=self._start("files", item, call, act))

    def GetImport(self, request: pb.GetImportRequest, _call: Call) -> pb.GetImportResponse:  # noqa: N802
        """One import."""
        found, sources = self._find(request.number), SourceFolder(self._node.config.folder)
        is_kept = has_rejects(sources, found.item, found.number)
        return pb.GetImportResponse(found=import_message(found), has_rejects=is_kept)

    def StreamRejects(  # noqa: N802
        self, request: pb.StreamRejectsRequest, _call: Call
    ) -> Iterator[pb.StreamRejectsResponse]:
        """Where its rejected rows are, and why."""
        node, found = self._node, self._find(request.number)
        rows = list(read_rejects(SourceFolder(node.config.folder), found.item, found.number))
        details: dict[str, Detail] = {"item": found.item, "import": found.number, "rows": len(rows)}

        self._note("rejects_read", details)
        rest = iter(rows)
        while some := list(islice(rest, _AT_ONCE)):
            yield pb.StreamRejectsResponse(rows=[pb.RejectedRow(**asdict(one)) for one in some])

    @contextmanager
    def _noted(self, item: str) -> Iterator[None]:
        """Files that may not be imported are on record; what goes wrong later is in that of the work."""
        try:
            yield
        except PreconditionError as error:
            self._note("import_refused", {"item": item, "rule": error.details.get("rule", "")})
            raise

    def _note(self, event: str, details: dict[str, Detail]) -> None:
        def write(tx: Connection) -> None:
            audit_log.append(tx, event, details, self._node.clock())

        self._node.store.retry_write("note an import", write)

    def _find(self, number: int) -> ListedImport:
        require(0 < number <= MAX_VERSION, "number is that of an import")
        with self._node.store.transaction("find import") as tx:
            found = import_rows.find_listed(tx, number)
        if found is None:
            raise NotFoundError("there is no such import", "list the imports")
        return found

    def _start(self, kind: str, item: str, call: Call, act: Callable[[Progress], None]) -> str:
        def run(progress: Progress, _stopping: threading.Event) -> None:
            try:
                act(progress)
            except InputError as error:
                raise without_contents(error, item) from None

        account = call.person.account if call.person else ""
        return self._works.start(kind, item, account, run).id

    def _group(self, one: FileGroup) -> pb.FileGroup:
        with self._node.store.transaction("find last import") as tx:
            before = index_rows.last_import(tx, one.source.item)
        message = pb.FileGroup(
            item=one.source.item,
            title=one.source.source.title,
            files=map(_file, one.files),
            accepted_before=int(before["accepted"]) if before else 0,
            is_there=one.is_there,
        )
        if one.check is not None:
            message.check.CopyFrom(_check(one.check))
        return message


def _file(one: FoundFile) -> pb.ImportFile:
    return pb.ImportFile(name=one.name, size=one.size, changed_at=timestamp(one.changed_at), fault=one.fault)


def _check(one: FileCheck) -> pb.FileCheck:
    facts: dict[str, Any] = {**asdict(one), "digest": bytes.fromhex(one.digest)}
    checked_at = timestamp(datetime.fromisoformat(facts.pop("at")))
    return pb.FileCheck(checked_at=checked_at, **facts)
