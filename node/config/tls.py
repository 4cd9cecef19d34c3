"""The section [tls] of the configuration."""

from pathlib import Path

from pydantic import Field

from node.config.section import HomePath, Section


class TlsSection(Section):
    """Certificates; the private key is in the key store."""

    certificate: HomePath = Field(default=Path("tls/node.pem"), description="This node's certificate")
    ca: HomePath = Field(default=Path("tls/ca.pem"), description="The federation's CA certificate")
    revocations: HomePath = Field(
        default=Path("tls/revoked.pem"), description="Its revocation list, if there is one"
    )
