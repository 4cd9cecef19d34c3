"""`make demo-console`: three provinces, people in every role at 45, and the console for a browser.

    python -m testbed.demo_console

Everything is made anew; Ctrl-C stops it all. The passwords and keys that are printed are worth nothing but
here: the people and numbers are synthetic, and the folder is deleted by the next run.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from node.client.platform import Platform
from node.clock import utc_now
from node.domain.days import china_day
from testbed import homes, trial, trial_source
from testbed.folder import exit_code, own_folder, step
from testbed.ports import is_free
from testbed.processes import Child, ChildError, Children, wait_until

NAME = "demo-console"
PORT = 7445  # the default of [console] in node.toml
PORTS = range(PORT, PORT + 50)
HOLDERS = "holders"
PEERS = tuple(province.code for province in homes.PROVIDERS)


def main() -> int:
    """Run it; the exit code: 1 for a failure, 130 for Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m testbed.demo_console", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--folder", type=Path, default=Path(NAME), help=f"default: {NAME}")
    parser.add_argument("--once", action="store_true", help="stop when everything is served, for tests")
    options = parser.parse_args()
    return exit_code(NAME, lambda: run(options.folder, once=options.once))


@dataclass(frozen=True)
class Served:
    """A console that is served: its port, who signs in, what they have done, and the processes behind it."""

    port: int
    people: dict[str, trial.Ready]
    made: trial.Made
    alerts: int
    running: tuple[Child, ...]


def run(folder: Path, *, once: bool = False) -> int:
    """Make three provinces, people and their work in `folder`, serve, print who signs in; until Ctrl-C."""
    with served(folder) as found:
        show(found.people, found.port, found.alerts)
        while not once:
            for child in found.running:
                child.check()
            time.sleep(0.5)
    return 0


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    """Make it all, and serve it. Raises ChildError."""
    home = folder / homes.REQUESTER.code
    with (
        own_folder(folder, NAME, fresh=True),
        homes.free_ports() as shift,
        Children(folder / homes.LOGS) as children,
    ):
        make(children, folder, shift)
        with step(NAME, "making the accounts of six people"):
            initial = add_people(children, home)
            settings = {"approval": "false", "mirror_sync_hours": "0"}
            settings["imports.folder"] = f'"{trial_source.FOLDER}"'
            settings["backups.holders"] = json.dumps(make_holders(children, folder))
            homes.configure(home, settings)
            trial_source.put(home, folder / homes.FEDERATION / PEERS[0] / "registers")
        nodes = homes.serve(children, folder)
        lists = trial.Lists.read(folder / homes.FEDERATION / homes.REQUESTER.code)
        with step(NAME, "they sign in for the first time; a list is watched"), Platform.open(home) as node:
            people = {
                seat.account: trial.make_ready(node, seat, initial[seat.account]) for seat in trial.SEATS
            }
            alerts = watch(children, folder, node, people["li"], lists)
        with step(NAME, "the node starts again; a county does its work"):
            # A person adds no watch list where another must approve; the trial's is there from before.
            nodes.update(serve_again(children, folder, nodes[homes.REQUESTER.code]))
            with Platform.open(home) as node:
                made = trial.do_work(node, people["li"], people["he"], lists, PEERS)
                trial_source.use(node, people["qin"].token)
        console, port = serve_console(children, home)
        yield Served(port, people, made, alerts, (*nodes.values(), console))


def make(children: Children, folder: Path, shift: int) -> None:
    """Registers, a list, three homes that know each other, thresholds, and what the providers hold."""
    target, home = folder / homes.FEDERATION, folder / homes.REQUESTER.code
    with step(NAME, "writing small registers and a list, making three homes"):
        children.together(
            lambda: homes.heqiao(
                children, "synth", "synth", "--scenario", "small", "--sums", "--out", target
            ),
            lambda: homes.make_federation(children, folder, shift),
        )
    with step(NAME, "importing the registers of 44 and 33, at once"):
        children.together(*(lambda p=p: homes.import_registers(children, folder, p) for p in homes.PROVIDERS))
    rules = folder / "thresholds.toml"
    rules.write_text(trial.THRESHOLDS.format(today=china_day(utc_now())), encoding="utf-8")
    homes.heqiao(children, "thresholds", "watch", "thresholds", "set", rules, "--home", home)


def add_people(children: Children, home: Path) -> dict[str, str]:
    """The accounts of the trial, the security administrator first; initial passwords by account."""
    found = {}
    for seat in sorted(trial.SEATS, key=lambda one: one != trial.SECURITY):
        who = (seat.account, "--home", home, "--name", seat.name, "--unit", seat.unit, "--json")
        words = ("init",) if seat == trial.SECURITY else ("add", "--roles", ",".join(seat.roles))
        told = homes.heqiao(children, f"users-{seat.account}", "users", *words, *who)
        found[seat.account] = str(json.loads(told)["initial_password"])
    return found


def make_holders(children: Children, folder: Path) -> list[str]:
    """The three administrators hold shares of backups of the keys: the files that node.toml names."""
    made = [(folder / HOLDERS / seat.account, seat.name) for seat in trial.SEATS[2:5]]
    (folder / HOLDERS).mkdir()
    for place, name in made:
        words = ("keys", "recipient", "--dir", place, "--name", name)
        homes.heqiao(children, f"holder-{place.name}", *words)
    return [str((place / "recipient.json").absolute()) for place, _ in made]


def watch(children: Children, folder: Path, node: Platform, preparer: trial.Ready, lists: trial.Lists) -> int:
    """A list that is watched, and a register that changes; the number of alerts."""
    provider = homes.PROVIDERS[0].code
    watched = trial.watch(node, preparer, lists, (provider,))
    later = folder / "C21-later.csv"
    trial.write_vehicles(folder / homes.FEDERATION / provider / "registers", watched, later)
    homes.heqiao(children, "later", "import", "C21", later, "--home", folder / provider, "--wait")
    homes.heqiao(children, "sync", "mirror", "sync", "--home", folder / homes.REQUESTER.code)
    return trial.look_again(node, preparer)


def serve_again(children: Children, folder: Path, node: Child) -> dict[str, Child]:
    """The requester's node for people only, with approvals by another person, as a province runs it."""
    node.process.terminate()
    node.process.wait()
    config = folder / homes.REQUESTER.code / "node.toml"
    before, name, users = config.read_text(encoding="utf-8").partition("\n[users]\n")
    users = users.replace("#required = false\n", "required = true\n", 1)
    users = users.replace("approval = false\n", "approval = true\n", 1)
    config.write_text(f"{before}{name}{users}", encoding="utf-8")
    return homes.serve(children, folder, (homes.REQUESTER,))


def serve_console(children: Children, home: Path) -> tuple[Child, int]:
    """Start the console; its process and port. Raises ChildError."""
    port = next((port for port in PORTS if is_free(port)), None)
    if port is None:
        raise ChildError(f"no free port from {PORT} on", "stop programs that listen there")
    console = children.start(
        "console", ("heqiao", "console", "--home", str(home), "--listen", f"127.0.0.1:{port}")
    )
    wait_until("the console", [console], lambda: not is_free(port))
    return console, port


def show(people: dict[str, trial.Ready], port: int, alerts: int) -> None:
    """Who signs in how."""
    table = Table(
        "账号 account",
        "角色 role",
        "单位 unit",
        "TOTP 密钥 key",
        "现在 now",
        title=f"https://127.0.0.1:{port}/",
    )
    for one in people.values():
        table.add_row(one.seat.account, one.roles, one.seat.unit, one.secret, one.code())
    console = Console()
    console.width = max(console.width, 110)
    console.print(table)
    print(
        f"{NAME}: the password of all: {trial.PASSWORD}\n"
        f"{NAME}: enter a key in an authenticator, or: .venv/bin/python -c "
        "'import pyotp,sys; print(pyotp.TOTP(sys.argv[1]).now())' KEY\n"
        f"{NAME}: the certificate is of the trial's own CA: the browser warns once\n"
        f"{NAME}: {alerts} alerts; serving; Ctrl-C stops everything",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
