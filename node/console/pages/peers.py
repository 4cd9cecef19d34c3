"""The provinces that this node knows: a list for everybody, and what system administrators do with them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from starlette.responses import Response

from node.client.administration import PeerAdmin
from node.console.problems import SHOWN, asked_for, words_of
from node.console.render import show
from node.console.rights import may, who_may
from node.console.visits import Visit
from node.errors import InvalidRequestError

_READ, _ACT = "PeerAdminService/ListPeerStates", "PeerAdminService/PausePeer"
_MOST_CARD: Final = 65_536
STEPS: Final = {
    "connection": "连接与双方证书",
    "manifest": "签名清单、套件、盐、目录与时钟",
    "grants": "对方授权",
}


def show_peers(visit: Visit) -> Response:
    """Administrators of the province see states; others what they may ask of whom."""
    return _page(visit)


def act(visit: Visit) -> Response:
    """What a button of a peer's row does: test, pause, resume, remove."""
    code, action = visit.field("code", 2), visit.field("action", 16)
    node = PeerAdmin(visit.node)
    acts: Mapping[str, Callable[[str], None]] = {
        "pause": node.pause,
        "resume": node.resume,
        "remove": node.remove,
    }
    try:
        if action == "test":
            return _page(visit, steps=(code, node.test(code)))
        if action not in acts:
            raise InvalidRequestError("no such action")
        if action == "remove" and visit.field("sure", 3) != "yes":
            return _page(visit, problem=visit.say("请先勾选“确认移除”。"), status=422)
        acts[action](code)
    except SHOWN as error:
        if asked := asked_for(visit, error):
            return _page(visit, done=asked)
        return _page(visit, problem=words_of(visit, error), status=422)
    return _page(visit, done=visit.say("已完成：{account}", account=code))


def add(visit: Visit) -> Response:
    """A peer by its card, and the fingerprint that its administrator read out."""
    card, typed = visit.upload("card"), visit.field("fingerprint", 200)
    if card is None:
        return _page(visit, problem=visit.say("请选择对方的名片文件。"), status=422)
    try:
        code = PeerAdmin(visit.node).add(
            card.file.read(_MOST_CARD + 1),
            typed,
            visit.field("address", 200),
            allow_platforms=visit.field("platforms", 3) == "yes",
        )
    except SHOWN as error:
        if asked := asked_for(visit, error):
            return _page(visit, done=asked)
        return _page(visit, problem=words_of(visit, error), status=422)
    return _page(visit, done=visit.say("已添加{code}；请测试连接，再由安全管理员授权。", code=code))


def _page(
    visit: Visit,
    *,
    problem: str = "",
    done: str = "",
    steps: tuple[str, Sequence[object]] | None = None,
    status: int = 200,
) -> Response:
    if not may(visit.person, _READ):
        who = who_may(_ACT, visit.lang)
        return show(visit, "peers.html", {"peers": visit.node.peers(), "who": who}, status=status)
    found = PeerAdmin(visit.node).states()
    values = {
        "peers": found.peers,
        "dual": found.dual_control,
        "can": may(visit.person, _ACT),
        "who": who_may(_ACT, visit.lang),
        "problem": problem,
        "done": done,
        "steps": steps,
        "step_words": STEPS,
    }
    return show(visit, "peer_states.html", values, status=status)
