"""Names of the offices that ordered a verification, beside their codes."""

from dataclasses import replace

from node.reports.declared import case_facts, declared_json
from node.reports.households import of_case
from node.wire.case_facts import add_facts, facts_messages
from tests.support.reports import CATALOGUE, VERIFICATION

NAMED = replace(
    VERIFICATION,
    offices=(("459999", ("H1",)), ("459998", ("H2",))),
    office_names={"459999": "某县民政局"},
)


def ordered_by(report) -> str:
    return case_facts(report, CATALOGUE, "zh")[0].value


def test_an_office_on_record_has_its_name_and_another_its_code_alone():
    assert ordered_by(NAMED) == "459999 某县民政局、459998"
    assert declared_json(NAMED, CATALOGUE)["office_names"] == {"459999": "某县民政局"}


def test_a_household_has_its_own_office():
    first, second = (of_case(NAMED, name) for name in ("H1", "H2"))
    assert (ordered_by(first), first.office_names) == ("459999 某县民政局", {"459999": "某县民政局"})
    assert (ordered_by(second), second.office_names) == ("459998", {})


def test_names_cross_the_platform_port():
    assert add_facts(VERIFICATION, facts_messages(NAMED)) == NAMED
