"""How fingerprints are written and read."""

import hashlib

import pytest

from keys.pki.fingerprints import read_digits, read_fingerprint, write_fingerprint

DIGEST = hashlib.sha256(b"abc").digest()
WRITTEN = "ba78-16bf-8f01-cfea-4141-40de-5dae-2223"  # FIPS 180-2, appendix B.1


def test_written_in_groups_of_four():
    assert write_fingerprint(DIGEST) == WRITTEN


@pytest.mark.parametrize(
    "text",
    [
        WRITTEN,
        WRITTEN.upper(),
        WRITTEN.replace("-", ""),
        WRITTEN.replace("-", " "),
        "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23",
        f"  {WRITTEN}\n",
        WRITTEN.replace("-", " - "),
    ],
)
def test_as_people_type_it(text):
    assert read_fingerprint(text) == WRITTEN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        WRITTEN[:-1],
        WRITTEN + "0",
        WRITTEN.replace("b", "g"),
        DIGEST.hex(),
        WRITTEN.replace("b", "ｂ"),
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="32 hex digits"):
        read_fingerprint(text)


def test_the_beginning_of_one():
    assert read_digits(" 3FA9:c2-d1") == "3fa9c2d1"
