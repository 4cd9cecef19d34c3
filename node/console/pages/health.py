"""How the node is: its health."""

from typing import Final

from starlette.responses import Response

from node.client.administration import HealthCard, Overview
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
    "backups": ("备份", "上次{at}，{days}天前，未备份的密钥{unsaved}把"),
    "queue": ("任务队列", "排队{queued}，进行中{running}，逾期{overdue}"),
    "retention": ("保存期限", "待清除任务{jobs}个"),
}
# What to do, by the node's word for it.
ADVICE: Final = {
    "mandates_overdue": "请补交授权书：在“授权书”页面或用 heqiao mandates list 查看是哪些。",
    "offices_certify": (
        "已要求机构签署，但没有可用的机构证书：请依次办理 heqiao offices request、heqiao ca offices、"
        "heqiao offices accept、heqiao offices issue。"
    ),
    "offices_ready": (
        "机构已可签署：在 node.toml 的 [mandates] 设 signed_offices = true 后，未签署的一律不予受理。"
    ),
    "holidays": "请升级 chinesecalendar，或在 node.toml 的 [calendar] 指定本省节假日表。",
    "answers_late": "请电话联系未答复的省份；清单用 heqiao jobs deadlines 查看。",
    "certificate_renew": (
        "请换发证书：在“密钥与证书”页面办理，或依次用 heqiao keys rotate tls、heqiao ca issue、heqiao join。"
    ),
    "list_newest": (
        "请向证书机构索取最新的吊销列表，用 heqiao peers revocations 采用；列表过旧时本节点停止服务。"
    ),
    "catalogue_tables": "目录中有不在有效期内的表：须由联合体发布新版目录（heqiao catalogue publish）。",
    "disk_room": "请腾出磁盘空间，否则不能导入和保存。",
    "clock_correct": "请校正本机与数据库主机的时钟（NTP）。",
    "peers_test": "请在“外省节点”页面测试其余各省的连接。",
    "mirrors_sync": "请在“外省节点”页面同步镜像，或用 heqiao mirror sync。",
    "backup_make": "请备份密钥：heqiao keys backup。",
}
_FAILED: Final = "检查未能完成，请在节点主机上用 heqiao doctor 查看原因。"
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
            "hint": _advice(visit, card),
            # Only in English: why a check failed.
            "text": "" if card.facts or visit.lang != "en" else card.text,
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


def _advice(visit: Visit, card: HealthCard) -> str:
    """What to do. A check that could not be made says where to read why."""
    if card.advice in ADVICE:
        return visit.say(ADVICE[card.advice])
    return "" if card.facts else visit.say(_FAILED)


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
