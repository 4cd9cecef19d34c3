"""The section [keys] of the configuration."""

from pathlib import Path

from pydantic import Field

from node.config.home_files import PASSPHRASE
from node.config.section import HomePath, Section


class KeysSection(Section):
    """The encrypted key store."""

    store: HomePath = Field(default=Path("keys"), description="Folder of the sealed keys")
    passphrase_file: HomePath = Field(
        default=Path(PASSPHRASE),
        description="File with its passphrase, or the PIN of its token; in production on another medium",
    )
    pkcs11_module: HomePath | None = Field(
        default=None, description="Library of the PKCS#11 token that seals it (`heqiao keys rewrap --token`)"
    )
