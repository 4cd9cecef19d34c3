"""The section [notices] of the configuration."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field, model_validator

from keys.pki.names import split_address
from node.config.section import HomePath, Section

_LONGEST: Final = 254


def _check_relay(address: str) -> str:
    if address:
        split_address(address)
    return address


def _check_mailbox(text: str) -> str:
    name, _, host = text.rpartition("@")
    plain = text.isascii() and text.isprintable() and not set(text) & set(' ,;:<>()[]"\\')
    if text and not (name and host and plain and len(text) <= _LONGEST):
        raise ValueError("must be a mail address such as node@example.gov.cn")
    return text


Mailbox = Annotated[str, AfterValidator(_check_mailbox)]


class NoticesSection(Section):
    """Notices of certificates, keys, overdue parts and alerts: codes and counts, never people."""

    folder: HomePath | None = Field(
        default=None, description="Folder for one JSON file a notice, for a program of the province to take"
    )
    relay: Annotated[str, AfterValidator(_check_relay)] = Field(
        default="", description="Mail relay as host:port, used with STARTTLS only; empty: no mail"
    )
    relay_ca: HomePath | None = Field(
        default=None, description="CA certificates (PEM) of the relay, in place of those of the system"
    )
    user: str = Field(default="", max_length=200, description="Name at the relay, where it asks for one")
    password_file: HomePath | None = Field(default=None, description="File with its password")
    sender: Mailbox = Field(default="", description="Address that mails are from")
    recipients: Annotated[tuple[Mailbox, ...], Field(strict=False)] = Field(
        default=(), max_length=20, description="Addresses that mails go to"
    )
    readers: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        default=(),
        description="Platforms that also see the notices about the node, by the names in certificates",
    )

    @model_validator(mode="after")
    def _check_mail(self) -> "NoticesSection":
        if self.relay and not (self.sender and self.recipients):
            raise ValueError("relay needs a sender and recipients")
        if self.user and self.password_file is None:
            raise ValueError("user needs a password_file")
        return self
