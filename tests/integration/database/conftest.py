"""What the tests of databases share."""

from tests.support.worlds import served, world  # noqa: F401  fixtures
