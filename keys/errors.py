"""Errors of keys and certificates. Messages never contain a key or a passphrase."""


class KeyringError(Exception):
    """Base of the key errors; `code` is a stable label, `hint` says what to do next."""

    code = "keyring_error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class PassphraseError(KeyringError):
    """The passphrase does not open the store, or its file cannot be used."""

    code = "bad_passphrase"


class PermissionsError(KeyringError):
    """Other accounts may access a key file or folder, or this account may not."""

    code = "key_permissions"


class StoreMissingError(KeyringError):
    """There is no key store in this folder."""

    code = "key_store_missing"


class StoreExistsError(KeyringError):
    """The target exists already; keys are never overwritten."""

    code = "key_store_exists"


class StoreDamagedError(KeyringError):
    """The header or an entry was altered, cut short, or put under another name."""

    code = "key_store_damaged"


class StoreVersionError(KeyringError):
    """The store or entry was written by a newer Heqiao."""

    code = "key_store_newer"


class KeyMissingError(KeyringError):
    """The store holds no key of this name or purpose."""

    code = "key_missing"


class KeyExistsError(KeyringError):
    """The store already holds a key of this name."""

    code = "key_exists"


class CertificateError(KeyringError):
    """A certificate or signing request is malformed, expired, of another CA, or names nobody known."""

    code = "bad_certificate"


class EnrolmentError(KeyringError):
    """A request, bundle or node card is malformed, altered, or meant for another node."""

    code = "bad_enrolment"


class KeyStateError(KeyringError):
    """A key is not in the state that a step needs, does not exist, or the clock is before its last step."""

    code = "key_state"


class SuccessionError(KeyringError):
    """A chain of signing keys does not lead from the pinned one; `check` is a stable word for the reason:
    forged, order, replayed, gap, expired, clock or malformed.
    """

    code = "bad_succession"

    def __init__(self, check: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.check = check


class TokenError(KeyringError):
    """A PKCS#11 token, its library or its key cannot be used."""

    code = "key_token"


class StoreBusyError(KeyringError):
    """Another process is changing the key store."""

    code = "key_store_busy"


class BackupError(KeyringError):
    """A backup or a share is malformed, altered, or sealed to other recipients."""

    code = "bad_backup"
