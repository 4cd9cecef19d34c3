"""Files written whole or not at all, and files of secrets: exclusive, not accessible to other accounts.

Every write goes to a temporary name in the same folder, is flushed to disk, and only then gets its
name, so that a crash leaves the old file, the new file, or a stray dot file, never half a file.
"""

import errno
import os
import pwd
import secrets
import shlex
import stat
from pathlib import Path
from typing import BinaryIO, Final, Self

from keys.errors import KeyExistsError, PassphraseError, PermissionsError, StoreDamagedError

PRIVATE: Final = 0o600
PUBLIC: Final = 0o644
MAX_BYTES: Final = 1_048_576  # far more than any key, certificate, request or bundle has
_OPEN_TO_OTHERS: Final = 0o077
PASSPHRASE_BYTES: Final = 4096


class NewFile:
    """A file under a temporary name in the same folder until it is published; removed if it never is.

    with NewFile(path, PRIVATE) as new:
        new.file.write(content)
        new.publish()
    """

    def __init__(self, path: Path, mode: int) -> None:
        """Open the temporary file, with these permissions under any umask. Raises OSError."""
        self._path = path
        self._temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
        descriptor = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        self.file: BinaryIO = os.fdopen(descriptor, "wb")
        try:
            os.fchmod(descriptor, mode)
        except OSError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def publish(self, *, over: bool = True) -> None:
        """Flush the file to disk and give it its name; with `over` it may replace an old file.

        Raises FileExistsError where there is one and `over` is false, OSError when the disk refuses.
        """
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        if over:
            self._temporary.replace(self._path)
        else:
            os.link(self._temporary, self._path)  # unlike a rename, a link never replaces
            self._temporary.unlink()
        sync_folder(self._path.parent)

    def close(self) -> None:
        """Close the file, and remove it if it was not published."""
        try:
            self.file.close()
        finally:
            self._temporary.unlink(missing_ok=True)


def write_new(path: Path, content: bytes, mode: int = PRIVATE) -> None:
    """Write a file that must not exist yet.

    Raises:
        KeyExistsError: there is a file of that name; it is left as it was.
    """
    try:
        _write(path, content, mode, over=False)
    except FileExistsError:
        raise KeyExistsError(f"{path}: exists already", "it is kept; choose another name") from None


def replace(path: Path, content: bytes, mode: int = PUBLIC) -> None:
    """Write a file, in place of an old one if there is one."""
    _write(path, content, mode, over=True)


def _write(path: Path, content: bytes, mode: int, *, over: bool) -> None:
    try:
        with NewFile(path, mode) as new:
            new.file.write(content)
            new.publish(over=over)
    except OSError as error:
        error.filename = error.filename or str(path)  # an error of a full disk does not name the file
        raise


def sync_folder(folder: Path) -> None:
    """Make new names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:  # some network file systems have no fsync of folders
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def check_private(path: Path, mode: int) -> None:
    """Refuse a file or folder that the group or others may read, write or enter.

    Raises:
        PermissionsError: they may.
    """
    if mode & _OPEN_TO_OTHERS:
        wanted = "700" if stat.S_ISDIR(mode) else "600"
        raise PermissionsError(
            f"{path}: open to other accounts (mode {stat.S_IMODE(mode):o})",
            f"chmod {wanted} {shlex.quote(str(path))}, and replace the secret if others may have read it",
        )


def require_owner(folder: Path) -> None:
    """Refuse to write into a folder of another account, as root too: what root makes there, the account that
    runs the node could not read.

    Raises:
        PermissionsError: the folder belongs to another account than the one of this process.
        OSError: there is no such folder.
    """
    owner = folder.stat().st_uid
    if owner == os.geteuid():
        return
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:  # an account of another machine or container
        name = f"#{owner}"
    raise PermissionsError(
        f"{folder}: belongs to the account {name}, and this command would write there",
        f"nothing was written; run it as that account: sudo -u {shlex.quote(name)} heqiao ...",
    )


def read_private(path: Path, limit: int = MAX_BYTES) -> bytes:
    """Read a regular file that other accounts may not access.

    Raises:
        PermissionsError: open to other accounts, or not readable by this one.
        StoreDamagedError: not a regular file, or larger than `limit` bytes.
        FileNotFoundError: no such file.
    """
    content = None
    try:
        with open(path, "rb", opener=_open_unblocked) as file:
            mode = os.fstat(file.fileno()).st_mode  # of the open file: its name may be replaced meanwhile
            if stat.S_ISREG(mode):
                check_private(path, mode)
                content = file.read(limit + 1)
    except IsADirectoryError:
        pass
    except PermissionError:
        raise PermissionsError(
            f"{path}: this account may not read it", "run as the account that owns the file"
        ) from None
    if content is None:
        raise StoreDamagedError(f"{path}: not a regular file", "give a plain file")
    if len(content) > limit:
        raise StoreDamagedError(f"{path}: larger than {limit} bytes", "this is not a key file of Heqiao")
    return content


def _open_unblocked(path: str, flags: int) -> int:
    # Reading a named pipe in place of the file would block the node for ever.
    return os.open(path, flags | os.O_NONBLOCK)


def read_passphrase(path: Path) -> bytes:
    """The passphrase in a file: its bytes without one newline at the end.

    Raises:
        PassphraseError: the file is missing, empty, too long, or not a regular file.
        PermissionsError: the file is open to other accounts, or not readable by this one.
    """
    hint = "give a file with the passphrase on one line, readable by this account only (chmod 600)"
    try:
        content = read_private(path, PASSPHRASE_BYTES)
    except FileNotFoundError:
        raise PassphraseError(f"{path}: no such passphrase file", hint) from None
    except (OSError, StoreDamagedError):
        raise PassphraseError(f"{path}: not a passphrase file", hint) from None
    passphrase = content.removesuffix(b"\n").removesuffix(b"\r") if content.endswith(b"\n") else content
    if not passphrase:
        raise PassphraseError(f"{path}: the passphrase is empty", hint)
    return passphrase
