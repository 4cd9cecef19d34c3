"""The secret files of a configuration: passphrase of the key store, password of the database."""

from urllib.parse import quote

from keys.store.atomic_files import read_passphrase
from keys.store.key_store import KeyStore
from node.config.model import Config
from node.errors import ConfigError


def open_key_store(config: Config) -> KeyStore:
    """The node's key store, opened with the passphrase of the configured file.

    Raises:
        KeyringError: as `read_passphrase` and `KeyStore.open`.
    """
    keys = config.keys
    return KeyStore.open(keys.store, read_passphrase(keys.passphrase_file), keys.pkcs11_module)


def database_url(config: Config) -> str:
    """URL of the database with its password, if there is a file for it. Never log this.

    Raises:
        ConfigError: there is a password, but the URL names no user.
        KeyringError: the file cannot be used, as `read_passphrase`.
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
