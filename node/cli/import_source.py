"""The source that the command line of `heqiao import` names."""

from node.cli.import_request import Request
from node.registers.sources import Files, Query, Source


def choose_source(request: Request) -> Source:
    """The files, or the query."""
    if request.url_file is not None and request.query is not None:
        return Query(request.url_file, request.query)
    return Files(request.files)
