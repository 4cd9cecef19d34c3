"""What a person is offered, by the one table of rights; the node alone judges what is done."""

from collections.abc import Iterable

from node.client.people import Person
from node.console.words import comma
from node.domain.rights import RPCS, Right, refusal
from node.domain.users import ROLE_NAMES, Role
from node.domain.users import Person as Acting


def may(person: Person, method: str, package: str = "admin") -> bool:
    """Whether the table lets a person call `Service/Method` of heqiao.admin.v1, or of another package."""
    acting = Acting(person.account, person.unit, frozenset(map(Role, person.roles)), None)
    return not refusal(_right(method, package), acting)


def who_may(method: str, lang: str, package: str = "admin") -> str:
    """The roles that may call it, in words."""
    roles = _right(method, package).roles
    return role_words((role for role in Role if role in roles), lang)


def _right(method: str, package: str) -> Right:
    return RPCS[f"/heqiao.{package}.v1.{method}"]


def role_words(roles: Iterable[str], lang: str) -> str:
    """Names of roles, for people."""
    return comma(lang).join(ROLE_NAMES[Role(role)][lang == "en"] for role in roles)
