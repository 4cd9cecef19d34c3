"""Whether a file of a report is as the node signed it, and if not, which group of fields was altered.

Fails closed: a file is valid only where a key that the verifier trusts signed all of it. A record alone
proves itself; a PDF, a workbook, a page or a table is proved by report.sig.json beside it. A PDF whose pages
were altered fails though the record attached to it is whole.
"""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Final

from node.errors import InputError
from node.reports.files import SIGNATURE_FILE
from node.reports.groups import read_digests
from node.reports.kinds import JSON_FILE
from node.reports.parts import MOST, attached_record, file_digest, format_of, part_digests, read_whole
from node.reports.signature import SignedFile, Statement, Trusted, fault, read_statement

PAGES: Final = "pages"
ATTACHMENT: Final = "attachment"
CONTENT: Final = "content"
_LONGEST: Final = 80


@dataclass(frozen=True, slots=True)
class Verdict:
    """`altered` names groups of fields or parts, `problem` is why nothing is proved."""

    file: str
    format: str
    number: str = ""
    job: str = ""
    code: str = ""
    key: str = ""
    signed_by: str = ""
    altered: tuple[str, ...] = ()
    problem: str = ""

    @property
    def valid(self) -> bool:
        """Whether every byte that matters is as it was signed, by a key that is trusted."""
        return bool(self.signed_by) and not self.altered and not self.problem


def check(path: Path, trusted: Trusted, signature: Path | None = None) -> Verdict:
    """Check a file; `signature` is its report.sig.json, by default the one beside it. Raises InputError."""
    beside = signature or path.with_name(SIGNATURE_FILE)
    with _opened(path) as file:
        return check_file(file, path.name, trusted, _read(beside) if beside.is_file() else None)


def check_file(file: IO[bytes], name: str, trusted: Trusted, signature: bytes | None = None) -> Verdict:
    """Check an open file, which can be read from any place; `signature` is the content of a report.sig.json.

    It is read piece by piece. Raises InputError.
    """
    file.seek(0)
    kind = format_of(file.read(64))
    file.seek(0)
    if kind == "json":
        return _check_record(file, name, trusted)
    if signature is None:
        return _check_alone(file, name, kind, trusted)
    return _check_file(file, name, kind, read_statement(signature, SIGNATURE_FILE), trusted)


def check_all(folder: Path, trusted: Trusted) -> list[Verdict]:
    """Check every file that a folder's report.sig.json names, and its record. Raises InputError."""
    signature = folder / SIGNATURE_FILE
    statement = read_statement(_read(signature), str(signature))
    verdicts = []
    for name in statement.files:
        path = folder / name
        if Path(name).name != name or not path.is_file():
            verdicts.append(replace(_known(name, "", statement, trusted), problem="the file is missing"))
        else:
            verdicts.append(check(path, trusted))
    if (folder / JSON_FILE).is_file():
        # Both are signed, and still they may be of different days: a part can be asked again.
        with _opened(folder / JSON_FILE) as file:
            verdicts.append(_check_record(file, JSON_FILE, trusted, statement))
    return verdicts


def _check_record(file: IO[bytes], name: str, trusted: Trusted, beside: Statement | None = None) -> Verdict:
    groups, signature = read_digests(file, name)
    if signature is None:
        return Verdict(name, "json", problem="it is not signed")
    statement = read_statement(signature, name)
    altered = _different(statement.groups, groups) or _different((beside or statement).groups, groups)
    return replace(_known(name, "json", statement, trusted), altered=altered)


def _check_file(file: IO[bytes], name: str, kind: str, statement: Statement, trusted: Trusted) -> Verdict:
    verdict = _known(name, kind, statement, trusted)
    found = file_digest(file)
    if any(one.digest == found for one in statement.files.values()):
        return verdict  # whatever it is called now
    signed = statement.files.get(name)
    if signed is None:
        return replace(verdict, problem=verdict.problem or f"{SIGNATURE_FILE} does not name it")
    altered = _altered_in_pdf(file, statement) if kind == "pdf" else _altered_parts(file, signed)
    return replace(verdict, altered=altered)


def _check_alone(file: IO[bytes], name: str, kind: str, trusted: Trusted) -> Verdict:
    problem = f"{SIGNATURE_FILE} is not beside it, and nothing else proves it"
    record = _attached(file) if kind == "pdf" else None
    if record is None:
        return Verdict(name, kind, problem=problem)
    found = _check_record(io.BytesIO(record), name, trusted)
    if found.valid:
        problem = f"{SIGNATURE_FILE} is not beside it: only the attached record is proved, and not the pages"
    return replace(found, format=kind, problem=found.problem or ("" if found.altered else problem))


def _altered_in_pdf(file: IO[bytes], statement: Statement) -> tuple[str, ...]:
    record = _attached(file)
    if record is None:
        return (PAGES, ATTACHMENT)
    try:
        groups, _ = read_digests(io.BytesIO(record), ATTACHMENT)
    except InputError:
        return (ATTACHMENT,)
    return _different(statement.groups, groups) or (PAGES,)


def _altered_parts(file: IO[bytes], signed: SignedFile) -> tuple[str, ...]:
    if not signed.parts:
        return (CONTENT,)
    return _different(signed.parts, part_digests(file)) or (CONTENT,)


def _attached(file: IO[bytes]) -> bytes | None:
    content = read_whole(file)
    return None if content is None else attached_record(content)


def _known(name: str, kind: str, statement: Statement, trusted: Trusted) -> Verdict:
    problem = fault(statement, trusted)
    return Verdict(
        name,
        kind,
        statement.number,
        statement.job,
        statement.code,
        statement.fingerprint,
        "" if problem else trusted.whose(statement) or "",
        problem=problem,
    )


def _different(signed: Mapping[str, str], found: Mapping[str, str]) -> tuple[str, ...]:
    """The names whose digests are not the same, those of only one of the two among them."""
    names = dict.fromkeys((*signed, *found))
    # Names of an altered file may be anything.
    return tuple(name[:_LONGEST] for name in names if signed.get(name) != found.get(name))


def _read(path: Path) -> bytes:
    with _opened(path) as file:
        return file.read()


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        with path.open("rb") as file:
            if path.stat().st_size > MOST:
                raise InputError(f"{path}: larger than {MOST} bytes", "this is no file of a report")
            yield file
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}", "check the path") from None
