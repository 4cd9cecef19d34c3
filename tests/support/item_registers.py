"""Registers of several items over the same people, for tests of token blocks."""

from node.registers import importer

ITEMS = ("C21", "Z59b", "C23")
AMOUNTS = {"C21": "2", "Z59b": "1", "C23": "60000"}
HEADERS = {
    "C21": "id_no,former_id_no,name,value,record_no",
    "Z59b": "id_no,former_id_no,name,value,record_no",
    "C23": "id_no,former_id_no,name,amount_yuan,record_no",
}


def write(path, item, people, former=()):
    """A register in which every person has one row of a positive amount."""
    others, amount = dict(former), AMOUNTS[item]
    rows = [f"{person},{others.get(person, '')},陈三,{amount},a" for person in people]
    path.write_text("\n".join([HEADERS[item], *rows]) + "\n", encoding="utf-8")
    return path


def load(node, tmp_path, item, people, mode="full", former=(), **options):
    return importer.import_item(
        node, item, [write(tmp_path / "r.csv", item, people, former)], mode=mode, **options
    )
