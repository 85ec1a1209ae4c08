"""`glasses dev`: a save is in use within a second, a broken one is named, and nothing is forgotten."""

import asyncio
import contextlib
import os
import pty
import re
import select
import subprocess
import sys

import pytest

from agent.cli import scaffold
from agent.cli.dev import POLL_S, Target, targets, watch
from agent.errors import PluginError
from agent.testing import lens, make_agent
from tests import environment
from tests.pace import PATIENCE_S, until

pytestmark = pytest.mark.slow

SKILL = '''
from decimal import Decimal
from agent import Context, Proposal, Receipt, Reply, hookimpl, skill

@skill("count")
def count(ctx: Context) -> Reply:
    """Count how often it was asked."""
    ctx.memory["n"] = ctx.memory.get("n", 0) + 1
    return Reply(f"one {ctx.memory['n']}")

@skill("tip the juggler", risk="money", permissions={"money": "to tip"})
def tip(ctx: Context) -> Proposal:
    """Tip the juggler."""
    return Proposal(
        "Tip?", amount=Decimal(1), currency="USD", payee="Juggler", commit=lambda key: Receipt("tip-1")
    )

@hookimpl
def register_skills(register):
    register(count, tip)
'''


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    """Forget what a test imported and where from."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("glasses_"):
            del sys.modules[name]


@contextlib.asynccontextmanager
async def watching(path, agent):
    """Watch the skill at `path`; yields a function that waits for the next line.

    It also tells after how many seconds, counted by how often the files were looked at.
    """
    told, looks = asyncio.Queue(), []
    files = Target.files

    def looked(target):
        looks.append(target)
        return files(target)

    async def tell(line):
        told.put_nowait(line)

    async def line():
        looks.clear()
        text = await asyncio.wait_for(told.get(), PATIENCE_S)
        return text, len(looks) * POLL_S

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Target, "files", looked)
        task = asyncio.create_task(watch(targets(str(path)), agent.skills, tell))
        yield line
        task.cancel()


def file(folder):
    path = folder / "busker.py"
    path.write_text(SKILL)
    return path, path


def package(folder):
    path = folder / "busker"
    path.mkdir()
    (path / "__init__.py").write_text(SKILL)
    return path, path / "__init__.py"


def project(folder):
    scaffold.create(scaffold.names("busker"), folder / "busker")
    source = folder / "busker" / "glasses_busker" / "__init__.py"
    source.write_text(SKILL)
    (source.parent / "sentences" / "zh.yaml").unlink()
    return folder / "busker", source


@pytest.mark.parametrize("make", [file, package, project])
async def test_a_save_is_in_use_within_a_second_and_the_conversation_goes_on(make, tmp_path):
    path, source = make(tmp_path)
    agent = make_agent(tmp_path / "data")
    async with watching(path, agent) as line:
        assert (await line())[0].startswith("watching ")
        await agent.hear("count")
        await agent.hear("count")
        assert lens(agent) == "one 2"

        source.write_text(SKILL.replace("one ", "two "))
        text, seconds = await line()
        assert re.fullmatch(r"✓ busker reloaded \((__init__|busker)\.py\) in \d+ ms", text)
        assert seconds < 1
        await agent.hear("count")
        assert lens(agent) == "two 3"

        await agent.hear("tip the juggler")
        source.write_text(SKILL.replace("one ", "three ").replace('"count"', '"count on"'))
        assert (await line())[1] < 1
        assert agent.gate.open is not None
        turn = await agent.hear("yes")
        assert turn.error is None
        assert agent.gate.open is None
        await agent.hear("count on")
        assert lens(agent) == "three 4"


@pytest.mark.parametrize("make", [file, package, project])
@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        ("def f(:\n", ":1: SyntaxError: "),
        ("\n\nfrobnicate()\n", ":3: NameError: name 'frobnicate' is not defined"),
        (SKILL.replace("def count", "def [count"), ":6: SyntaxError"),
        (SKILL.replace('"count"', '"count {n}"'), r":\d+: .*slot"),
        (SKILL.replace("register_skills", "register_skill"), "there is no hook register_skill; "),
    ],
)
async def test_a_broken_save_is_one_line_and_the_version_before_goes_on(
    make, broken, complaint, tmp_path
):
    path, source = make(tmp_path)
    agent = make_agent(tmp_path / "data")
    async with watching(path, agent) as line:
        await line()
        await agent.hear("count")
        source.write_text(broken)
        text, seconds = await line()
        assert re.search(complaint, text)
        assert text.startswith("✗ busker: ")
        assert "\n" not in text
        assert text.endswith("; the version before stays in use")
        assert seconds < 1
        await agent.hear("count")
        assert lens(agent) == "one 2"

        source.write_text(SKILL.replace("one ", "two "))
        text, seconds = await line()
        assert text.startswith("✓")
        assert seconds < 1
        await agent.hear("count")
        assert lens(agent) == "two 3"


@pytest.mark.parametrize("make", [file, package, project])
async def test_a_skill_broken_from_the_start_comes_with_the_first_good_save(make, tmp_path):
    path, source = make(tmp_path)
    source.write_text("import nothing_of_the_kind\n")
    agent = make_agent(tmp_path / "data")
    async with watching(path, agent) as line:
        assert "nothing_of_the_kind" in (await line())[0]
        await line()
        source.write_text(SKILL)
        assert (await line())[0].startswith("✓")
        await agent.hear("count")
        assert lens(agent) == "one 1"
        assert agent.skills.problems == []


async def test_sentences_prompts_and_helpers_are_read_again(tmp_path):
    path, source = project(tmp_path)
    source.write_text(
        SKILL.replace(
            "from decimal", "from glasses_busker.words import WORD\nfrom decimal"
        ).replace('f"one', 'f"{WORD}')
    )
    words = source.parent / "words.py"
    words.write_text('WORD = "uno"\n')
    chinese = source.parent / "sentences" / "zh.yaml"
    chinese.write_text("language: zh\nintents:\n  count:\n    data:\n      - sentences: [数一下]\n")
    agent = make_agent(tmp_path / "data")
    async with watching(path, agent) as line:
        await line()
        words.write_text('WORD = "due"\n')
        assert "(words.py)" in (await line())[0]
        await agent.hear("数一下")
        assert lens(agent) == "due 1"
        chinese.write_text("language: zh\nintents:\n  count:\n    data:\n      - sentences: [\n")
        assert re.search(r"zh\.yaml:\d+: ", (await line())[0])
        chinese.write_text(
            "language: zh\nintents:\n  count:\n    data:\n      - sentences: [报数]\n"
        )
        assert (await line())[0].startswith("✓")
        await agent.hear("报数")
        assert lens(agent) == "due 2"
        prompt = source.parent / "prompts" / "en" / "advice.j2"
        prompt.parent.mkdir(parents=True)
        prompt.write_text("{# variables: word #}\n\n{% if %}\n")
        assert "advice.j2:3: " in (await line())[0]


async def test_an_editor_that_replaces_the_file_and_rubbish_beside_it(tmp_path):
    path, source = package(tmp_path)
    agent = make_agent(tmp_path / "data")
    async with watching(path, agent) as line:
        await line()
        (source.parent / "notes.swp").write_text("x")
        new = tmp_path / "new.py"
        new.write_text(SKILL.replace("one ", "two "))
        source.unlink()
        await asyncio.sleep(0.15)
        new.replace(source)
        while not (text := (await line())[0]).startswith("✓"):
            assert "before stays in use" in text
        await agent.hear("count")
        assert lens(agent) == "two 1"


@pytest.mark.parametrize("wanted", ["nowhere", ".", "missing.py"])
def test_what_is_no_skill_is_refused_in_one_line(wanted, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PluginError, match=f"^{re.escape(wanted)} is no skill: give a Python file"):
        targets(wanted)
    (tmp_path / "pyproject.toml").write_text("[project\n")
    with pytest.raises(PluginError, match="pyproject.toml cannot be read: "):
        targets(str(tmp_path))


# -- as a process ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    return environment.make(tmp_path_factory.mktemp("dev"))


def printed(out, wanted):
    """Read until `wanted` was printed, whatever escapes are in it; return what was."""
    raw, text = b"", ""
    while wanted not in text:
        assert select.select([out], [], [], PATIENCE_S)[0], text
        block = os.read(out, 65536)
        assert block, text
        raw += block
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", raw.decode("utf-8", errors="replace"))
    return text


@pytest.mark.parametrize("installed", [True, False])
@pytest.mark.slow
def test_through_a_pipe(there, installed, tmp_path):
    name = "flute" if installed else "viola"
    there.run("glasses", "new-skill", name, cwd=tmp_path)
    folder = tmp_path / name
    source = folder / f"glasses_{name}" / "__init__.py"
    if installed:
        there.run("pip", "install", "-e", ".", cwd=folder)
    dev = subprocess.Popen(
        ["glasses", "dev", name if installed else "."],
        cwd=tmp_path if installed else folder,
        env=there.environ(),
        executable=there.bin / "glasses",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    out = dev.stdout.fileno()

    def typed(text):
        dev.stdin.write(f"{text}\n".encode())
        dev.stdin.flush()

    printed(out, "watching ")
    typed(f"show {name} for today")
    printed(out, "Nothing yet for today.")
    good = source.read_text()
    source.write_text(good.replace("Nothing yet", "Sunny"))
    printed(out, f"✓ {name} reloaded")
    typed(f"show {name} for today")
    printed(out, "Sunny for today.")
    source.write_text("frobnicate(\n")
    text = printed(out, "the version before stays in use")
    assert "__init__.py:1: SyntaxError: " in text
    typed(f"show {name} for today")
    printed(out, "Sunny for today.")
    source.write_text(good)
    printed(out, f"✓ {name} reloaded")
    typed(f"show {name} for tomorrow")
    printed(out, "Nothing yet for tomorrow.")
    typed(":quit")
    assert dev.wait(PATIENCE_S) == 0
    dev.stdin.close()
    dev.stdout.close()
    if installed:
        there.run("pip", "uninstall", "--yes", f"glasses-{name}")


@pytest.mark.slow
def test_at_a_terminal_the_line_stands_above_the_prompt(there, tmp_path):
    there.run("glasses", "new-skill", "oboe", cwd=tmp_path)
    source = tmp_path / "oboe" / "glasses_oboe" / "__init__.py"
    ours, theirs = pty.openpty()
    dev = subprocess.Popen(
        [there.bin / "glasses", "dev"],
        cwd=tmp_path / "oboe",
        env=there.environ() | {"TERM": "xterm", "COLUMNS": "100", "PROMPT_TOOLKIT_NO_CPR": "1"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        printed(ours, "you ›")
        os.write(ours, b"show oboe")
        printed(ours, "show oboe")
        source.write_text(source.read_text().replace("Nothing yet", "Sunny"))
        printed(ours, "✓ oboe reloaded")
        os.write(ours, b" for today\r")
        shown = printed(ours, "Sunny for today.")
        if "you ›" not in shown.partition("Sunny for today.")[2]:
            printed(ours, "you ›")
        os.write(ours, b"\x04")

        def ended():
            with contextlib.suppress(OSError):  # a terminal that hangs up is an error, not an end
                if select.select([ours], [], [], 0.1)[0]:
                    os.read(ours, 65536)
            return dev.poll() is not None

        until(ended)
        assert dev.poll() == 0
    finally:
        dev.kill()
        dev.wait()
        os.close(ours)
