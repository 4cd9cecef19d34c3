"""What can go wrong with keys and certificates. Messages never carry a key or a passphrase."""


class KeyringError(Exception):
    """Base of the key errors; `code` is a stable label, `hint` says what to do next."""

    code = "keyring_error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
