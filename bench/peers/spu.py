"""SecretFlow's spu 0.9.5, unbalanced PSI: offline index, cache to the client, online. No labels, no TLS."""

import json
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.meter import Meter
from bench.peers.environment import ROOT, SPU
from synth import bulk
from testbed.homes_bench import RESPONDER, size_of
from testbed.ports import is_free
from testbed.processes import Child, ChildError, Children, wait_until

LONGEST_S = 1_800.0
_PORTS = range(20_000, 32_000)
_SERVER, _CLIENT = "ROLE_SERVER", "ROLE_CLIENT"


def run(
    children: Children, folder: Path, entries: int, subjects: Sequence[int], repeat: int
) -> dict[str, Any]:
    """Figures of one index and of an online run for each size of list.

    The folder must be new: spu trusts the cache and .meta files that an earlier run left.
    """
    folder.mkdir()
    source, key = folder / "server.csv", folder / "server.key"
    bulk.write_plain(source, bulk.people(entries), RESPONDER)
    key.write_bytes(secrets.token_bytes(32))
    server = {"role": _SERVER, "cache": str(folder / "server-cache"), "key": str(key)}
    client = {"role": _CLIENT, "cache": str(folder / "client-cache")}
    index = _measure(children, [{**server, "mode": "MODE_OFFLINE_GEN_CACHE", "input": str(source)}])
    transfer = _measure(
        children,
        [{**party, "mode": "MODE_OFFLINE_TRANSFER_CACHE"} for party in (server, client)],
    )
    online = []
    for count in subjects:
        listed = folder / f"client-{count}.csv"
        bulk.write_plain(listed, bulk.choose_subjects(entries, count), RESPONDER)
        out = folder / "out.csv"
        asks = [
            {**server, "mode": "MODE_ONLINE"},
            {**client, "mode": "MODE_ONLINE", "input": str(listed), "output": str(out)},
        ]
        runs = [_measure(children, asks) for _ in range(repeat)]
        middle = sorted(runs, key=lambda one: one["wall_s"])[len(runs) // 2]
        with out.open("rb") as file:
            matches = sum(1 for _ in file) - 1
        online.append({"subjects": count, **middle, "matches": matches})
    return {
        "index": index,
        "transfer": transfer,
        "online": online,
        "index_disk_bytes_per_entry": size_of(Path(server["cache"])) / entries,
        "cached_bytes_per_entry": size_of(Path(client["cache"])) / entries,
    }


def _measure(children: Children, asks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Run the parties together: wall from the first to begin to the last to end, without start-up."""
    hosts = [f"127.0.0.1:{port}" for port in _free_ports(len(asks))] if len(asks) > 1 else []
    blank = {"input": "", "output": "", "key": "", "hosts": hosts}
    with Meter() as meter:
        parties = [_start(children, {**blank, **ask, "rank": rank}) for rank, ask in enumerate(asks)]
        _finish(parties)
    results = [_result(party) for party in parties]
    figures: dict[str, Any] = {
        "wall_s": max(r["ended"] for r in results) - min(r["began"] for r in results),
        "cpu_s": sum(r["cpu_s"] for r in results),
        "peak_mib": meter.peak_mib,
    }
    if len(results) > 1:
        # Of the client: what it sent went up, what it received came down.
        figures |= {"bytes_up": results[1]["sent"], "bytes_down": results[1]["received"]}
    return figures


def _finish(parties: Sequence[Child]) -> None:
    """Wait for all; when one fails the others are ended, which would wait for it for ever."""

    def ended() -> bool:
        codes = [party.process.poll() for party in parties]
        if any(codes):
            for party in parties:
                party.process.kill()
        return None not in codes

    wait_until("spu", [], ended, LONGEST_S)


def _start(children: Children, ask: dict[str, Any]) -> Child:
    return children.start(
        f"spu-{ask['rank']}",
        (str(SPU.python), "-m", "bench.peers.spu_party", json.dumps(ask)),
        {"PYTHONPATH": str(ROOT)},
    )


def _result(party: Child) -> dict[str, Any]:
    lines = party.log.read_text(encoding="utf-8", errors="replace").splitlines()
    found = [line.removeprefix("RESULT ") for line in lines if line.startswith("RESULT ")]
    if party.process.returncode or not found:
        raise ChildError(
            f"spu ended with {party.process.returncode} and no result", f"the reason may be in {party.log}"
        )
    return dict(json.loads(found[-1]))


def _free_ports(count: int) -> list[int]:
    """Free ports below those that the system gives to outgoing connections, so that none takes them first."""
    found = [port for port in secrets.SystemRandom().sample(_PORTS, 100) if is_free(port)]
    return found[:count]
