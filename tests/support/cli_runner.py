"""The `heqiao` command, run in this process as a person would run it."""

import io
import sys
from contextlib import redirect_stderr, redirect_stdout

import pytest

from node.cli import main


def heqiao(*arguments, home=None):
    """The command as a person runs it: exit code, standard output, standard error."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["heqiao", *map(str, arguments)])
        patch.delenv("HEQIAO_HOME", raising=False)
        if home:
            patch.setenv("HEQIAO_HOME", str(home))
        with pytest.raises(SystemExit) as ended:
            main()
    return ended.value.code, out.getvalue(), err.getvalue()


def ok(*arguments, home=None):
    code, out, err = heqiao(*arguments, home=home)
    assert code == 0, err
    return out


def fails(*command):
    code, out, err = heqiao(*command)
    assert (code, out) == (1, ""), err
    assert "Traceback" not in err
    assert "heqiao: hint:" in err
    return err


FULL = """
import resource, signal, sys
from node.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
main()
"""
