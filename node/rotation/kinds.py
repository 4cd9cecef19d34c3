"""The kinds of keys that rotate, by purpose."""

from collections.abc import Mapping
from typing import Final

from node.rotation.oprf import OprfRotation
from node.rotation.run import Rotation
from node.rotation.salt import SaltRotation
from node.rotation.signing import SigningRotation
from node.rotation.storage import StorageRotation
from node.rotation.sums import SumsRotation
from node.rotation.tls import TlsRotation

OPRF: Final = OprfRotation()
SUMS: Final = SumsRotation()
SIGNING: Final = SigningRotation()
SALT: Final = SaltRotation((OPRF, SUMS))
TLS: Final = TlsRotation()
STORAGE: Final = StorageRotation()
KINDS: Final[Mapping[str, Rotation]] = {
    purpose: kind for kind in (OPRF, SUMS, SIGNING, STORAGE, SALT, TLS) for purpose in kind.purposes
}
