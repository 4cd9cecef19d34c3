"""The key store of a configuration, opened with its passphrase file."""

from keys.store.atomic_files import read_passphrase
from keys.store.key_store import KeyStore
from node.config.model import Config


def open_key_store(config: Config) -> KeyStore:
    """The node's key store, opened with the passphrase of the configured file.

    Raises:
        KeyringError: as `read_passphrase` and `KeyStore.open`.
    """
    keys = config.keys
    return KeyStore.open(keys.store, read_passphrase(keys.passphrase_file), keys.pkcs11_module)
