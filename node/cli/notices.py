"""`heqiao notices`: what an administrator should know, and how it leaves the node."""

from datetime import UTC, datetime
from pathlib import Path

import click

from keys import KeyringError
from node.cli.options import count, home_option, json_option, load_config, show
from node.cli.terminal import print_table
from node.config import Config
from node.context import open_node
from node.domain.days import china_time
from node.domain.notices import WORDS, Level, Notice, NoticeKind, NoticeRow
from node.errors import ConfigError, NodeError
from node.governance.notices import count_waiting, read_notices
from node.jobs.notice_channels import FOLDER, channels, plain_notice, send_mail, write_file
from node.jobs.notices import deliver


@click.group()
def notices() -> None:
    """List this node's notices, and send them."""


@notices.command("list")
@home_option
@json_option
@click.option("--all", "every", is_flag=True, help="Also those that no longer hold.")
def list_(home: Path, as_json: bool, every: bool) -> None:
    """List the notices that hold now."""
    config = load_config(home)
    found, waiting = read_notices(config, every=every), count_waiting(config)
    if as_json:
        show({"notices": [plain_notice(one) for one in found], "waiting": waiting}, "", as_json=True)
        return
    rows = [
        (
            str(one.seq),
            one.notice.level.value,
            one.notice.kind.value,
            one.notice.subject,
            str(one.notice.count),
            "" if one.notice.due_on is None else one.notice.due_on.isoformat(),
            f"{china_time(one.raised_at):%Y-%m-%d %H:%M}",
            WORDS[one.notice.kind][1],
        )
        for one in found
    ]
    print_table(("no.", "level", "kind", "about", "count", "day", "since (China)", "what"), rows)
    for channel, number in waiting.items():
        if number:
            click.echo(f"{count(number, 'notice')} still to go through {channel}")


@notices.command()
@home_option
@json_option
@click.option("--test", is_flag=True, help="Send a test through every channel instead.")
def send(home: Path, as_json: bool, test: bool) -> None:
    """Send the notices that wait, by the channels of [notices].

    A running node does it by itself. Exits 1 where a channel fails.
    """
    config = load_config(home)
    used = channels(config.notices)
    if not used:
        raise ConfigError("no channel is set up for notices", "set folder or relay in [notices] of node.toml")
    if test:
        failed = {name: _try_channel(config, name) for name in used}
        lines = [f"{name}: {'sent' if not why else f'failed: {why}'}" for name, why in failed.items()]
        show({"channels": failed}, "\n".join(lines), as_json=as_json)
        if any(failed.values()):
            raise click.exceptions.Exit(1)
        return
    node = open_node(config)
    sent = deliver(node)
    node.store.dispose()
    waiting = count_waiting(config)
    text = f"{count(sent, 'notice')} sent, {sum(waiting.values())} still waiting"
    show({"sent": sent, "waiting": waiting}, text, as_json=as_json)
    if any(waiting.values()):
        raise click.exceptions.Exit(1)


def _try_channel(config: Config, channel: str) -> str:
    row = NoticeRow(0, Notice(NoticeKind.ALERTS_OPEN, Level.INFO, "test", count=0), datetime.now(UTC))
    try:
        if channel == FOLDER:
            write_file(config.notices, config.node.code, row)
        else:
            send_mail(config.notices, config.node.code, (), f"Heqiao {config.node.code}: test 测试")
    except (NodeError, KeyringError) as error:
        return f"{error}; {error.hint}" if error.hint else str(error)
    return ""
