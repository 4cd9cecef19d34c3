"""The confidentiality record that everybody signs before anything else opens (domain.md, S19). Pure."""

from typing import Final

# Chinese and English; what a person undertakes, in the words of the statutes named in domain.md section 9.
RECORD: Final = {
    "zh": (
        "我承诺：仅为办理社会救助等法定事项、并在取得授权和委托后查询；不查询与申请无关的信息；不向"
        "任何无关人员透露、复制或转发查询结果；不出借账号、密码和动态口令；离岗时立即告知安全管理员"
        "停用账号。我知悉：每次查询、查看和导出均被记录；违反社会救助法、个人信息保护法和数据安全法"
        "的，依法承担责任。"
    ),
    "en": (
        "I undertake to query only for matters of social assistance that the law provides for, "
        "and with an authorisation and a mandate; to query nothing unrelated to an application; "
        "to disclose, copy or forward results to nobody who is not concerned; to lend nobody my "
        "account, password or codes; to have my account disabled at once when I leave this post. "
        "I know that every query, view and export is recorded, and that whoever breaks the Social"
        " Assistance Law, the Personal Information Protection Law or the Data Security Law "
        "answers for it."
    ),
}
