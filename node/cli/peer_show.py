"""`heqiao peers show`: one peer, and how long it takes to answer."""

from dataclasses import asdict
from pathlib import Path

import click

from node.cli.options import home_option, json_option, percent, read_config, show
from node.domain.answer_times import AnswerTimes
from node.governance.peer_times import read_peer

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


@click.command("show")
@home_option
@json_option
@click.argument("code")
def show_peer(home: Path, as_json: bool, code: str) -> None:
    """Show a peer and how long it takes to answer.

    CODE is the peer's province code, such as 44. The times are those of the jobs that are stored: from when
    the peer was asked to the end of its part, with the time for which it was away.
    """
    peer, times = read_peer(read_config(home), code)
    plain = {"code": peer.code, "name": peer.name, "address": peer.address, "grants": peer.granted}
    lines = f"peer {peer.code} {peer.name} at {peer.address}, grants: {', '.join(peer.granted) or 'none'}"
    show({**plain, "times": asdict(times)}, f"{lines}\n{describe_times(times)}", as_json=as_json)


def describe_times(times: AnswerTimes) -> str:
    """How long a peer takes, in one line."""
    if not times.attempts:
        return "it was not asked in the jobs that are stored"
    asked = f"asked {times.attempts:,} times: {times.answered:,} answered, {times.overdue:,} overdue"
    if times.median_s is None or times.most_s is None:
        return asked
    share = percent(times.within, times.answered)
    return (
        f"{asked}; half of the answers within {_span(times.median_s)}, 90 % within {_span(times.most_s)}; "
        f"{share} within {times.days} days"
    )


def _span(seconds: float) -> str:
    for size, unit in ((_DAY, "days"), (_HOUR, "hours"), (_MINUTE, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} seconds"
