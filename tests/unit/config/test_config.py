import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel
from sqlalchemy import URL

from keys.errors import PassphraseError, PermissionsError
from keys.store.atomic_files import write_new
from keys.store.key_store import KeyStore
from keys.store.wrap import KdfCost
from node.config import Config, Home, load, open_key_store
from node.config.default import render_default
from node.database import database_url
from node.errors import ConfigError
from tests.support.paths import ROOT

NODE = '[node]\ncode = "45"\nname = "广西"\n'
DOCS = ROOT / "docs" / "configuration.md"


def write(folder, text):
    path = folder / "node.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_three_lines_are_enough(tmp_path):
    config = load(write(tmp_path, NODE))
    assert (config.node.code, config.node.name, config.node.role) == ("45", "广西", "node")
    assert config.folder == tmp_path
    assert config.keys.store == tmp_path / "keys"
    assert config.keys.passphrase_file == tmp_path / "passphrase"
    assert config.tls.certificate == tmp_path / "tls/node.pem"
    assert config.database_file == tmp_path / "heqiao.db"
    assert config.catalogue.path is None
    assert config.log.file is None
    assert (config.peer.listen, config.address) == ("127.0.0.1:7443", "127.0.0.1:7443")
    assert config.limits.max_message_bytes == 1_048_576
    assert config.limits.k_anonymity == 1024


def test_the_written_file_loads_and_every_commented_default_is_the_default(tmp_path):
    text = render_default(
        "45", '广西 "核对"\\', peer_listen="0.0.0.0:1", advertise="10.45.0.1:1", passphrase_file="/run/p"
    )
    config = load(write(tmp_path, text))
    assert config.node.name == '广西 "核对"\\'
    assert (config.peer.listen, config.address) == ("0.0.0.0:1", "10.45.0.1:1")
    assert config.keys.passphrase_file == Path("/run/p")
    plain = load(write(tmp_path, render_default("45", "广西")))
    assert plain == load(write(tmp_path, NODE))
    all_set = re.sub(r"(?m)^#(?=[a-z])", "", render_default("45", "广西"))
    loaded = load(write(tmp_path, all_set))
    assert loaded.keys.store == plain.keys.store
    for section in ("node", "tls", "platform", "limits", "requester", "rotation"):
        assert getattr(loaded, section) == getattr(plain, section)
    given = tomllib.loads(all_set)
    for section, model in sections().items():
        assert set(given[section]) == set(model.model_fields), section


def sections():
    return {
        name: field.annotation
        for name, field in Config.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }


def test_every_key_has_a_reason_and_the_docs_show_the_written_file():
    for model in sections().values():
        assert all(field.description for field in model.model_fields.values())
    shown = render_default("45", "广西")
    assert shown in DOCS.read_text(encoding="utf-8"), "put this into docs/configuration.md:\n" + shown


def test_relative_paths_start_at_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    text = (
        NODE
        + '[keys]\nstore = "../k"\npassphrase_file = "/run/secrets/p"\n[store]\nurl = "sqlite+pysqlite:///db/h.db?timeout=5"\n'
    )
    text += '[log]\nfile = "h.log"\n[catalogue]\npath = "c.toml"\n'
    config = load(write(tmp_path, text))
    assert config.keys.store == tmp_path.parent / "k"
    assert config.keys.passphrase_file == Path("/run/secrets/p")
    assert config.database_file == tmp_path / "db/h.db"
    assert database_url(config) == URL.create(
        "sqlite+pysqlite", database=f"{tmp_path}/db/h.db", query={"timeout": "5"}
    )
    assert (config.log.file, config.catalogue.path) == (tmp_path / "h.log", tmp_path / "c.toml")
    assert (
        load(write(tmp_path, NODE + '[store]\nurl = "sqlite:////var/h.db"\n')).store.url
        == "sqlite:////var/h.db"
    )


REFUSED = {
    "no-node": ("", r"\[node\] code: missing; \[node\] name: missing"),
    "unknown-key": (
        NODE + "[limits]\nchunk_pionts = 1\n",
        r"\[limits\] chunk_pionts: unknown key, did you mean chunk_points\?",
    ),
    "unknown-section": (NODE + "[limit]\nx = 1\n", r"\[limit\]: unknown key, did you mean limits\?"),
    "unknown-and-unlike": (NODE + "[limits]\nzzz = 1\n", r"\[limits\] zzz: unknown key$"),
    "folder-is-no-key": ('folder = "/x"\n' + NODE, r"\[folder\]: unknown key"),
    "section-no-table": ("keys = 3\n" + NODE, r"\[keys\]: must be a section"),
    "not-toml": (NODE + "[keys\n", r"not TOML: .*line 4"),
    "twice": (NODE + NODE, "not TOML"),
    "bad-code": ('[node]\ncode = "47"\nname = "x"\n', r"\[node\] code: a code is two digits"),
    "number-code": ('[node]\ncode = 45\nname = "x"\n', r"\[node\] code: Input should be a valid string"),
    "bad-name": ('[node]\ncode = "45"\nname = " x"\n', r"\[node\] name: a name is"),
    "bad-role": (NODE + 'role = "boss"\n', r"\[node\] role: Input should be 'node' or 'platform'"),
    "text-number": (
        NODE + '[limits]\nworker_threads = "8"\n',
        r"\[limits\] worker_threads: Input should be a valid integer",
    ),
    "zero": (
        NODE + "[limits]\nworker_threads = 0\n",
        r"worker_threads: Input should be greater than or equal to 4",
    ),
    "endless": (NODE + "[limits]\ncall_timeout_s = inf\n", r"call_timeout_s: Input should be less than"),
    "nan": (NODE + "[limits]\ncall_timeout_s = nan\n", r"call_timeout_s: Input should be"),
    "chunk-too-big": (
        NODE + "[limits]\nchunk_points = 32768\n",
        r"\[limits\]: chunk_points of 32 bytes each do not fit",
    ),
    "hour": (NODE + '[index]\npublish_at = "24:00"\n', r"\[index\] publish_at: a time of day is written"),
    "minute": (NODE + '[index]\npublish_at = "3:00"\n', r"\[index\] publish_at: a time of day is written"),
    "seconds": (NODE + '[index]\npublish_at = "03:00:00"\n', r"\[index\] publish_at: a time of day is"),
    "no-time": (
        NODE + "[index]\npublish_at = 03:00:00\n",
        r"\[index\] publish_at: Input should be a valid str",
    ),
    "waits": (NODE + "[requester]\nretry_wait_s = 61\n", r"\[requester\]: retry_wait_s is longer"),
    "listen": (NODE + '[peer]\nlisten = "7443"\n', r"\[peer\] listen: an address is host:port"),
    "advertise": (NODE + '[peer]\nadvertise = "0.0.0.0:7443"\n', r"\[peer\] advertise: others cannot call"),
    "one-port": (NODE + '[platform]\nlisten = "127.0.0.1:7443"\n', "listen are the same"),
    "empty-path": (NODE + '[keys]\nstore = ""\n', r"\[keys\] store: must be a path"),
    "path-number": (NODE + "[keys]\nstore = 3\n", r"\[keys\] store: must be a path"),
    "memory-database": (
        NODE + '[store]\nurl = "sqlite:///:memory:"\n',
        r"\[store\] url: a node stores its jobs",
    ),
    "no-database": (NODE + '[store]\nurl = "sqlite://"\n', r"\[store\] url: must be a database URL"),
    "bare-file": (NODE + '[store]\nurl = "heqiao.db"\n', r"\[store\] url: must be a database URL"),
    "options": (NODE + '[store]\nurl = "sqlite:////var/what?/h.db"\n', "options"),
    "option-uri": (NODE + '[store]\nurl = "sqlite:///h.db?uri=true"\n', "takes only timeout"),
    "option-mode": (NODE + '[store]\nurl = "sqlite:///h.db?mode=memory"\n', "takes only timeout"),
    "password": (NODE + '[store]\nurl = "postgresql://u:geheim@h/d"\n', r"\[store\] url: carries a password"),
    "password-query": (
        NODE + '[store]\nurl = "postgresql://u@h/d?password=geheim"\n',
        r"url: carries a password",
    ),
    "log-level": (NODE + '[log]\nlevel = "loud"\n', r"\[log\] level: Input should be"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(ConfigError, match=message) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert caught.value.hint
    assert "geheim" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_all_faults_are_reported_at_once(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, NODE + "[limits]\nworker_threads = 0\n[log]\nlevle = 1\n"))
    assert "worker_threads" in str(caught.value)
    assert "did you mean level?" in str(caught.value)


def test_files_that_are_no_configuration(tmp_path):
    (tmp_path / "bin").write_bytes(b"\xff\xfe")
    (tmp_path / "big").write_bytes(b"#" * 300_000)
    for name, message in (
        ("none", "No such file"),
        (".", "directory"),
        ("bin", "UTF-8"),
        ("big", "larger than"),
    ):
        with pytest.raises(ConfigError, match=message):
            load(tmp_path / name)


def test_config_is_frozen(tmp_path):
    config = load(write(tmp_path, NODE))
    with pytest.raises(ValueError, match="frozen"):
        config.limits.worker_threads = 9


def test_home_is_found(tmp_path):
    path = write(tmp_path, NODE)
    expected = Home(tmp_path, path)
    assert Home.find(tmp_path, environ={}) == expected
    assert Home.find(environ={"HEQIAO_HOME": str(tmp_path)}) == expected
    assert Home.find(path, environ={}) == Home.find(environ={"HEQIAO_HOME": str(path)}) == expected
    assert Home.find(config=path, environ={"HEQIAO_HOME": "/elsewhere"}) == expected
    assert expected.load().node.code == "45"
    for arguments, message in (
        ((None, None, {}), "no home"),
        ((tmp_path / "x", None, {}), "no configuration here"),
    ):
        with pytest.raises(ConfigError, match=message):
            Home.find(*arguments)


def test_key_store_is_opened_with_the_configured_passphrase(tmp_path):
    config = load(write(tmp_path, NODE))
    KeyStore.create(tmp_path / "keys", b"word", cost=KdfCost(1, 1, 8)).add("oprf.1", b"x" * 32)
    with pytest.raises(PassphraseError, match="no such"):
        open_key_store(config)
    write_new(tmp_path / "passphrase", b"word\n", 0o644)
    with pytest.raises(PermissionsError):
        open_key_store(config)
    (tmp_path / "passphrase").chmod(0o600)
    assert open_key_store(config).names() == ["oprf.1"]


def test_database_password_comes_from_its_file_only(tmp_path):
    write_new(tmp_path / "pw", "p@ss/wörd\n".encode())
    text = NODE + '[store]\nurl = "postgresql+psycopg://u@localhost:5432/d"\npassword_file = "pw"\n'
    config = load(write(tmp_path, text))
    assert database_url(config) == URL.create("postgresql+psycopg", "u", "p@ss/wörd", "localhost", 5432, "d")
    assert "p@ss" not in repr(config) + repr(database_url(config)) + str(database_url(config))
    assert database_url(load(write(tmp_path, NODE))) == URL.create("sqlite", database=f"{tmp_path}/heqiao.db")
    for url in ("postgresql://localhost/d", "sqlite:///x.db"):
        with pytest.raises(ConfigError, match="names no user"):
            database_url(load(write(tmp_path, f'{NODE}[store]\nurl = "{url}"\npassword_file = "pw"\n')))
