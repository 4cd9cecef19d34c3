"""The configuration of a node: one TOML file, strict. Every limit has a default and a reason.

One file of this package per section of node.toml. Relative paths are relative to the folder of the file.
Secrets are in separate files, named here by path. docs/configuration.md shows the file that
`render_default` writes.
"""

from node.config.home import Home
from node.config.home_files import FILE, HOME_VARIABLE, PASSPHRASE, REQUEST
from node.config.loading import load
from node.config.log import LogSection
from node.config.model import Config
from node.config.requester import RequesterSection
from node.config.secret_files import open_key_store

__all__ = [
    "FILE",
    "HOME_VARIABLE",
    "PASSPHRASE",
    "REQUEST",
    "Config",
    "Home",
    "LogSection",
    "RequesterSection",
    "load",
    "open_key_store",
]
