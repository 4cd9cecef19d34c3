"""Signing in: account and password, second factor, then what is still missing."""

from io import BytesIO

import qrcode
import qrcode.image.svg
from markupsafe import Markup
from starlette.responses import Response

from node.client.people import People
from node.console import kept_forms
from node.console.render import show, show_outside
from node.console.visits import HALF, LANGUAGE, LARGE, SESSION, SIGN_IN, Visit
from node.console.way_back import back_to
from node.console.words import LANGUAGES
from node.domain.confidentiality import RECORD
from node.errors import InputError, NodeError, PreconditionError, SessionEndedError, SignInError


def show_sign_in(visit: Visit) -> Response:
    """The form; somebody who is signed in goes on."""
    if visit.token:
        try:
            visit.require_person()
        except SessionEndedError:
            visit.keep(SESSION, None)
        else:
            return visit.go("/")
    return show_outside(visit, "sign_in.html", {"problem": "", "account": ""})


def ask_again(visit: Visit, kept: str) -> Response:
    """The form after a session has ended in the middle of something; what was typed goes along, sealed."""
    problem = visit.say("会话已结束。刚才填写的内容已保留（文件除外），重新登录后可以继续。")
    return show_outside(visit, "sign_in.html", {"problem": problem, "account": "", "kept": kept}, status=403)


def sign_in(visit: Visit) -> Response:
    """Account and password."""
    account, kept = visit.field("account", 64), visit.field(kept_forms.FIELD, kept_forms.MOST)
    try:
        begun = People(visit.platform).sign_in(account, visit.field("password", 200))
    except SignInError as error:
        values = {"problem": _wrong(visit, error), "account": account, "kept": kept}
        return show_outside(visit, "sign_in.html", values, status=403)
    visit.keep(HALF, begun.token)
    if kept and begun.has_second_factor:  # a form goes from page to page, and never into an address
        return show_outside(visit, "code.html", {"problem": "", "new": None, "kept": kept})
    return visit.go("/sign-in/code" if begun.has_second_factor else "/sign-in/second-factor")


def show_code(visit: Visit) -> Response:
    """The form for the code."""
    if not visit.half:
        return visit.go(SIGN_IN)
    return show_outside(visit, "code.html", {"problem": "", "new": None})


def show_second_factor(visit: Visit) -> Response:
    """A new second factor, as a picture and as text, and the form for its first code."""
    if not visit.half:
        return visit.go(SIGN_IN)
    made = People(visit.platform).begin_second_factor(visit.half)
    new = {"secret": made.secret, "picture": _picture(made.uri)}
    return show_outside(visit, "code.html", {"problem": "", "new": new})


def finish(visit: Visit) -> Response:
    """The code."""
    kept = visit.field(kept_forms.FIELD, kept_forms.MOST)
    try:
        token, person = People(visit.platform).finish(visit.half, visit.field("code", 16).replace(" ", ""))
    except SignInError as error:
        values = {"problem": _wrong(visit, error), "new": None, "kept": kept}
        return show_outside(visit, "code.html", values, status=403)
    visit.keep(HALF, None)
    visit.keep(SESSION, token)  # a new one: what was known before signing in is worth nothing
    form = kept_forms.unseal(kept, person.account) if kept and not person.need else None
    if form is not None:
        return show_outside(visit, "resume.html", {"form": form})
    return visit.go("/ready" if person.need else "/")


def show_ready(visit: Visit) -> Response:
    """What the person must do before anything else."""
    if not visit.person.need:
        return visit.go("/")
    return show(visit, "ready.html", {"problem": "", "record": RECORD[visit.lang]})


def make_ready(visit: Visit) -> Response:
    """A password of one's own, or the signed record."""
    people, need = People(visit.node), visit.person.need
    try:
        if need == "new_password":
            change_password(visit)
        else:
            _sign(visit, people)
    except (InputError, PreconditionError, SignInError) as error:
        values = {"problem": problem_of(visit, error), "record": RECORD[visit.lang]}
        return show(visit, "ready.html", values, status=422)
    return visit.go("/ready")


def _sign(visit: Visit, people: People) -> None:
    if visit.field("agree") != "yes":
        raise InputError(visit.say("请勾选后再签署"))
    people.sign_record(visit.person.record_version)


def change_password(visit: Visit) -> None:
    """Replace the password by what a form holds. Raises InputError, SignInError."""
    new = visit.field("new_password", 200)
    if new != visit.field("again", 200):
        raise InputError(visit.say("两次输入的新密码不一致"))
    People(visit.node).change_password(visit.field("old_password", 200), new)


def sign_out(visit: Visit) -> Response:
    """End the session."""
    People(visit.node).sign_out()
    visit.keep(SESSION, None)
    return visit.go(SIGN_IN)


def set_language(visit: Visit) -> Response:
    """Chinese or English, and back to the page."""
    wanted = visit.field("language", 8)
    visit.keep(LANGUAGE, wanted if wanted in LANGUAGES else LANGUAGES[0])
    return visit.go(back_to(visit.request, visit.field("back")))


def set_large(visit: Visit) -> Response:
    """Large text or not, and back to the page."""
    visit.keep(LARGE, "1" if visit.field("large", 8) == "1" else None)
    return visit.go(back_to(visit.request, visit.field("back")))


def problem_of(visit: Visit, error: NodeError) -> str:
    """What went wrong, in the visitor's language where it is known."""
    if isinstance(error, SignInError):
        return _wrong(visit, error)
    known = {
        "a password has 12 to 128 characters": "密码须为12至128个字符",
        "a password has at least 6 different characters": "密码至少包含6个不同字符",
        "a password does not contain the account": "密码不得包含账号",
        "the new password is the old one": "新密码与原密码相同",
    }
    return visit.say(known.get(error.message, error.message))


def _wrong(visit: Visit, error: SignInError) -> str:
    if error.details.get("locked"):
        return visit.say(
            "账号、密码或动态口令有误，或账号不可用。账号已锁定，请{minutes}分钟后再试，或联系安全管理员重置。",
            minutes=error.details.get("minutes", "15"),
        )
    return visit.say(
        "账号、密码或动态口令有误，或账号不可用。还可尝试{left}次。", left=error.details.get("left", "0")
    )


def _picture(uri: str) -> Markup:
    """The key as a QR code in SVG, which the page holds itself: no script, no other server."""
    out = BytesIO()
    qrcode.make(uri, image_factory=qrcode.image.svg.SvgPathImage, box_size=14).save(out)
    text = out.getvalue().decode()
    return Markup(text[text.index("<svg") :])  # noqa: S704  made here, of characters of base32
