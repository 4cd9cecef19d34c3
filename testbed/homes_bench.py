"""The two nodes of the benchmark, made and run with the `heqiao` command as an administrator would."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.fingerprints import of_ca, of_card, of_request
from testbed.homes import WIDE_QUOTAS
from testbed.processes import Child, Children, wait_until

ITEM = "C21"
RESPONDER, REQUESTER = "44", "45"
_NAMES = {RESPONDER: "广东", REQUESTER: "广西"}
_MIRROR = "mirror_mib"
_QUOTAS = "".join(f"{name} = {amount}\n" for name, amount in WIDE_QUOTAS.items())
_LIMITS = "max_subjects_per_job = 10000000\nmax_points_per_query = 20000000\n"


@dataclass(frozen=True)
class Nodes:
    """Two serving nodes. `address` is where the requester's platforms call it."""

    responder: Child
    requester: Child
    address: str

    @property
    def pids(self) -> tuple[int, int]:
        """Their process ids."""
        return self.responder.process.pid, self.requester.process.pid


def make_homes(children: Children, folder: Path, k_anonymity: int, catalogue: Path | None = None) -> None:
    """A federation of two: the requester may ask the responder about its own people.

    `catalogue` is the file of both, by default the one that comes with Heqiao.
    """
    heqiao(children, "ca", "ca", "init", "--dir", folder / "ca", "--federation", "bench")
    children.together(*(lambda code=code: _make_home(children, folder, code, k_anonymity) for code in _NAMES))
    for code in _NAMES if catalogue is not None else ():
        _configure(folder / code, "catalogue", f"path = {json.dumps(str(catalogue), ensure_ascii=False)}\n")
    # The people asked about were first registered in the responder's own province.
    heqiao(
        children, "grant", "peers", "add", "--home", folder / RESPONDER, "--allow-platforms",
        "--grant", RESPONDER, folder / f"{REQUESTER}.card", *of_card(folder / f"{REQUESTER}.card"),
    )  # fmt: skip


def import_command(folder: Path, register: Path, item: str = ITEM, *options: str) -> tuple[str, ...]:
    """The command that indexes a register, and prints one JSON object."""
    return ("heqiao", "import", "--home", str(folder / RESPONDER), "--json", *options, item, str(register))


def sync_command(folder: Path) -> tuple[str, ...]:
    """The command that brings the requester's mirrors up to date."""
    return ("heqiao", "mirror", "sync", "--home", str(folder / REQUESTER), "--json")


def serve(children: Children, folder: Path) -> Nodes:
    """Start both nodes on free ports, and give the requester the responder's address."""
    started: dict[str, Child] = {}
    ready = {code: folder / f"{code}.ready" for code in _NAMES}
    for code, file in ready.items():
        file.unlink(missing_ok=True)
        started[code] = children.start(
            f"{code}-serve", ("heqiao", "serve", "--home", str(folder / code), "--ready-file", str(file))
        )
    wait_until("the nodes", list(started.values()), lambda: all(file.exists() for file in ready.values()))
    ports = {code: file.read_text(encoding="ascii").split() for code, file in ready.items()}
    heqiao(
        children, "address", "peers", "add", "--home", folder / REQUESTER, "--grant", "none",
        "--address", f"127.0.0.1:{ports[RESPONDER][0]}", folder / f"{RESPONDER}.card",
        *of_card(folder / f"{RESPONDER}.card"),
    )  # fmt: skip
    return Nodes(started[RESPONDER], started[REQUESTER], f"127.0.0.1:{ports[REQUESTER][1]}")


def heqiao(children: Children, name: str, *arguments: str | Path) -> str:
    """Run one `heqiao` command and return what it printed. Raises ChildError when it fails."""
    return children.run(name, ("heqiao", *map(str, arguments)))


def last_object(text: str) -> dict[str, Any]:
    """The JSON object in the last line of an output that may have other lines before it."""
    return dict(json.loads(text.strip().splitlines()[-1]))


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder; 0 where there is none."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _make_home(children: Children, folder: Path, code: str, k_anonymity: int) -> None:
    home, bundle = folder / code, folder / f"{code}.bundle"
    # Port 0 takes a free one at every start; the address on the card is replaced by the real one then.
    heqiao(
        children, f"{code}-init", "init", "--home", home, "--code", code, "--name", _NAMES[code],
        "--peer-listen", "127.0.0.1:0", "--platform-listen", "127.0.0.1:0", "--advertise", "127.0.0.1:1",
    )  # fmt: skip
    heqiao(
        children,
        f"{code}-issue",
        "ca",
        "issue",
        "--dir",
        folder / "ca",
        home / "request.json",
        *of_request(home / "request.json"),
        "--out",
        bundle,
    )
    heqiao(children, f"{code}-join", "join", "--home", home, bundle, *of_ca(folder / "ca"))
    heqiao(children, f"{code}-card", "card", "--home", home, "--out", folder / f"{code}.card")
    _configure(home, "limits", f"k_anonymity = {k_anonymity}\n{_LIMITS}")
    _configure(home, "quotas", _QUOTAS)
    _configure(home, "requester", f"min_bucket_entries = {min(k_anonymity, 1_024)}\n")


def set_mirror(folder: Path, mebibytes: int) -> None:
    """How much room the requester has for mirrors; what it has on its disk stays."""
    config = folder / REQUESTER / "node.toml"
    lines = config.read_text(encoding="utf-8").splitlines(keepends=True)
    config.write_text("".join(line for line in lines if not line.startswith(_MIRROR)), encoding="utf-8")
    _configure(folder / REQUESTER, "requester", f"{_MIRROR} = {mebibytes}\n")


def _configure(home: Path, name: str, added: str) -> None:
    config = home / "node.toml"
    head, section, tail = config.read_text(encoding="utf-8").partition(f"[{name}]")
    first, _, rest = tail.partition("\n")
    config.write_text(f"{head}{section}{first}\n{added}{rest}", encoding="utf-8")
