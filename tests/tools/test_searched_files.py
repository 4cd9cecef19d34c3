"""A search of what changed finds what a search of everything finds."""

import random
from pathlib import Path

import pytest

from tests.support.searched_files import SearchedFiles

TEXTS = [b"4599991990", b"4599991990010112", b"\xe6\xac\xa7\xe9\x98\xb3", b"abcabcabcabc"]
SIZE = 5 * 4096 + 100


def plainly(folder: Path) -> list[Path]:
    """Files that hold a text, each read whole."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in files if any(text in path.read_bytes() for text in TEXTS))


@pytest.mark.parametrize("seed", range(4))
def test_what_is_written_is_found_wherever_it_is(tmp_path: Path, seed: int) -> None:
    """At once after the search before, with the same size, over the edges of pages, and in two steps."""
    chance, files = random.Random(seed), SearchedFiles(tmp_path, TEXTS)
    (tmp_path / "deep").mkdir()
    contents = {
        tmp_path / "a": bytearray(SIZE),
        tmp_path / "deep/b": bytearray(300),
        tmp_path / "c": bytearray(),
    }
    for path, content in contents.items():
        path.write_bytes(content)
    assert files.holding() == []
    for _ in range(60):
        path, text = chance.choice(list(contents)), chance.choice(TEXTS)
        clean, content = bytes(contents[path]), contents[path]
        page = chance.randrange(0, len(content) + 1, 4096)
        at = min(len(content), max(0, page - chance.randrange(len(text) + 2)))
        half = chance.randrange(len(text))
        content[at : at + half] = text[:half]
        path.write_bytes(content)
        first = files.holding()
        assert first == plainly(tmp_path)
        content[at + half : at + len(text)] = text[half:]
        path.write_bytes(content)
        assert [*first, *files.holding()][:1] == plainly(tmp_path) == [path]
        contents[path] = bytearray(clean[: chance.choice([len(clean), len(clean), 4096, 4097])])
        contents[path] += bytes(chance.randrange(3) * 4096)
        path.write_bytes(contents[path])
        assert files.holding() == plainly(tmp_path) == []


def test_a_file_in_the_place_of_another_is_searched(tmp_path: Path) -> None:
    """With its size and its time, as a copy has them."""
    for name, content in (("a", bytes(100)), ("b", bytes(90) + TEXTS[0])):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "homes").mkdir()
    files = SearchedFiles(tmp_path / "homes", TEXTS)
    (tmp_path / "a").rename(tmp_path / "homes/a")
    assert files.holding() == []
    (tmp_path / "b").rename(tmp_path / "homes/a")
    assert files.holding() == [tmp_path / "homes/a"]
