"""Files of [imports] folder: what each source names there, their check, and the import of what was checked.

An import reads the very files whose check was good: their digest is noted with the check, required by who
asks for the import, and compared before they are read and before anything is published (ADR 46).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from node.acting import acting_person
from node.context import Node
from node.domain.days import china_day
from node.errors import InputError, PreconditionError
from node.registers.import_folder import FoundFile, ImportFolder, TakenFiles, changed
from node.registers.kept_quality import keep
from node.registers.source_file import SourceFile, make_request
from node.registers.source_import import examine, import_source
from node.registers.source_store import FileCheck, SourceFolder
from node.telemetry.progress import Progress

_GOOD: Final = "good"


@dataclass(frozen=True, slots=True)
class FileGroup:
    """The files that a source names, and what was checked of them last."""

    source: SourceFile
    files: Sequence[FoundFile]
    check: FileCheck | None

    @property
    def is_there(self) -> bool:
        """Whether there are files of the names and the size that were checked."""
        if self.check is None:
            return False
        sizes: Mapping[str, int] = {one.name: one.size for one in self.files if not one.fault}
        names = self.check.names
        return set(names) <= set(sizes) and sum(sizes[name] for name in names) == self.check.size


def folder_of(node: Node) -> ImportFolder:
    """The folder of files to import. Raises PreconditionError where node.toml names none."""
    path = node.config.imports.folder
    if path is None:
        raise PreconditionError(
            "this node has no folder of files to import",
            "set `folder` in [imports] of node.toml, and start the node again",
            {"rule": "import_folder"},
        )
    return ImportFolder(path, node.keys.digest_key)


def list_groups(node: Node) -> tuple[Sequence[FileGroup], int]:
    """The files of the folder by source, and how many there are that no source names. Raises InputError."""
    folder, sources = folder_of(node), SourceFolder(node.config.folder)
    files, named, groups = folder.list(), set[str](), []
    for one in sources.list():
        if one.file is None or one.file.files is None:
            continue
        names = folder.named_by(node.config.folder, one.file.files.names)
        found = [file for file in files if file.name in names]
        named |= names
        if found:
            groups.append(FileGroup(one.file, found, sources.file_check(one.item)))
    return groups, sum(file.name not in named for file in files)


def require_named(node: Node, item: str, names: Sequence[str]) -> None:
    """Raise PreconditionError where a name is not one of a listed file that the source of the item names."""
    found, folder = SourceFolder(node.config.folder).read(item), folder_of(node)
    patterns = found.files.names if found.files else ()
    listed = {one.name for one in folder.list() if not one.fault}
    if not names or not set(names) <= listed & folder.named_by(node.config.folder, patterns):
        raise PreconditionError(
            "the source of this item names no such file of the folder",
            "choose among the files that are listed",
            {"rule": "file_name"},
        )


def check_files(node: Node, item: str, names: Sequence[str], progress: Progress) -> int:
    """Read files as a source is checked, and note their digest; the number of the quality report.

    Raises PreconditionError where they change meanwhile, InputError where the source does not fit the item.
    """
    require_named(node, item, names)
    sources, now = SourceFolder(node.config.folder), node.clock()
    found, taken = sources.read(item), folder_of(node).take(names, partial(progress, "hash"))
    request = make_request(found, node.catalogue, node.config.folder, china_day(now), taken.paths)
    done = examine(found, request, node.catalogue, china_day(now), progress)
    taken.require_unchanged()
    number = keep(node.store, done, "check", now)
    result = "unreadable" if done.problem else "below_floor" if done.findings else _GOOD
    account, quality = acting_person().get("user", ""), done.quality
    check = FileCheck(
        now.isoformat(),
        account,
        taken.names,
        taken.size,
        taken.digest.hex(),
        number,
        result,
        quality.rows,
        quality.usable,
    )
    sources.note(item, check)
    return number


def find_check(node: Node, item: str, digest: bytes) -> FileCheck:
    """The last check, where it is a good one of files of that digest. Raises PreconditionError."""
    sources = SourceFolder(node.config.folder)
    sources.read(item)
    check = sources.file_check(item)
    if check is None or check.result != _GOOD or check.digest != digest.hex():
        raise PreconditionError(
            "these files are not those of the last good check",
            "check the files, then import what was checked",
            {"rule": "file_check"},
        )
    return check


def import_files(node: Node, item: str, digest: bytes, progress: Progress) -> None:
    """Import the files that were checked. Raises as `find_check` and `import_source` do."""
    check, sources = find_check(node, item, digest), SourceFolder(node.config.folder)
    require_named(node, item, check.names)
    taken: TakenFiles = folder_of(node).take(check.names, partial(progress, "hash"))
    if taken.digest != digest:
        raise changed()
    rejects = sources.rejects_path(item)
    import_source(node, sources, item, rejects, 0, progress, full=True, wait=False, taken=taken)


def without_contents(error: InputError, item: str) -> InputError:
    """What is told of a file that cannot be used: its own text may quote headers, or a first row (ADR 46)."""
    if error.details.get("rule"):
        return error
    return InputError(
        f"{item}: the source cannot be read as it is",
        f"`heqiao sources check {item}`, or `heqiao import {item} --check FILE`, at the node says why",
        {"rule": "source_reading"},
    )
