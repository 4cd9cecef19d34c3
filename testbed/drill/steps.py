"""What an administrator does while provinces ask each other: one function a step, all by `heqiao`."""

import json
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from testbed import homes
from testbed.homes import CA, Province
from testbed.processes import Child, Children

REVOKED = Province(
    "46", "海南", holds=False, asks_about="45"
)  # asks, serves nobody; its certificate is revoked
LOST = homes.PROVIDERS[0]  # the node that is wiped
EVERYBODY = (*homes.PROVINCES, REVOKED)
OFFICER, SHARES = "officer", "shares"
QUIET_S = 8.0


@dataclass
class Drill:
    """Where it runs, what is running, and what earlier steps left for later ones."""

    children: Children
    folder: Path
    nodes: dict[str, Child]
    imports: Callable[[Province], None]  # all registers of a province
    fingerprint: str = ""

    def home(self, province: Province) -> Path:
        """A province's home."""
        return self.folder / province.code

    def heqiao(self, name: str, *arguments: str | Path) -> str:
        """One command of an administrator. Raises ChildError when it fails."""
        return homes.heqiao(self.children, f"{name}-{time.monotonic_ns()}", *arguments)

    def each(self, provinces: Iterable[Province], name: str, *arguments: str | Path) -> None:
        """The same command in several provinces at once."""
        self.children.together(
            *(
                partial(self.heqiao, f"{name}-{province.code}", *arguments, "--home", self.home(province))
                for province in provinces
            )
        )


@dataclass(frozen=True)
class Step:
    """A line of the table."""

    name: str
    run: Callable[[Drill], None]


def wait_quietly(_drill: Drill) -> None:
    """Nothing happens: what the stream is like without a drill."""
    time.sleep(QUIET_S)


def rotate(drill: Drill, purpose: str) -> None:
    """The next key of each province with records; the one before is in grace."""
    drill.each(homes.PROVIDERS, f"rotate-{purpose}", "keys", "rotate", purpose)


def end(drill: Drill, purpose: str) -> None:
    """Refuse the keys in grace at once, as after a theft, and erase them: who still uses one follows."""
    drill.each(homes.PROVIDERS, f"retire-{purpose}", "keys", "retire", purpose, "--now")
    drill.each(homes.PROVIDERS, f"destroy-{purpose}", "keys", "destroy", purpose, "--confirm")


def rotate_signing(drill: Drill) -> None:
    """The next signing key; then those who ask look once, as a telephone call before the end of the grace
    would have them do: a peer that has not seen the key by then needs the new card.
    """
    rotate(drill, "signing")
    drill.each((homes.REQUESTER, REVOKED), "doctor", "doctor")


def whole_life(purpose: str, start: Callable[[Drill], None] | None = None) -> tuple["Step", ...]:
    """A kind of key from one epoch to the next."""
    return (
        Step(f"rotate {purpose}", start or partial(rotate, purpose=purpose)),
        Step(f"retire and destroy {purpose}", partial(end, purpose=purpose)),
    )


def next_salt(drill: Drill) -> None:
    """The federation's next salt, made by the CA; every member takes it, and nothing changes yet."""
    bundles = drill.folder / "salts"
    drill.heqiao("ca-salt", "ca", "salt", "--dir", drill.folder / CA, "--out", bundles)
    for province in EVERYBODY:
        for bundle in bundles.glob(f"{province.code}-*.bundle"):
            drill.heqiao("join", "join", "--home", drill.home(province), bundle)


def import_again(drill: Drill) -> None:
    """Every register once more, under both salts."""
    drill.each(homes.PROVINCES, "begin-salt", "keys", "rotate", "salt")
    drill.children.together(*(partial(drill.imports, province) for province in homes.PROVIDERS))


def rotate_salt(drill: Drill) -> None:
    """The new salt in use, now that everything has it."""
    drill.each(homes.PROVIDERS, "rotate-salt", "keys", "rotate", "salt")


def roll_ca(drill: Drill) -> None:
    """A new root, which everybody trusts beside the old one; from now on it issues."""
    found = drill.folder / "roots.json"
    drill.heqiao("roll", "ca", "roll", "--dir", drill.folder / CA, "--out", found)
    drill.each(EVERYBODY, "roots", "peers", "roots", found)
    drill.heqiao("roll", "ca", "roll", "--dir", drill.folder / CA, "--switch")


def rotate_tls(drill: Drill) -> None:
    """A new TLS key and certificate for everybody, without a restart."""
    drill.each(EVERYBODY, "rotate-tls", "keys", "rotate", "tls")
    for province in EVERYBODY:
        homes.issue(drill.children, drill.folder, province.code)


def drop_root(drill: Drill) -> None:
    """The old root is erased, and trusted by nobody any more."""
    drill.heqiao("roll", "ca", "roll", "--dir", drill.folder / CA, "--end")
    drill.each(EVERYBODY, "drop-root", "peers", "roots", "--drop-old")


def rewrap(drill: Drill) -> None:
    """Another passphrase for a key store whose node runs."""
    province = homes.PROVIDERS[-1]
    home = drill.home(province)
    renewed = home / "passphrase-2"
    renewed.touch(mode=0o600)
    renewed.write_text("the second passphrase of the drill\n", encoding="utf-8")
    drill.heqiao("rewrap", "keys", "rewrap", "--home", home, "--new-passphrase-file", renewed)
    homes.configure(home, {"passphrase_file": f'"{renewed.name}"'})
    drill.heqiao("verify", "keys", "verify", "--home", home)


def revoke(drill: Drill) -> None:
    """One peer's certificate is revoked; every node takes the list."""
    found = drill.folder / "revoked.pem"
    drill.heqiao("revoke", "ca", "revoke", "--dir", drill.folder / CA, "--code", REVOKED.code, "--out", found)
    drill.each(homes.PROVINCES, "revocations", "peers", "revocations", found)


def back_up(drill: Drill) -> None:
    """The keys of one node, for an officer and in shares, and a copy of its database while it serves."""
    home = drill.home(LOST)
    officer = drill.folder / OFFICER
    drill.heqiao("recipient", "keys", "recipient", "--dir", officer, "--name", "安全员")
    printed = drill.heqiao(
        "backup", "keys", "backup", "--home", home, "--json", "--out", _backup(drill),
        "--recipient", officer / "recipient.json", "--split", "2/3", "--shares-dir", drill.folder / SHARES,
    )  # fmt: skip
    drill.fingerprint = json.loads(printed.splitlines()[-1])["fingerprint"]
    copy_database(home / "heqiao.db", _copy(drill))


def wipe(drill: Drill) -> None:
    """Its machine is lost: kill -9, and the home is deleted."""
    drill.nodes.pop(LOST.code).kill()
    shutil.rmtree(drill.home(LOST))


def restore(drill: Drill) -> None:
    """The home from two of the three shares, the database from its copy, and the node serves again."""
    home, shares = drill.home(LOST), drill.folder / SHARES
    drill.heqiao(
        "restore", "keys", "restore", _backup(drill), "--home", home, "--fingerprint", drill.fingerprint,
        "--share", shares / "share-01.txt", "--share", shares / "share-03.txt",
    )  # fmt: skip
    shutil.copyfile(_copy(drill), home / "heqiao.db")
    drill.heqiao("verify", "keys", "verify", "--home", home)
    drill.nodes |= homes.serve(drill.children, drill.folder, [LOST])


def let_back(drill: Drill) -> None:
    """The revoked peer gets a certificate for a new key."""
    drill.each([REVOKED], "rotate-tls", "keys", "rotate", "tls")
    homes.issue(drill.children, drill.folder, REVOKED.code)


def look_over(drill: Drill) -> None:
    """Each node is whole: keys, audit chain, and the way from one to the others."""
    drill.each(homes.PROVINCES, "status", "keys", "status")
    drill.each(homes.PROVINCES, "audit", "audit", "verify")
    drill.heqiao("doctor", "doctor", "--home", drill.home(homes.REQUESTER))


STEPS: tuple[Step, ...] = (
    Step("quiet", wait_quietly),
    *whole_life("oprf"),
    *whole_life("paillier"),  # and with it the sum key: they are one epoch
    *whole_life("signing", rotate_signing),
    Step("take the next salt", next_salt),
    Step("import under both", import_again),
    *whole_life("salt", rotate_salt),
    Step("new root of the CA", roll_ca),
    Step("rotate tls", rotate_tls),
    Step("drop the old root", drop_root),
    Step("rewrap", rewrap),
    Step("revoke 46", revoke),
    Step("back up 44", back_up),
    Step("wipe 44", wipe),
    Step("restore 44", restore),
    Step("let 46 back in", let_back),
    Step("look over", look_over),
)


def copy_database(source: Path, target: Path) -> None:
    """What `sqlite3 DATABASE ".backup FILE"` does: a whole copy of a database that is in use."""
    with closing(sqlite3.connect(source, timeout=30)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)


def _backup(drill: Drill) -> Path:
    return drill.folder / f"{LOST.code}.backup"


def _copy(drill: Drill) -> Path:
    return drill.folder / f"{LOST.code}.db"


def settings(folder: Path, catalogue: str) -> Mapping[str, str]:
    """What the nodes of a drill have in node.toml: its catalogue, patience, and quotas that nothing reaches.

    The default of five tries waits 15 s in all, which is a restart; making a home anew takes longer. Clients
    that ask without end would use up a province's quotas of points, sums, their points, and bytes.
    """
    path = json.dumps(str(folder.absolute() / catalogue), ensure_ascii=False)
    waits = {"retry_attempts": "40", "retry_wait_max_s": "2.0"}
    return {"catalogue.path": path, **waits, "min_opened": "20", **homes.WIDE_QUOTAS}
