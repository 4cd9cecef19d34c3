"""Temporary files of an import: sealed, private, removed when it ends (design.md sections 1 and 9).

Rows and points are stored on disk so that memory does not grow with the file. No identity number may be
there in the clear, so every piece is sealed under a key that is drawn for one run and kept in memory only:
the files of a killed import are unreadable, and the next import removes them.
"""

import os
import secrets
import shutil
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from node.errors import UnavailableError

KEY_SIZE = 32
_NONCE_SIZE = 12


class Piece(NamedTuple):
    """Position of sealed bytes: the name of a file, offset, size."""

    file: str
    offset: int
    size: int


class SealedScratch:
    """A folder of sealed files, one for each process that writes; every process may read all."""

    def __init__(self, folder: Path, key: bytes) -> None:
        """Use a folder that exists; the file is made by the first write."""
        self._folder = folder
        self._aead = ChaCha20Poly1305(key)
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._file: int | None = None
        self._end = 0

    def write(self, data: bytes) -> Piece:
        """Seal and append. Raises UnavailableError when the disk is full or missing."""
        nonce = secrets.token_bytes(_NONCE_SIZE)
        place = f"{self._name} {self._end}".encode()
        sealed = nonce + self._aead.encrypt(nonce, data, place)
        try:
            if self._file is None:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
                self._file = os.open(self._folder / self._name, flags, 0o600)
            left = memoryview(sealed)
            while left:
                left = left[os.write(self._file, left) :]
        except OSError as error:
            raise UnavailableError(
                f"{self._folder}: a temporary file cannot be written: {error.strerror}",
                "give the home's disk room for about three times the source, then import again",
            ) from None
        piece = Piece(self._name, self._end, len(sealed))
        self._end += len(sealed)
        return piece

    def read(self, piece: Piece) -> bytes:
        """Open a piece. Raises UnavailableError when it is missing or was altered."""
        try:
            with (self._folder / piece.file).open("rb", buffering=0) as file:
                file.seek(piece.offset)
                sealed = file.read(piece.size)
            place = f"{piece.file} {piece.offset}".encode()
            return self._aead.decrypt(sealed[:_NONCE_SIZE], sealed[_NONCE_SIZE:], place)
        except (OSError, InvalidTag, ValueError):
            raise UnavailableError(
                f"{self._folder}: a temporary file is missing or was altered",
                "nothing else may write there; import again",
            ) from None

    def close(self) -> None:
        """Close the file of this process."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def make_folder(folder: Path) -> Path:
    """An empty private folder; files of an earlier run are removed. Raises UnavailableError."""
    try:
        remove_folder(folder)
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise UnavailableError(
            f"{folder}: cannot be made: {error.strerror}", "check the home's folder and the free space"
        ) from None
    return folder


def remove_folder(folder: Path) -> bool:
    """Remove the folder of a run; return whether it existed."""
    if not folder.exists():
        return False
    shutil.rmtree(folder, ignore_errors=True)
    return True
