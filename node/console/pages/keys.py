"""Backups, certificate and salt, and the ends of keys: what `heqiao keys` does, from the pages of keys."""

from itertools import groupby
from typing import Final

from starlette.responses import Response

from node.client.administration import Overview
from node.client.key_administration import KeyAdmin
from node.console.pages.security import KEY_STATES, PURPOSES
from node.console.problems import SHOWN, asked_for, words_of
from node.console.render import show
from node.console.rights import may, who_may
from node.console.visits import Visit
from node.errors import InvalidRequestError

BACKUPS: Final = "/keys/backups"
CERTIFICATE: Final = "/keys/certificate"
EPOCHS: Final = "/keys/epochs"
KEPT: Final = {
    "in_use": "现用",
    "waits": "已生成，尚未启用",
    "answered": "外省或正在进行的工作可能仍在使用",
    "over": "宽限期已过，可以停用",
    "certificate": "原证书到期前仍有效，不须办理",
    "backups": "旧的数据库备份仍需要它；这些备份都销毁后可以销毁",
    "kept": "不随轮换结束，长期保留",
}
SALT_STEPS: Final = {
    "current": "现在不须办理。换盐由证书机构发起（heqiao ca salt），各省上传其证书包后再开始。",
    "taken": "已收到下一版盐。各省都收到后再开始；开始后每次导入同时写入新旧两版，外省仍按旧盐得到答复。",
    "importing": "换盐已开始。以下项目完整导入后才能切换。",
    "ready": "全部数据已有新盐，可以切换。各省不必同日切换，宽限期内新旧盐都答复。",
}
_MOST_BUNDLE: Final = 1024 * 1024
_MOST_NAME: Final = 40


def show_backups(visit: Visit) -> Response:
    """Backups on record; which keys none of them holds."""
    return _backups(visit)


def back_up(visit: Visit) -> Response:
    """A backup in the folder of the node."""
    try:
        made = KeyAdmin(visit.node).make_backup()
    except SHOWN as error:
        if asked := asked_for(visit, error):
            return _backups(visit, done=asked)
        return _backups(visit, problem=words_of(visit, error), status=422)
    done = visit.say(
        "已备份：{file}，指纹{digits}。请记下指纹，恢复时核对。", file=made.file, digits=made.fingerprint
    )
    return _backups(visit, done=done)


def show_certificate(visit: Visit) -> Response:
    """How far the next certificate and the next salt are."""
    return _certificate(visit)


def download_request(visit: Visit) -> Response:
    """The request for the CA."""
    try:
        content = KeyAdmin(visit.node).certificate_request()
    except SHOWN as error:
        return _certificate(visit, problem=words_of(visit, error), status=404)
    headers = {"Content-Disposition": 'attachment; filename="request.json"'}
    return Response(content, media_type="application/json", headers=headers)


def change_certificate(visit: Visit) -> Response:
    """A step of the certificate or of the salt."""
    visit.require_person()
    node, action = KeyAdmin(visit.node), visit.field("action", 16)
    try:
        if action == "take":
            return _take(visit, node)
        if action == "request":
            digits = node.request_certificate()
            return _certificate(visit, done=visit.say("证书请求已生成，指纹{digits}。", digits=digits))
        if action not in ("begin", "switch", "abandon"):
            raise InvalidRequestError("no such action")
        if action == "abandon" and visit.field("sure", 3) != "yes":
            return _certificate(visit, problem=visit.say("请先勾选确认。"), status=422)
        node.change_salt(action)
    except SHOWN as error:
        if asked := asked_for(visit, error):
            return _certificate(visit, done=asked)
        return _certificate(visit, problem=words_of(visit, error), status=422)
    return visit.go("/works")


def show_epochs(visit: Visit) -> Response:
    """Every epoch, why it is kept, and what ends it."""
    return _epochs(visit)


def end_epoch(visit: Visit) -> Response:
    """Retire or destroy."""
    visit.require_person()
    node = KeyAdmin(visit.node)
    action, purpose, epoch = visit.field("action", 16), visit.field("purpose", 16), visit.number("epoch")
    if action not in ("retire", "retire_now", "destroy"):
        raise InvalidRequestError("no such action")
    if action != "retire" and visit.field("sure", _MOST_NAME) != f"{purpose}.{epoch}":
        return _epochs(visit, problem=visit.say("请先勾选确认。"), status=422)
    try:
        if action == "destroy":
            names = node.destroy(purpose, epoch)
            return _epochs(visit, done=visit.say("已销毁：{names}", names=" ".join(names)))
        node.retire(purpose, early=action == "retire_now")
    except SHOWN as error:
        if asked := asked_for(visit, error):
            return _epochs(visit, done=asked)
        return _epochs(visit, problem=words_of(visit, error), status=422)
    return visit.go("/works")


def _take(visit: Visit, node: KeyAdmin) -> Response:
    bundle = visit.upload("bundle")
    if bundle is None:
        return _certificate(visit, problem=visit.say("请选择证书包文件。"), status=422)
    taken = node.take_bundle(bundle.file.read(_MOST_BUNDLE + 1))
    return _certificate(
        visit, done=visit.say("已采用证书包，盐为第{version}版。", version=taken.salt_version)
    )


def _backups(visit: Visit, *, problem: str = "", done: str = "", status: int = 200) -> Response:
    method = "KeyService/MakeBackup"
    values = {
        "found": KeyAdmin(visit.node).backups(),
        "can": may(visit.person, method),
        "who": who_may(method, visit.lang),
    }
    return show(visit, "key_backups.html", {**values, "problem": problem, "done": done}, status=status)


def _certificate(visit: Visit, *, problem: str = "", done: str = "", status: int = 200) -> Response:
    found = KeyAdmin(visit.node).changes()
    words = {
        "steps": SALT_STEPS,
        "states": KEY_STATES,
        "problem": problem,
        "done": done,
    }
    return show(visit, "key_certificate.html", {"found": found, **words}, status=status)


def _epochs(visit: Visit, *, problem: str = "", done: str = "", status: int = 200) -> Response:
    found = Overview(visit.node).keys()
    method = "KeyService/RetireKeys"
    users: dict[str, list[str]] = {f"{one.purpose}.{one.epoch}": [] for one in found.keys}
    for use in found.peers:
        if use.behind:
            users.setdefault(f"{use.purpose}.{use.epoch}", []).append(use.peer)
    groups = [list(group) for _, group in groupby(found.keys, key=lambda one: one.purpose)]
    values = {
        "groups": sorted(groups, key=lambda group: not any(one.action for one in group)),
        "users": users,
        "dual": found.dual_control,
        "can": may(visit.person, method),
        "who": who_may(method, visit.lang),
        "states": KEY_STATES,
        "purposes": PURPOSES,
        "kept": KEPT,
        "problem": problem,
        "done": done,
    }
    return show(visit, "key_epochs.html", values, status=status)
