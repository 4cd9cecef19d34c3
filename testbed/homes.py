"""The demo's three provinces: homes, certificates, registers and nodes, made with the `heqiao` command."""

import json
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from types import MappingProxyType

from matcher.types import TokenClass
from node.config.quotas import QuotasSection
from node.domain import catalogue
from testbed.fingerprints import of_ca, of_card, of_request
from testbed.ports import BLOCK, PortTakenError, hold_ports
from testbed.processes import Child, ChildError, Children, wait_until

FEDERATION = "federation"  # folder of the synthetic federation
REPORT = "report"
SUMS = "sums"
LOGS = "logs"
CA = "ca"
CLIENT = "client"  # certificate for stock gRPC clients such as `buf curl`
PORT_TRIES = 50
# For what asks in minutes as much as provinces do in months: quotas that nothing reaches.
WIDE_QUOTAS = MappingProxyType(dict.fromkeys(QuotasSection.model_fields, str(10**15)))


@dataclass(frozen=True)
class Province:
    """A node of the demo; `holds` says whether it has registers that others ask about.

    `asks_about` are the origins of the people it asks about, if not its own.
    """

    code: str
    name: str
    holds: bool
    asks_about: str = ""

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


@contextmanager
def free_ports(provinces: Sequence[Province] = PROVINCES) -> Iterator[int]:
    """Hold ports for new homes, which keep them for later: what to add to each so that all are free.

    Raises ChildError when there are none.
    """
    ports = [port for p in provinces for port in (p.peer_port, p.platform_port)]
    with ExitStack() as stack:
        for shift in range(0, BLOCK * PORT_TRIES, BLOCK):
            try:
                stack.enter_context(hold_ports(port + shift for port in ports))
            except PortTakenError:
                continue
            yield shift
            return
    raise ChildError("no free ports on loopback", "stop programs that listen between 17400 and 23500")


@contextmanager
def own_ports(folder: Path, provinces: Sequence[Province] = PROVINCES) -> Iterator[None]:
    """Hold the ports of homes that were made before. Raises PortTakenError."""
    configs = [tomllib.loads((folder / p.code / "node.toml").read_text(encoding="utf-8")) for p in provinces]
    listen = [config[section]["listen"] for config in configs for section in ("peer", "platform")]
    with hold_ports(int(address.rpartition(":")[2]) for address in listen):
        yield


def make_federation(
    children: Children,
    folder: Path,
    shift: int,
    settings: Mapping[str, str] = MappingProxyType({"reflection": "true"}),
    provinces: Sequence[Province] = PROVINCES,
) -> None:
    """A CA, homes that have joined, and their cards exchanged; a client certificate of 45.

    `shift` is that of `free_ports`, `settings` are those of every node.toml. By default a stock client needs
    no schema of its own; a real node leaves reflection off.
    """
    heqiao(children, "ca", "ca", "init", "--dir", folder / CA, "--federation", "demo")
    children.together(*(lambda p=p: _make_home(children, folder, p, shift, settings) for p in provinces))
    for asker, holder in product(provinces, provinces):
        if holder.holds and not asker.holds:
            _introduce(children, folder, asker, holder)
    heqiao(
        children, "client", "ca", "issue", "--dir", folder / CA, "--out", folder / CLIENT,
        "--client-cert", "demo", "--code", REQUESTER.code, "--days", "30",
    )  # fmt: skip


def _introduce(children: Children, folder: Path, asker: Province, holder: Province) -> None:
    """One only asks; the other answers it about people first registered there, and its platforms too."""
    theirs, ours = folder / f"{holder.code}.card", folder / f"{asker.code}.card"
    heqiao(
        children, f"peers-{asker.code}", "peers", "add", "--home", folder / asker.code, "--grant", "none",
        theirs, *of_card(theirs),
    )  # fmt: skip
    heqiao(
        children, f"peers-{holder.code}", "peers", "add", "--home", folder / holder.code, "--allow-platforms",
        "--grant", all_items(asker.asks_about or asker.code), ours, *of_card(ours),
    )  # fmt: skip


def all_items(origin: str) -> str:
    """Grants of every item of the built-in catalogue about people of an origin; sensitive ones are named."""
    sensitive = [one.code for one in catalogue.load().items if one.token_class is TokenClass.SENSITIVE]
    return ",".join([origin, *(f"{code}:{origin}" for code in sensitive)])


def import_registers(
    children: Children, folder: Path, province: Province, without: Collection[str] = ()
) -> None:
    """Import every register of one province, also those that are summed, with one command and one plan.

    Those of the items in `without` are left out.
    """
    own = folder / FEDERATION / province.code
    plan = folder / f"{province.code}-import.toml"
    tables = []
    for register in (*sorted((own / "registers").glob("*.csv")), *sorted((own / "sums").glob("*.csv"))):
        item = register.name.split("_")[1]
        name = json.dumps(str(register.relative_to(folder)), ensure_ascii=False)
        if item not in without:
            tables.append(f"[{item}]\nfiles = {name}\n")
    plan.write_text("\n".join(tables), encoding="utf-8")
    heqiao(
        children, f"{province.code}-import", "import", "--home", folder / province.code, "--all", plan,
        "--rejects", folder / LOGS / f"{province.code}-rejects",
    )  # fmt: skip


def serve(children: Children, folder: Path, provinces: Sequence[Province] = PROVINCES) -> dict[str, Child]:
    """Start the nodes and wait until each answers; by province code."""
    nodes: dict[str, Child] = {}
    ready = {p.code: folder / LOGS / f"{p.code}.ready" for p in provinces}
    for province in provinces:
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


def configure(home: Path, settings: Mapping[str, str]) -> None:
    """Set keys of a home's node.toml, which shows all of them; a key of several sections is set in each of
    them, `section.key` in one.
    """
    config = home / "node.toml"
    lines = config.read_text(encoding="utf-8").splitlines()
    sections = _sections(lines)
    for name, value in settings.items():
        section, _, key = name.rpartition(".")
        places = [
            at
            for at, line in enumerate(lines)
            if line.lstrip("#").startswith(f"{key} = ") and section in ("", sections[at])
        ]
        if not places:
            raise ChildError(f"{config}: no key {name}", "the file was changed: make the folder anew")
        for at in places:
            lines[at] = f"{key} = {value}"
    config.write_text("\n".join([*lines, ""]), encoding="utf-8")


def _sections(lines: Sequence[str]) -> list[str]:
    """The section that each line of a node.toml belongs to."""
    found, section = [], ""
    for line in lines:
        if line.startswith("["):
            section = line[1:].partition("]")[0]
        found.append(section)
    return found


def issue(children: Children, folder: Path, code: str) -> None:
    """The CA answers the request of a home, and the home joins with the answer."""
    bundle, request = folder / f"{code}.bundle", folder / code / "request.json"
    bundle.unlink(missing_ok=True)
    heqiao(
        children, f"{code}-issue", "ca", "issue", "--dir", folder / CA, request, *of_request(request),
        "--out", bundle,
    )  # fmt: skip
    heqiao(children, f"{code}-join", "join", "--home", folder / code, bundle, *of_ca(folder / CA))


def _make_home(
    children: Children, folder: Path, province: Province, shift: int, settings: Mapping[str, str]
) -> None:
    code, home = province.code, folder / province.code
    heqiao(
        children, f"{code}-init", "init", "--home", home, "--code", code, "--name", province.name,
        "--peer-listen", f"127.0.0.1:{province.peer_port + shift}",
        "--platform-listen", f"127.0.0.1:{province.platform_port + shift}",
    )  # fmt: skip
    configure(home, settings)
    issue(children, folder, code)
    heqiao(children, f"{code}-card", "card", "--home", home, "--out", folder / f"{code}.card")
