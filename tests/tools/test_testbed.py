"""compose/: configurations, compose file, Dockerfile, and the processes that stand in for containers."""

import ipaddress
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
import yaml

from node import config as configs
from testbed import cluster, demo, figures, processes
from testbed.folder import own_folder
from testbed.processes import ChildError, Children
from tests.support.paths import ROOT

COMPOSE = ROOT / "compose"
CODES = {"guangxi": "45", "guangdong": "44", "zhejiang": "33"}
DOCUMENT = yaml.safe_load((COMPOSE / "cluster.yaml").read_text(encoding="utf-8"))
SERVICES = DOCUMENT["services"]


# The configurations


@pytest.mark.parametrize(("service", "code"), CODES.items())
def test_configuration_is_read_and_fits_its_service(service: str, code: str) -> None:
    found = configs.load(COMPOSE / code / "node.toml")
    assert found.node.code == code
    assert found.peer.listen == f"0.0.0.0:74{code}"
    assert found.peer.advertise == f"{service}:74{code}"
    # Of the network that this province's platforms alone are in.
    own = SERVICES[service]["networks"][f"platforms-{code}"]["ipv4_address"]
    assert found.platform.listen == f"{own}:84{code}"
    (net,) = DOCUMENT["networks"][f"platforms-{code}"]["ipam"]["config"]
    assert ipaddress.ip_address(own) in ipaddress.ip_network(net["subnet"])
    assert not found.peer.reflection
    assert not found.platform.reflection
    assert f"{code}:{found.node.name}:{service}" in SERVICES["certs"]["command"]
    # Keys and passphrase lie in different volumes, both of them mounted.
    folder = COMPOSE / code
    assert found.keys.store.is_relative_to(folder / "data")
    assert found.tls.certificate.is_relative_to(folder / "data")
    assert found.keys.passphrase_file.is_relative_to(folder / "secret")
    targets = {mount.split(":")[1] for mount in SERVICES[service]["volumes"]}
    assert targets == {f"/srv/heqiao/{code}/{name}" for name in ("node.toml", "data", "secret")}


def test_every_configuration_belongs_to_a_service() -> None:
    assert {path.parent.name for path in COMPOSE.glob("*/node.toml")} == set(CODES.values())


# The compose file


@pytest.mark.parametrize("service", CODES)
def test_node_service(service: str) -> None:
    node = SERVICES[service]
    assert node["command"] == ["heqiao", "serve"]
    assert node["environment"] == {"HEQIAO_HOME": f"/srv/heqiao/{CODES[service]}/node.toml"}
    assert node["healthcheck"]["test"] == ["CMD", "heqiao", "health"]
    assert node["depends_on"] == {"certs": {"condition": "service_completed_successfully"}}
    assert set(node["networks"]) == {"provinces", f"platforms-{CODES[service]}"}  # no other province's
    port = f"84{CODES[service]}"
    assert node["ports"] == [f"127.0.0.1:{port}:{port}"]  # platforms of this host only


@pytest.mark.parametrize("service", SERVICES)
def test_service_is_closed_and_built_here(service: str) -> None:
    found = SERVICES[service]
    assert found["image"] == "heqiao:0.1.0"
    assert (COMPOSE / found["build"]["context"] / found["build"]["dockerfile"]).resolve() == (
        COMPOSE / "Dockerfile"
    )
    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert "user" not in found  # the image's account, which is not root
    assert "privileged" not in found


@pytest.mark.parametrize("service", SERVICES)
def test_mounts_exist_and_configurations_are_read_only(service: str) -> None:
    for mount in SERVICES[service]["volumes"]:
        source, target, *mode = mount.split(":")
        assert target.startswith("/srv/heqiao/")
        if source.startswith("."):
            assert (COMPOSE / source).is_file()
            assert mode == ["ro"]
        else:
            assert source in DOCUMENT["volumes"]


def test_provinces_meet_in_a_network_that_leads_nowhere_else() -> None:
    assert DOCUMENT["networks"]["provinces"] == {"internal": True}
    published = [port for found in SERVICES.values() for port in found.get("ports", ())]
    assert all(port.startswith("127.0.0.1:84") for port in published)
    assert SERVICES["certs"]["network_mode"] == "none"


def test_no_volume_holds_keys_and_their_passphrase() -> None:
    """Where the script writes them, by the mounts of `certs`; no node sees anything of the CA."""
    mounts = {target: source for source, target, *_ in (m.split(":") for m in SERVICES["certs"]["volumes"])}
    script = (COMPOSE / "certs.sh").read_text(encoding="utf-8")
    assert "ca=$root/authority/ca word=$root/secret-ca/passphrase" in script
    assert script.count("heqiao ca ") == script.count('--passphrase-file "$word"') == 3
    keys = {"CA": "/srv/heqiao/authority", **{code: f"/srv/heqiao/{code}/data" for code in CODES.values()}}
    words = {"CA": "/srv/heqiao/secret-ca", **{code: f"/srv/heqiao/{code}/secret" for code in CODES.values()}}
    used = [mounts[place] for place in (*keys.values(), *words.values())]
    assert len(set(used)) == len(used) == 8
    for service in CODES:
        sources = {mount.split(":")[0] for mount in SERVICES[service]["volumes"]}
        assert not sources & {"authority", "secret-ca"}
        secret = next(mount for mount in SERVICES[service]["volumes"] if mount.startswith("secret-"))
        assert secret.endswith(":ro")


def test_a_province_sees_its_own_volumes_only() -> None:
    for service, code in CODES.items():
        volumes = [mount.split(":")[0] for mount in SERVICES[service]["volumes"]]
        assert [name for name in volumes if not name.startswith(".")] == [f"data-{code}", f"secret-{code}"]


def test_no_secret_in_environment_or_command() -> None:
    assert "secrets" not in DOCUMENT
    for found in SERVICES.values():
        assert set(found.get("environment", {})) <= {"HEQIAO_HOME"}
        assert "env_file" not in found
        words = " ".join([*found["command"], *found.get("healthcheck", {}).get("test", ())])
        assert not re.search(r"pass|token|key|secret", words, re.IGNORECASE)


def test_dockerfile() -> None:
    text = (COMPOSE / "Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE) == ["python:3.11-slim-trixie"] * 2
    final = text[text.rindex("\nFROM ") :]
    assert re.findall(r"^USER (\S+)", final, re.MULTILINE) == ["heqiao"]
    assert 'HEALTHCHECK --interval=30s --timeout=15s --start-period=30s CMD ["heqiao", "health"]' in final
    assert "[fast,node,postgres]" in text
    for target in {mount.split(":")[1] for mount in SERVICES["certs"]["volumes"]}:
        if not target.endswith((".toml", ".sh")):  # a new volume takes owner and mode from this folder
            assert target in final
    context = (COMPOSE / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    assert context[0] == "*"
    for line in context:
        if line.startswith("!"):
            assert (ROOT / line[1:]).exists()


def test_certs_script_is_sound() -> None:
    subprocess.run(["sh", "-n", COMPOSE / "certs.sh"], check=True)
    text = (COMPOSE / "certs.sh").read_text(encoding="utf-8")
    assert "set -eu\numask 077\n" in text


# make cluster, without starting it


def test_services_start_with_those_that_run_once() -> None:
    found = cluster.read_services()
    assert [service.name for service in found] == ["certs", "guangxi", "guangdong", "zhejiang"]
    assert [service.runs_once for service in found] == [True, False, False, False]
    assert found[1].health == ("heqiao", "health")


PLACE = cluster.Place(Path("/tmp/c"), 100, frozenset({"guangxi", "guangdong"}))
PATHS = {
    "inside": ("/srv/heqiao/45/node.toml", "/tmp/c/45/node.toml"),
    "the root": ("/srv/heqiao", "/tmp/c"),
    "another folder": ("/srv/heqiao-old/45", "/srv/heqiao-old/45"),
    "no path": ("45:广西:guangxi", "45:广西:guangxi"),
}
TEXTS = {
    "listen": ('listen = "0.0.0.0:7445"', 'listen = "127.0.0.1:7545"'),
    "an address": ('listen = "10.133.45.2:8445"', 'listen = "127.0.0.1:8545"'),
    "advertise": ('advertise = "guangdong:7444"', 'advertise = "127.0.0.1:7544"'),
    "unknown host": ('url = "db:5432"', 'url = "db:5432"'),
    "not an address": ('name = "guangxi"', 'name = "guangxi"'),
}


@pytest.mark.parametrize(("text", "due"), PATHS.values(), ids=PATHS)
def test_paths_are_moved(text: str, due: str) -> None:
    assert PLACE.path(text) == due


@pytest.mark.parametrize(("text", "due"), TEXTS.values(), ids=TEXTS)
def test_addresses_become_loopback(text: str, due: str) -> None:
    assert PLACE.text(text) == due


def test_moved_configurations_are_read(tmp_path: Path) -> None:
    services = cluster.read_services()
    place = cluster.Place(tmp_path, 10, frozenset(CODES))
    for service in services:
        place.copy(service)
    for code in CODES.values():
        found = configs.load(tmp_path / code / "node.toml")
        assert (found.peer.listen, found.address) == (f"127.0.0.1:74{int(code) + 10}",) * 2
        assert found.keys.passphrase_file == tmp_path / code / "secret" / "passphrase"


# Folders are looked at before anything in them is replaced


@pytest.mark.parametrize("module", ["demo", "cluster", "drill"])
def test_a_foreign_folder_is_left_alone(module: str, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("my only copy")
    done = run_module(module, "--folder", str(tmp_path))
    assert done.returncode == 1
    assert f"{module}: error: {tmp_path}: exists and was not made by `make {module}`" in done.stderr
    assert f"{module}: hint: " in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_cluster_keeps_its_ports(tmp_path: Path) -> None:
    (tmp_path / cluster.MARK).write_text("0\n")
    done = run_module("cluster", "--folder", str(tmp_path), "--port-offset", "5")
    assert done.returncode == 1
    assert "made with another --port-offset" in done.stderr


def test_serving_needs_a_demo(tmp_path: Path) -> None:
    done = run_module("demo", "serve", "--folder", str(tmp_path))
    assert done.returncode == 1
    assert "no demo here" in done.stderr
    assert "run `make demo` first" in done.stderr


MARK = ".heqiao-demo"


def test_a_demo_in_use_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / MARK).write_text("mark")
    (tmp_path / "45").mkdir()
    with own_folder(tmp_path, demo.NAME, fresh=False):
        done = run_module("demo", "--folder", str(tmp_path))
    assert done.returncode == 1
    assert "stop that one with Ctrl-C" in done.stderr
    assert (tmp_path / "45").is_dir()


def test_a_demo_is_emptied(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    folder = tmp_path / "demo"
    with own_folder(folder, demo.NAME, fresh=True):
        (folder / "45").mkdir()
        (folder / "link").symlink_to(outside)
    with own_folder(folder, demo.NAME, fresh=True):
        assert [path.name for path in folder.iterdir()] == [MARK]
    assert (outside / "kept").exists()


# Child processes


def test_a_failed_child_shows_its_last_lines(tmp_path: Path) -> None:
    script = "print(*range(100), sep='\\n'); raise SystemExit(3)"
    with Children(tmp_path) as children, pytest.raises(ChildError) as failed:
        children.run("count", [sys.executable, "-c", script])
    assert "exit code 3" in str(failed.value)
    assert "    88\n" in str(failed.value)
    assert "\n    87\n" not in str(failed.value)
    assert str(tmp_path / "count.log") in failed.value.hint


def test_a_missing_program_is_told(tmp_path: Path) -> None:
    with Children(tmp_path) as children, pytest.raises(ChildError, match="cannot start no-such-program"):
        children.run("x", ["no-such-program"])


def test_children_and_grandchildren_end(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        child = children.start("sh", ["sh", "-c", "sleep 60 & echo $!; wait"])
        processes.wait_until("sh", [child], lambda: bool(child.log.read_text().strip()))
        grandchild = int(child.log.read_text())
        os.kill(grandchild, 0)
    assert child.process.poll() is not None
    assert gone(grandchild)


def test_one_failure_ends_the_others(tmp_path: Path) -> None:
    began = time.monotonic()
    with Children(tmp_path) as children, pytest.raises(ChildError, match="false"):
        children.together(
            lambda: children.run("sleep", ["sleep", "60"]), lambda: children.run("false", ["false"])
        )
    assert time.monotonic() - began < 20


def test_the_failure_that_came_first_is_told(tmp_path: Path) -> None:
    """Not that of a child that was ended because of it."""
    with Children(tmp_path) as children, pytest.raises(ChildError, match="cause"):
        children.together(
            lambda: children.run("sleep", ["sleep", "60"]),
            lambda: children.together(
                lambda: children.run("sleep2", ["sleep", "60"]),
                lambda: children.run("cause", ["sh", "-c", "sleep 0.3; exit 3"]),
            ),
        )


def test_nothing_starts_after_the_stop(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        pass
    with pytest.raises(ChildError, match="was not started"):
        children.start("late", ["sleep", "60"])


def test_waiting_ends_with_the_child(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        child = children.start("true", ["sh", "-c", "echo the reason; exit 7"])
        with pytest.raises(ChildError, match="the reason"):
            processes.wait_until("never", [child], lambda: False)


def test_stop_signals_count_once() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), processes.stoppable():
        terminate_self()
    assert signal.getsignal(signal.SIGTERM) is before


# The papers


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [
        *project["dependencies"],
        *(one for extra in project["optional-dependencies"].values() for one in extra),
    ]
    names = {re.split(r"[\[<>=; ]", need)[0].lower() for need in needed}
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    table = re.sub(r"## Data of others\n.*?(?=\n## |\Z)", "", text, flags=re.DOTALL)
    firsts = (
        line.split("|")[1] for line in table.splitlines() if line.startswith("| ") and "---" not in line
    )
    listed = {name.strip().lower() for first in firsts for name in first.split(",")} - {"package"}
    assert listed == names - {"heqiao"}  # extras that bring another extra


# The figures

FIGURES = {
    "equal": (343, 343, 0, True),
    "a wrong name passed": (343, 344, 1, True),
    "one more, and none passed": (343, 344, 0, False),
    "one is missing": (343, 342, 1, False),
}


@pytest.mark.parametrize(("planted", "found", "passed", "right"), FIGURES.values(), ids=FIGURES)
def test_figures(planted: int, found: int, passed: int, right: bool) -> None:
    assert figures.Figure("text", "Z59b", planted, found, passed).right is right


def terminate_self() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(1)


def run_module(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"testbed.{module}", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def gone(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        status = Path(f"/proc/{pid}/stat")
        if status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False
