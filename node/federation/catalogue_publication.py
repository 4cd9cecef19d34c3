"""Publishing a catalogue: signed by the federation's CA, and kept in its folder (docs/catalogue.md).

DIR/catalogues/<version>.toml and .toml.sig; of one province <code>-<version>.toml. Versions only rise, and
one version is one content: two nodes with the same version and different digests could not be told apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from keys.pki.catalogue_signature import CatalogueSignature
from keys.pki.issuing import Authority
from node.domain.catalogue import Catalogue, load, parse, read_bytes
from node.domain.catalogue_differences import ItemDifference, compare_catalogues
from node.domain.catalogue_items import version_of
from node.errors import InputError
from node.federation.catalogue_file import signature_path
from node.files import disk_errors, write_atomically

FOLDER: Final = "catalogues"


@dataclass(frozen=True, slots=True)
class Publication:
    """What was signed; `before` is the version that it follows, empty for the first."""

    catalogue: Catalogue
    signature: Path
    kept: Path
    before: str
    differences: tuple[ItemDifference, ...]


def publish(folder: Path, authorities: Sequence[Authority], file: Path, province: str = "") -> Publication:
    """Check a catalogue, sign it beside its file, and keep both in the folder of the CA.

    The same content again is signed again, as after a change of the CA's root. Raises ConfigError with every
    fault, InputError for a version that is not above the last one.
    """
    content = read_bytes(file)
    found = parse(file, content)
    last = _last(folder, province)
    _require_newer(found, last, file)
    signature = CatalogueSignature.make(authorities, found.version, found.digest, province)
    kept = folder / FOLDER / f"{_prefix(province)}{found.version}.toml"
    with disk_errors("run as the account that owns the folder of the CA, and may write beside the file"):
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        # The CA's copy first: what is sent out must be known here.
        write_atomically(kept, (content,))
        write_atomically(signature_path(kept), (signature.to_json(),))
        write_atomically(signature_path(file), (signature.to_json(),))
    before = last.version if last and last.version != found.version else ""
    differences = compare_catalogues(last, found) if last else ()
    return Publication(found, signature_path(file), kept, before, differences)


def _require_newer(found: Catalogue, last: Catalogue | None, file: Path) -> None:
    if last is None or found.digest == last.digest:
        return
    if version_of(found.version) <= version_of(last.version):
        raise InputError(
            f"{file}: version {found.version} is not above {last.version}, which was published already",
            "raise the minor number; raise the major one only where nodes must not answer each other",
        )


def _prefix(province: str) -> str:
    return f"{province}-" if province else ""


def _last(folder: Path, province: str) -> Catalogue | None:
    """The catalogue of the highest version that was published."""
    prefix = _prefix(province)
    found: dict[tuple[int, int], Path] = {}
    for path in (folder / FOLDER).glob(f"{prefix}*.toml"):
        name = path.name.removeprefix(prefix).removesuffix(".toml")
        if "-" not in name:
            found[version_of(name)] = path
    return load(found[max(found)]) if found else None
