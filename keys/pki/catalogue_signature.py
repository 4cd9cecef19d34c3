"""The signature of a catalogue by the federation's CA, in a file beside it (docs/adr/0026).

It covers the digest of what the catalogue says, its version, the federation, and the province that a
catalogue of one province is for; comments and layout of the file do not count. While a federation has two
roots, each signs, so that a node that trusts only one of them can check it.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import AfterValidator, Field

from keys.errors import EnrolmentError
from keys.pki.certificates import MAX_ROOTS, federation_of, load_roots
from keys.pki.documents import Base64, Document, Key32, canonical
from keys.pki.issuing import Authority
from keys.pki.names import check_code, check_federation

_CONTEXT: Final = b"heqiao v1 catalogue"


def _check_province(code: str) -> str:
    return check_code(code) if code else code


class CatalogueSignature(Document):
    """Who signed which catalogue; `province` is empty for that of the whole federation."""

    version: Literal[1] = 1
    federation: Annotated[str, AfterValidator(check_federation)]
    province: Annotated[str, AfterValidator(_check_province)] = ""
    catalogue_version: Annotated[str, Field(max_length=16)]
    digest: Key32
    signatures: Annotated[
        tuple[Annotated[Base64, Field(max_length=128)], ...], Field(max_length=MAX_ROOTS)
    ] = ()

    def signed_bytes(self) -> bytes:
        """The bytes that each signature covers."""
        return _CONTEXT + b"\0" + canonical(self.model_dump(mode="json", exclude={"signatures"}))

    @classmethod
    def make(
        cls, authorities: Sequence[Authority], catalogue_version: str, digest: bytes, province: str = ""
    ) -> Self:
        """Sign with every root that members trust; ECDSA, by the keys that sign bundles and certificates."""
        unsigned = cls(
            federation=authorities[0].federation,
            province=province,
            catalogue_version=catalogue_version,
            digest=digest,
        )
        signed = unsigned.signed_bytes()
        made = tuple(ca.key.sign(signed, ec.ECDSA(hashes.SHA256())) for ca in authorities)
        return unsigned.model_copy(update={"signatures": made})

    def verify(self, roots: bytes, catalogue_version: str, digest: bytes, code: str, source: str) -> None:
        """Check it for a catalogue, as the node of province `code` that trusts `roots` (PEM).

        Raises EnrolmentError: it is of another catalogue, for another province, or not by a trusted root.
        """
        if (self.catalogue_version, self.digest) != (catalogue_version, digest):
            raise EnrolmentError(
                f"{source}: the signature is of another catalogue",
                "one of the two files was altered or replaced; take both again from who signed them",
            )
        if self.province not in ("", code):
            raise EnrolmentError(
                f"{source}: the catalogue was signed for province {self.province}, this node is of {code}",
                "take the catalogue of this province, or that of the federation",
            )
        if not any(self._is_by(root) for root in load_roots(roots)):
            raise EnrolmentError(
                f"{source}: the catalogue is not signed by this federation's CA",
                "ask the CA's administrator for the catalogue and its signature",
            )

    def _is_by(self, root: Any) -> bool:
        if federation_of(root) != self.federation:
            return False
        signed, key = self.signed_bytes(), root.public_key()
        for signature in self.signatures:
            try:
                key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
            except InvalidSignature:
                continue
            return True
        return False
