"""openmined-psi 2.0.6 with Golomb-coded sets. No labels, no transport: message sizes stand for the wire."""

from pathlib import Path
from typing import Any

from bench.meter import Meter
from bench.peers.environment import OPENMINED, ROOT
from synth import bulk
from testbed.homes_bench import RESPONDER, last_object
from testbed.processes import Children


def run(children: Children, folder: Path, entries: int, subjects: int) -> dict[str, Any]:
    """Figures of one run; its set-up message depends on the size of the list, so there is one of each."""
    folder.mkdir()
    held, asked = folder / "server.csv", folder / "client.csv"
    bulk.write_plain(held, bulk.people(entries), RESPONDER)
    bulk.write_plain(asked, bulk.choose_subjects(entries, subjects), RESPONDER)
    command = (str(OPENMINED.python), "-m", "bench.peers.openmined_party", str(held), str(asked))
    with Meter() as meter:
        found = last_object(children.run("openmined", command, {"PYTHONPATH": str(ROOT)}))
    return {
        "index": {"wall_s": found["setup_s"], "cpu_s": found["setup_cpu_s"], "peak_mib": meter.peak_mib},
        "online": [
            {
                "subjects": subjects,
                "wall_s": found["online_s"],
                "cpu_s": found["online_cpu_s"],
                "peak_mib": meter.peak_mib,
                "bytes_up": found["request_bytes"],
                "bytes_down": found["response_bytes"],
                "matches": found["matches"],
            }
        ],
        "cached_bytes_per_entry": found["setup_bytes"] / entries,
    }
