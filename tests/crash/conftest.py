"""Homes that the commands made, to be copied: once for all tests that kill commands."""

from tests.support.ca_member import base, drawn, made  # noqa: F401  fixtures
