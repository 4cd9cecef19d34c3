"""PostgreSQL as a source of rows."""

from tests.support.postgresql import postgres  # noqa: F401  fixture
