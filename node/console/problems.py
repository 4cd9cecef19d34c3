"""What could not be done, in words: the rule, and who may lift it."""

from typing import Final

from node.console.visits import Visit
from node.errors import (
    ConflictError,
    InputError,
    InvalidRequestError,
    LimitError,
    NodeError,
    NotFoundError,
    PreconditionError,
    UnavailableError,
)

# What a page shows above itself; other errors have a page of their own.
SHOWN: Final = (
    ConflictError,
    InputError,
    InvalidRequestError,
    LimitError,
    NotFoundError,
    PreconditionError,
    UnavailableError,
)
_RULES: Final = {
    "people_shown": "24小时内查看的人数已达上限。请使用遮盖的列表，或明日再查看。",
    "one_administrator": "双人控制需要两位全省单位的管理员，目前只有一位；请在实行双人控制前添加另一位。",
    "own_request": "提出人不能批准自己的请求，请由另一位管理员批准。",
    "request_altered": "请求与提出人签名的内容不符，或提出人已不是管理员。请勿办理，并告知审计管理员。",
    "request_state": "该请求已被批准、已办理或已过期，请刷新后查看。",
    "fingerprint": "键入的指纹不是这张名片的指纹。请勿使用这张名片，向对方管理员再次电话核对。",
    "card": "这不是节点的名片，或已被改动。请对方用 heqiao card 重新生成。",
    "own_card": "这是本节点自己的名片，请选择对方的名片。",
    "address": "地址写法有误：应为“主机:端口”。",
    "work_running": "同样的工作正在进行，或进行中的工作过多，请等待完成。",
    "import_folder": "节点未配置待导入文件夹。",
    "file_name": "文件名不在所列文件之中，请刷新后重新选择。",
    "file_check": "这不是最近一次合格检查的文件，请重新检查后再导入。",
    "file_changed": "文件与检查时不一致（已改动、替换或移走），未导入。请在无人写入时重新检查。",
    "floor": "数据低于数据源的要求，未导入。详见质量报告。",
    "source_reading": "数据源无法读取，未导入。原因不在页面显示，请在节点上用 heqiao sources check 查看。",
    "peer_paused": "该省节点已暂停。系统管理员恢复后才能测试或查询。",
    "backup_holders": "没有指定份额持有人，不能在此备份：请在节点主机上用命令办理。",
    "backups_many": "节点的备份文件夹已满，请先将旧备份移到其他机器。",
    "bundle": "未采用：这不是已信任的证书机构发给本节点的证书包，或已被改动、已过期。请向证书机构核对。",
    "older_certificate": "未采用：包内证书比现用证书更早到期。请使用证书机构最新签发的证书包。",
    "no_request": "没有待签发的证书请求，请先生成。",
    "salt_step": "这不是当前应办的步骤，请刷新后查看。",
    "salt_waits": "尚不能切换：仍有项目没有以新盐完整导入。",
    "nothing_to_end": "没有可办理的旧期密钥，请刷新后查看。",
    "grants": "授权写法有误：每项为两位省码（如 45），或项目加省码（如 C23:45）；项目须在目录中。",
}


def asked_for(visit: Visit, error: NodeError) -> str:
    """What to say where a request for a second administrator was kept, empty for any other error."""
    if error.details.get("rule") != "approval_needed":
        return ""
    return visit.say(
        "已提出请求{request}：须由另一位管理员在“双人控制”中批准，再由您办理。",
        request=error.details.get("request", ""),
    )


def rule_words(visit: Visit, rule: str) -> str:
    """What a rule that was broken says, empty for one without words."""
    return visit.say(_RULES[rule]) if rule in _RULES else ""


def words_of(visit: Visit, error: NodeError) -> str:
    """The problem of an action."""
    rule = error.details.get("rule", "")
    if rule in _RULES:
        return visit.say(_RULES[rule])
    return visit.say("未完成：{reason}", reason=str(error))
