"""The generator of the vectors, run as a person runs it."""

import subprocess
import sys

from tests.support.paths import VECTORS


def test_generator_reproduces_the_committed_files():
    done = subprocess.run(
        [sys.executable, VECTORS / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
