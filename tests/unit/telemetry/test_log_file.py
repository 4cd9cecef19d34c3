"""The log file and its descriptor."""

import gc
from pathlib import Path

from node.telemetry.log_file import LogFile


def open_files(path: Path) -> int:
    return sum(one.resolve() == path for one in Path("/proc/self/fd").iterdir())


def test_a_log_that_nobody_writes_to_any_more_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "node.log"
    file = LogFile(path)
    file.write("one line\n")
    path.rename(tmp_path / "node.log.1")
    file.write("another\n")
    assert path.read_text() == "another\n"
    assert open_files(path) == 1
    del file
    gc.collect()
    assert open_files(path) == 0
