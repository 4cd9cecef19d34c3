"""How the node is: its health."""

from typing import Final

from starlette.responses import Response

from node.client.administration import Overview
from node.console.pages.requests import LIST
from node.console.pages.works import LIST as WORKS
from node.console.render import show
from node.console.rights import may
from node.console.visits import Visit

STATES: Final = {"good": "正常", "warning": "注意", "wrong": "异常"}
# Name of a card, and what it says with its figures.
CARDS: Final = {
    "database": ("数据库", ""),
    "disk": ("磁盘", "剩余{free} MiB，占{percent}%"),
    "clock": ("时钟", "与数据库时钟相差{seconds}秒"),
    "certificate": ("证书", "还有{days}天到期"),
    "revocations": ("吊销列表", "第{number}号，已{days}天"),
    "x25519_backend": ("运算后端", "{backend}"),
    "index": ("索引", "{items}个项目，{entries}条，密钥第{epoch}期"),
    "working_days": ("工作日历", ""),
    "deadlines": ("时限", "等待答复{all}件，逾期{late}件"),
    "mandates": ("授权书", "家庭{households}户，授权书{mandates}份，机构签署{signed}份，待补{overdue}份"),
    "catalogue": ("目录", "版本{version}，摘要{digest}"),
    "peers": ("外省节点", "30天内有联系{heard}个，共{all}个，暂停{paused}个"),
    "mirrors": ("镜像", "完整{whole}个分区，共{all}个"),
    "backups": ("备份", "上次{at}，{days}天前"),
    "queue": ("任务队列", "排队{queued}，进行中{running}，逾期{overdue}"),
    "retention": ("保存期限", "待清除任务{jobs}个"),
}
_SQLITE: Final = "SQLite，文件{file}"
_SERVER: Final = "{url}"
_NOT_VERIFIED: Final = "{url}，未验证服务器身份"
_NEVER: Final = "尚未备份"
_HOLIDAYS: Final = "节假日表齐全"
_NO_HOLIDAYS: Final = "缺{year}年节假日表，工作日为估算"


def show_health(visit: Visit) -> Response:
    """Cards, each with a word, figures and when it was checked."""
    cards = [
        {
            "title": visit.say(CARDS.get(card.name, (card.name, ""))[0]),
            "state": card.state,
            "words": _words(visit, card.name, dict(card.facts)),
            # In English, where there are no figures to say it in both languages.
            "text": "" if card.facts else card.text,
            "hint": card.hint,
            "at": card.checked_at,
        }
        for card in Overview(visit.node).health()
    ]
    values = {
        "cards": cards,
        "states": STATES,
        "requests": may(visit.person, LIST),
        "works": may(visit.person, WORKS),
    }
    return show(visit, "health.html", values)


def _words(visit: Visit, name: str, facts: dict[str, str]) -> str:
    if name == "database" and facts:
        if "file" in facts:
            return visit.say(_SQLITE, **facts)
        return visit.say(_SERVER if facts["verified"] == "yes" else _NOT_VERIFIED, **facts)
    if name == "backups" and facts.get("at") == "":
        return visit.say(_NEVER)
    if name == "working_days" and facts:
        missing = facts["missing"]
        return visit.say(_NO_HOLIDAYS, year=missing) if missing else visit.say(_HOLIDAYS)
    sentence = CARDS.get(name, ("", ""))[1]
    return visit.say(sentence, **facts) if sentence and facts else ""
