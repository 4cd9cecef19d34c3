"""Synthetic federations: what provinces and counties would export, and a truth no node ever reads.

Every person is invented. Resident numbers carry a county code ending 9999, which was never assigned
(domain.md section 5), so that nothing written here can be anybody's number. The same seed, date and
scenario give the same bytes.

    scenario.py    what to make: sizes, figures to plant, rates of faults
    numbers.py     identity numbers, their check character, the forms in which files write them
    names.py       surnames and given names
    people.py      people, households, migrants
    registers.py   the registers of a province: columns, encodings, rows with faults
    ledger.py      who holds what, before any fault: the truth
    planting.py    the exact figures among the people on the list
    lists.py       the county's households and mandates
    earnings.py    workers, and registers that are summed
    federation.py  all of it into one folder, or nothing
"""

from synth.federation import Summary, write_federation
from synth.scenario import Figures, Scenario, choose_scenario

__all__ = ["Figures", "Scenario", "Summary", "choose_scenario", "write_federation"]
