"""`make cluster`: the commands of cluster.yaml as processes of this machine, without containers.

    python -m testbed.cluster [--folder cluster] [--port-offset N]

What differs from containers: /srv/heqiao is the folder, files that are mounted there are copied, and
every address is one of loopback. Ctrl-C stops all; the folder is kept, and the next start uses it again.
"""

import argparse
import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from testbed.ports import PortTakenError, hold_ports
from testbed.processes import SCRIPTS, Child, ChildError, Children, stoppable, wait_until

COMPOSE = Path(__file__).parent.parent / "compose"
CLUSTER = COMPOSE / "cluster.yaml"
ROOT = "/srv/heqiao"
MARK = ".heqiao-cluster"
READY_S = 120.0
_ADDRESS = r"[0-9]+(?:\.[0-9]+){3}"
_LISTEN = re.compile(r'^listen = "127\.0\.0\.1:([0-9]+)"', re.MULTILINE)


@dataclass(frozen=True)
class Service:
    """What cluster.yaml says of one service, as far as a process needs it.

    `files` are the mounted ones: path beside cluster.yaml -> path in the container.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    files: Mapping[str, str]
    health: tuple[str, ...]
    runs_once: bool


def read_services(path: Path = CLUSTER) -> list[Service]:
    """The services of a compose file; those that others wait for to complete come first."""
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    once = {
        name
        for service in document["services"].values()
        for name, need in service.get("depends_on", {}).items()
        if need["condition"] == "service_completed_successfully"
    }
    found = []
    for name, service in document["services"].items():
        mounts = (mount.split(":") for mount in service.get("volumes", ()))
        test = service.get("healthcheck", {}).get("test", ["CMD"])
        found.append(
            Service(
                name=name,
                command=tuple(service["command"]),
                environment=service.get("environment", {}),
                files={mount[0]: mount[1] for mount in mounts if mount[0].startswith(".")},
                health=tuple(test[1:]),
                runs_once=name in once,
            )
        )
    return sorted(found, key=lambda service: not service.runs_once)


@dataclass(frozen=True)
class Place:
    """Where the cluster runs: a folder for /srv/heqiao, ports moved by an offset."""

    folder: Path
    offset: int
    hosts: frozenset[str]

    def path(self, text: str) -> str:
        """A word of a command or an environment, with the folder in place of /srv/heqiao."""
        return re.sub(rf"^{ROOT}(?=/|$)", str(self.folder), text)

    def text(self, content: str) -> str:
        """A file's content with loopback in place of service names and of every address."""
        names = "|".join(map(re.escape, sorted(self.hosts)))
        return re.sub(
            rf'"(?:{_ADDRESS}|{names}):([0-9]+)"',
            lambda match: f'"127.0.0.1:{int(match[1]) + self.offset}"',
            content,
        )

    def copy(self, service: Service) -> None:
        """Put a service's mounted files where it looks for them."""
        for source, target in service.files.items():
            copied = Path(self.path(target))
            copied.parent.mkdir(parents=True, exist_ok=True)
            copied.write_text(self.text((COMPOSE / source).read_text(encoding="utf-8")), encoding="utf-8")


def run(folder: Path, offset: int) -> None:
    """Start everything and watch it until Ctrl-C. Raises ChildError when a process ends or will not start."""
    services = read_services()
    nodes = [service for service in services if not service.runs_once]
    place = Place(folder.absolute(), offset, frozenset(service.name for service in nodes))
    _own(folder, offset)
    for service in services:
        place.copy(service)
    with held_ports(place, nodes), Children(folder / "logs") as children:
        for service in services:
            if service.runs_once:
                _say(f"{service.name}: making what is missing")
                children.run(service.name, [place.path(word) for word in service.command])
        running = {service.name: _start(children, place, service) for service in nodes}
        for service in nodes:
            _wait_healthy(children, place, service, running[service.name])
        _say(f"{len(nodes)} nodes are healthy; logs in {folder / 'logs'}; Ctrl-C stops them")
        _say_more(folder)
        while True:
            for child in running.values():
                child.check()
            time.sleep(0.5)


def _start(children: Children, place: Place, service: Service) -> Child:
    return children.start(service.name, [place.path(word) for word in service.command], _env(place, service))


def _wait_healthy(children: Children, place: Place, service: Service, child: Child) -> None:
    def healthy() -> bool:
        try:
            children.run(
                f"{service.name}-health", [place.path(word) for word in service.health], _env(place, service)
            )
        except ChildError:
            time.sleep(0.2)
            return False
        return True

    wait_until(f"{service.name} is not healthy", [child], healthy, READY_S)


def _env(place: Place, service: Service) -> dict[str, str]:
    return {name: place.path(value) for name, value in service.environment.items()}


def _own(folder: Path, offset: int) -> None:
    """Refuse a folder that is not a cluster's, or whose nodes know each other under other ports."""
    mark = folder / MARK
    if mark.is_file():
        if mark.read_text(encoding="utf-8").strip() != str(offset):
            raise ChildError(
                f"{folder}: made with another --port-offset, and its nodes know each other by those ports",
                f"give that offset ({mark}), or remove the folder",
            )
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ChildError(
            f"{folder}: exists and was not made by `make cluster`", "move it away, or give --folder"
        )
    folder.mkdir(parents=True, exist_ok=True)
    mark.write_text(f"{offset}\n", encoding="utf-8")


@contextmanager
def held_ports(place: Place, nodes: list[Service]) -> Iterator[None]:
    """Hold the ports of all nodes. Raises ChildError when one is taken."""
    files = [Path(place.path(target)) for service in nodes for target in service.files.values()]
    found = [_LISTEN.findall(file.read_text(encoding="utf-8")) for file in files]
    try:
        with hold_ports(int(port) for ports in found for port in ports):
            yield
    except PortTakenError as taken:
        raise ChildError(
            str(taken), "stop what uses it, or give --port-offset and another --folder"
        ) from None


def _say(text: str) -> None:
    print(f"cluster: {text}", file=sys.stderr, flush=True)


def _say_more(folder: Path) -> None:
    heqiao, registers = SCRIPTS / "heqiao", folder / "registers"
    print(f"""
The nodes hold no records yet. In another terminal, for example:
  {heqiao} synth --scenario small --out {registers}
  {heqiao} import --home {folder}/44/node.toml --all {registers}/44/registers
  {heqiao} verify --home {folder}/45/node.toml --households {registers}/45/households.csv \\
      --items C21,C22 --peers 44,33 --out {folder}/report --lang en
""", flush=True)  # fmt: skip


def main() -> int:
    """Run the cluster; the exit code: 130 after Ctrl-C, 1 for a failure."""
    parser = argparse.ArgumentParser(prog="python -m testbed.cluster", description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("cluster"), help="default: cluster")
    parser.add_argument("--port-offset", type=int, default=0, help="added to every port; default: 0")
    options = parser.parse_args()
    try:
        with stoppable():
            run(options.folder, options.port_offset)
    except ChildError as error:
        print(f"cluster: error: {error}\ncluster: hint: {error.hint}", file=sys.stderr)
    except OSError as error:
        print(f"cluster: error: {error.filename}: {error.strerror}\n"
              "cluster: hint: check the folder, its permissions and the disk", file=sys.stderr)  # fmt: skip
    except KeyboardInterrupt:
        _say("stopped; all its processes have ended")
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(main())
