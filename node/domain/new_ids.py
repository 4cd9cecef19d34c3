"""New ids of drafts, jobs and objections: random, and never like an identity number."""

import secrets

from node.domain.mandate import CODE


def new_id(prefix: str) -> str:
    """`prefix`, a hyphen and sixteen hexadecimal digits.

    One in eight hundred would hold fifteen decimal digits in a row, which no id may: then it is drawn again.
    """
    while True:
        found = f"{prefix}-{secrets.token_hex(8)}"
        if CODE.fullmatch(found):
            return found
