"""What a call may not do under dual control: two people do it by command, each with a key of their own."""

from node.config import Config
from node.errors import PreconditionError


def require_single(config: Config, command: str) -> None:
    """Raises PreconditionError (rule `dual_control`) where a second administrator must approve."""
    if config.approvals.required:
        raise PreconditionError(
            "this node is under dual control: a second administrator must approve this",
            f"run `heqiao {command} --as FOLDER` in the home; another administrator runs `heqiao approve`",
            {"rule": "dual_control"},
        )
