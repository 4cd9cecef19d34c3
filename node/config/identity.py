"""The section [node] of the configuration."""

from typing import Annotated

from pydantic import AfterValidator, Field

from keys.pki.names import Role, check_code, check_name
from node.config.section import Section

_LONGEST_BODY = 200


def check_issuing_body(name: str) -> str:
    """The name at the head of reports: at most 200 printable characters, none where it is not set.

    Raises ValueError.
    """
    if len(name) > _LONGEST_BODY or (name and not name.isprintable()) or name != name.strip():
        raise ValueError("a body's name is at most 200 printable characters without blanks at its ends")
    return name


class NodeSection(Section):
    """Identity of this node."""

    code: Annotated[str, AfterValidator(check_code)] = Field(
        description="Province code: two digits of GB/T 2260, or 66 for the 兵团"
    )
    name: Annotated[str, AfterValidator(check_name)] = Field(description="Name that people read, as in 广西")
    issuing_body: Annotated[str, AfterValidator(check_issuing_body)] = Field(
        default="",
        description="Official name of the body that issues reports (办理机构), at their head and beside the "
        "seal; without it they say whose verification body it is",
    )
    role: Role = Field(default="node", description="node, or platform: a caller without server")
