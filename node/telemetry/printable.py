"""Text that may come from elsewhere, made safe for a terminal."""


def printable(text: str) -> str:
    """The text with a replacement character for each character that could control a terminal; lines stay."""
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)
