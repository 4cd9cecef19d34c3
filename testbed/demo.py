"""`make demo`: three provinces on this machine, real certificates, a county's list verified end to end.

    python -m testbed.demo           make ./demo anew, verify, compare with the plain join
    python -m testbed.demo serve     start the three nodes of ./demo again, until Ctrl-C

Everything is done with the `heqiao` command, as a province would. No node reads the truth folder.
"""

import argparse
import json
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from testbed import figures, homes, household, plain_join, plain_sums, provincial
from testbed.folder import exit_code, own_folder, step
from testbed.processes import Children

ITEMS = "Z59b,C21,C22,B12r,C23"
SUM_ITEMS = "B11,D32m,D35"
LAW = "SA-2026-41"  # the Social Assistance Law of 2026, article 41
NAME = "demo"
MIN_WIDTH = 108


def main() -> int:
    """Run the demo, or serve its homes; the exit code: 0, 1 for a failure, 130 for Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m testbed.demo", description=__doc__.splitlines()[0])
    parser.add_argument("action", nargs="?", choices=("run", "serve"), default="run")
    parser.add_argument("--folder", type=Path, default=Path("demo"), help="default: demo")
    parser.add_argument("--scenario", choices=("mashan", "small"), default="mashan", help="default: mashan")
    options = parser.parse_args()
    if options.action == "serve":
        return exit_code(NAME, lambda: serve(options.folder))
    return exit_code(NAME, lambda: run(options.folder, options.scenario))


def run(folder: Path, scenario: str) -> int:
    """Make everything in `folder`, verify, compare, print; 0 only if every answer and figure is right."""
    with (
        own_folder(folder, NAME, fresh=True),
        homes.free_ports() as shift,
        Children(folder / homes.LOGS) as children,
    ):
        _make_homes(children, folder, scenario, shift)
        chosen = household.choose(folder)
        _import(children, folder, chosen)
        homes.configure(folder / homes.REQUESTER.code, {"mirror_sync_hours": "0"})  # so that its bytes show
        with step(NAME, "starting three nodes"):
            nodes = homes.serve(children, folder)
        with step(NAME, "45 fetches its mirrors of 44 and 33"):
            fetched = sync_mirrors(children, folder)
        with step(NAME, f"45 verifies {ITEMS} with 44 and 33"):
            began = time.monotonic()
            homes.heqiao(children, "verify", *verify_command(folder, ITEMS, homes.REPORT))
            seconds = time.monotonic() - began
        with step(NAME, f"45 puts a household on record, and verifies {household.ITEMS} with every province"):
            household.put_on_record(children, folder, chosen)
            homes.heqiao(children, "household", *household.verify_command(folder, chosen))
        sums_seconds = ask_sums(children, folder)
        memory = {code: node.peak_memory_kib() for code, node in nodes.items()}
        with step(NAME, "stopping the nodes, computing the plain join"):
            children.stop()
            report, federation = folder / homes.REPORT / "report.json", folder / homes.FEDERATION
            compared = plain_join.compare(report, federation)
            beside = household.compare(folder, chosen)
            summed = plain_sums.compare(folder / homes.SUMS / "report.json", federation)
    found = figures.read_figures(report, federation, compared)
    console = Console()
    console.width = max(console.width, MIN_WIDTH)
    figures.show(console, report, found, compared, seconds, fetched, memory)
    figures.show_sums(console, folder / homes.SUMS / "report.json", summed, sums_seconds)
    household.show(console, folder)
    _print_more(folder)
    return 0 if _judge((compared, beside), found, summed) else 1


def _make_homes(children: Children, folder: Path, scenario: str, shift: int) -> None:
    """Registers, a list, three homes that know each other, and what the providers hold."""
    target = folder / homes.FEDERATION
    generate = ("synth", "--scenario", scenario, "--sums", "--out", target)
    with step(NAME, f"writing the registers and the list (scenario {scenario}), making three homes"):
        children.together(
            lambda: homes.heqiao(children, "synth", *generate),
            lambda: homes.make_federation(children, folder, shift),
        )
    provincial.give_catalogue(children, folder)


def _import(children: Children, folder: Path, chosen: household.Chosen) -> None:
    """What each province holds. 33 has two items as sources, and lacks one."""
    without = {"33": (*provincial.SOURCES, provincial.LACKS)}

    def bring(province: homes.Province) -> None:
        homes.import_registers(children, folder, province, without.get(province.code, ()))
        if province.code in without:
            provincial.import_sources(children, folder)

    with step(NAME, "importing the registers of 44 and 33, two of these from a database and a spreadsheet"):
        children.together(*(lambda p=p: bring(p) for p in homes.PROVIDERS))
    with step(NAME, "importing registers of 45 itself, which stand in its reports too"):
        provincial.give_own_registers(children, folder, chosen.people)


def _judge(
    both: Sequence[plain_join.Comparison], found: Sequence[figures.Figure], summed: Sequence[plain_sums.Line]
) -> bool:
    """Whether every answer, figure and sum is right; says what is not."""
    for example in (one for each in both for one in each.examples):
        print(f"demo: differs: {example}")
    passed = sum(one.names_passed for one in both) > figures.MOST_PASSED
    if passed:
        print("demo: error: the name check lets wrong names pass", file=sys.stderr)
    sums_right = bool(summed) and all(line.right for line in summed)
    if not sums_right:
        print("demo: error: a sum differs from the plain sum", file=sys.stderr)
    answers, agree, differ = (
        sum(getattr(one, name) for one in both) for name in ("answers", "agree", "differ")
    )
    print(f"demo: {answers} answers, {agree} agree with the plain join, {differ} differ", flush=True)
    wrong = passed or differ or any(not figure.right for figure in found)
    return sums_right and not wrong and all(one.answers for one in both)


def serve(folder: Path) -> int:
    """Start the nodes of an earlier demo again; until Ctrl-C, or until one of them fails."""
    with (
        own_folder(folder, NAME, fresh=False),
        homes.own_ports(folder),
        Children(folder / homes.LOGS) as children,
    ):
        nodes = homes.serve(children, folder)
        for node in nodes.values():
            print(node.log.read_text(encoding="utf-8").splitlines()[-1], file=sys.stderr)
        print("demo: serving; Ctrl-C stops the nodes", file=sys.stderr, flush=True)
        while True:
            for node in nodes.values():
                node.check()
            time.sleep(0.5)


def sync_mirrors(children: Children, folder: Path) -> dict[str, int]:
    """`heqiao mirror sync`: the bytes fetched of each peer."""
    home = folder / homes.REQUESTER.code
    told = homes.heqiao(children, "mirror", "mirror", "sync", "--home", home, "--json")
    return {one["peer"]: one["bytes_down"] for one in json.loads(told)["synced"]}


def verify_command(folder: Path, items: str, out: str) -> tuple[str | Path, ...]:
    """Arguments of `heqiao` that verify the demo's list."""
    households = folder / homes.FEDERATION / homes.REQUESTER.code / "households.csv"
    peers = ",".join(province.code for province in homes.PROVIDERS)
    return (
        "verify", "--home", folder / homes.REQUESTER.code, "--households", households,
        "--items", items, "--peers", peers, "--out", folder / out, "--lang", "en",
    )  # fmt: skip


def ask_sums(children: Children, folder: Path) -> float:
    """45 asks for sums over its workers; the seconds it took. The last step, reported in one line."""
    began = time.monotonic()
    homes.heqiao(children, "sum", *sum_command(folder))
    seconds = time.monotonic() - began
    print(
        f"demo: 45 asked 44 and 33 for the sums of {SUM_ITEMS}: {seconds:.1f} s", file=sys.stderr, flush=True
    )
    return seconds


def sum_command(folder: Path) -> tuple[str | Path, ...]:
    """Arguments of `heqiao` that ask for sums over the county's workers."""
    workers = folder / homes.FEDERATION / homes.REQUESTER.code / "workers.csv"
    peers = ",".join(province.code for province in homes.PROVIDERS)
    return (
        "sum", "--home", folder / homes.REQUESTER.code, "--cohort", workers, "--items", SUM_ITEMS,
        "--peers", peers, "--legal-basis", LAW, "--out", folder / homes.SUMS, "--lang", "en",
    )  # fmt: skip


def _print_more(folder: Path) -> None:
    verify = shlex.join(map(str, verify_command(folder, "D32,D34", "second")))
    own = folder == Path("demo")
    again = (
        "make demo-serve"
        if own
        else f".venv/bin/python -m testbed.demo serve --folder {shlex.quote(str(folder))}"
    )
    provider = homes.PROVIDERS[0].code
    print(f"""
The household's report is in {folder / household.FOLDER}: report.pdf, report.xlsx, report.html, and more.
The homes are kept in {folder}; four commands to try next:
  start the three nodes again; leave it running, Ctrl-C ends it
    {again}
  in another terminal, ask about two more items
    .venv/bin/heqiao {verify}
  see where the catalogues of 45 and 33 differ
    .venv/bin/heqiao catalogue diff 33 --home {shlex.quote(str(folder / homes.REQUESTER.code))}
  see what {provider} knows of the query: who asked, when, which items, how many people
    .venv/bin/heqiao audit list --home {shlex.quote(str(folder / provider))}
""")


if __name__ == "__main__":
    sys.exit(main())
