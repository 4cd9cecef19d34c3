"""What is declared of households on record, with what the record knows besides. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from node.domain.declared import MOST_HOUSEHOLDS, DeclaredHousehold
from node.domain.households import Household


def add_records(
    declared: Sequence[DeclaredHousehold], households: Sequence[Household]
) -> tuple[DeclaredHousehold, ...]:
    """What is declared, with the relatives and the number of the application of the households on record.

    Who is a relative on record or is declared as one is in no figure of the household. A number on record
    does not take the place of a declared one. Of more households than a job may have, those with nothing but
    a number are left out.
    """
    recorded = {one.number: one for one in households}
    merged = [_with_record(one, recorded.pop(one.household, None)) for one in declared]
    added = [_with_record(DeclaredHousehold(number), one) for number, one in recorded.items()]
    if len(merged) + len(added) > MOST_HOUSEHOLDS:
        added = [one for one in added if one.relatives]
    return (*merged, *added)


def _with_record(one: DeclaredHousehold, household: Household | None) -> DeclaredHousehold:
    if household is None:
        return one
    on_record = (f"{household.number}/{person.member_no}" for person in household.relatives)
    number = household.application_no
    # County lists head this number 受理编号, as the declared number of acceptance: it is not shown twice.
    known = one.application_no or ("" if number == one.acceptance_no else number)
    return replace(one, application_no=known, relatives=tuple(dict.fromkeys((*one.relatives, *on_record))))
