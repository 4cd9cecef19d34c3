"""Environments of the peers under bench/.peers: made once, with pip, and used as they are afterwards."""

import sys
from dataclasses import dataclass
from pathlib import Path

from testbed.processes import Children

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "bench" / ".peers"
READY = ".ready"


@dataclass(frozen=True)
class Environment:
    """A peer's own environment: what to install, and with which Python (its wheels say)."""

    name: str
    requirements: tuple[str, ...]

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return FOLDER / self.name / "bin" / "python"

    def prepare(self, children: Children) -> None:
        """Make it unless it is there. Raises ChildError, and leaves nothing that looks ready."""
        ready = FOLDER / self.name / READY
        wanted = "\n".join((sys.version.split()[0], *self.requirements))
        if ready.is_file() and ready.read_text(encoding="utf-8") == wanted:
            return
        FOLDER.mkdir(exist_ok=True)
        children.run(f"{self.name}-venv", (sys.executable, "-m", "venv", "--clear", str(FOLDER / self.name)))
        children.run(
            f"{self.name}-pip",
            (str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
             *self.requirements),
        )  # fmt: skip
        ready.write_text(wanted, encoding="utf-8")


# spu 0.9.5 has wheels for Python 3.10 and 3.11 only and fails with numpy 2.
SPU = Environment("spu", ("spu==0.9.5", "numpy==1.26.4"))
OPENMINED = Environment("openmined", ("openmined-psi==2.0.6",))
PHE = Environment("phe", ("phe==1.5.0", "gmpy2==2.3.2"))
# heu has wheels up to Python 3.11 and does not know numpy 2.
HEU = Environment("heu", ("sf-heu==0.5.2b0", "numpy==1.26.4"))
PYPAILLIER = Environment("pypaillier", ("pypaillier==0.8.0",))
