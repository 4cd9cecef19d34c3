"""One party of SecretFlow's spu, in spu's own environment: unbalanced PSI, one mode per run.

    python -m bench.peers.spu_party '{"mode": "MODE_ONLINE", ...}'

Prints RESULT and one JSON object. spu logs every batch to standard output, which must be a file.
"""

import json
import resource
import sys
import time
from typing import Any

import spu.psi as psi  # type: ignore[import-not-found]  # its own environment
from spu.libspu import link  # type: ignore[import-not-found]

from bench.sockets import wire_bytes

HOUR_MS = 3_600_000


def main() -> None:
    """Run what the first argument says."""
    ask: dict[str, Any] = json.loads(sys.argv[1])
    context = connect(ask)
    config = psi.UbPsiExecuteConfig(
        mode=getattr(psi.UbPsiMode, ask["mode"]),
        role=getattr(psi.UbPsiRole, ask["role"]),
        client_receive_result=True,
        server_receive_result=False,
        cache_path=ask["cache"],
        input_params=psi.InputParams(
            path=ask["input"], selected_keys=["id"] if ask["input"] else [], keys_unique=True
        ),
        output_params=psi.OutputParams(path=ask["output"], disable_alignment=True),
        server_params=psi.UbPsiServerParams(secret_key_path=ask["key"]),
    )
    cpu, began = cpu_seconds(), time.monotonic()
    done = psi.ub_psi_execute(config, context)
    ended = time.monotonic()
    used = cpu_seconds() - cpu
    sent, received = wire_bytes()
    if ask["hosts"]:
        context.stop_link()
    result = {
        "began": began,
        "ended": ended,
        "cpu_s": used,
        "sent": sent,
        "received": received,
        "matches": done.intersection_count,
    }
    print("\nRESULT", json.dumps(result), flush=True)


def connect(ask: dict[str, Any]) -> Any:
    """A link of the two parties; a party that works alone gets one in memory, since None crashes spu."""
    parties = link.Desc()
    if not ask["hosts"]:
        parties.add_party("p0", "thread_0")
        return link.create_mem(parties, 0)
    for number, host in enumerate(ask["hosts"]):
        parties.add_party(f"p{number}", host)
    parties.recv_timeout_ms = HOUR_MS
    parties.http_timeout_ms = HOUR_MS
    return link.create_brpc(parties, ask["rank"])


def cpu_seconds() -> float:
    """Of this process and of children it waited for: spu starts `sort`."""
    both = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


if __name__ == "__main__":
    main()
