"""Where a page that is left for a moment leads back to: its own address with its query, or the one above it.

Some addresses only take forms: a browser that is sent back to one asks for a page that is not there.
"""

from typing import Final
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.routing import Route

from node.console.visits import MOST_FIELD, local_path

_READ: Final = ("GET", "HEAD")


def back_of(request: Request) -> str:
    """The page that a request shows. Its query goes along: the step, the filter, the month."""
    path, query = request.scope["path"], request.scope["query_string"].decode("latin-1")
    found = _page_at(request, path)
    if found != path or request.method not in _READ or not query:
        return quote(found)
    whole = f"{quote(path)}?{query}"
    return whole if len(whole) <= MOST_FIELD and local_path(whole) == whole else quote(path)


def back_to(request: Request, text: str) -> str:
    """The page that a form names, the first page for anything that is no page of this console."""
    path, mark, query = local_path(text).partition("?")
    found = quote(_page_at(request, unquote(path)))
    return f"{found}{mark}{query}" if found == path else found


def _page_at(request: Request, path: str) -> str:
    """The address itself where it has a page, else the nearest one above it that has."""
    routes = [one for one in request.app.routes if isinstance(one, Route)]
    while path.strip("/"):
        pattern = next((one.path for one in routes if one.path_regex.match(path)), None)
        if any(one.path == pattern and "GET" in (one.methods or ()) for one in routes):
            return path
        path = path.rpartition("/")[0]
    return "/"
