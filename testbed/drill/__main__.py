"""`make drill`: three nodes, a stream of verifications and sums, and all that administrators do with keys.

    python -m testbed.drill

Makes ./drill anew: three nodes, and a fourth province that only asks. While clients ask without end, keys of
every kind are changed, a certificate revoked, a node backed up, wiped and restored, with the `heqiao`
command. The nodes have quotas that the clients do not reach. Every answer is held against the plain join and
plain sums.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

from rich.console import Console

from node.domain.catalogue import BUILT_IN
from testbed import homes
from testbed.drill import clients, steps, sums, tally
from testbed.drill.clients import Ask
from testbed.drill.steps import Drill, Step
from testbed.drill.tally import Ban, Period
from testbed.folder import exit_code, own_folder, step
from testbed.processes import Child, ChildError, Children, wait_until

NAME = "drill"
MIN_WIDTH = 100
SETTLE_S = 1.5  # how long the stream goes on after the commands of a step, before the next
END_S = 120.0  # for requests that are running when the stream is stopped
# kind, who asks, pause after each request: two cores also serve.
STREAMS = (
    ("job", homes.REQUESTER.code, 0.4),
    ("check", homes.REQUESTER.code, 0.15),
    ("check", steps.REVOKED.code, 0.4),
    ("sum", homes.REQUESTER.code, 0.6),
    ("sync", homes.REQUESTER.code, 0.5),
)


def main() -> int:
    """Run the drill; the exit code: 0, 1 for a failure or a wrong or lost request, 130 for Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m testbed.drill", description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("drill"), help="default: drill")
    parser.add_argument("--only", help="only these steps, with commas between; revoking and letting back "
                        "always belong together")  # fmt: skip
    options = parser.parse_args()
    return exit_code(NAME, lambda: run(options.folder, choose(options.only)))


def choose(only: str | None) -> Sequence[Step]:
    """The steps asked for, in their order. Raises ChildError for one that there is not."""
    if only is None:
        return steps.STEPS
    names = {name.strip() for name in only.split(",")}
    unknown = names - {one.name for one in steps.STEPS}
    if unknown:
        known = ", ".join(one.name for one in steps.STEPS)
        raise ChildError(f"no step {', '.join(sorted(unknown))}", f"steps are: {known}")
    return [one for one in steps.STEPS if one.name in names]


def run(folder: Path, chosen: Sequence[Step]) -> int:
    """Make everything in `folder`, ask and rotate, print; 0 only if nothing is wrong or lost."""
    with (
        own_folder(folder, NAME, fresh=True),
        homes.free_ports(steps.EVERYBODY) as shift,
        Children(folder / homes.LOGS) as children,
    ):
        prepare(children, folder, shift)
        nodes = homes.serve(children, folder)
        drill = Drill(children, folder, nodes, partial(import_all, children, folder))
        periods = []
        with streaming(drill) as logs:
            for number, one in enumerate(chosen, 1):
                with step(NAME, f"{number} of {len(chosen)}: {one.name}"):
                    periods.append(take(drill, one))
    requests = [request for log in logs for request in clients.read(log)]
    found = tally.count(requests, periods, read_ban(chosen, periods))
    console = Console()
    console.width = max(console.width, MIN_WIDTH)
    tally.show(console, found, periods)
    print(found.last_line, flush=True)
    return 0 if found.good else 1


def prepare(children: Children, folder: Path, shift: int) -> None:
    """Registers, a county's list, four homes; registers imported."""
    sums.write_catalogue(BUILT_IN, folder / sums.CATALOGUE)
    with step(NAME, "writing registers and a list, making the homes of three nodes and of a fourth province"):
        children.together(
            lambda: homes.heqiao(
                children, "synth", "synth", "--scenario", "small", "--out", folder / homes.FEDERATION
            ),
            lambda: homes.make_federation(
                children, folder, shift, steps.settings(folder, sums.CATALOGUE), steps.EVERYBODY
            ),
        )
    with step(NAME, "importing registers of 44 and 33, at once"):
        children.together(*(lambda p=p: import_all(children, folder, p) for p in homes.PROVIDERS))


def import_all(children: Children, folder: Path, province: homes.Province) -> None:
    """Registers of persons, and those that are only summed."""
    homes.import_registers(children, folder, province)
    own = folder / clients.SUMS / province.code
    sums.write_registers(own, province.code)
    homes.heqiao(
        children, f"{province.code}-import-sums", "import", "--home", folder / province.code, "--all", own
    )


@contextmanager
def streaming(drill: Drill) -> Iterator[list[Path]]:
    """Clients that ask while the block runs; yields their logs, which are whole after it."""
    started: list[Child] = []
    logs = []
    for kind, code, pause in STREAMS:
        log = drill.folder / homes.LOGS / f"requests-{kind}-{code}.jsonl"
        ask = Ask(kind, code, str(drill.folder), str(log), pause)
        command = (sys.executable, "-m", "testbed.drill.clients", json.dumps(asdict(ask)))
        started.append(drill.children.start(f"client-{kind}-{code}", command))
        logs.append(log)
    wait_until("the clients", started, lambda: all(log.exists() and log.stat().st_size for log in logs))
    yield logs
    (drill.folder / clients.STOP).touch()
    for client in started:
        wait_until(f"the end of {client.name}", [], partial(_has_ended, client), END_S)
        if client.process.returncode:
            client.check()


def _has_ended(child: Child) -> bool:
    return child.process.poll() is not None


def take(drill: Drill, one: Step) -> Period:
    """One step, and the stream for a while after it."""
    began = time.time()
    one.run(drill)
    seconds = time.time() - began
    time.sleep(SETTLE_S)
    return Period(one.name, began, seconds, time.time())


def read_ban(chosen: Sequence[Step], periods: Sequence[Period]) -> Ban:
    """When the revoked peer had to be refused."""
    code, found = steps.REVOKED.code, {step.run: period for step, period in zip(chosen, periods, strict=True)}
    revoked, back = found.get(steps.revoke), found.get(steps.let_back)
    never = float("inf")
    if revoked is None:
        return Ban(code, never, never, never, -never)
    known = revoked.began + revoked.seconds
    if back is None:
        return Ban(code, revoked.began, known, never, never)
    return Ban(code, revoked.began, known, back.began, back.began + back.seconds)


if __name__ == "__main__":
    sys.exit(main())
