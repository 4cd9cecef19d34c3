"""A peer as this home knows it, with how long it takes to answer."""

from node.config import Config
from node.database import database_url, open_store
from node.database import deadlines as deadline_rows
from node.database import peers as peer_rows
from node.domain.answer_times import AnswerTimes, summarise_times
from node.domain.peers import PeerRow
from node.errors import NotFoundError

MOST_ATTEMPTS = 10_000  # of which the times are counted, the newest


def read_peer(config: Config, code: str) -> tuple[PeerRow, AnswerTimes]:
    """A peer and its times over the jobs that are stored. Raises NotFoundError."""
    with open_store(database_url(config)).transaction("read peer") as tx:
        peer = peer_rows.find_peer(tx, code)
        if peer is None:
            raise NotFoundError(f"peer {code} is not known to this node", "`heqiao peers list` shows who is")
        attempts = list(deadline_rows.ended_attempts(tx, code, MOST_ATTEMPTS))
    return peer, summarise_times(attempts, config.deadlines.report_days)
