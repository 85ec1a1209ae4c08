"""The site: it builds strictly, keeps to itself, and every snippet of every page runs."""

import re
import shutil
import subprocess
import sys
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from tests.pace import PATIENCE_S
from tests.snippets import PAGES, README, ROOT, Session, commands, pages, snippets, unknown

BUILDER = ROOT / "agent" / "docs"
ALL = [README, *pages()]


def named(path):
    return str(path.relative_to(ROOT if path == README else PAGES).with_suffix(""))


# -- what pages say -------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "path", [p for p in pages() if snippets(p)], ids=named
)  # the README's tutorial is typed in test_tutorial
def test_a_page_can_be_followed(path, tmp_path):
    with Session(tmp_path) as session:
        for snippet in snippets(path):
            session.follow(snippet)


@pytest.mark.parametrize("path", ALL, ids=named)
def test_its_commands_and_options_exist(path):
    for snippet in snippets(path):
        for line in snippet.lines if snippet.kind == "sh" else ():
            for command in commands(line):
                assert unknown(command) == "", f"{snippet.where}: {line}"
            if made := re.match("make ([a-z]+)", line):
                ran = subprocess.run(["make", "-n", made[1]], cwd=ROOT, capture_output=True)
                assert ran.returncode == 0, f"{snippet.where}: {line}"


@pytest.mark.parametrize("path", pages(), ids=named)
def test_what_is_not_run_says_why(path):
    notes = {"", "serves", "fails", "shown"}
    for snippet in snippets(path):
        why = snippet.note.removeprefix("not run: ")
        needs = snippet.note.startswith("needs ")
        assert snippet.note in notes or needs or (why != snippet.note and why), snippet.where
        assert snippet.kind, f"{snippet.where}: a block has a language"


def test_a_command_that_is_not_there_is_noticed():
    (command,) = commands("GLASSES_LANGUAGE=zh glasses talk --aloud | cat")
    assert command == ["talk", "--aloud"]
    assert unknown(command) == "talk has no option --aloud"
    assert unknown(["shout"]) == "there is no command 'shout'"
    assert unknown(["mcp", "add", "--env", "KEY", "name", "npx", "-y", "package"]) == ""


def test_a_page_that_is_wrong_is_noticed(tmp_path):
    page = PAGES / "tutorials" / "first.md"
    text = next(s for s in snippets(page) if s.kind == "text")
    with Session(tmp_path) as session:
        session.printed = "It is 10:02 in London\n"
        with pytest.raises(AssertionError, match="Tokyo.* was not printed"):
            session.follow(text)


def test_each_page_is_in_the_navigation():
    def files(entries):
        for entry in entries:
            (value,) = entry.values()
            yield from files(value) if isinstance(value, list) else [value]

    settings = yaml.safe_load((BUILDER / "mkdocs.yml").read_text(encoding="utf-8"))
    assert sorted(files(settings["nav"])) == [str(p.relative_to(PAGES)) for p in pages()]


# -- what is built --------------------------------------------------------------------------------


class Page(HTMLParser):
    """What a built page refers to, and the names it has."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loads, self.names = [], [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.names |= {given[key] for key in ("id", "name") if given.get(key)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag == "link" and given.get("rel") != "canonical":
            self.loads.append(given["href"])
        elif given.get("src"):
            self.loads.append(given["src"])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs") / "built"
    done = subprocess.run(
        [sys.executable, "-m", "agent.docs", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return folder / "site"


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_links_lead_somewhere_and_nothing_is_asked_of_another_host(site):
    built = {path: Page(path) for path in site.rglob("*.html") if path.name != "404.html"}
    assert len(built) == len(pages())
    for path, page in built.items():
        for target in (*page.links, *page.loads):
            address = urlsplit(target)
            if address.scheme == "data":
                continue
            if address.scheme or address.netloc:
                assert target in page.links, f"{path.name} loads {target}"
                continue
            there = (path.parent / unquote(address.path)).resolve() if address.path else path
            there = there / "index.html" if there.is_dir() else there
            assert there.is_file(), f"{path.name} refers to {target}"
            if address.fragment and there in built:
                assert unquote(address.fragment) in built[there].names, f"{path.name}: {target}"


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_reference_is_made_of_the_code(site):
    from dataclasses import fields

    from agent.cli.commands import main
    from agent.config import Config

    text = {p.stem: p.read_text(encoding="utf-8") for p in (site / "reference").glob("*.html")}
    assert all(f'id="glasses-{name}"' in text["commands"] for name in main.commands)
    assert all(f"<code>{field.name}</code>" in text["settings"] for field in fields(Config))
    assert "<!-- made" not in "".join(text.values())
    assert 'id="paypay"' in text["skills"]
    assert 'id="agent.skill.declare.skill"' in text["skill"]


@pytest.fixture
def served(site):
    """Where the site is on loopback: search wants a server, pages do not."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_browser_asks_nobody_else_and_finds_what_is_searched(served):
    sync_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("Chromium is not installed: sudo apt install chromium")
    asked, wrong = [], []
    with (
        sync_api.sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"]) as browser,
    ):
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_S * 1000)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(error))
        for name in ("index", "zh", "howto/lens", "reference/skill"):
            page.goto(f"{served}/{name}.html", wait_until="load")
            broken = "[...document.images].filter(i => !i.complete || !i.naturalWidth).length"
            assert page.evaluate(broken) == 0, name
        page.keyboard.press("Control+k")
        page.keyboard.type("wallet")
        page.get_by_text("Pay, and choose a PIN").filter(visible=True).first.wait_for()
    assert wrong == []
    there = ("data:", "blob:", served)
    assert [url for url in asked if not url.startswith(there)] == []


def test_a_page_that_leads_nowhere_is_refused(tmp_path, monkeypatch):
    from agent.docs import __main__ as builder

    broken = tmp_path / "docs"
    (broken / "pages").mkdir(parents=True)
    (broken / "pages" / "index.md").write_text("# One\n\n[two](two.md)\n", encoding="utf-8")
    (broken / "mkdocs.yml").write_text("site_name: one\ndocs_dir: pages\n", encoding="utf-8")
    monkeypatch.setattr(builder, "HERE", broken)
    with pytest.raises(RuntimeError, match="page does not exist"):
        builder.main(tmp_path / "built")
