"""Ports of this machine."""

import socket


def free_port() -> int:
    """A port that was free just now, for nodes that must restart on the same one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
