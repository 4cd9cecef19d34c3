"""The demo's three provinces: homes, certificates, registers and nodes, made with the `heqiao` command."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from compose.processes import Child, ChildError, Children, is_free, wait_until

FEDERATION = "federation"  # folder of the synthetic federation
REPORT = "report"
SUMS = "sums"
LOGS = "logs"
CA = "ca"
CLIENT = "client"  # certificate for stock gRPC clients such as `buf curl`
PORT_STEP, PORT_TRIES = 100, 50


@dataclass(frozen=True)
class Province:
    """A node of the demo; `holds` says whether it has registers that others ask about."""

    code: str
    name: str
    holds: bool

    @property
    def peer_port(self) -> int:
        """Where other provinces call it, if the port is free."""
        return 17_400 + int(self.code)

    @property
    def platform_port(self) -> int:
        """Where its own platforms call it, if the port is free."""
        return 18_400 + int(self.code)


REQUESTER = Province("45", "广西", holds=False)
PROVIDERS = (Province("44", "广东", holds=True), Province("33", "浙江", holds=True))
PROVINCES = (REQUESTER, *PROVIDERS)


def make_federation(children: Children, folder: Path) -> None:
    """A CA, three homes that have joined, and their cards exchanged; a client certificate of 45."""
    heqiao(children, "ca", "ca", "init", "--dir", folder / CA, "--federation", "demo")
    shift = _free_ports()
    children.together(*(lambda p=p: _make_home(children, folder, p, shift) for p in PROVINCES))
    for province in PROVIDERS:
        own, asker = folder / province.code, folder / REQUESTER.code
        # 45 only asks; the others answer it about people first registered there, and its platforms too.
        heqiao(
            children, "peers-45", "peers", "add", "--home", asker, "--grant", "none",
            folder / f"{province.code}.card",
        )  # fmt: skip
        heqiao(
            children, f"peers-{province.code}", "peers", "add", "--home", own, "--allow-platforms",
            folder / f"{REQUESTER.code}.card",
        )  # fmt: skip
    heqiao(
        children, "client", "ca", "issue", "--dir", folder / CA, "--out", folder / CLIENT,
        "--client-cert", "demo", "--code", REQUESTER.code, "--days", "30",
    )  # fmt: skip


def import_registers(children: Children, folder: Path, province: Province) -> None:
    """Import every register of one province, also those that are summed, one file after the other."""
    own = folder / FEDERATION / province.code
    for register in (*sorted((own / "registers").glob("*.csv")), *sorted((own / "sums").glob("*.csv"))):
        item = register.name.split("_")[1]
        rejects = folder / LOGS / f"{province.code}-{item}-rejects.csv"
        heqiao(
            children, f"{province.code}-import-{item}", "import", "--home", folder / province.code,
            "--rejects", rejects, item, register,
        )  # fmt: skip


def serve(children: Children, folder: Path) -> dict[str, Child]:
    """Start the three nodes and wait until each answers; by province code."""
    nodes: dict[str, Child] = {}
    ready = {p.code: folder / LOGS / f"{p.code}.ready" for p in PROVINCES}
    for province in PROVINCES:
        ready[province.code].unlink(missing_ok=True)
        nodes[province.code] = children.start(
            f"{province.code}-serve",
            ("heqiao", "serve", "--home", str(folder / province.code),
             "--ready-file", str(ready[province.code])),
        )  # fmt: skip
    wait_until("the nodes", list(nodes.values()), lambda: all(path.exists() for path in ready.values()))
    return nodes


def heqiao(children: Children, name: str, *arguments: str | Path) -> str:
    """Run one `heqiao` command and return what it printed. Raises ChildError when it fails."""
    return children.run(name, ("heqiao", *map(str, arguments)))


def _make_home(children: Children, folder: Path, province: Province, shift: int) -> None:
    code, home = province.code, folder / province.code
    heqiao(
        children, f"{code}-init", "init", "--home", home, "--code", code, "--name", province.name,
        "--peer-listen", f"127.0.0.1:{province.peer_port + shift}",
        "--platform-listen", f"127.0.0.1:{province.platform_port + shift}",
    )  # fmt: skip
    _allow_reflection(home / "node.toml")
    bundle = folder / f"{code}.bundle"
    heqiao(
        children, f"{code}-issue", "ca", "issue", "--dir", folder / CA, home / "request.json", "--out", bundle
    )
    heqiao(children, f"{code}-join", "join", "--home", home, bundle)
    heqiao(children, f"{code}-card", "card", "--home", home, "--out", folder / f"{code}.card")


def _allow_reflection(config: Path) -> None:
    """So that a stock client needs no schema of its own; a real node leaves it off."""
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("#reflection = false", "reflection = true"), encoding="utf-8")


def _free_ports() -> int:
    """What to add to the provinces' ports so that all are free. The homes keep them for later."""
    ports: Sequence[int] = [port for p in PROVINCES for port in (p.peer_port, p.platform_port)]
    for shift in range(0, PORT_STEP * PORT_TRIES, PORT_STEP):
        if all(is_free(port + shift) for port in ports):
            return shift
    raise ChildError("no free ports on loopback", "stop programs that listen between 17400 and 23500")
