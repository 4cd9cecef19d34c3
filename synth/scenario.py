"""What to make: how many people, which figures to plant, how many faults."""

from dataclasses import asdict, dataclass, replace
from typing import Final

from node.errors import ConfigError

PROVINCES: Final = {
    "11": "京", "12": "津", "13": "冀", "14": "晋", "15": "蒙", "21": "辽", "22": "吉", "23": "黑",
    "31": "沪", "32": "苏", "33": "浙", "34": "皖", "35": "闽", "36": "赣", "37": "鲁", "41": "豫",
    "42": "鄂", "43": "湘", "44": "粤", "45": "桂", "46": "琼", "50": "渝", "51": "川", "52": "贵",
    "53": "云", "54": "藏", "61": "陕", "62": "甘", "63": "青", "64": "宁", "65": "新",
}  # fmt: skip
MIN_PEOPLE: Final = 100
MAX_PEOPLE: Final = 2_000_000
MAX_ROWS_SCALE: Final = 20.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Exact counts over the people with a mandate and over all providing provinces together.

    `any_asset` people have at least one of payroll post, vehicle, dwelling, business; the
    `over_deposit` people are among them. `joint_dwellings` couples own one dwelling together and
    are two of the owners each.
    """

    payroll: int
    vehicle_owners: int
    vehicles: int
    dwelling_owners: int
    businesses: int
    any_asset: int
    over_deposit: int
    joint_dwellings: int

    def scale(self, people: int, base: int) -> "Figures":
        """The same shares of another list, at least one of each."""
        scaled = {name: max(1, value * people // base) for name, value in asdict(self).items()}
        return _settle(Figures(**scaled))


@dataclass(frozen=True, slots=True)
class Scenario:
    """One federation. `people` are the valid people on the list; rows and people beyond it are extra.

    `outsiders` counts, per provider, the register's people who are on no list. `unmandated` of the
    `people` have a mandate that does not cover the query. `name_differs` is per existence item.
    `married_in` is the share of the list first registered in another province: asking about them
    needs grants for those origins (design.md section 3). `fault_rate` is the chance of each way
    of writing a number badly. `programme` is the purpose of all mandates.
    """

    name: str
    requester: str
    providers: tuple[str, ...]
    people: int
    outsiders: tuple[int, ...]
    figures: Figures
    invalid_rows: int
    unmandated: int
    name_differs: int
    fault_rate: float
    chinese_headers: bool
    married_in: float = 0.0
    programme: str = "new_application"


# S35 of domain.md section 11: the audit of Mashan county.
MASHAN: Final = Scenario(
    name="mashan",
    requester="45",
    providers=("44", "33"),
    people=20_000,
    outsiders=(66_000, 40_000),
    figures=Figures(
        payroll=343,
        vehicle_owners=2_454,
        vehicles=2_645,
        dwelling_owners=43,
        businesses=439,
        any_asset=3_119,
        over_deposit=512,
        joint_dwellings=4,
    ),
    invalid_rows=7,
    unmandated=25,
    name_differs=12,
    fault_rate=0.003,
    chinese_headers=True,
)
SMALL: Final = replace(
    MASHAN,
    name="small",
    people=300,
    outsiders=(500, 300),
    figures=Figures(
        payroll=6,
        vehicle_owners=36,
        vehicles=44,
        dwelling_owners=5,
        businesses=8,
        any_asset=49,
        over_deposit=9,
        joint_dwellings=1,
    ),
    invalid_rows=3,
    unmandated=6,
    name_differs=2,
    fault_rate=0.02,
    chinese_headers=False,
)
NAMES: Final = ("mashan", "small", "random")
_OUTSIDERS_PER_PERSON: Final = 4


def choose_scenario(
    name: str,
    *,
    people: int | None = None,
    rows_scale: float = 1.0,
    provinces: tuple[str, ...] = (),
    requester: str = "",
    married_in: float = 0.0,
) -> Scenario:
    """The scenario called `name`, sized as asked; with other `people`, its figures scale along.

    `provinces` and `requester` belong to `random` only. Raises ConfigError for what cannot be made.
    """
    if people is not None and not MIN_PEOPLE <= people <= MAX_PEOPLE:
        raise ConfigError(f"a list has {MIN_PEOPLE} to {MAX_PEOPLE} people", "choose another --people")
    if not 0 < rows_scale <= MAX_ROWS_SCALE:
        raise ConfigError("the row scale is out of range", f"use a number above 0, up to {MAX_ROWS_SCALE:g}")
    if not 0 <= married_in <= 0.25:
        raise ConfigError("the share of people married in is out of range", "use a number from 0 to 0.25")
    if name == "random":
        base = _random(provinces or ("45", "44", "33"), requester or "45", people or 1_000)
    elif provinces or requester:
        raise ConfigError(f"the provinces of {name} are fixed", "choose --scenario random to name your own")
    elif name in ("mashan", "small"):
        base = _resize(MASHAN if name == "mashan" else SMALL, people)
    else:
        raise ConfigError("no such scenario", f"choose one of {', '.join(NAMES)}")
    outsiders = tuple(max(50, round(count * rows_scale)) for count in base.outsiders)
    return replace(base, outsiders=outsiders, married_in=married_in)


def _resize(base: Scenario, people: int | None) -> Scenario:
    if people is None or people == base.people:
        return base
    return replace(
        base,
        people=people,
        outsiders=tuple(count * people // base.people for count in base.outsiders),
        figures=base.figures.scale(people, base.people),
        invalid_rows=max(1, base.invalid_rows * people // base.people),
        unmandated=max(2, base.unmandated * people // base.people),
        name_differs=max(1, base.name_differs * people // base.people),
    )


def _random(provinces: tuple[str, ...], requester: str, people: int) -> Scenario:
    unknown = [code for code in (*provinces, requester) if code not in PROVINCES]
    if unknown:
        raise ConfigError(
            "a province code is unknown", "use the first two digits of GB/T 2260, such as 45,44,33"
        )
    providers = tuple(dict.fromkeys(code for code in provinces if code != requester))
    if not providers:
        raise ConfigError("no province but the requester is named", "name at least one more in --provinces")
    outsiders = tuple(_OUTSIDERS_PER_PERSON * people // (place + 1) for place in range(len(providers)))
    sized = _resize(MASHAN, people)
    # A differing name needs a second province that has the person right (planting.py).
    differs = sized.name_differs if len(providers) > 1 else 0
    return replace(
        sized, name="random", requester=requester, providers=providers, outsiders=outsiders,
        name_differs=differs, fault_rate=0.01, chinese_headers=True,
    )  # fmt: skip


def _settle(figures: Figures) -> Figures:
    """Make rounded figures fit each other again: owners have a vehicle each, unions lie in bounds."""
    dwellings = max(figures.dwelling_owners, 2 * figures.joint_dwellings)
    others = figures.payroll + dwellings + figures.businesses
    owners = max(figures.vehicle_owners, others)
    low, high = owners + 2 * figures.joint_dwellings, owners + others
    union = min(max(figures.any_asset, low), high)
    return replace(
        figures,
        vehicle_owners=owners,
        vehicles=max(figures.vehicles, owners + 1),
        dwelling_owners=dwellings,
        any_asset=union,
        over_deposit=min(figures.over_deposit, union),
    )
