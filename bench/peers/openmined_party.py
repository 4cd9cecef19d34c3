"""Both roles of openmined-psi in one process, in its own environment: it has no transport.

    python -m bench.peers.openmined_party SERVER_FILE CLIENT_FILE

Prints one JSON object in its last line: wall and CPU of each step, bytes of each message.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import private_set_intersection.python as psi  # type: ignore[import-not-found]  # its own environment

FALSE_POSITIVES = 1e-9


def main() -> None:
    """Set up, ask, answer, intersect."""
    held, asked = (Path(name).read_text(encoding="ascii").split()[1:] for name in sys.argv[1:3])
    figures: dict[str, Any] = {}
    began, cpu = time.perf_counter(), time.process_time()

    def lap(step: str) -> None:
        nonlocal began, cpu
        now, used = time.perf_counter(), time.process_time()
        figures[f"{step}_s"], figures[f"{step}_cpu_s"] = now - began, used - cpu
        began, cpu = time.perf_counter(), time.process_time()

    server, client = psi.server.CreateWithNewKey(True), psi.client.CreateWithNewKey(True)
    lap("keys")
    setup = server.CreateSetupMessage(FALSE_POSITIVES, len(asked), held, psi.DataStructure.GCS)
    figures["setup_bytes"] = len(setup.SerializeToString())
    lap("setup")
    request = client.CreateRequest(asked)
    figures["request_bytes"] = len(request.SerializeToString())
    response = server.ProcessRequest(request)
    figures["response_bytes"] = len(response.SerializeToString())
    matches = client.GetIntersection(setup, response)
    lap("online")
    print(json.dumps({**figures, "matches": len(matches)}), flush=True)


if __name__ == "__main__":
    main()
