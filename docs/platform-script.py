"""Submit a county's list to the own province's node, watch the job, print what was found.

usage: platform-script.py HOME HOUSEHOLDS MANDATES     (demo/45, and the lists in demo/federation/45)
"""
# ruff: noqa: T201

import sys
from pathlib import Path

from node.client.platform import Platform
from node.domain.verification import Verification
from node.reports.coverage import summarise
from node.tabular.person_lists import read_households, read_mandates

home, households, mandates = map(Path, sys.argv[1:4])
subjects, known = read_households(households)[0], read_mandates(mandates)[0]
asked = Verification(("C21", "C22"), ("44", "33"), "new_application", "SA-2026-41", tuple(subjects), known)
with Platform.open(home) as platform:
    job = platform.submit(asked)
    for state in platform.watch(job):
        print(job, *(f"{part.peer} {part.state} {part.done}/{part.total}" for part in state.parts), sep="  ")
    report = platform.report(job)
print(*(f"{line.item}: {line.people} people" for line in summarise(report).items), sep="\n")
