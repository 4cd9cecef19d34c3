"""What lies between a node and those it talks to: proxies of the environment, and long silence."""

import threading
import time

import pytest

from node.client.platform import Platform
from node.jobs import engine
from tests.support.cluster import World, read_verification, run_job, serve_all
from tests.support.federation import NO_POLLING, set_config

PROXIES = ("http_proxy", "https_proxy", "grpc_proxy", "HTTP_PROXY", "HTTPS_PROXY")
SILENCE_S = 110  # three pings of a waiting caller; a server that minds them ends the connection at the third


def test_proxies_of_the_environment_are_not_used(world: World, tmp_path, monkeypatch) -> None:
    """Neither from a platform to its node nor between nodes; the proxy named here does not exist."""
    for name in PROXIES:
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    homes = world.copy(tmp_path, "45", "44")
    with serve_all(homes) as provinces:
        address = f"127.0.0.1:{provinces['45'].platform_port}"
        with Platform.open(homes["45"], address) as platform:
            assert {peer.code for peer in platform.peers()} >= {"44"}
        few = read_verification(world.data, ("C21",), ("44",), most=5)
        assert run_job(provinces["45"], "direct", few).state == "done"


@pytest.mark.long
def test_a_watch_may_be_silent_for_minutes(world: World, tmp_path) -> None:
    homes = world.copy(tmp_path, "45", "44")
    set_config(homes["45"], "jobs", **NO_POLLING)
    few = read_verification(world.data, ("C21",), ("44",), most=5)
    with serve_all(homes) as provinces:
        engine.submit(provinces["45"].node, "silent", few)  # and nobody runs it yet
        start = threading.Timer(SILENCE_S, provinces["45"].server.start_job, ("silent",))
        start.start()
        began = time.monotonic()
        with Platform.open(homes["45"], f"127.0.0.1:{provinces['45'].platform_port}") as platform:
            states = [job.state for job in platform.watch("silent")]
        start.join()
        assert time.monotonic() - began >= SILENCE_S
        assert (states[0], states[-1]) == ("queued", "done")
