"""The page in a real Chromium: heard, seen, and used without a mouse, a screen or a microphone."""

import ast
import re
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest

import agent
from tests.agent.serve.pictures import matches
from tests.agent.serve.server import health, running, scripted
from tests.pace import PATIENCE_S

pytestmark = pytest.mark.slow  # a browser

LIT = "() => [...document.querySelectorAll('#rows p')].map((row) => row.textContent)"


def rows(page, text):
    """Wait until a text is on the lens."""
    page.wait_for_function(f"(text) => ({LIT})().join(' ').includes(text)", arg=text)
    return page.evaluate(LIT)


def lit_pixels(page):
    return page.evaluate(
        """() => { const lens = document.getElementById('light');
           const data = lens.getContext('2d').getImageData(0, 0, lens.width, lens.height).data;
           let lit = 0;
           for (let at = 1; at < data.length; at += 4) lit += data[at] > 60;
           return lit; }"""
    )


def say(page, text):
    page.fill("#line", text)
    page.press("#line", "Enter")


def address_of(page):
    return page.evaluate("location.origin") + "/"


@pytest.fixture(scope="module")
def shared(quick, chromium):
    """A page for tests that leave it as they found it."""
    context = chromium.new_context(
        viewport={"width": 1280, "height": 800}, locale="en-US", permissions=["camera"]
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE_S * 1000)
    page.goto(f"{quick}?pair=everybody")
    page.wait_for_selector("#status.ready")
    yield page
    context.close()


# -- heard ----------------------------------------------------------------------------------------


def test_a_spoken_command_is_heard_and_its_card_is_on_the_lens(real, open_page):
    page = open_page(real, permissions=["microphone"])
    before = lit_pixels(page)
    page.click("#open-mic")
    rows(page, "shoe")
    assert lit_pixels(page) > before + 1000
    turn = page.locator("#turn-list li", has_text="search for running shoes").first
    assert "pocketsphinx" in turn.text_content()
    stages = turn.locator(".waterfall th").all_text_contents()
    assert stages == [
        "sure you had finished",
        "recognised",
        "understood",
        "worked out",
        "on the lens",
    ]
    assert "search for running shoes" in page.text_content("#caption")
    page.click("#tab-session")
    # A browser, a recogniser and the other tests share the cores: some may be dropped, and is told.
    assert re.search(r"\d+ chunks heard, \d+ dropped, \d+ lost", page.text_content("#about"))
    assert page.get_attribute("#open-mic", "aria-pressed") == "true"
    page.click("#open-mic")
    page.wait_for_selector("#open-mic[aria-pressed=false]")


def test_a_command_spoken_while_the_space_bar_is_held(quick, open_page):
    page = open_page(quick, permissions=["microphone"])
    page.locator("h1").click()  # not in a field
    page.keyboard.down(" ")
    page.wait_for_selector("body.listening")
    page.wait_for_timeout(900)  # speech, by the browser's own clock
    assert page.get_attribute("#hold", "aria-pressed") == "true"
    page.keyboard.up(" ")
    rows(page, "Hello anna")
    page.wait_for_selector("#hold[aria-pressed=false]")


def test_an_example_is_spoken_where_there_is_no_microphone(real, open_page):
    page = open_page(real)
    page.click("#chips .aloud >> nth=1")
    rows(page, "Market Pharmacy")


def test_a_browser_without_a_microphone_says_so(quick, open_page):
    page = open_page(quick)
    page.evaluate("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
    page.click("#open-mic")
    page.wait_for_selector("#notes >> text=localhost")
    say(page, "greet bob")
    rows(page, "Hello bob")


@pytest.mark.parametrize("rate_hz", [48_000, 44_100, 16_000, 8_000])
def test_sound_is_resampled_without_folding(shared, rate_hz):
    page = shared
    levels = page.evaluate(
        """async (rate) => {
          const { Resampler } = await import('./resample.js');
          const level = (hz) => {
            const resampler = new Resampler(rate), out = [];
            for (let at = 0; at < rate; at += 128) {
              out.push(...resampler.feed(Float32Array.from({ length: 128 },
                (_, n) => Math.sin(2 * Math.PI * hz * (at + n) / rate))));
            }
            const heard = out.slice(2000, 12000);
            const power = heard.reduce((sum, s) => sum + s * s, 0) / heard.length;
            return [20 * Math.log10(Math.sqrt(2 * power) + 1e-9), out.length];
          };
          return Object.fromEntries([100, 1000, 3000, 6000, 8200, 10000, 15000].map((hz) => [hz, level(hz)]));
        }""",
        rate_hz,
    )
    for hz, (level, length) in levels.items():
        assert length == pytest.approx(16_000, abs=100)
        if int(hz) >= rate_hz / 2:
            continue
        if int(hz) <= 6000:
            assert level == pytest.approx(0, abs=0.1), hz
        elif int(hz) > 8000 and rate_hz > 16_000:
            assert level < -60, hz


# -- seen -----------------------------------------------------------------------------------------


def test_a_card_is_drawn_at_the_true_resolution_and_scaled_crisply(quick, open_page):
    page = open_page(quick)
    say(page, "greet bob")
    rows(page, "Hello bob")
    size = "() => [document.getElementById('light').width, document.getElementById('light').height]"
    assert page.evaluate(size) == [640, 480]
    box = page.locator("#light").bounding_box()
    assert box["width"] % 640 == 0
    assert (
        page.evaluate("getComputedStyle(document.getElementById('light')).imageRendering")
        == "pixelated"
    )
    assert (
        page.evaluate("getComputedStyle(document.getElementById('eye')).mixBlendMode")
        == "plus-lighter"
    )
    page.select_option("#choose-profile", "even-g1")
    page.wait_for_function("() => document.getElementById('light').width === 576")
    assert page.evaluate(size) == [576, 136]


def test_a_skill_sees_the_street_and_the_webcam(shared):
    page = shared
    seen = []
    for world in ("night", "webcam"):
        page.select_option("#choose-world", world)
        page.wait_for_selector("#webcam:not([hidden])" if world == "webcam" else "#scene")
        say(page, "what do you see")
        seen.append(int(rows(page, "bytes")[-1].split()[0]))
        say(page, "greet bob")
        rows(page, "Hello bob")
    assert seen[0] != seen[1]
    assert min(seen) > 5_000


def test_a_photo_can_be_the_world(shared, tmp_path):
    from PIL import Image

    photo = tmp_path / "photo.png"
    Image.effect_noise((640, 480), 80).save(photo)
    page = shared
    page.set_input_files("#photo-file", photo)
    page.wait_for_selector("#photo:not([hidden])")
    assert page.input_value("#choose-world") == "photo"
    page.set_input_files("#photo-file", {"name": "x.png", "mimeType": "image/png", "buffer": b"no"})
    page.wait_for_selector("#notes p")


def test_the_tune_is_played_by_the_page(shared):
    page = shared
    say(page, "sing")
    page.wait_for_function("() => document.getElementById('tune').currentTime > 0")
    say(page, "stop")
    page.wait_for_function("() => document.getElementById('tune').paused")


def test_the_log_tells_what_became_of_each_card(shared):
    page = shared
    say(page, "greet bob")
    rows(page, "Hello bob")
    page.click("#tab-outcomes")
    entry = page.locator(".outcome.shown", has_text="Greeting").first
    assert "demo · foreground" in entry.text_content()
    page.click("#link")
    page.wait_for_selector("body.lost")
    say(page, "greet eve")
    page.wait_for_selector(".outcome.refused")
    assert page.text_content("#status") == "Link lost"
    page.click("#link")
    page.wait_for_selector("body:not(.lost)")


def test_what_can_be_said_is_listed_and_can_be_tried(shared):
    page = shared
    page.click("#tab-skills")
    page.click("text=Greet somebody.")
    page.locator("#skill-list button", has_text="greet").first.click()
    rows(page, "Hello")


def test_batteries_are_swapped(quick, open_page):
    page = open_page(quick)
    say(page, "greet bob")
    rows(page, "Hello bob")
    buttons = page.locator(".cell button")
    buttons.nth(0).click()
    buttons.nth(1).click()
    page.wait_for_selector("#status.off")
    assert page.evaluate(LIT) == []
    assert buttons.nth(0).text_content() == "Put in"
    buttons.nth(0).click()
    page.wait_for_selector("#status.ready")
    rows(page, "Hello bob")


def test_the_position_is_that_of_the_browser_while_it_is_wished(real, open_page):
    page = open_page(
        real,
        permissions=["geolocation"],
        geolocation={"latitude": 51.5, "longitude": -0.1, "accuracy": 8},
    )
    page.click("#position")
    asked_until(page, "No map here")
    page.context.set_geolocation({"latitude": 40.0026, "longitude": -34.9963, "accuracy": 8})
    asked_until(page, "High Street")
    assert "simulated" not in page.text_content("#rows")
    page.click("#position")
    asked_until(page, "(simulated position)")


def asked_until(page, text):
    """Ask where one is until it is that: a browser tells a new position when it likes."""
    for _ in range(100):
        say(page, "where am i")
        page.wait_for_timeout(500)
        if text in page.text_content("#rows"):
            return
    raise AssertionError(f"it is not {text}: {page.text_content('#rows')}")


# -- without a mouse, without sight ---------------------------------------------------------------


def test_everything_is_reached_by_keyboard_and_seen_to_be(quick, open_page):
    page = open_page(quick)
    reached, hidden = [], []
    page.keyboard.press("Tab")
    for _ in range(80):
        found = page.evaluate(
            """() => { const at = document.activeElement;
               const style = getComputedStyle(at), box = at.getBoundingClientRect();
               const shown = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
               const near = at.closest('label');
               return { name: at.id || at.dataset.gesture || at.textContent.trim(),
                        seen: shown || (near && getComputedStyle(near).outlineStyle !== 'none'),
                        there: box.width > 0, body: at === document.body }; }"""
        )
        if found["body"]:
            break
        reached.append(found["name"])
        if not (found["seen"] and found["there"]):
            hidden.append(found["name"])
        page.keyboard.press("Tab")
    assert hidden == []
    for wanted in ("line", "hold", "open-mic", "choose-world", "choose-profile", "choose-language",
                   "nod", "shake", "glance", "walk", "tap", "double_tap", "lux", "heat", "link",
                   "tab-turns", "ui-language", "open-help"):  # fmt: skip
        assert wanted in reached


def test_a_whole_visit_by_keys_alone(quick, open_page):
    page = open_page(quick)
    page.keyboard.press("/")
    page.keyboard.type("settle up with ann")
    page.keyboard.press("Enter")
    rows(page, "$4.00")
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    rows(page, "Nothing was paid")
    page.keyboard.press("w")
    page.wait_for_selector("body.walking")
    page.keyboard.press("w")
    page.wait_for_selector("body:not(.walking)")
    page.focus("#tab-turns")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#outcomes:not([hidden])")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("?")
    page.wait_for_selector("#help[open]")
    page.keyboard.press("Escape")
    page.wait_for_selector("#help:not([open])", state="attached")
    page.keyboard.press("/")
    page.keyboard.type("gr")
    page.wait_for_selector("#options li")
    page.keyboard.press("ArrowDown")
    assert page.get_attribute("#line", "aria-activedescendant") == "option-0"
    page.keyboard.press("Enter")
    assert page.input_value("#line") == "greet "
    page.keyboard.type("sam")
    page.keyboard.press("Enter")
    rows(page, "Hello sam")


def test_single_keys_can_be_switched_off(quick, open_page):
    page = open_page(quick)
    page.click("#open-help")
    page.uncheck("#shortcuts")
    page.click("#close-help")
    page.locator("h1").click()
    page.keyboard.press("w")
    say(page, "greet bob")
    rows(page, "Hello bob")
    assert page.locator("body.walking").count() == 0


@pytest.mark.parametrize("shape", ["desktop", "phone"])
def test_a_screen_reader_has_names_for_everything(quick, open_page, shape):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python"
    )
    size = {"viewport": {"width": 390, "height": 844}} if shape == "phone" else {}
    page = open_page(quick, **size)
    say(page, "greet bob")
    rows(page, "Hello bob")
    for tab in ("turns", "skills", "session") if shape == "desktop" else ("turns",):
        page.click(f"#tab-{tab}")
        found = axe.Axe().run(page).response["violations"]
        assert [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found] == []


def test_the_lens_is_read_out_once_and_whole(shared):
    page = shared
    say(page, "greet bob")
    rows(page, "Hello bob")
    region = page.locator("#rows")
    assert region.get_attribute("aria-live") == "polite"
    assert region.get_attribute("aria-atomic") == "true"
    assert page.locator("#lens").evaluate("(lens) => Boolean(lens.closest('[aria-hidden=true]'))")


def test_who_wants_no_motion_gets_none(quick, open_page):
    page = open_page(quick, reduced_motion="reduce")
    page.click("#walk")
    page.wait_for_selector("body.walking")
    assert (
        page.evaluate("getComputedStyle(document.getElementById('world')).animationName") == "none"
    )


# -- languages, phones, several pages -------------------------------------------------------------


def test_the_page_speaks_chinese_to_a_chinese_browser(quick, open_page):
    page = open_page(quick, locale="zh-CN")
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    assert page.text_content("#tab-turns") == "对话"
    page.click("#ui-language")
    assert page.text_content("#tab-turns") == "Turns"
    page.reload()
    page.wait_for_selector("#status.ready")
    assert page.text_content("#tab-turns") == "Turns"


def test_both_languages_have_every_word(shared):
    page = shared
    missing = page.evaluate(
        """async () => { const { WORDS: { en, zh } } = await import('./words.js');
           return [Object.keys(en).filter((key) => !(key in zh)),
                   Object.keys(zh).filter((key) => !(key in en))]; }"""
    )
    assert missing == [[], []]
    used = page.evaluate(
        """async () => { const { WORDS } = await import('./words.js');
           const all = document.querySelectorAll('[data-t], [data-t-label], [data-t-placeholder]');
           return [...all].flatMap((e) => [e.dataset.t, e.dataset.tLabel, e.dataset.tPlaceholder])
             .filter((key) => key && !(key in WORDS.en)); }"""
    )
    assert used == []


REASONED = (
    "understand/router",
    "understand/qwen",
    "understand/dialogue",
    "loop/respond",
    "display/lens",
    "display/arbiter",
)


def reasons() -> list[str]:
    """Return the reasons that stand in the agent's code, with 7 for what is filled in."""
    found = []
    for name in REASONED:
        source = (Path(agent.__file__).parent / f"{name}.py").read_text("utf-8")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call):
                called = getattr(node.func, "id", getattr(node.func, "attr", ""))
                at = {"NotRecognized": 0, "_end": 3, "drop": 2, "_by": 0}.get(called)
                given = node.args[at : at + 1] if at is not None else []
                given += [word.value for word in node.keywords if word.arg == "reason"]
                found += [text for one in given if (text := literal(one))]
    return found


def literal(node: ast.expr) -> str:
    """Return a text as it stands in the code; empty when a variable is all there is."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(literal(part) or "7" for part in parts)
    return ""


def test_reasons_are_chinese_too(shared):
    there = reasons()
    assert {"no sentence matches", "7 of its own wait", "cleared", "two commands"} <= set(there)
    chinese = shared.evaluate(
        """async (all) => { const { why } = await import('./reasons.js');
           const words = await import('./words.js');
           if (words.language !== 'zh') words.switchLanguage();
           const said = all.map(why);
           words.switchLanguage();
           return said; }""",
        there,
    )
    same = [one for one, said in zip(there, chinese, strict=True) if one == said]
    assert same in ([], ["7: 7"])  # a model's name and what it failed with


def test_a_chinese_page_gives_its_reasons_in_chinese(quick, open_page):
    page = open_page(quick, locale="zh-CN")
    say(page, "do a handstand")
    page.wait_for_selector(".intent.none")
    assert not re.search("[a-z]", page.text_content(".intent.none"))
    assert page.text_content(".verdicts th") == "模板"
    page.click("#tab-outcomes")
    assert page.text_content(".outcome .kind") in ("已显示", "被替换")


def test_it_fits_a_phone_and_answers_to_a_finger(quick, open_page):
    page = open_page(
        quick, viewport={"width": 360, "height": 740}, device_scale_factor=3, is_mobile=True,
        has_touch=True, permissions=["microphone"],
    )  # fmt: skip
    wide = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wide <= 0
    page.locator("[data-gesture=tap]").tap()
    small = page.evaluate(
        """() => [...document.querySelectorAll('button, select, [role=tab], .button')]
             .filter((e) => e.getClientRects().length && e.getBoundingClientRect().height < 32)
             .map((e) => e.id || e.textContent)"""
    )
    assert small == []
    hold = page.locator("#hold").bounding_box()
    assert hold["y"] + hold["height"] <= 740
    assert min(hold["width"], hold["height"]) >= 44
    say(page, "greet bob")
    rows(page, "Hello bob")
    lens = page.locator("#light").bounding_box()
    assert lens["width"] > 250
    assert lens["y"] >= 0


def test_two_pages_on_one_pair_of_glasses(quick, open_page):
    first = open_page(f"{quick}?pair=shared")
    second = open_page(f"{quick}?pair=shared")
    first.wait_for_selector("#role:not([hidden])")
    say(second, "greet eve")
    rows(first, "Hello eve")
    assert first.locator("#dock").evaluate("(dock) => dock.inert")
    first.click("#wear")
    second.wait_for_selector("#role:not([hidden])")
    first.wait_for_selector("#role[hidden]", state="attached")
    say(first, "greet bob")
    rows(second, "Hello bob")


def test_a_page_closed_while_it_speaks_leaves_the_glasses_in_order(real, open_page):
    page = open_page(f"{real}?pair=left")
    page.click("#chips .aloud >> nth=0")
    # Of what the page sends, not of the card, which a busy machine may never draw as listening.
    page.wait_for_function("() => performance.getEntriesByName('loud').length > 0")
    page.context.close()
    again = open_page(f"{real}?pair=left")
    say(again, "navigate to the pharmacy")
    rows(again, "Market Pharmacy")
    assert "1011" not in health(real)["closed"]


def test_a_server_that_goes_and_comes_back(open_page, tmp_path):
    with running(scripted(), tmp_path) as address:
        page = open_page(address)
    page.wait_for_selector("#status.lost_server")
    page.context.close()


def test_a_session_is_recorded_and_replayed_in_the_page(quick, open_page, tmp_path):
    page = open_page(quick)
    page.click("#tab-session")
    page.click("#record")
    page.wait_for_selector("#status.recording")
    say(page, "greet bob")
    rows(page, "Hello bob")
    page.click("#record")
    with page.expect_download() as download:
        page.click("#recorded")
    saved = tmp_path / "session.jsonl"
    download.value.save_as(saved)
    page.set_input_files("#session-file", saved)
    page.wait_for_selector("#replay-result li")
    assert page.text_content("#replay-result") == "Answered as recorded."
    bad = {"name": "bad.jsonl", "mimeType": "text/plain", "buffer": b"bad"}
    page.set_input_files("#session-file", bad)
    page.wait_for_selector("#notes p")
    say(page, "greet sam")
    rows(page, "Hello sam")


# -- looked at ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "world", "line", "shown", "options"),
    [
        ("desktop", "dusk", "navigate to the pharmacy", "Market Pharmacy", {}),
        ("chinese", "night", "导航到火车站", "火车站", {"locale": "zh-CN"}),
        ("phone", "day", "navigate to the pharmacy", "Market Pharmacy",
         {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True}),
    ],
)  # fmt: skip
def test_it_looks_as_it_did_when_it_was_looked_at(
    real, open_page, name, world, line, shown, options, request
):
    page = open_page(real, reduced_motion="reduce", **options)
    page.select_option("#choose-world", world)
    say(page, line)
    rows(page, shown)
    update = request.config.getoption("--update-goldens")
    for left in reversed(range(100)):  # until the light sensor has dimmed or lit the lens
        page.wait_for_timeout(300)
        shot = page.screenshot(
            mask=[page.locator(".number, .total, #caption small")], mask_color="#14181a"
        )
        with suppress(AssertionError) if left else nullcontext():
            matches(shot, name, update)
            break
