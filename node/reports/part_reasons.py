"""Why a province has not answered, in words: the codes that stand beside its part of a job. Pure."""

from collections.abc import Mapping
from typing import Final

from node.reports.wording import choose, reason_text

_CHECK: Final = "peer_answer_wrong:"
# Codes of node/errors.py, and rules of responders (node/responder, node/governance) and of the own node.
REASONS: Final[Mapping[str, tuple[str, str]]] = {
    "unavailable": ("联系不上对方节点", "the province's node cannot be reached"),
    "mirror_behind": (
        "本省的镜像过旧，对方又联系不上",
        "the mirror is too old, and the province cannot be reached",
    ),
    "revocation_list_old": (
        "证书吊销列表过旧，请系统管理员更新",
        "the list of revoked certificates is too old: an administrator imports a new one",
    ),
    "due_date_passed": ("期限已过", "the due date has passed"),
    "internal": ("处理时出错，请系统管理员查看日志", "a fault: an administrator finds it in the log"),
    "unknown_peer": ("对方节点未登记本省", "the province's node does not know this one"),
    "refused": ("对方拒绝", "the province refuses"),
    "not_found": ("对方没有所查的数据", "the province does not have what is asked"),
    "item_not_offered": ("对方不提供该项目", "the province does not offer the item"),
    "item_not_granted": ("对方未授予该项目", "the province has not granted the item"),
    "origin_not_granted": ("对方未授予该来源的数据", "the province has not granted the origin of the data"),
    "monitoring_not_granted": ("对方未授予动态监测", "the province has not granted monitoring"),
    "aggregate_only": ("该项目只以汇总数答复", "the item is answered as a sum only"),
    "item_class": ("项目的敏感类别不符", "an item is not of the query's class"),
    "peer_paused": ("已暂停与该省的交换", "exchange with the province is paused"),
    "revoked": ("证书已吊销", "the certificate is revoked"),
    "clock": ("两省节点的时钟相差过大", "the clocks of the two nodes differ too much"),
    "catalogue_mismatch": ("两省的项目目录不一致", "the catalogues of the two provinces differ"),
    "epoch_not_current": ("对方的密钥已轮换，请重新询问", "the province has changed its key: ask again"),
    "manifest_unknown": (
        "对方不再保留所引用的目录，请重新询问",
        "the province no longer has that manifest: ask again",
    ),
    "query_unknown": ("对方已不保留该查询，请重新询问", "the province no longer has the query: ask again"),
    "query_id": ("查询编号已用于另一查询", "the query's id was used for another query"),
    "no_query": ("没有对应的已计量查询", "no charged query belongs to it"),
    "opened": ("该汇总已经开启过", "this sum was opened already"),
    "salt_not_current": (
        "联邦盐值不一致，请系统管理员处理",
        "the salts differ: an administrator takes the new one",
    ),
    "partition_changed": (
        "对方的数据在核对中更新，请重新询问",
        "the province's data changed meanwhile: ask again",
    ),
    "delta_gone": ("对方不再保留所需的更新，请重新询问", "the province no longer has that change: ask again"),
    "limit": ("对方繁忙，请稍后重新询问", "the province is busy: ask again later"),
    "precondition": (
        "条件不满足，请系统管理员查看",
        "something is missing: an administrator finds it in the log",
    ),
    "conflict": ("与另一项处理冲突，请重新询问", "in conflict with other work: ask again"),
    "invalid_request": ("对方不接受该请求", "the province does not accept the request"),
    "unknown_suite": ("对方使用本省不支持的算法", "the province uses an algorithm that is not known here"),
    "bucket_blocks": ("取回的数据块不合规定", "the blocks that were asked for are not as they must be"),
    "label_damaged": ("部分答复损坏，请重新询问", "some answers are damaged: ask again"),
}
_WRONG: Final = ("答复未通过校验（{check}），不予采用", "its answers fail a check ({check}) and are not used")


def part_reason_text(reason: str, lang: str) -> str:
    """A reason in words; one of a later version by its code. Raises InputError for an unknown language."""
    if reason.startswith(_CHECK):
        return choose(_WRONG, lang).format(check=reason.removeprefix(_CHECK))
    known = REASONS.get(reason)
    return choose(known, lang) if known else reason_text(reason, lang)
