"""Names of files in a node's home."""

from typing import Final

FILE: Final = "node.toml"
PASSPHRASE: Final = "passphrase"  # noqa: S105  name of a file
REQUEST: Final = "request.json"
HOME_VARIABLE: Final = "HEQIAO_HOME"  # the environment variable that names the home
