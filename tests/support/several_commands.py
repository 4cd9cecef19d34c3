"""Several `heqiao` commands in one interpreter, for what is seen before a command has loaded: its start takes
most of the time of a short command.
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# A mark that every encoding has ends what each prints.
PROGRAM = """
import json, sys
from node.cli import main
for words in json.loads(sys.argv.pop(1)):
    sys.argv[1:] = words
    code = None
    try:
        main()
    except SystemExit as ended:
        code = ended.code
    for stream in (sys.stdout, sys.stderr):
        print(f"=== {code}", file=stream, flush=True)
"""
_ENDED = re.compile(rb"(.*?)^=== (\d+)\r?\n", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Ended:
    """What became of one of them."""

    code: int
    out: bytes
    err: bytes


def run_several(
    commands: Sequence[Sequence[str]],
    *,
    start: Sequence[str | Path] = ("-c", PROGRAM),
    env: Mapping[str, str] | None = None,
) -> list[Ended]:
    """Run them, one after the other; `start` is how the interpreter is started with PROGRAM."""
    done = subprocess.run(
        [sys.executable, *start, json.dumps(commands)], capture_output=True, check=False, timeout=240, env=env
    )
    printed = [_ENDED.findall(stream) for stream in (done.stdout, done.stderr)]
    assert [len(found) for found in printed] == [len(commands)] * 2, done
    return [Ended(int(code), out, err) for (out, code), (err, _) in zip(*printed, strict=True)]
