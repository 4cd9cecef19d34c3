"""The section [users] of the configuration: people who sign in."""

from pydantic import Field

from node.config.section import Section


class UsersSection(Section):
    """People with accounts, roles and a second factor (`heqiao users`)."""

    required: bool = Field(
        default=False,
        description="Commands that change something, and calls with the node's own certificate, need a "
        "person who signs in (`heqiao --as ACCOUNT`)",
    )
    approval: bool = Field(
        default=True,
        description="A verification that a person submits needs the approval of another person",
    )
    failures: int = Field(
        default=5, ge=3, le=20, description="Wrong passwords or codes in a row that lock an account"
    )
    lock_minutes: int = Field(default=15, ge=1, le=1_440, description="How long it is then locked")
    idle_minutes: int = Field(
        default=15, ge=1, le=480, description="Minutes without a call after which a session ends"
    )
    session_hours: int = Field(
        default=10, ge=1, le=24, description="Hours after which a session ends: a working day"
    )
    record_version: str = Field(
        default="2026-1",
        min_length=1,
        max_length=64,
        pattern=r"^[A-Za-z0-9._-]+$",
        description="Version of the confidentiality record; a new one is signed anew by everybody",
    )
