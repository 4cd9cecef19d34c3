"""The section [node] of the configuration."""

from typing import Annotated

from pydantic import AfterValidator, Field

from keys.pki.names import Role, check_code, check_name
from node.config.section import Section


class NodeSection(Section):
    """Identity of this node."""

    code: Annotated[str, AfterValidator(check_code)] = Field(
        description="Province code: two digits of GB/T 2260, or 66 for the 兵团"
    )
    name: Annotated[str, AfterValidator(check_name)] = Field(description="Name that people read, as in 广西")
    role: Role = Field(default="node", description="node, or platform: a caller without server")
