"""What bad intent or bad luck brings: lists that are no lists, codes used twice, a node that goes away."""

import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from node.clock import utc_now
from node.console.pages import uploaded_lists
from node.domain.users import Role
from node.errors import ConfigError
from node.governance import users
from node.jobs.acting import people_of
from testbed import trial
from tests.support.cluster import wait_for
from tests.support.console import COUNTY, Browser, add_accounts, forms_of, sign_in_all
from tests.support.console_site import Site
from tests.support.federation import set_config
from tests.support.sheets import write_xlsx

GOOD = ("449999190001010034", "33999919000101008X")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def new_draft(browser: Browser) -> str:
    browser.get("/checks")
    browser.send("/checks", {})
    return next(action for action in forms_of(browser.page) if action.startswith("/checks/d-"))


def upload(browser: Browser, path: str, name: str, content: bytes, status: int = 422) -> str:
    browser.get(path)
    return browser.send(path, {"action": "add_list"}, files={"list": (name, content, XLSX)}, status=status)


def csv_of(*rows: str) -> bytes:
    return "\r\n".join(["姓名,证件号码", *rows, ""]).encode("gb18030")


@pytest.mark.parametrize("name", ["成员.csv", "../../../etc/x.csv", "C:\\temp\\x.csv", "\u202etxt.csv"])
def test_a_list_under_any_name(site: Site, li: Browser, name: str) -> None:
    """The name that a browser gives is no path: nothing is written where it points."""
    path = new_draft(li)
    page = upload(li, path, name, csv_of(f"韦小明,{GOOD[0]}", f"韦二,{GOOD[1]}"), 200)
    assert "449999********0034" in page
    assert "339999********008X" in page
    assert not any(number in page for number in GOOD)


def test_a_workbook(li: Browser, tmp_path: Path) -> None:
    rows = [("姓名", "证件号码"), ("韦小明", GOOD[0])]
    content = write_xlsx(tmp_path / "list.xlsx", rows).read_bytes()
    assert "449999********0034" in upload(li, new_draft(li), "list.xlsx", content, 200)


def test_wrong_rows_are_named_by_their_place_and_none_is_taken(li: Browser) -> None:
    path = new_draft(li)
    wrong = GOOD[0][:-1] + "5"
    page = upload(li, path, "x.csv", csv_of(f"韦小明,{GOOD[0]}", f"韦二,{wrong}", ",449999190001010034"))
    assert "名单中有2行有误" in page
    assert "校验码不符" in page
    assert ">3</th>" in page
    assert ">4</th>" in page
    assert wrong not in page
    assert "hq-number" not in li.get(path)


@pytest.mark.parametrize(
    "cell", ['=HYPERLINK("https://elsewhere.example")', "@SUM(1)", "<script>alert(1)</script>"]
)
def test_a_formula_or_markup_for_a_name_is_refused_or_only_text(li: Browser, cell: str) -> None:
    path = new_draft(li)
    quoted = '"' + cell.replace('"', '""') + '"'
    browser_page = upload_any(li, path, csv_of(f"{quoted},{GOOD[0]}"))
    assert "<script>alert" not in browser_page
    assert "HYPERLINK" not in browser_page


def upload_any(browser: Browser, path: str, content: bytes) -> str:
    browser.get(path)
    hidden = forms_of(browser.page)[path]
    answer = browser.client.post(
        path, data={**hidden, "action": "add_list"}, files={"list": ("x.csv", content, "text/csv")}
    )
    assert answer.status_code in (200, 422)
    return str(answer.text)


def bomb(folder: Path) -> bytes:
    """A workbook of a few kilobytes whose sheet is very much larger than that."""
    good = write_xlsx(folder / "good.xlsx", [("姓名", "证件号码"), ("韦小明", GOOD[0])])
    made = BytesIO()
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith("sheet1.xml"):
                content = content.replace(b"</sheetData>", b" " * (1 << 26) + b"</sheetData>")
            target.writestr(name, content)
    return made.getvalue()


@pytest.mark.parametrize("kind", ["text", "zip", "empty", "suffix"])
def test_files_that_are_no_lists(li: Browser, kind: str) -> None:
    path = new_draft(li)
    name, content, words = {
        "text": ("x.xlsx", b"not a workbook", "名单无法读取"),
        "zip": ("x.xlsx", b"PK\x03\x04" + bytes(100), "名单无法读取"),
        "empty": ("x.csv", b"", "名单无法读取"),
        "suffix": ("x.exe", b"MZ", "名单须为"),
    }[kind]
    assert words in upload(li, path, name, content)


@pytest.mark.parametrize("version", ["x", "-1", "\u0663", "1e3"])
def test_a_version_that_is_no_number_is_a_malformed_form(li: Browser, version: str) -> None:
    """Not an error of the page, which would look like a fault of the node."""
    path = new_draft(li)
    li.get(path)
    hidden = forms_of(li.page)[path]
    answer = li.client.post(f"{path}/send", data={**hidden, "version": version})
    assert answer.status_code == 400


def test_many_lists_at_once_wait_for_each_other(li: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is read by a process of its own: two of them, however many people send one."""
    monkeypatch.setattr(uploaded_lists, "_WAIT_S", 0.1)
    path = new_draft(li)
    taken = [uploaded_lists._AT_ONCE.acquire() for _ in range(2)]
    try:
        upload(li, path, "x.csv", csv_of(f"韦小明,{GOOD[0]}"), 429)
    finally:
        for _ in taken:
            uploaded_lists._AT_ONCE.release()
    upload(li, path, "x.csv", csv_of(f"韦小明,{GOOD[0]}"), 200)


def test_a_zip_bomb_does_not_stop_the_console(li: Browser, tmp_path: Path) -> None:
    content = bomb(tmp_path)
    assert len(content) < 200_000
    page = upload_any(li, new_draft(li), content)
    assert "名单无法读取" in page or "名单中有" in page
    assert "工作台" in li.get("/")


def signing_in(site: Site) -> Browser:
    guest = Browser(site.app)
    guest.get("/sign-in")
    guest.send("/sign-in", {"account": "he", "password": trial.PASSWORD})
    return guest


def test_a_code_is_taken_once(site: Site) -> None:
    """Replay: whoever watched a code being typed cannot use it, not even with the password."""
    site.fresh_codes("he")
    code = site.people["he"].code()
    first = signing_in(site)
    first.send("/sign-in/code", {"code": code})
    assert "工作台" in first.page
    second = signing_in(site)
    assert "有误" in second.send("/sign-in/code", {"code": code}, status=403)
    third = signing_in(site)
    assert "有误" in third.send("/sign-in/code", {"code": site.people["he"].code(-10)}, status=403)


def test_guessing_locks_the_account_and_says_the_same_of_one_that_is_none(site: Site) -> None:
    """Brute force: five tries, from as many browsers; the right password is refused like a wrong one then."""
    initial = add_accounts(site.node.node, {"guessed": (COUNTY, Role.PREPARER)})["guessed"]
    said = []
    for account in ("guessed", "nobody-here"):
        for _ in range(5):
            guest = Browser(site.app)
            guest.get("/sign-in")
            guest.send("/sign-in", {"account": account, "password": "a wrong one"}, status=403)
        guest.get("/sign-in")
        guest.send("/sign-in", {"account": account, "password": initial}, status=403)
        assert "账号已锁定" in guest.page
        said.append(guest.page[guest.page.index("error-summary__body") :].split("</p>")[0])
    assert said[0] == said[1]


def test_a_leaver_in_mid_session(site: Site) -> None:
    """The next page is the one for signing in, and what the form held is not done."""
    leaver = sign_in_all(site.app, add_accounts(site.node.node, {"lai": (COUNTY, Role.PREPARER)}))["lai"]
    leaver.get("/account")
    users.disable(people_of(site.node.node), "lai", None, utc_now())
    hidden = forms_of(leaver.page)["/account/sessions"]
    answer = leaver.client.post("/account/sessions", data=hidden)
    assert str(answer.url).endswith("/sign-in")
    assert "__Host-session" not in leaver.client.cookies


def starts_again(site: Site) -> bool:
    """Whether the node starts on its old port: a call that still looks for it may have just that one."""
    try:
        site.node.start()
    except ConfigError:
        site.node.stop()
        return False
    return True


def test_a_node_that_goes_away_while_a_draft_is_saved(site: Site, li: Browser) -> None:
    """The page says so and holds what was typed; sent again when the node is back, it is kept."""
    path = new_draft(li)
    port = site.node.platform_port
    site.node.stop()
    person = {"action": "add_member", "name": "韦小明", "id_no": GOOD[0]}
    page = li.send(path, person, status=503)
    assert "节点暂时无法连接" in page
    assert forms_of(page)[path]["id_no"] == GOOD[0]
    set_config(site.node.home, "platform", listen=f"127.0.0.1:{port}")
    wait_for(lambda: starts_again(site), 30, "the port is taken", 0.5)
    wait_for(lambda: li.client.get("/account").status_code == 200, 30, "the node does not come back")
    assert "449999********0034" in li.send(path, {})


def test_the_last_sign_ins_of_the_own_account_only(site: Site) -> None:
    """Refused ones by a word of their own; nobody is shown another account's."""
    who = dict.fromkeys(("sign1", "sign10"), ("450124000000", Role.PREPARER))  # one is part of the other
    found = sign_in_all(site.app, add_accounts(site.node.node, who))
    guest = Browser(site.app)
    guest.get("/sign-in")
    guest.send("/sign-in", {"account": "sign1", "password": "a wrong one"}, status=403)
    page = found["sign1"].get("/account")
    assert (page.count("✓ 已登录"), page.count("✗ 被拒绝")) == (1, 1)
    assert page.index("✗ 被拒绝") < page.index("✓ 已登录")  # newest first
    other = found["sign10"].get("/account")
    assert (other.count("✓ 已登录"), other.count("✗ 被拒绝")) == (1, 0)
