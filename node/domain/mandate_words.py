"""Reasons why a person is not asked about, in Chinese and English (domain.md section 7). Pure."""

from collections.abc import Mapping
from typing import Final

from node.domain.mandate_checks import Reason

# reason -> (Chinese, English)
REASON_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "no_mandate": ("没有授权书", "there is no mandate"),
    "incomplete": ("授权书要素不全", "the mandate is incomplete"),
    "person_not_named": (
        "授权书未列明该人的全部证件号码",
        "the mandate does not name all numbers of the person",
    ),
    "not_yet_valid": ("授权书尚未生效", "the mandate is not valid yet"),
    "expired": ("授权书已过有效期", "the mandate has expired"),
    "revoked": ("授权已撤销", "the mandate was revoked"),
    "item_not_covered": ("授权范围不含该项目", "the mandate does not cover the item"),
    "region_not_covered": ("授权范围不含该省份", "the mandate does not cover the province"),
    "programme_differs": ("授权用途与核对用途不符", "the mandate is for another purpose"),
    "matter_differs": ("授权的救助事项与本次不符", "the mandate is for another matter"),
    Reason.NOT_SIGNED: ("本人未签字", "the person has not signed"),
    Reason.NOT_ALL_SIGNED: (
        "共同生活家庭成员未全部签字",
        "not all members of the household have signed",
    ),
    Reason.RELATIVE_WITHOUT_CONSENT: (
        "赡抚扶养义务人未经本人同意",
        "a relative outside the household has not consented",
    ),
    Reason.MINOR_WITHOUT_GUARDIAN: (
        "未满十四周岁或无民事行为能力，监护人未签字",
        "no guardian has signed for a child under 14 or a person who cannot sign",
    ),
    Reason.HOUSEHOLD_CHANGED: (
        "家庭成员已变动，须重新签署授权书",
        "the household has changed: the mandate must be signed again",
    ),
    Reason.HOUSEHOLD_UNKNOWN: ("未登记该户", "the household is not on record"),
    Reason.NOT_IN_HOUSEHOLD: ("该人不在登记的家庭成员之列", "the person is not of the household on record"),
    Reason.LAPSED: ("核对未通过，授权书已失效", "the mandate lapsed when the check failed"),
    Reason.DIFFERS_FROM_STORED: (
        "提交的授权书与已登记的不一致",
        "the mandate submitted differs from the one on record",
    ),
    Reason.UNSIGNED_BY_OFFICE: ("委托单位未签名", "no office has signed the mandate"),
    Reason.OFFICE_UNKNOWN: ("委托单位证书不是本省签发", "the office's certificate is not this node's"),
    Reason.OFFICE_OF_OTHER_PROVINCE: (
        "委托单位属于其他省份",
        "the office's certificate is another province's",
    ),
    Reason.OFFICE_REVOKED: ("委托单位证书已吊销", "the office's certificate was revoked"),
    Reason.OFFICE_EXPIRED: ("委托单位证书已过期", "the office's certificate has expired"),
    Reason.OFFICE_DIFFERS: (
        "签名单位不是授权书所列委托单位",
        "the office that signed is not the one that the mandate names",
    ),
    Reason.BAD_SIGNATURE: (
        "委托单位签名与授权书内容不符",
        "the office's signature is not of this mandate's content",
    ),
    Reason.URGENT_OVERDUE: (
        "先行核对后逾期未补授权书",
        "an earlier urgent check still lacks its mandate",
    ),
}


def reason_text(reason: str, lang: str) -> str:
    """A reason in words, `zh` or `en`; one of a later version as it is."""
    pair = REASON_WORDS.get(reason)
    return reason if pair is None else pair[0 if lang == "zh" else 1]
