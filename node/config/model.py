"""The configuration of a node: all its sections, and the checks across sections."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from keys.pki.names import split_address
from node.config.approvals import ApprovalsSection
from node.config.backups import BackupsSection
from node.config.calendar import CalendarSection
from node.config.catalogue import CatalogueSection
from node.config.code_tables import CodeTablesSection
from node.config.console import ConsoleSection
from node.config.deadlines import DeadlinesSection
from node.config.identity import NodeSection
from node.config.imports import ImportsSection
from node.config.index import IndexSection
from node.config.jobs import JobsSection
from node.config.keys import KeysSection
from node.config.limits import LimitsSection
from node.config.log import LogSection
from node.config.mandates import MandatesSection
from node.config.notices import NoticesSection
from node.config.peer import PeerSection
from node.config.platform import PlatformSection
from node.config.quotas import QuotasSection
from node.config.requester import RequesterSection
from node.config.retention import RetentionSection
from node.config.rotation import RotationSection
from node.config.section import Section, folder_of
from node.config.store import StoreSection, sqlite_file
from node.config.tls import TlsSection
from node.config.users import UsersSection
from node.config.watch import WatchSection


def _take_folder(value: object, info: ValidationInfo) -> Path:
    if value != Path():  # only the loader sets the folder
        raise PydanticCustomError("extra_forbidden", "unknown key")
    return folder_of(info)


class Config(Section):
    """A node's configuration, checked; all paths start at `folder`, the folder of the file."""

    node: NodeSection
    keys: KeysSection = Field(default_factory=KeysSection)
    tls: TlsSection = Field(default_factory=TlsSection)
    peer: PeerSection = Field(default_factory=PeerSection)
    platform: PlatformSection = Field(default_factory=PlatformSection)
    store: StoreSection = Field(default_factory=StoreSection)
    catalogue: CatalogueSection = Field(default_factory=CatalogueSection)
    code_tables: CodeTablesSection = Field(default_factory=CodeTablesSection)
    index: IndexSection = Field(default_factory=IndexSection)
    imports: ImportsSection = Field(default_factory=ImportsSection)
    limits: LimitsSection = Field(default_factory=LimitsSection)
    quotas: QuotasSection = Field(default_factory=QuotasSection)
    requester: RequesterSection = Field(default_factory=RequesterSection)
    jobs: JobsSection = Field(default_factory=JobsSection)
    deadlines: DeadlinesSection = Field(default_factory=DeadlinesSection)
    calendar: CalendarSection = Field(default_factory=CalendarSection)
    mandates: MandatesSection = Field(default_factory=MandatesSection)
    watch: WatchSection = Field(default_factory=WatchSection)
    notices: NoticesSection = Field(default_factory=NoticesSection)
    retention: RetentionSection = Field(default_factory=RetentionSection)
    rotation: RotationSection = Field(default_factory=RotationSection)
    approvals: ApprovalsSection = Field(default_factory=ApprovalsSection)
    backups: BackupsSection = Field(default_factory=BackupsSection)
    users: UsersSection = Field(default_factory=UsersSection)
    console: ConsoleSection = Field(default_factory=ConsoleSection)
    log: LogSection = Field(default_factory=LogSection)
    folder: Annotated[Path, BeforeValidator(_take_folder)] = Path()

    @model_validator(mode="after")
    def _check_ports(self) -> "Config":
        same = self.peer.listen == self.platform.listen
        if same and split_address(self.peer.listen)[1]:
            raise ValueError("[peer] listen and [platform] listen are the same: both need a port")
        return self

    @model_validator(mode="after")
    def _check_imports(self) -> "Config":
        found = self.imports.folder
        if found is not None and self.folder != Path() and self.folder.is_relative_to(found):
            raise ValueError("[imports] folder has the home in it: name a folder for files of registers only")
        return self

    @property
    def database_file(self) -> Path | None:
        """The file of the database, None where it is not SQLite."""
        return sqlite_file(self.store.url, self.folder)

    @property
    def address(self) -> str:
        """The address that peers call."""
        return self.peer.advertise or self.peer.listen
