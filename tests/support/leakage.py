"""Numbers of made-up people, and the forms in which a number, a name or an amount may be in a file."""


def forms(text: str) -> dict[str, bytes]:
    """The bytes of a text by form: encodings, and for digits the packed and binary ones."""
    found = {encoding: text.encode(encoding) for encoding in ("utf-8", "gb18030", "utf-16-le", "utf-16-be")}
    found["escaped"] = text.encode("unicode_escape")
    if text.isdigit():
        found["digits"] = bytes(map(int, text))
        if len(text) > 12:
            found["packed"] = bytes.fromhex(text + "0" * (len(text) % 2))
            found["number"] = int(text).to_bytes(8, "big")
    return found


MANDATE_COLUMNS = (
    "mandate_no", "office", "people", "scope_items", "scope_regions", "valid_from", "valid_to", "signers",
    "agents", "doc_hash",
)  # fmt: skip


def numbers(count: int) -> list[str]:
    """Valid numbers of made-up people, county code ending 9999."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    found = []
    for serial in range(count):
        body = f"45999919830{serial % 9 + 1}17{serial:03d}"
        check = "10X98765432"[sum(w * int(d) for w, d in zip(weights, body, strict=True)) % 11]
        found.append(body + check)
    return found
