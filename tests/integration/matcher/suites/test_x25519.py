"""The choice of a backend and what happens without one, in processes of their own."""

import os
import subprocess
import sys
import sysconfig
import venv

import pytest

from matcher.suites import x25519
from tests.support.paths import ROOT

RUNNING = [name for name, why in x25519.available().items() if not why]
needs_intel = pytest.mark.skipif(bool(x25519.available()["intel"]), reason=x25519.available()["intel"])
SHOW = "from matcher.suites import x25519 as x; print(x.backend().name, '|', x.available()['intel'])"


def run(python, setting, code=SHOW):
    environment = {**os.environ, "PYTHONPATH": f"{sysconfig.get_path('purelib')}{os.pathsep}{ROOT}"}
    environment.pop(x25519.ENVIRONMENT, None)
    environment.pop("LD_LIBRARY_PATH", None)
    if setting is not None:
        environment[x25519.ENVIRONMENT] = setting
    done = subprocess.run([python, "-c", code], env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.strip(), done.stderr.strip().splitlines()[-1:]


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory):
    """A real environment whose lib folder holds no Intel library."""
    home = tmp_path_factory.mktemp("bare")
    venv.create(home, symlinks=True, with_pip=False)
    return home / "bin" / "python"


@pytest.mark.parametrize(
    ("setting", "expected"),
    [*((name, name) for name in RUNNING), ("auto", RUNNING[0]), ("", RUNNING[0]), (None, RUNNING[0])],
)
def test_setting_chooses(setting, expected):
    code, output, error = run(sys.executable, setting)
    assert (code, output.split(" |")[0], error) == (0, expected, [])


def test_unknown_setting_is_refused():
    code, _, error = run(sys.executable, "nonsense")
    assert code == 1
    assert error == [
        "matcher.errors.BackendError: HEQIAO_X25519 must be auto, intel, lib25519, sodium or openssl"
    ]


@pytest.mark.parametrize("setting", [None, "auto", "sodium", "openssl"])
def test_without_the_library_another_runs(bare_python, setting):
    code, output, error = run(bare_python, setting)
    assert (code, error) == (0, [])
    name, why = output.split(" | ")
    assert name == (
        next(each for each in RUNNING if each != "intel") if setting in (None, "auto") else setting
    )
    assert why == "the Intel multi-buffer library is not installed; install the extra `fast`"


def test_without_the_library_intel_by_name_fails(bare_python):
    code, output, error = run(bare_python, "intel")
    assert (code, output) == (1, "")
    assert error[0].startswith("matcher.errors.BackendError: the Intel multi-buffer library is not installed")


@needs_intel
def test_kernel_brings_no_mathematics_into_the_global_scope():
    """The runtime libraries hold a second libm; other code must go on using the C library's."""
    code = (
        "import ctypes; from matcher.suites import x25519; x25519.backend('intel');"
        "print(hasattr(ctypes.CDLL(None), '__svml_sin8'), hasattr(ctypes.CDLL(None), 'mbx_x25519_mb8'))"
    )
    assert run(sys.executable, None, code)[1] == "False False"
