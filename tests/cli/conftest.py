"""Homes that the commands made, to be copied."""

from tests.support.ca_member import made  # noqa: F401  a fixture
from tests.support.import_runs import place  # noqa: F401  a fixture
from tests.support.rotation_home import member  # noqa: F401  a fixture
from tests.support.worlds import world  # noqa: F401  a fixture
