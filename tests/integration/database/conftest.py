"""Fixtures of the database tests."""

from tests.support.postgresql import empty_url, postgres, url  # noqa: F401  fixtures
from tests.support.worlds import served, world  # noqa: F401  fixtures
