"""A secret split among n people: any k of them restore it, k - 1 learn nothing (SLIP-0039).

SLIP-0039 (Shamir over GF(256), 33 words for 32 bytes, with a checksum, a set number and the threshold in
each share) because shares are kept for years on paper: they can be read aloud and typed, writing errors are
detected, shares of two backups are distinguished, and hardware and other programs read them too. The library
is the standard's reference implementation; it is not hardened against side channels. A serving node splits a
fresh secret once for each backup, so there is nothing to measure twice (docs/adr/0045); nothing combines
shares in a server.
"""

from collections.abc import Sequence
from typing import Final

from shamir_mnemonic import MnemonicError, Share, combine_mnemonics, generate_mnemonics

from keys.errors import BackupError

MAX_SHARES: Final = 16  # of the standard


def split(secret: bytes, threshold: int, shares: int) -> list[str]:
    """Shares of a 32-byte secret, a line of words each; any `threshold` of them restore it.

    Raises:
        ValueError: not 2 <= threshold <= shares <= 16.
    """
    if not 2 <= threshold <= shares <= MAX_SHARES:
        raise ValueError(f"shares are k/n with 2 <= k <= n <= {MAX_SHARES}, as in 2/3")
    return list(generate_mnemonics(1, [(threshold, shares)], secret)[0])


def combine(shares: Sequence[str]) -> bytes:
    """The secret of at least as many shares as its threshold; further shares are ignored.

    Raises:
        BackupError: a share is misspelt, doubled or of another set, or there are too few.
    """
    found: dict[int, str] = {}
    parsed = []
    for number, text in enumerate(shares, 1):
        words = " ".join(text.lower().split())
        try:
            share = Share.from_mnemonic(words)
        except MnemonicError:  # its text quotes the words
            raise BackupError(f"share {number}: a word is wrong", "compare it with the paper") from None
        parsed.append(share)
        found[share.index] = words
    if len({share.identifier for share in parsed}) > 1:
        raise BackupError("the shares are of different backups", "take shares of one set")
    needed = parsed[0].member_threshold if parsed else 2
    if len(found) < needed:
        raise BackupError(f"{len(found)} different shares, {needed} are needed", "ask for another share")
    try:
        return bytes(combine_mnemonics(list(found.values())[:needed]))
    except MnemonicError:
        raise BackupError("the shares do not fit together", "take shares of one set") from None
