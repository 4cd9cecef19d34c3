"""What the tests of processes that share a database share."""

from tests.support.held_query import gate  # noqa: F401  a fixture
from tests.support.postgresql import postgres  # noqa: F401  a fixture
from tests.support.worlds import asked, world  # noqa: F401  fixtures
