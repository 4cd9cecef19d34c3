"""The Paillier of phe, sf-heu and pypaillier, each in its own environment: microseconds a ciphertext."""

from typing import Any

from bench.peers.environment import HEU, PHE, PYPAILLIER, ROOT
from testbed.homes_bench import last_object
from testbed.processes import Children

ENVIRONMENTS = {"phe": PHE, "heu": HEU, "pypaillier": PYPAILLIER}


def run(children: Children, library: str, bits: int) -> dict[str, Any]:
    """What `paillier_party` measured. Raises ChildError when the library fails."""
    command = (str(ENVIRONMENTS[library].python), "-m", "bench.peers.paillier_party", library, str(bits))
    return last_object(children.run(library, command, {"PYTHONPATH": str(ROOT)}))
