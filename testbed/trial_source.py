"""What the system administrator of the trial has: a source, files that it names, checks and an import."""

import time
from pathlib import Path
from typing import Final

from node.client.administration import Imports, Records, Works
from node.client.platform import Platform
from testbed.processes import ChildError

ITEM: Final = "C22"
FOLDER: Final = "incoming"
_WAIT_S: Final = 120
_SOURCE: Final = """\
[source]
item = "C22"
title = "不动产登记（试用）"

[files]
names = "incoming/C22-*.csv"

[schedule]
at = "03:30"
every = "week"
"""


def put(home: Path, registers: Path) -> None:
    """The source, and two files in a folder of the home, as a department would put them there."""
    sources, folder = home / "sources", home / FOLDER
    for path in (sources, folder):
        path.mkdir(mode=0o700, exist_ok=True)
    source = sources / f"{ITEM}.toml"
    source.write_text(_SOURCE, encoding="utf-8")
    source.chmod(0o600)
    content = next(
        path.read_bytes() for path in sorted(registers.glob("*.csv")) if path.name.split("_")[1] == ITEM
    )
    lines = content.splitlines(keepends=True)
    (folder / "C22-2026-10.csv").write_bytes(content)
    (folder / "C22-2026-11.csv").write_bytes(b"".join(lines[: len(lines) // 3]))
    (folder / "notes.txt").write_text("read me\n", encoding="utf-8")


def use(node: Platform, token: str) -> int:
    """Check one file and import it, then check the other one; the number of the import. Raises ChildError."""
    person = node.as_person(token)
    files = Imports(person)
    for name in ("C22-2026-10.csv", "C22-2026-11.csv"):
        files.check(ITEM, [name])
        _wait(person)
        if name == "C22-2026-10.csv":
            (group,) = files.files().groups
            files.begin(ITEM, group.check.digest)
            _wait(person)
    return int(Records(person).imports(1).imports[0].number)


def _wait(person: Platform) -> None:
    until = time.monotonic() + _WAIT_S
    while any(one.state == "running" for one in Works(person).list()):
        if time.monotonic() > until:
            raise ChildError("the work of the trial does not end", "see the log of the node")
        time.sleep(0.1)
    if any(one.state == "failed" for one in Works(person).list()):
        raise ChildError("the work of the trial failed", "see the log of the node")
