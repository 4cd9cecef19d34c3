"""What the tests of databases share."""

from tests.support.worlds import world  # noqa: F401  a fixture
