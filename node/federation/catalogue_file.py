"""The catalogue of a home, with its signature checked: what every command and the node itself load."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from keys.errors import KeyringError
from keys.pki.catalogue_signature import CatalogueSignature
from node.config import Config
from node.domain.catalogue import BUILT_IN, Catalogue, parse, read_bytes
from node.errors import ConfigError

ENDING: Final = ".sig"


@dataclass(frozen=True, slots=True)
class LoadedCatalogue:
    """A checked catalogue; `is_signed` only where a signature of the federation's CA was verified."""

    catalogue: Catalogue
    path: Path
    is_signed: bool


def signature_path(path: Path) -> Path:
    """The file of a catalogue's signature, beside it."""
    return path.with_name(path.name + ENDING)


def load_catalogue(config: Config) -> Catalogue:
    """The catalogue of a home. Raises ConfigError as `open_catalogue`."""
    return open_catalogue(config).catalogue


def open_catalogue(config: Config) -> LoadedCatalogue:
    """The catalogue of a home, and whether it is signed.

    Raises ConfigError: it breaks a rule, it has a signature that does not fit, or it has none and
    `[catalogue] signed` wants one.
    """
    path = config.catalogue.path or BUILT_IN
    found = parse(path, read_bytes(path))
    return LoadedCatalogue(found, path, check_signature(config, path, found))


def check_signature(config: Config, path: Path, found: Catalogue) -> bool:
    """Whether a catalogue has a signature that holds. Raises ConfigError where it does not, or is missing."""
    place = signature_path(path)
    if not place.exists():
        if config.catalogue.signed:
            raise ConfigError(
                f"{path}: the catalogue has no signature, and [catalogue] signed = true wants one",
                f"put {place.name} beside it, as `heqiao catalogue publish` wrote it",
            )
        return False
    try:
        roots = config.tls.ca.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{place}: the signature cannot be checked, {config.tls.ca}: {error.strerror}",
            "join the federation first: `heqiao join`",
        ) from None
    try:
        signature = CatalogueSignature.load(place)
        signature.verify(roots, found.version, found.digest, config.node.code, str(place))
    except KeyringError as error:
        raise ConfigError(str(error), error.hint) from None
    return True
