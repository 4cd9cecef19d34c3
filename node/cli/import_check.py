"""What `heqiao import --check` does: read as an import would, and print what it would say."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from keys.errors import KeyringError
from node.cli.options import count, percent, show
from node.cli.terminal import show_progress
from node.clock import utc_now
from node.config import Config
from node.domain.catalogue import Item
from node.domain.days import china_day
from node.errors import NodeError
from node.federation.catalogue_file import load_catalogue
from node.registers.check import Checked, check_request, find_problem
from node.registers.requests import ImportRequest
from node.telemetry.progress import Progress


def run(config: Config, request: ImportRequest, *, as_json: bool) -> None:
    """Check, and print the result. Raises InputError where the import would fail."""
    item = load_catalogue(config).item(request.item)
    with show_progress({"read": "reading rows"}, hidden=as_json) as progress:
        found = check(request, item, progress)
    show(found.plain(), found.text(), as_json=as_json)
    if found.problem:
        raise found.problem
    if not as_json:
        show({}, "the import would accept this; nothing was written", as_json=False)


@dataclass(frozen=True, slots=True)
class CheckedItem:
    """What an import of an item would say. `problem` is the error that it would end with."""

    item: Item
    sources: Sequence[Checked]
    problem: NodeError | KeyringError | None

    def plain(self) -> dict[str, object]:
        """For programs."""
        return {
            "item": self.item.code,
            "ok": not self.problem,
            "sources": [_plain(source) for source in self.sources],
        }

    def text(self) -> str:
        """For people."""
        return "\n".join(map(_describe, self.sources))


def check(request: ImportRequest, item: Item, progress: Progress) -> CheckedItem:
    """Read a source as an import would. Raises InputError for options that do not fit the item."""
    checks = check_request(request, item, china_day(utc_now()), progress)
    return CheckedItem(item, checks, find_problem(checks, request))


def _plain(check: Checked) -> dict[str, object]:
    share = check.valid_numbers / check.read if check.read else 0.0  # not rounded: 1.0 means every row
    return {**asdict(check), "rejected": check.rejected, "valid_share": share}


def _describe(check: Checked) -> str:
    guesses = check.guesses
    lines = [f"{check.source}: {count(check.read, 'row')} read, {check.rejected:,} rejected"]
    if check.problem:
        lines[0] += ", then the file could not be read on"
    if guesses.encoding:
        lines.append(f"  read as {guesses.encoding}, cells separated by {guesses.delimiter}")
    valid, read = check.valid_numbers, check.read
    lines.append(f"  valid identity numbers: {valid:,} of {read:,} ({percent(valid, read)})")
    for word, reason in check.reasons.items():
        lines.append(f"  rejected: {word} {reason.rows:,}, first in line {reason.first_line}")
    for word, number in guesses.forms.items():
        lines.append(f"  accepted in another form: {word} {number:,}")
    for unit, number in guesses.units.items():
        lines.append(f"  amounts read as {unit}: {number:,}")
    rounded = sum(each.found for each in (check.rounded_people, check.rounded_records) if each.suspicious)
    if rounded:
        lines.append(f"  warning: {count(rounded, 'number')} may have been rounded by a spreadsheet")
    if check.private_names:
        lines.append(
            f"  names with private use characters: {check.private_names:,}, such as in line "
            f"{check.first_private_line}; other provinces may not know these characters"
        )
    lines += _address_codes(check)
    return "\n".join(lines)


def _address_codes(check: Checked) -> list[str]:
    """Warnings of numbers that are taken all the same."""
    lines = []
    if check.unknown_county:
        area = f", {check.unknown_area:,} of no province" if check.unknown_area else ""
        lines.append(f"  warning: {count(check.unknown_county, 'unknown address code')}{area}")
    if check.county_not_then:
        share = percent(check.county_not_then, check.usable)
        rows = count(check.county_not_then, "address code")
        lines.append(f"  warning: {rows} of another time than the birth ({share})")
    return lines
