"""The console over a served node, without scripts: an officer's day, and what no browser may do."""

import socket
from itertools import product
from pathlib import Path

import pytest

from node.client.platform import Platform
from node.clock import utc_now
from node.console.app import PAGES, make_app
from node.console.guard import HEADERS
from node.database import users as rows
from node.domain.users import Role
from tests.support.cluster import Province, World, wait_report
from tests.support.console import MARKUP, PASSWORD, UPLOAD, WHO, Browser, address, forms_of
from tests.support.federation import set_config

# Pages that only some roles may open; all others are open to everybody who has signed in.
_ADMINISTRATORS = {Role.SYSTEM, Role.SECURITY, Role.AUDIT}
LIMITED = {
    "/users": {Role.SECURITY},
    "/users/change": {Role.SECURITY},
    "/checks": {Role.PREPARER, Role.APPROVER},
    "/approvals": {Role.PREPARER, Role.APPROVER},
    "/sums": {Role.PREPARER, Role.APPROVER},
    "/watches": {Role.PREPARER, Role.APPROVER},
    "/jobs": {Role.PREPARER, Role.APPROVER},
    "/objections": {Role.PREPARER, Role.APPROVER},
    "/corrections": {Role.PREPARER, Role.APPROVER},
    "/mandates": {Role.PREPARER, Role.APPROVER},
    "/deadlines": {Role.PREPARER, Role.APPROVER},
    "/households": {Role.PREPARER, Role.APPROVER},
    "/alerts": {Role.PREPARER, Role.APPROVER},
    "/requests": _ADMINISTRATORS,
    "/works": _ADMINISTRATORS,
    "/incoming": {*_ADMINISTRATORS, Role.OBSERVER},
    "/imports": {Role.SYSTEM},
    "/quality": {Role.SYSTEM, Role.AUDIT, Role.OBSERVER},
    "/audit": {Role.AUDIT},
    "/keys": {Role.SECURITY},
    "/access": _ADMINISTRATORS,
    "/health": {*_ADMINISTRATORS, Role.OBSERVER},
}
# Pages of the whole province: people of a county may not open them.
WHOLE = {"/imports", "/quality", "/audit", "/keys", "/access", "/requests", "/works", "/corrections/{number}"}


def draft_of(prep: Browser, household: str = "1001", until: str = "2030-12-31") -> str:
    """A draft with one person, up to the last step; its path."""
    prep.get("/checks")
    prep.send("/checks", {})
    path = next(action for action in forms_of(prep.page) if action.startswith("/checks/d-"))
    person = {"action": "add_member", "name": MARKUP[:20], "id_no": "449999190001010034"}
    prep.send(path, person)
    prep.send(path, {"action": "household", "household": household, "purpose": "review",
                     "legal_basis": "SA-2026-41"})  # fmt: skip
    mandate = {
        "action": "add_mandate", "number": f"M{household}", "members": "1", "signers": "韦小明",
        "office": "马山县民政局", "valid_from": "2026-01-01", "valid_to": until,
    }  # fmt: skip
    prep.send(path, mandate, files={"scan": ("扫描.pdf", b"%PDF-1.7", "application/pdf")})
    prep.get(f"{path}?step=items")
    prep.send(path, {"action": "items", "items": ["C21", "Z59b"], "peers": ["44"]})
    return path


def test_an_officers_day(node: Province, browsers: dict[str, Browser]) -> None:
    prep, appr = browsers["prep"], browsers["appr"]
    path = draft_of(prep)
    assert "449999********0034" in prep.get(f"{path}?step=members")
    assert "449999190001010034" not in prep.page
    prep.get(f"{path}?step=review")
    prep.send(f"{path}/send", {})
    draft = path.rsplit("/", 1)[1]
    assert draft in prep.page
    assert f"/approvals/{draft}" in appr.get("/approvals")
    page = appr.get(f"/approvals/{draft}")
    assert "449999********0034" in page
    assert "449999190001010034" not in page
    with node.node.store.transaction("fresh codes", write=True) as tx:
        rows.change_user(tx, "appr", {"totp_step": 0})
    deed = {"action": "approve", "password": PASSWORD, "code": appr.totp.at(utc_now())}
    appr.send(f"/approvals/{draft}", deed)
    job = appr.page.split("/jobs/")[1].split('"')[0].split("/")[0].split("?")[0]
    wait_report(node.node, job)
    assert "查看核对结果" in appr.get(f"/jobs/{job}")
    assert "1001/1" in appr.get(f"/jobs/{job}/report")
    assert f"/jobs/{job}" in prep.get("/jobs")
    assert "Results" not in prep.page
    prep.send("/language", {"language": "en"})
    assert "Results" in prep.get(f"/jobs/{job}/report")
    prep.send("/language", {"language": "zh"})


def test_a_missing_authorisation_blocks_and_is_named(browsers: dict[str, Browser]) -> None:
    prep = browsers["prep"]
    path = draft_of(prep, "1002")
    second = {"action": "add_member", "name": "韦二", "id_no": "33999919000101008X"}
    prep.get(f"{path}?step=members")
    prep.send(path, second)
    assert "第2人没有授权书" in prep.get(f"{path}?step=review")
    page = prep.send(f"{path}/send", {}, status=422)
    assert "第2人没有授权书" in page


def test_an_authorisation_that_is_over_blocks_and_says_why(browsers: dict[str, Browser]) -> None:
    prep = browsers["prep"]
    path = draft_of(prep, "1003", "2026-01-31")
    words = "第1人不能核对：授权书已过有效期"
    assert words in prep.get(f"{path}?step=review")
    assert words in prep.send(f"{path}/send", {}, status=422)
    prep.get(f"{path}?step=review")
    prep.send("/language", {"language": "en"})
    assert "Person 1 cannot be asked about: the mandate has expired" in prep.get(f"{path}?step=review")
    prep.send("/language", {"language": "zh"})


def test_markup_in_names_is_text(browsers: dict[str, Browser]) -> None:
    page = browsers["boss"].get("/users")
    assert MARKUP not in page
    assert "&lt;img src=x" in page


def addresses(method: str) -> list[str]:
    return sorted({path for path, methods, _ in PAGES if method in methods})


def judgement(account: str, path: str) -> tuple[set[int], tuple[str, ...]]:
    """What a page says to an account: status, words."""
    first, (unit, role) = f"/{path.split('/')[1]}", WHO[account]
    if role not in LIMITED.get(first, set(Role)):
        return {403}, ("您的角色没有此项权限", "可办理的角色：")
    if WHOLE & {first, path} and unit != WHO["boss"][0]:
        return {403}, ("此项涉及全省",)
    return {200, 404}, ()


def test_every_page_is_judged_by_role_and_carries_the_headers(browsers: dict[str, Browser]) -> None:
    """All pages in one test, which names each that is wrong."""
    wrong = []
    for path, (account, browser) in product(addresses("GET"), browsers.items()):
        answer, (status, words) = browser.client.get(address(path)), judgement(account, path)
        bare = [name for name, value in HEADERS.items() if answer.headers.get(name) != value]
        if answer.status_code not in status or bare or not all(word in answer.text for word in words):
            wrong.append((account, path, answer.status_code, bare))
    assert wrong == []


def test_a_form_without_the_token_of_the_session_changes_nothing(browsers: dict[str, Browser]) -> None:
    """CSRF: no token, somebody else's token, a request that another site began."""
    prep, wrong = browsers["prep"], []
    own, others = (forms_of(browsers[who].get("/"))["/language"]["csrf"] for who in ("prep", "appr"))
    tries = (
        ({}, {}),
        ({"csrf": others}, {}),
        ({"csrf": own}, {"Sec-Fetch-Site": "cross-site"}),
        ({"csrf": own}, {"Origin": "https://elsewhere.example"}),
    )
    for path, (data, headers) in product(addresses("POST"), tries):
        if path == "/sign-in":
            continue  # by which a session begins
        answer = prep.client.post(address(path), data=data, headers=headers)
        if answer.status_code != 403 or "表单已过期" not in answer.text:
            wrong.append((path, list(data), list(headers), answer.status_code))
    assert wrong == []
    assert forms_of(prep.get("/"))["/language"]["csrf"] == own  # still the same session


@pytest.mark.parametrize(
    "back", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example"]
)
def test_no_open_redirect(browsers: dict[str, Browser], back: str) -> None:
    prep = browsers["prep"]
    prep.get("/")
    hidden = forms_of(prep.page)["/language"]
    sent = {**hidden, "back": back, "language": "zh"}
    answer = prep.client.post("/language", data=sent, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_session_that_was_known_before_is_worth_nothing(app: object, browsers: dict[str, Browser]) -> None:
    """Fixation: signing in makes a new token, whatever the browser had."""
    victim = Browser(app)
    victim.client.cookies.set("__Host-session", "chosen-by-an-attacker", domain="console.example")
    victim.get("/sign-in")
    victim.send("/sign-in", {"account": "prep", "password": PASSWORD})
    assert victim.client.cookies.get("__Host-session") != "chosen-by-an-attacker"
    half = victim.client.cookies["__Host-half"]
    victim.client.cookies.set("__Host-session", half, domain="console.example")
    assert "/sign-in" in str(victim.client.get("/jobs").url)


def test_wrong_passwords_say_the_same_for_all(app: object, browsers: dict[str, Browser]) -> None:
    found = set()
    for account in ("away", "nobody"):
        guest = Browser(app)
        guest.get("/sign-in")
        guest.send("/sign-in", {"account": account, "password": "wrong"}, status=403)
        found.add(guest.page[guest.page.index("error-summary__body") :].split("</p>")[0])
    assert len(found) == 1
    assert "还可尝试4次" in found.pop()


def test_another_unit_guesses_in_vain(browsers: dict[str, Browser]) -> None:
    path = draft_of(browsers["prep"], "1003")
    browsers["prep"].get(f"{path}?step=review")
    browsers["prep"].send(f"{path}/send", {})
    draft = path.rsplit("/", 1)[1]
    page = browsers["away"].get(f"/approvals/{draft}", status=404)
    assert "不属于您的单位" in page


def test_an_upload_that_is_too_large(browsers: dict[str, Browser]) -> None:
    prep = browsers["prep"]
    path = draft_of(prep, "1004")
    prep.get(f"{path}?step=mandates")
    hidden = forms_of(prep.page)[path]
    answer = prep.client.post(path, data=hidden, files={"scan": ("x", bytes(UPLOAD + 1))})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "", "id_no": "449999190001010034"}, "请填写姓名"),
        ({"name": "韦", "id_no": "449999190001010035"}, "证件号码有误"),
        ({"name": "韦", "id_no": "449999190002300033"}, "证件号码有误"),
        ({"name": "韦", "id_no": "1"}, "证件号码有误"),
    ],
)
def test_bad_input_is_named_and_nothing_is_kept(
    browsers: dict[str, Browser], fields: dict[str, str], words: str
) -> None:
    prep = browsers["prep"]
    prep.get("/checks")
    prep.send("/checks", {})
    path = next(action for action in forms_of(prep.page) if action.startswith("/checks/d-"))
    assert words in prep.send(path, {"action": "add_member", **fields}, status=422)
    assert "hq-number" not in prep.get(path)


def test_static_files_are_named_by_their_digest(browsers: dict[str, Browser]) -> None:
    answer = browsers["prep"].client.get("/")
    for part in answer.text.split('"/static/')[1:]:
        found = browsers["prep"].client.get(f"/static/{part.split(chr(34))[0]}")
        assert found.status_code == 200
        assert "immutable" in found.headers["Cache-Control"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_node_that_is_down_is_told(world: World, tmp_path: Path) -> None:
    """A page that says so, in place of the page; nothing is lost by trying again."""
    home = world.copy(tmp_path / "down")["45"]
    with Platform.open(home, "127.0.0.1:9") as platform:
        guest = Browser(make_app(platform, UPLOAD))
        guest.client.cookies.set("__Host-session", "x" * 43, domain="console.example")
        assert "节点暂时无法连接" in guest.get("/", status=503)


def test_a_node_that_is_slow_is_told(world: World, tmp_path: Path) -> None:
    """A port that takes calls and never answers: the page comes after the call's time, and says so."""
    home = world.copy(tmp_path / "slow")["45"]
    set_config(home, "limits", call_timeout_s=1)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        Platform.open(home, f"127.0.0.1:{silent.getsockname()[1]}") as platform,
    ):
        guest = Browser(make_app(platform, UPLOAD))
        guest.client.cookies.set("__Host-session", "x" * 43, domain="console.example")
        assert "节点暂时无法处理" in guest.get("/", status=503)
