"""No plugin takes the agent down: one file a sin in tests/plugins/misbehaving, each walked here.

A file says what must come of it, in constants: REFUSED is in the reason why it is not loaded; SAY
is said to it, ERROR begins or is in Turn.error, LENS is on the lens, and OFFENCE is held against it
although the turn itself went well.
"""

import ast
import asyncio
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from decimal import Decimal, getcontext
from pathlib import Path

import pytest

from agent import NotCommitted, Proposal, Receipt, Reply, hookimpl, skill
from agent.conduct import MAX_TEXT, OFFENCES
from agent.errors import PluginError
from agent.loop import Agent, AgentOptions
from agent.messages import Intent
from agent.plugins import Skills
from agent.runner import MAX_THREADS, Runner
from agent.testing import lens, make_agent
from hardware.base import Devices
from hardware.display import MemoryDisplay
from hardware.profiles import load as load_profile
from tests.agent.test_plugins import GOOD

MISBEHAVING = sorted((Path(__file__).parent.parent / "plugins" / "misbehaving").glob("*.py"))


def declared(path):
    """Return the constants of a file that may not be imported."""
    return {
        node.targets[0].id: node.value.value
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }


def agent_on(skills, folder, **options):
    display = MemoryDisplay(load_profile("quark-s1"))
    options = AgentOptions(**{"action_timeout_s": 0.3, **options})
    return Agent(skills, Devices(display=display), folder, options=options)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("path", MISBEHAVING, ids=lambda path: path.stem)
async def test_no_plugin_takes_the_agent_down(path, tmp_path):
    began = time.monotonic()
    before = Path.cwd(), getcontext().prec
    said = declared(path)
    shutil.copy(path, tmp_path)
    (tmp_path / "good.py").write_text(GOOD, encoding="utf-8")
    # Short times only where they are what is tested: a busy machine needs a while for the rest.
    short = "hangs" in path.stem and "REFUSED" in said
    skills = Skills.discover(folder=tmp_path, load_timeout_s=1.5 if short else 10)
    takes_long = "took over" in said.get("ERROR", "")
    agent = agent_on(skills, tmp_path, action_timeout_s=0.6 if takes_long else 5)
    if "REFUSED" in said:
        (problem,) = skills.problems
        assert path.name in problem.plugin
        assert said["REFUSED"] in problem.reason
        assert path.stem not in skills.plugins
        if "hangs" not in path.stem:  # it goes when its thread does
            assert f"glasses_plugins.{path.stem}" not in sys.modules
    else:
        assert skills.problems == []
        await misbehave(agent, path, said)
    turn = await agent.hear("hello anna")
    assert turn.intent == Intent("good", "hello", {"name": "anna"})
    assert turn.error is None
    assert "anna" in lens(agent)
    assert (Path.cwd(), getcontext().prec) == before
    await agent.close()
    assert time.monotonic() - began < 8.0


async def misbehave(agent, path, said):
    skills, name = agent.skills, path.stem
    for count in range(1, OFFENCES + 1):
        turn = await agent.hear(said["SAY"])
        offended = "ERROR" in said or "OFFENCE" in said
        last = offended and count == OFFENCES
        disabled = name in {problem.plugin for problem in skills.problems}
        assert disabled <= offended
        assert disabled >= last
        if "ERROR" in said:
            assert said["ERROR"] in turn.error
            assert "secret" not in turn.error
            assert "\n" not in turn.error
        shown = " ".join(lens(agent).split())
        assert "secret" not in shown
        if disabled and turn.intent.skill == name:
            assert f"{name} failed 3 times" in shown.replace("- ", "")
            break
        assert said["LENS"] in shown
    if not offended:
        assert skills.offences == {}
        return
    if "OFFENCE" in said:
        assert said["OFFENCE"] in skills.offences[name][0]
    (problem,) = skills.problems
    assert problem.reason.startswith(f"disabled after {OFFENCES} offences, the last: ")
    turn = await agent.hear(said["SAY"])
    assert not isinstance(turn.intent, Intent), "a disabled skill's sentences mean nothing"
    assert skills.reload(name) is None
    assert skills.problems == []
    assert isinstance(agent.route(said["SAY"])[1], Intent)
    skills.unload(name)


def test_every_file_says_what_must_come_of_it():
    assert len(MISBEHAVING) > 50
    for path in MISBEHAVING:
        said = declared(path)
        assert "REFUSED" in said or {"SAY", "LENS"} <= set(said), path.name
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path.name


class Plugin:
    def __init__(self, *functions, name="demo"):
        self.__name__ = name
        self.functions = functions

    @hookimpl
    def register_skills(self, register):
        register(*self.functions)


async def test_the_agent_goes_on_listening_while_a_coroutine_blocks(tmp_path):
    @skill("block")
    async def block() -> Reply:
        """Block."""
        time.sleep(0.4)
        return Reply("done")

    agent = make_agent(tmp_path, [Plugin(block)])
    late = []

    async def chunks():
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.02)
            late.append(time.perf_counter() - began)

    ticking = asyncio.create_task(chunks())
    await agent.hear("block")
    ticking.cancel()
    assert len(late) > 10
    assert max(late) < 0.2


async def test_an_endless_loop_is_ended_and_its_thread_with_it():
    def loop():
        while True:
            pass

    outcome = await Runner().run("demo", loop, 0.05)
    assert outcome.timed_out
    deadline = time.monotonic() + 5
    while any(t.name == "glasses:demo" for t in threading.enumerate()):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def test_what_a_call_costs():
    runner, best = Runner(), 1.0

    async def nothing():
        return 1

    for _ in range(50):
        began = time.perf_counter()
        assert (await runner.run("demo", nothing, 1.0)).value == 1
        best = min(best, time.perf_counter() - began)
    assert best < 0.001


async def test_a_few_threads_are_nobodys_business():
    stop = threading.Event()

    def start():
        for _ in range(MAX_THREADS):
            threading.Thread(target=stop.wait, daemon=True).start()

    outcome = await Runner().run("demo", start, 1.0)
    stop.set()
    assert outcome.offences == ()


async def test_a_flood_is_cut_and_its_beginning_is_shown(tmp_path):
    @skill("flood")
    def flood() -> Reply:
        """Flood."""
        return Reply("x" * 100_000)

    agent = make_agent(tmp_path, [Plugin(flood)])
    turn = await agent.hear("flood")
    assert len(turn.reply.text) == MAX_TEXT
    assert turn.reply.text.endswith("…")
    assert turn.error == "demo.flood replied with a text of 100,000 characters: 4,000 at most"


@pytest.mark.parametrize(
    ("commit", "shown", "state", "fault"),
    [
        (lambda key: 1 / 0, "outcome unknown", "unknown", "raised ZeroDivisionError"),
        (lambda key: sys.exit(1), "outcome unknown", "unknown", "raised SystemExit"),
        (lambda key: None, "outcome unknown", "unknown", "returned NoneType"),
        (lambda key: time.sleep(1), "outcome unknown", "committing", "took over 0.2 s"),
    ],
)
async def test_a_payment_that_misbehaves_is_of_unknown_outcome(
    tmp_path, commit, shown, state, fault
):
    @skill("pay now", risk="money", permissions={"money": "to pay"})
    def pay() -> Proposal:
        """Pay."""
        return Proposal("20", amount=Decimal(20), payee="Anna", commit=commit)

    agent = make_agent(tmp_path, [Plugin(pay)], options=AgentOptions(commit_timeout_s=0.2))
    await agent.hear("pay now")
    turn = await agent.hear("yes")
    assert shown in " ".join(lens(agent).split())
    assert fault in turn.error
    assert agent.gate.unresolved() == 1
    await agent.hear("yes")
    assert agent.gate.unresolved() == 1


async def test_a_late_payment_is_written_down_when_it_comes(tmp_path):
    paid = threading.Event()

    def commit(key):
        time.sleep(0.3)
        paid.set()
        return Receipt("Paid")

    @skill("pay now", risk="money", permissions={"money": "to pay"})
    def pay() -> Proposal:
        """Pay."""
        return Proposal("20", amount=Decimal(20), payee="Anna", commit=commit)

    agent = make_agent(tmp_path, [Plugin(pay)], options=AgentOptions(commit_timeout_s=0.1))
    await agent.hear("pay now")
    await agent.hear("yes")
    assert agent.gate.unresolved() == 1
    assert paid.wait(3)
    deadline = time.monotonic() + 3
    while agent.gate.unresolved():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("breaks", ["before", "after"])
async def test_a_ledger_that_cannot_be_written(tmp_path, breaks):
    paid = []

    def commit(key):
        paid.append(key)
        (tmp_path / "gate.sqlite").write_bytes(b"no ledger" * 1000)
        return Receipt("Paid")

    @skill("pay now", risk="money", permissions={"money": "to pay"})
    def pay() -> Proposal:
        """Pay."""
        return Proposal("20", amount=Decimal(20), payee="Anna", commit=commit)

    agent = make_agent(tmp_path, [Plugin(pay)])
    await agent.hear("pay now")
    if breaks == "before":
        (tmp_path / "gate.sqlite").write_bytes(b"no ledger" * 1000)
    turn = await agent.hear("yes")
    shown = " ".join(lens(agent).split())
    if breaks == "before":
        assert paid == []
        assert "Not paid" in shown
    else:
        assert len(paid) == 1
        assert "outcome unknown" in shown
        assert "ledger" in turn.error


async def test_a_missing_device_or_payee_is_no_offence(tmp_path):
    @skill("where am i", permissions={"location": "to tell you"})
    def where(ctx) -> Reply:
        """Tell."""
        return Reply(str(ctx.location))

    @skill("refuse")
    def refuse() -> Reply:
        """Refuse."""
        raise NotCommitted("no")

    agent = make_agent(tmp_path, [Plugin(where, refuse)])
    for _ in range(OFFENCES + 1):
        for said in ("where am i", "refuse"):
            assert (await agent.hear(said)).error
    assert agent.skills.offences == {}
    assert agent.skills.problems == []


SOON = """
import functools, sys
from agent.cli import compose, main
compose.AgentOptions = functools.partial(compose.AgentOptions, action_timeout_s=0.5)
sys.argv[0] = "glasses"
main()
"""


def glasses(home, *arguments):
    """Run the command as a process, with a short time for actions."""
    environment = {**os.environ, "HOME": str(home)}
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "GLASSES_PLUGINS", "GLASSES_DATA"):
        environment.pop(name, None)
    return subprocess.run(
        [sys.executable, "-c", SOON, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


STUCK = GOOD.replace(
    "    return Reply(name)",
    "    import threading, time\n"
    "    threading.Thread(target=time.sleep, args=(60,)).start()\n"
    "    print('not json')\n"
    "    import os; os.system('echo nor this')\n"
    "    time.sleep(60 if name == 'forever' else 0)\n"
    "    return Reply(name)",
)


@pytest.mark.parametrize(("name", "code"), [("anna", 0), ("forever", 1)])
def test_a_command_ends_whatever_a_skill_leaves_behind(tmp_path, name, code):
    (tmp_path / "stuck.py").write_text(STUCK, encoding="utf-8")
    began = time.monotonic()
    done = glasses(
        tmp_path, "say", f"hello {name}", "--json", "--plugin", str(tmp_path / "stuck.py")
    )
    assert time.monotonic() - began < 10
    assert done.returncode == code, done.stderr
    record = json.loads(done.stdout)  # one line, and nothing of the skill's own between
    assert record["intent"]["skill"] == "stuck"
    assert "not json" in done.stderr
    assert "nor this" in done.stderr
    if code:
        assert record["error"] == "stuck.hello took over 0.5 s"


def test_an_unknown_plugin_is_named():
    with pytest.raises(PluginError, match="no plugin is called x; installed: none"):
        Skills().unload("x")
