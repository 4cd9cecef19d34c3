"""Words of imports: reasons of rejects, fields, rules of a floor, what is wrong with a file."""

from typing import Final

# Reasons by their code (docs/import.md).
REASONS: Final = {
    "scientific_notation": "号码成了科学计数法（电子表格损坏）",
    "decimal_number": "号码成了小数（电子表格损坏）",
    "date_for_code": "号码成了日期（电子表格损坏）",
    "error_value": "单元格是错误值",
    "no_number": "单元格不是号码",
    "digits_lost": "数字末位丢失（电子表格）",
    "merged_cell": "合并的单元格",
    "wrong_type": "值的类型不符",
    "inexact_number": "数值不精确",
    "not_a_number": "不是数字",
    "not_utf8": "文字编码有误",
    "wrong_length": "证件号码位数不对",
    "bad_characters": "证件号码含有不允许的字符",
    "bad_date": "证件号码中的出生日期不存在",
    "bad_check_digit": "证件号码校验码不符",
    "empty": "证件号码为空",
    "unknown_type": "证件类型不认识",
    "type_conflict": "证件类型与号码不符",
    "too_many": "曾用号码超过8个",
    "bad_name": "姓名有误",
    "empty_amount": "金额或数量为空",
    "bad_amount": "金额或数量有误",
    "negative_amount": "金额或数量为负",
    "too_many_decimals": "小数位数过多",
    "amount_too_large": "金额或数量过大",
    "bad_as_of": "日期有误",
    "future_as_of": "日期晚于今天",
    "unknown_code": "代码不在代码表中",
    "wrong_cell_count": "单元格个数与列名不符",
    "cell_too_long": "单元格过长",
    "bad_quotes": "引号不成对",
}
FIELDS: Final = {
    "id_no": "证件号码",
    "id_type": "证件类型",
    "former_id_no": "曾用证件号码",
    "name": "姓名",
    "record_no": "记录编号",
    "amount_yuan": "金额（元）",
    "amount_fen": "金额（分）",
    "value": "数量",
    "as_of": "数据时点",
}
RULES: Final = {
    "least_rows": "最少行数",
    "valid_share": "有效证件号码的最低比例",
    "rejected_share": "拒收行的最高比例",
    "duplicate_share": "重复行的最高比例",
    "outlier_share": "异常金额的最高比例",
    "private_share": "姓名含自造字的最高比例",
    "fresh_days": "数据最长天数",
    "missing": "空单元格的最高比例",
}
FAULTS: Final = {
    "link": "是链接，不读取",
    "no_file": "不是普通文件，不读取",
    "other_names": "文件另有硬链接，不读取",
}
WARNINGS: Final = {"shrunk": "少于上次接受行数的一半：可能不是全量数据"}
