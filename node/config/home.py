"""The home of a node."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from node.config.home_files import FILE, HOME_VARIABLE
from node.config.loading import load
from node.config.model import Config
from node.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Home:
    """The home of a node: its folder, and the configuration file."""

    folder: Path
    config: Path

    @classmethod
    def find(
        cls, home: Path | None = None, config: Path | None = None, environ: Mapping[str, str] = os.environ
    ) -> "Home":
        """The given home, else that of the given configuration file, else that of HEQIAO_HOME.

        `home` and HEQIAO_HOME may also name the configuration file itself, where it is elsewhere.

        Raises:
            ConfigError: none is given, or there is no such configuration.
        """
        if config is None:
            named = environ.get(HOME_VARIABLE, "")
            folder = home or (Path(named) if named else None)
            if folder is None:
                raise ConfigError("no home given", f"give --home FOLDER or set {HOME_VARIABLE}")
            home, config = (None, folder) if folder.is_file() else (home, folder / FILE)
        config = config.absolute()
        if not config.is_file():
            raise ConfigError(
                f"{config}: no configuration here", "make a home with `heqiao init`, or correct --home"
            )
        return cls(home.absolute() if home else config.parent, config)

    def load(self) -> Config:
        """The configuration of this home; raises as `load` does."""
        return load(self.config)
