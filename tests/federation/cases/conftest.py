"""Two provinces that ask each other to correct records, with one job that has ended."""

from collections.abc import Iterator

import pytest

from node.domain.findings import Outcome, Report
from node.domain.verification import Verification
from tests.support.cluster import Province, World, read_verification, run_job, serve_all

JOB = "seen"


@pytest.fixture(scope="package")
def provinces(small: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Province]]:
    with serve_all(small.copy(tmp_path_factory.mktemp("cases"), "45", "44")) as found:
        yield found


@pytest.fixture(scope="package")
def request_(small: World) -> Verification:
    return read_verification(small.data, ("C21",), ("44",))


@pytest.fixture(scope="package")
def report(provinces: dict[str, Province], request_: Verification) -> Report:
    return run_job(provinces["45"], JOB, request_)


@pytest.fixture(scope="package")
def found(report: Report) -> list[str]:
    """The people of whom 44 has a record."""
    return [one.subject for one in report.findings if one.outcome is Outcome.FOUND]
