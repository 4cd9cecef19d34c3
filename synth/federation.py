"""A whole federation into one folder, or nothing."""

import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

from node.errors import InputError
from synth.earnings import write_earnings
from synth.ledger import ITEMS, Ledger
from synth.lists import choose_spared, draw_mandates, spoil_members, write_households, write_mandates
from synth.numbers import NumberBook
from synth.people import draw_households, draw_origins, draw_outsider
from synth.planting import plant_list, plant_outsider
from synth.registers import REGISTERS, RegisterWriter
from synth.scenario import Scenario
from synth.truth import write_json, write_truth

Progress = Callable[[str, float], None]  # what is being done, and the share done of it all
_DAYS: Final = (date(2020, 1, 1), date(2099, 12, 31))


@dataclass(frozen=True, slots=True)
class Summary:
    """What was written. `files` maps paths inside the folder to rows (headers not counted).

    `register_faults` and `list_faults` count rows with each planted fault, `planted` the
    peculiarities that are no faults (numbers that changed, dwellings owned jointly).
    """

    seed: int
    today: date
    rows_scale: float
    scenario: Scenario
    households: int
    files: dict[str, int]
    register_faults: dict[str, int]
    list_faults: dict[str, int]
    planted: dict[str, int]

    @property
    def register_rows(self) -> int:
        """Rows in all registers."""
        return sum(rows for path, rows in self.files.items() if "/registers/" in path)

    def to_json(self) -> dict[str, Any]:
        """The content of synth.json."""
        content = asdict(self) | {"today": self.today.isoformat(), "register_rows": self.register_rows}
        content["scenario"]["providers"] = list(self.scenario.providers)
        content["scenario"]["outsiders"] = list(self.scenario.outsiders)
        return content


def write_federation(
    scenario: Scenario,
    out: Path,
    seed: int,
    today: date,
    rows_scale: float = 1.0,
    progress: Progress = lambda _what, _share: None,
    *,
    sums: bool = False,
) -> Summary:
    """Write the list, the registers and the truth of `scenario` to the folder `out`.

    With `sums` also workers and the registers of synth/earnings.py; all other files stay as they are
    without. The same arguments give the same bytes. `rows_scale` is only noted; the scenario has it already.
    Raises InputError if `out` exists with content or cannot be written; then nothing is left behind.
    """
    _require_free(out)
    if not _DAYS[0] <= today <= _DAYS[1]:
        raise InputError("the date of the federation is out of range", "use a date from 2020 to 2099")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise _unwritable(out, error) from None
    try:
        summary = _write(partial, scenario, seed, today, rows_scale, progress, sums=sums)
        partial.chmod(0o755)
        partial.replace(out)
    except OSError as error:
        raise _unwritable(out, error) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return summary


def _write(
    folder: Path,
    scenario: Scenario,
    seed: int,
    today: date,
    rows_scale: float,
    progress: Progress,
    *,
    sums: bool,
) -> Summary:
    book = NumberBook(_stream(seed, "numbers"))
    ledger = Ledger(today)
    progress("people on the list", 0.0)
    households = draw_households(
        _stream(seed, "households"), book, scenario.requester, scenario.people, scenario.married_in, today
    )
    spared = choose_spared(_stream(seed, "spared"), households, scenario.unmandated)
    mandated = [household for household in households if household.number not in spared]
    without = [household for household in households if household.number in spared]
    planted = plant_list(_stream(seed, "planting"), ledger, scenario, mandated, without)
    progress("people in the registers", 0.15)
    _draw_outsiders(scenario, seed, book, ledger)

    extra = spoil_members(_stream(seed, "spoiled"), book, households, scenario.invalid_rows, today)
    mandates = draw_mandates(_stream(seed, "mandates"), scenario, households, spared, today)
    county, truth = folder / scenario.requester, folder / "truth"
    county.mkdir()
    truth.mkdir()
    rows, list_faults = write_households(
        county / "households.csv", _stream(seed, "list"), scenario, households, extra, mandates
    )
    files = {f"{scenario.requester}/households.csv": rows}
    files[f"{scenario.requester}/mandates.csv"] = write_mandates(
        county / "mandates.csv", mandates.values(), scenario.programme
    )
    register_files, register_faults = _write_registers(folder, scenario, seed, book, ledger, progress)
    progress("truth", 0.9)
    write_truth(truth, scenario, ledger, households, spared, extra)
    if sums:
        register_files |= write_earnings(folder, _stream(seed, "sums"), book, scenario, households, today)
    summary = Summary(
        seed, today, rows_scale, scenario, len(households), files | register_files,
        _sorted(register_faults), _sorted(list_faults), _sorted(planted),
    )  # fmt: skip
    write_json(folder / "synth.json", summary.to_json())
    progress("done", 1.0)
    return summary


def _draw_outsiders(scenario: Scenario, seed: int, book: NumberBook, ledger: Ledger) -> None:
    """People of every origin who are in a province's registers and on no list."""
    for province, count in zip(scenario.providers, scenario.outsiders, strict=True):
        rng = _stream(seed, f"outsiders {province}")
        origins, weights = draw_origins(province, scenario.requester)
        for origin in rng.choices(origins, cum_weights=weights, k=count):
            plant_outsider(rng, ledger, province, draw_outsider(rng, book, origin, ledger.today))


def _write_registers(
    folder: Path, scenario: Scenario, seed: int, book: NumberBook, ledger: Ledger, progress: Progress
) -> tuple[dict[str, int], Counter[str]]:
    files = {}
    faults: Counter[str] = Counter()
    for number, province in enumerate(scenario.providers):
        progress(f"registers of {province}", 0.45 + 0.45 * number / len(scenario.providers))
        registers = folder / province / "registers"
        registers.mkdir(parents=True)
        rng = _stream(seed, f"registers {province}")
        writer = RegisterWriter(rng, book, ledger, province, scenario.fault_rate)
        for item in ITEMS:
            path = registers / REGISTERS[item].file_name
            written = writer.write(path, REGISTERS[item])
            files[path.relative_to(folder).as_posix()] = written.rows
            faults.update(written.faults)
    return files, faults


def _stream(seed: int, purpose: str) -> random.Random:
    """A generator of its own for each purpose, so that a change in one leaves the others alone."""
    return random.Random(f"heqiao synth {seed} {purpose}")  # noqa: S311 - reproducible, and nothing secret


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def _require_free(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(
            f"{out} exists and is not an empty folder", "name a new folder with --out, or remove it"
        )


def _unwritable(out: Path, error: OSError) -> InputError:
    return InputError(
        f"{out} cannot be written: {error.strerror}", "choose a folder with space where you may write"
    )
