"""The forms in which an identity number, a name or an amount may be in a file."""


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
