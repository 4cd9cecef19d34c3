"""Fifty people in a console while a batch runs: what `python -m bench console --json` prints.

Real accounts, a console process over TLS, a node that it asks, and the nodes of five other provinces, in
processes of their own. The node holds many jobs besides (testbed/many_jobs.py).
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from bench import batch
from bench.batch_client import CLIENT_LOG, Ask
from bench.clicks import Clicks
from bench.meter import cpu_seconds, describe_machine, list_versions, quantile, rounded
from bench.workspace import workspace
from node.cli.options import load_config
from node.cli.persons import people_of
from node.client.platform import Platform
from node.clock import utc_now
from node.domain.days import china_day
from node.domain.users import NewUser, Role, unit_owner
from node.governance import users
from testbed import homes, trial
from testbed.demo_console import serve_console
from testbed.many_jobs import add_many
from testbed.processes import Child, Children, wait_until

PAGE_TARGET_MS: Final = 200.0
MEMORY_TARGET_MIB: Final = 150.0
COUNTIES: Final = tuple(f"4501{number:02}000000" for number in range(21, 36))
# Who they are in every ten people: most prepare and approve, in counties and for the whole province.
_SEATS: Final = (
    *((Role.PREPARER, county) for county in (True, True, True, False)),
    *((Role.APPROVER, county) for county in (True, True, False)),
    (Role.SYSTEM, False), (Role.AUDIT, False), (Role.SECURITY, False),
)  # fmt: skip
_LONGEST_S: Final = 3_600.0
_PEOPLE = "people.json"


@dataclass(frozen=True)
class Sizes:
    """How many people, jobs in the list and households of the batch (0: none); for how long without one."""

    people: int
    jobs: int
    households: int
    seconds: float
    pause_s: float
    seed: int


def run(sizes: Sizes, keep: Path | None = None) -> dict[str, Any]:
    """The figures. A folder that is kept, also one of `bench batch`, is used again."""
    machine = describe_machine()
    with workspace(keep) as folder, Children(folder / "logs") as children:
        batch.prepare(children, folder, max(sizes.households, batch.FEWEST))
        with homes.own_ports(folder, batch.EVERY):
            home = folder / batch.ASKER.code
            _add_jobs(home, folder / "jobs", sizes.jobs)
            nodes = homes.serve(children, folder, batch.EVERY)
            if sizes.households:
                homes.heqiao(children, "mirror", "mirror", "sync", "--home", home)
            people = _people(home, folder / _PEOPLE, sizes.people)
            console, port = serve_console(children, home)
            measured = _measure(children, folder, nodes, console, port, people, sizes)
            children.stop()
    missed = [page for page, one in measured["pages"].items() if one["p95_ms"] > PAGE_TARGET_MS]
    figures = {
        "people": sizes.people,
        "jobs": sizes.jobs,
        "households": sizes.households,
        **measured,
        "pages_over_200_ms": [page for page in missed if not page.startswith("sign in")],
        "console_over_150_mib": measured["console_peak_mib"] > MEMORY_TARGET_MIB,
    }
    return {**rounded(figures), "machine": machine, "versions": list_versions()}


def _add_jobs(home: Path, made: Path, count: int) -> None:
    """Of all counties and of the province; the last people of a list see all of them."""
    if made.exists():
        return
    store = people_of(load_config(home)).store
    owners = [unit_owner(unit) for unit in (*COUNTIES, trial.PROVINCE)]
    if count:
        add_many(store, count, owners, [one.code for one in batch.HOLDERS], utc_now() - timedelta(hours=1))
    store.dispose()
    made.touch()


def _people(home: Path, made: Path, count: int) -> dict[str, str]:
    """Accounts that are ready, with the keys of their second factors."""
    if made.exists():
        known: dict[str, str] = json.loads(made.read_text(encoding="ascii"))
        if len(known) == count:
            return known
    accounts, now, found = people_of(load_config(home)), utc_now(), {}
    with Platform.open(home) as platform:
        for number in range(count):
            role, in_county = _SEATS[number % len(_SEATS)]
            unit = COUNTIES[number % len(COUNTIES)] if in_county else trial.PROVINCE
            seat = trial.Seat(f"p{number:03}", f"第{number}人", unit, (role,))
            new = NewUser(seat.account, seat.name, unit, frozenset(seat.roles), china_day(now))
            initial = users.add(accounts, new, None, now)
            found[seat.account] = trial.make_ready(platform, seat, initial).secret
    made.write_text(json.dumps(found), encoding="ascii")
    return found


def _measure(
    children: Children,
    folder: Path,
    nodes: Mapping[str, Child],
    console: Child,
    port: int,
    people: Mapping[str, str],
    sizes: Sizes,
) -> dict[str, Any]:
    """They sign in, and click for as long as the batch runs."""
    ready, until = folder / "signed-in", folder / "clicked-enough"
    for file in (ready, until):
        file.unlink(missing_ok=True)
    most = _LONGEST_S if sizes.households else sizes.seconds
    asked = Clicks(
        f"https://127.0.0.1:{port}", people, sizes.seed, sizes.pause_s, most, str(ready), str(until)
    )
    clicks = children.start("clicks", (sys.executable, "-m", "bench.clicks", json.dumps(asked.plain())))
    watched = [*nodes.values(), console]
    wait_until("signing in", [*watched, clicks], ready.exists, _LONGEST_S)
    node = nodes[batch.ASKER.code]
    peaks_from_now = [console, *nodes.values()]
    for one in peaks_from_now:
        batch.begin_peak(one)
    before = {"console": _cpu(console), "node": _cpu(node)}
    found: dict[str, Any] = {}
    if sizes.households:
        found = _batch(children, folder, watched)
        until.touch()
    wait_until("the clicks", watched, lambda: clicks.process.poll() is not None, _LONGEST_S)
    if clicks.process.returncode:
        clicks.check()
    told = json.loads(clicks.log.read_text(encoding="utf-8").splitlines()[-1])
    return {
        "clicks": told["clicks"],
        "clicks_per_s": told["clicks"] / told["clicked_s"],
        "clicked_s": told["clicked_s"],
        "sign_in_s": told["sign_in_s"],
        "wrong_answers": told["wrong_answers"],
        "console_cpu_s": _cpu(console) - before["console"],
        "node_cpu_s": _cpu(node) - before["node"],
        "console_peak_mib": console.peak_memory_kib() / 1024,
        "node_peak_mib": sum(batch.peaks_mib(node)),
        **({"batch_wall_s": found["wall_s"], "batch_people": found["people"]} if found else {}),
        **_over_all(told["walls"]),
        "pages": {page: _summary(walls) for page, walls in sorted(told["walls"].items())},
    }


def _batch(children: Children, folder: Path, watched: list[Child]) -> dict[str, Any]:
    """A county's batch, as `bench batch` asks it."""
    ask = Ask(
        home=str(folder / batch.ASKER.code),
        list_folder=str(folder / homes.FEDERATION / batch.ASKER.code),
        out=str(folder / "out"),
        items=(*batch.ITEMS, *batch.COPIED),
        peers=tuple(one.code for one in batch.HOLDERS),
    )
    client = children.start(CLIENT_LOG, (sys.executable, "-m", "bench.batch_client", json.dumps(ask.plain())))
    wait_until("the batch", watched, lambda: client.process.poll() is not None, _LONGEST_S)
    if client.process.returncode:
        client.check()
    found: dict[str, Any] = json.loads(client.log.read_text(encoding="utf-8").splitlines()[-1])
    return found


def _cpu(child: Child) -> float:
    return cpu_seconds([child.process.pid])


def _over_all(walls: Mapping[str, list[float]]) -> dict[str, float]:
    every = [wall for page, some in walls.items() if not page.startswith("sign in") for wall in some]
    return {"median_ms": quantile(every, 0.5), "p95_ms": quantile(every, 0.95)}


def _summary(walls: list[float]) -> dict[str, object]:
    return rounded(
        {"count": len(walls), "median_ms": quantile(walls, 0.5), "p95_ms": quantile(walls, 0.95)}, 1
    )
