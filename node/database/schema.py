"""Schema versions: migrations, which Alembic runs."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

from node.database import engine as engines
from node.errors import PreconditionError


def migrate_url(url: str) -> tuple[str, str]:
    """Bring a database to the current schema; return its revision before and after ("" when empty).

    Raises ConfigError for a URL that cannot be used, PreconditionError for a newer schema, UnavailableError
    when the database does not answer.
    """
    engine = engines.make_engine(url)
    before = engines.read_revision(engine) or ""
    if engines.schema_state(engine) == "newer":
        raise PreconditionError(
            "the database was written by a newer version", "install the version that wrote it"
        )
    migrate(engine)
    after = engines.read_revision(engine) or ""
    engine.dispose()
    return before, after


def migrate(engine: Engine) -> None:
    """Run all migrations that are missing, in one transaction where the database allows it."""
    config = Config()
    config.set_main_option("script_location", str(engines.MIGRATIONS))
    with engine.connect().execution_options(**{engines.WRITE: True}) as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
