"""The configuration of a node: one TOML file, strict. Every limit has a default and a reason.

Relative paths are relative to the folder of the file. Secrets stand in files of their own, named
here by path. docs/configuration.md shows the file that `render_default` writes.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import parse_qsl, quote, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from keys.pki.names import Role, check_address, check_code, check_name, split_address
from keys.store.atomic_files import read_passphrase
from keys.store.key_store import KeyStore
from node.config.approvals import ApprovalsSection
from node.config.faults import describe_fault, known_keys
from node.config.rotation import STRICT, RotationSection
from node.errors import ConfigError

REQUEST: Final = "request.json"

PASSPHRASE: Final = "passphrase"  # noqa: S105  name of a file

FILE: Final = "node.toml"
HOME_VARIABLE: Final = "HEQIAO_HOME"
_MAX_BYTES: Final = 262_144
_WIRE_SPARE: Final = 4_096  # what a message needs beside its points
_SQLITE: Final = re.compile(r"(sqlite(?:\+[a-z0-9_]+)?):///(.*)")


def _in_folder(value: object, info: ValidationInfo) -> Path:
    if isinstance(value, Path):
        path = value
    elif isinstance(value, str) and value:
        path = Path(value)
    else:
        raise ValueError("must be a path in quotes")
    return Path(os.path.normpath(_folder(info) / path))


def _folder(info: ValidationInfo) -> Path:
    context: Mapping[str, Path] = info.context or {}
    return context.get("folder", Path())


def _take_folder(value: object, info: ValidationInfo) -> Path:
    if value != Path():  # only the loader says where the file is
        raise PydanticCustomError("extra_forbidden", "unknown key")
    return _folder(info)


def _check_listen(address: str) -> str:
    split_address(address)
    return address


def _check_url(url: str, info: ValidationInfo) -> str:
    sqlite = _SQLITE.fullmatch(url)
    if sqlite is not None:
        name, question, query = sqlite[2].partition("?")
        if not name or name == ":memory:":
            raise ValueError("a node stores its jobs: name a database file")
        return f"{sqlite[1]}:///{os.path.normpath(_folder(info) / name)}{question}{query}"
    parts = urlsplit(url)
    if not parts.scheme or not parts.netloc or url.startswith("sqlite"):
        raise ValueError("must be a database URL, as in sqlite:///heqiao.db")
    if parts.password is not None or any("pass" in key for key, _ in parse_qsl(parts.query)):
        raise ValueError("carries a password: put that into a file and name it in password_file")
    return url


HomePath = Annotated[Path, BeforeValidator(_in_folder)]
Listen = Annotated[str, AfterValidator(_check_listen)]


class _Section(BaseModel):
    model_config = STRICT


class NodeSection(_Section):
    """Who this node is."""

    code: Annotated[str, AfterValidator(check_code)] = Field(
        description="Province code: two digits of GB/T 2260, or 66 for the 兵团"
    )
    name: Annotated[str, AfterValidator(check_name)] = Field(description="Name that people read, as in 广西")
    role: Role = Field(default="node", description="node, or platform: a caller that serves nobody")


class KeysSection(_Section):
    """The encrypted key store."""

    store: HomePath = Field(default=Path("keys"), description="Folder of the sealed keys")
    passphrase_file: HomePath = Field(
        default=Path("passphrase"),
        description="File with its passphrase, or the PIN of its token; in production on another medium",
    )
    pkcs11_module: HomePath | None = Field(
        default=None, description="Library of the PKCS#11 token that seals it (`heqiao keys rewrap --token`)"
    )


class TlsSection(_Section):
    """Certificates; the private key is in the key store."""

    certificate: HomePath = Field(default=Path("tls/node.pem"), description="This node's certificate")
    ca: HomePath = Field(default=Path("tls/ca.pem"), description="The federation's CA certificate")
    revocations: HomePath = Field(
        default=Path("tls/revoked.pem"), description="Its revocation list, if there is one"
    )


class PeerSection(_Section):
    """The service for other provinces' nodes."""

    listen: Listen = Field(
        default="127.0.0.1:7443", description="Address to listen on; port 0 takes a free one"
    )
    advertise: Annotated[str, AfterValidator(check_address)] | None = Field(
        default=None, description="Address that peers call, if not the same"
    )
    reflection: bool = Field(
        default=False, description="Let callers list services and messages; for trials only"
    )


class PlatformSection(_Section):
    """The service for this province's own platforms."""

    listen: Listen = Field(
        default="127.0.0.1:7444", description="Address to listen on; port 0 takes a free one"
    )
    reflection: bool = Field(
        default=False, description="Let callers list services and messages; for trials only"
    )


class StoreSection(_Section):
    """The database."""

    url: Annotated[str, AfterValidator(_check_url)] = Field(
        default="sqlite:///heqiao.db",
        description="SQLAlchemy URL without password, as in postgresql+psycopg://user@host/db",
    )
    password_file: HomePath | None = Field(default=None, description="File with the database password")


class CatalogueSection(_Section):
    """The item catalogue."""

    path: HomePath | None = Field(
        default=None, description="Catalogue file; default is the one that comes with Heqiao"
    )


class LimitsSection(_Section):
    """What a peer or platform can make this node do at most."""

    max_message_bytes: int = Field(
        default=1_048_576,
        ge=1_048_576,
        le=16_777_216,
        description="A slow peer costs a few messages of memory; every node must take 1 MiB",
    )
    chunk_points: int = Field(
        default=4_096, ge=16, le=262_144, description="Points in one message: 128 KiB, 0.1 s of one core"
    )
    max_points_per_query: int = Field(
        default=2_000_000,
        ge=1,
        le=100_000_000,
        description="A county asks for 20,000; a province's re-check fits",
    )
    k_anonymity: int = Field(
        default=1_024, ge=2, le=262_144, description="Average entries of a bucket, which hide one person"
    )
    retrieval_floor: Literal["partition", "buckets", "filter"] = Field(
        default="filter",
        description="Most that a query may reveal to this node: only whole partitions, or which buckets are "
        "asked, or roughly which buckets hold matches",
    )
    worker_threads: int = Field(
        default=8, ge=1, le=256, description="Calls served at once; the curve runs on all cores"
    )
    max_streams_per_peer: int = Field(
        default=4, ge=1, le=64, description="One peer must not take all worker threads"
    )
    max_watchers: int = Field(
        default=32,
        ge=1,
        le=1_024,
        description="Platforms' streams that wait for a job's progress; each keeps one thread",
    )
    call_timeout_s: float = Field(
        default=30, gt=0, le=3_600, description="A call or message without answer is retried after this"
    )
    max_subjects_per_job: int = Field(
        default=100_000, ge=1, le=10_000_000, description="A report stays readable and its job in memory"
    )
    part_timeout_s: float = Field(
        default=3_600,
        gt=0,
        le=604_800,
        description="One peer's part of a job, retries included; then UNAVAILABLE",
    )
    planted_per_partition: int = Field(
        default=8, ge=1, le=1_024, description="Signed test records in each, so that a broken answer shows"
    )

    @model_validator(mode="after")
    def _check_chunks(self) -> "LimitsSection":
        if self.chunk_points * 32 + _WIRE_SPARE > self.max_message_bytes:
            raise ValueError("chunk_points of 32 bytes each do not fit in max_message_bytes")
        return self


class RequesterSection(_Section):
    """How this node asks others."""

    due_days: int = Field(
        default=5, ge=1, le=60, description="Working days a peer has to answer; then OVERDUE"
    )
    retry_attempts: int = Field(
        default=5,
        ge=1,
        le=100,
        description="Attempts at a call that may be repeated: enough to wait for a restart of the peer",
    )
    retry_wait_s: float = Field(
        default=1.0, gt=0, le=600, description="Wait before the second attempt; doubles each time"
    )
    retry_wait_max_s: float = Field(
        default=60.0, gt=0, le=3_600, description="Longest wait between two attempts"
    )
    keep_partitions_mib: int = Field(
        default=0,
        ge=0,
        le=16_777_216,
        description="MiB for peers' partitions, kept whole for later queries; 0 keeps none",
    )

    @model_validator(mode="after")
    def _check_waits(self) -> "RequesterSection":
        if self.retry_wait_s > self.retry_wait_max_s:
            raise ValueError("retry_wait_s is longer than retry_wait_max_s")
        return self


class LogSection(_Section):
    """The log: JSON lines without identities, names and values."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Minimum log level"
    )
    file: HomePath | None = Field(default=None, description="File to append to; default is standard error")


class Config(_Section):
    """A node's configuration, checked; all paths start at `folder`, where the file is."""

    node: NodeSection
    keys: KeysSection = Field(default_factory=KeysSection)
    tls: TlsSection = Field(default_factory=TlsSection)
    peer: PeerSection = Field(default_factory=PeerSection)
    platform: PlatformSection = Field(default_factory=PlatformSection)
    store: StoreSection = Field(default_factory=StoreSection)
    catalogue: CatalogueSection = Field(default_factory=CatalogueSection)
    limits: LimitsSection = Field(default_factory=LimitsSection)
    requester: RequesterSection = Field(default_factory=RequesterSection)
    rotation: RotationSection = Field(default_factory=RotationSection)
    approvals: ApprovalsSection = Field(default_factory=ApprovalsSection)
    log: LogSection = Field(default_factory=LogSection)
    folder: Annotated[Path, BeforeValidator(_take_folder)] = Path()

    @model_validator(mode="after")
    def _check_ports(self) -> "Config":
        same = self.peer.listen == self.platform.listen
        if same and split_address(self.peer.listen)[1]:
            raise ValueError("[peer] listen and [platform] listen are the same: both need a port")
        return self

    @property
    def address(self) -> str:
        """Where peers call this node."""
        return self.peer.advertise or self.peer.listen


@dataclass(frozen=True, slots=True)
class Home:
    """Where a node lives: its folder, and its configuration in it."""

    folder: Path
    config: Path

    @classmethod
    def find(
        cls, home: Path | None = None, config: Path | None = None, environ: Mapping[str, str] = os.environ
    ) -> "Home":
        """The home given, else that of a configuration file given, else that of HEQIAO_HOME.

        `home` and HEQIAO_HOME may also name the configuration file itself, where it lies elsewhere.

        Raises:
            ConfigError: none is given, or there is no such configuration.
        """
        if config is None:
            named = environ.get(HOME_VARIABLE, "")
            folder = home or (Path(named) if named else None)
            if folder is None:
                raise ConfigError("no home given", f"give --home FOLDER or set {HOME_VARIABLE}")
            home, config = (None, folder) if folder.is_file() else (home, folder / FILE)
        config = config.absolute()
        if not config.is_file():
            raise ConfigError(
                f"{config}: no configuration here", "make a home with `heqiao init`, or correct --home"
            )
        return cls(home.absolute() if home else config.parent, config)

    def load(self) -> Config:
        """The configuration of this home; raises as `load` does."""
        return load(self.config)


def load(path: Path) -> Config:
    """Read and check a configuration file.

    Raises:
        ConfigError: it cannot be read, is not TOML, or a key is unknown, missing or out of bounds;
            says which file and key, and what to write.
    """
    content = _read(path)
    sections: dict[str, Any] = {name: {} for name in known_keys(Config)}
    try:
        return Config.model_validate({**sections, **content}, context={"folder": path.absolute().parent})
    except ValidationError as invalid:
        faults = invalid.errors(include_url=False, include_context=False, include_input=False)
        told = "; ".join(
            describe_fault(Config, fault["loc"], fault["type"], fault["msg"]) for fault in faults
        )
        raise ConfigError(f"{path}: {told}", "docs/configuration.md explains every key") from None


def open_key_store(config: Config) -> KeyStore:
    """The node's key store, opened with the passphrase of the configured file.

    Raises:
        KeyringError: as `read_passphrase` and `KeyStore.open` say.
    """
    keys = config.keys
    return KeyStore.open(keys.store, read_passphrase(keys.passphrase_file), keys.pkcs11_module)


def database_url(config: Config) -> str:
    """URL of the database with its password, if there is a file for it. Never log this.

    Raises:
        ConfigError: there is a password but no user to give it to.
        KeyringError: the file cannot be used, as `read_passphrase` says.
    """
    url, file = config.store.url, config.store.password_file
    if file is None:
        return url
    scheme, _, rest = url.partition("://")
    user, at, host = rest.partition("@")
    if not at or "/" in user:
        raise ConfigError(
            "[store] password_file: the URL names no user",
            "write the URL as postgresql+psycopg://user@host/db",
        )
    return f"{scheme}://{user}:{quote(read_passphrase(file), safe='')}@{host}"


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", "give the home of a node, or its node.toml") from None
    if len(content) > _MAX_BYTES:
        raise ConfigError(f"{path}: larger than {_MAX_BYTES} bytes", "is this node.toml?")
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not text in UTF-8", "save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}", "correct the line that is named") from None
