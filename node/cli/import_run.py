"""What `heqiao import` does, after its command line was read: `node/cli/import_.py`.

A separate module, because loading this takes a second, and worker processes are made before it.
"""

from dataclasses import asdict
from pathlib import Path

from node.cli.approvals import guard
from node.cli.options import count, show
from node.cli.terminal import show_progress
from node.compute.engine import Workers
from node.config import Config
from node.context import open_node
from node.domain.audit_chain import Detail
from node.governance.approvals import ApprovalNeededError
from node.index import update_lock
from node.registers.importer import Imported
from node.registers.imports import perform
from node.registers.plan import rejects_name
from node.registers.requests import ImportRequest
from node.registers.shrinking import Confirm, Shrinking

STAGES = {"read": "reading rows", "index": "building the index", "write": "writing buckets"}


def run(
    config: Config,
    request: ImportRequest,
    rejects: Path | None,
    workers: Workers,
    admin: Path | None,
    *,
    wait: bool,
    as_json: bool,
) -> None:
    """Import, and print what was done; `wait` for another import or a rotation."""
    node, files = open_node(config), request.files
    target = rejects or (files[0].parent if files else Path()) / rejects_name(request.item)
    with show_progress(STAGES, hidden=as_json) as progress:
        done = perform(node, request, target, workers, progress, wait=wait, confirm=confirm_by(config, admin))
    node.store.dispose()
    show(plain(done), describe(done), as_json=as_json)


def confirm_by(config: Config, admin: Path | None) -> Confirm:
    """What asks for the approval of an import that shrinks an item."""

    def confirm(found: Shrinking) -> None:
        details: dict[str, Detail] = {"item": found.item, "mode": found.mode, "held": found.held}
        details |= {"left": found.left, "source": found.source.hex()}
        try:
            guard(config, admin, "import", details)
        except ApprovalNeededError as error:
            what = f"{found.item}: {found.held:,} entries would become {found.left:,}"
            raise ApprovalNeededError(f"{what}; {error}", error.hint) from None

    return confirm


def clean(config: Config, *, as_json: bool) -> None:
    """Remove what a killed import left, and say whether there was anything."""
    node = open_node(config)
    found = update_lock.clean(node)
    node.store.dispose()
    text = "removed what a killed import had left" if found else "no import had left anything"
    show({"rolled_back": found}, text, as_json=as_json)


def plain(done: Imported) -> dict[str, object]:
    """An import for programs."""
    tally = asdict(done.tally)
    tally["reasons"] = dict(done.tally.reasons)
    tally["forms"], tally["units"] = dict(done.tally.forms), dict(done.tally.units)
    rejects = str(done.rejects_file) if done.rejects_file else None
    return {
        "item": done.item,
        **tally,
        "origins": done.origins,
        "rejects_file": rejects,
        "accepted_before": done.accepted_before,
        "shrunk": done.shrunk,
        "mode": done.mode,
        "changes": dict(done.changes),
        "seconds": {stage: round(seconds, 3) for stage, seconds in done.seconds.items()},
        "rows_per_s": round(done.rate),
        "cpu_s": round(done.usage.cpu_s, 2),
        "peak_mib": round(done.usage.peak / 2**20),
        "workers": done.workers,
        "rolled_back": done.rolled_back,
        "salts": list(done.salts),
        "waits": done.waits,
    }


def describe(done: Imported) -> str:
    """An import for people."""
    tally = done.tally
    lines = [
        f"{done.item}: {count(tally.read, 'row')} read = {tally.accepted:,} accepted "
        f"+ {count(tally.duplicates, 'duplicate')} + {tally.rejected:,} rejected",
        f"  {_people(tally.records)}, {tally.withheld:,} of them with nothing to disclose; "
        f"{count(tally.entries, 'entry', 'entries')} from {count(len(done.origins), 'origin')}",
    ]
    if done.mode != "full":
        changes = done.changes
        lines[1] = (
            f"  {tally.records} people named: {changes['added']} entries added, "
            f"{changes['changed']} changed, {changes['removed']} removed"
        )
    if done.salts[1:]:
        lines.append(f"  written under the salts {' and '.join(map(str, sorted(done.salts)))}")
    if done.waits:
        lines.append("  peers get these changes at the time of day in [index] publish_at")
    lines += _describe_cells(done)
    if done.shrunk:
        lines.append(f"  warning: {describe_shrunk(done)}")
    if done.rejects_file:
        reasons = ", ".join(f"{reason} {number:,}" for reason, number in tally.reasons)
        lines.append(f"  rejected rows ({reasons}) are listed in {done.rejects_file}")
    return "\n".join(lines)


def describe_shrunk(done: Imported) -> str:
    """That a full import has far fewer rows than the one before it."""
    return (
        f"the import before this one accepted {count(done.accepted_before or 0, 'row')}; "
        "if this is only a part of the register, import the full export again"
    )


def _people(number: int) -> str:
    return count(number, "person", "people")


def _describe_cells(done: Imported) -> list[str]:
    """Lines about how cells were read, where that was not as usual."""
    tally = done.tally
    lines = [f"  {count(number, 'value')} read as {unit}" for unit, number in tally.units]
    if done.rolled_back:
        lines.append("  an earlier import had not ended; it was rolled back, and what it left removed")
    if tally.name_conflicts or tally.contradictions or tally.unknown_area:
        lines.append(
            f"  warnings: {_people(tally.name_conflicts)} under differing names, "
            f"{count(tally.contradictions, 'duplicate')} that contradict each other, "
            f"{count(tally.unknown_area, 'unknown address code')}"
        )
    if tally.forms:
        forms = ", ".join(f"{word} {number:,}" for word, number in tally.forms)
        lines.append(f"  cells accepted in another form: {forms}")
    if tally.rounded:
        lines.append(
            f"  warning: {count(tally.rounded, 'number')} of more than 15 digits may have been rounded by a "
            "spreadsheet: the last digits are zeros"
        )
    return lines
