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
from dataclasses import replace
from decimal import Decimal, getcontext
from pathlib import Path

import pytest

from agent import NotCommitted, Proposal, Receipt, Reply, hookimpl, skill
from agent.errors import PluginError
from agent.loop import Agent, AgentOptions
from agent.messages import Intent
from agent.plugins.offences import MAX_TEXT, OFFENCES
from agent.plugins.runner import MAX_THREADS, Runner
from agent.plugins.skills import Skills
from agent.testing import lens, make_agent
from hardware.base import Devices
from hardware.display import MemoryDisplay
from hardware.profiles import load as load_profile
from tests.agent.plugins.test_skills import GOOD
from tests.pace import PATIENCE_S, soon, until

pytestmark = pytest.mark.slow

MISBEHAVING = sorted((Path(__file__).parents[2] / "plugins" / "misbehaving").glob("*.py"))


def declared(path):
    """Return the constants of a file that may not be imported."""
    return {
        node.targets[0].id: node.value.value
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }


def agent_on(skills, folder, action_timeout_s):
    display = MemoryDisplay(load_profile("quark-s1"))
    options = AgentOptions(action_timeout_s=action_timeout_s)
    return Agent(skills, Devices(display=display), folder, options=options)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("path", MISBEHAVING, ids=lambda path: path.stem)
async def test_no_plugin_takes_the_agent_down(path, tmp_path):
    before = Path.cwd(), getcontext().prec
    said = declared(path)
    shutil.copy(path, tmp_path)
    (tmp_path / "good.py").write_text(GOOD, encoding="utf-8")
    # Short times only where they are what is tested: a busy machine needs a while for the rest.
    short = "hangs" in path.stem and "REFUSED" in said
    skills = Skills.discover(folder=tmp_path, load_timeout_s=1.5 if short else PATIENCE_S)
    takes_long = "took over" in said.get("ERROR", "")
    agent = agent_on(skills, tmp_path, action_timeout_s=0.2 if takes_long else PATIENCE_S)
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
    agent.options = replace(agent.options, action_timeout_s=PATIENCE_S)
    turn = await agent.hear("hello anna")
    assert turn.intent == Intent("good", "hello", {"name": "anna"})
    assert turn.error is None
    assert "anna" in lens(agent)
    assert (Path.cwd(), getcontext().prec) == before
    await agent.close()


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
    blocking, heard_on = threading.Event(), threading.Event()

    @skill("block")
    async def block() -> Reply:
        """Block until somebody listens."""
        blocking.set()
        return Reply("done" if heard_on.wait(PATIENCE_S) else "nobody listened")

    agent = make_agent(tmp_path, [Plugin(block)], options=AgentOptions(action_timeout_s=100))

    async def listen():
        await soon(blocking.is_set)
        for _ in range(10):  # chunks of sound
            await asyncio.sleep(0)
        heard_on.set()

    turn, _ = await asyncio.gather(agent.hear("block"), listen())
    assert turn.reply.text == "done"


async def test_an_endless_loop_is_ended_and_its_thread_with_it():
    def loop():
        while True:
            pass

    outcome = await Runner().run("demo", loop, 0.05)
    assert outcome.timed_out
    await soon(lambda: all(t.name != "glasses:demo" for t in threading.enumerate()))


async def test_a_call_that_begins_threads_is_ended_too(monkeypatch):
    def begin():
        while True:
            threading.Thread(target=int).start()

    monkeypatch.setattr("agent.plugins.runner.GRACE_S", 0.01)
    for _ in range(100):  # it matters when, to the microsecond
        assert (await Runner().run("demo", begin, 0.01)).timed_out
    await soon(lambda: all(t.name != "glasses:demo" for t in threading.enumerate()))


async def test_a_call_costs_little_more_than_a_thread_does():
    runner, began, ours, bare = Runner(), time.perf_counter, [], []

    async def nothing():
        return 1

    for _ in range(50):  # the least of each: the machine does other things too
        begun = began()
        assert (await runner.run("demo", nothing, PATIENCE_S)).value == 1
        ours.append(began() - begun)
        begun = began()
        await asyncio.to_thread(until, lambda: True)
        bare.append(began() - begun)
    assert min(ours) < 15 * min(bare)


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
    ("commit", "state", "fault"),
    [
        (lambda over: 1 / 0, "unknown", "raised ZeroDivisionError"),
        (lambda over: sys.exit(1), "unknown", "raised SystemExit"),
        (lambda over: None, "unknown", "returned NoneType"),
        (lambda over: over.wait(), "submitted", "took over 0.2 s"),
    ],
)
async def test_a_payment_that_misbehaves_is_of_unknown_outcome(tmp_path, commit, state, fault):
    calls, over = [], threading.Event()

    @skill("pay now", risk="money", permissions={"money": "to pay"})
    def pay() -> Proposal:
        """Pay."""

        def once(key):
            calls.append(key)
            return commit(over)

        return Proposal("20", amount=Decimal(20), payee="Anna", commit=once)

    limit_s = 0.2 if state == "submitted" else PATIENCE_S
    agent = make_agent(tmp_path, [Plugin(pay)], options=AgentOptions(commit_timeout_s=limit_s))
    await agent.hear("pay now")
    turn = await agent.hear("yes")
    assert "outcome unknown" in " ".join(lens(agent).split())
    assert fault in turn.error
    entries = agent.gate.teller.entries()
    assert [(entry.order.key, entry.state) for entry in entries] == [(calls[0], state)]
    await agent.hear("yes")
    assert agent.gate.unresolved() == 1
    assert len(calls) == 1
    over.set()


async def test_a_late_payment_is_written_down_when_it_comes(tmp_path):
    through = threading.Event()

    def commit(key):
        through.wait(PATIENCE_S)
        return Receipt("Paid")

    @skill("pay now", risk="money", permissions={"money": "to pay"})
    def pay() -> Proposal:
        """Pay."""
        return Proposal("20", amount=Decimal(20), payee="Anna", commit=commit)

    agent = make_agent(tmp_path, [Plugin(pay)], options=AgentOptions(commit_timeout_s=0.1))
    await agent.hear("pay now")
    await agent.hear("yes")
    assert agent.gate.unresolved() == 1
    through.set()
    await soon(lambda: not agent.gate.unresolved())


@pytest.mark.parametrize("breaks", ["before", "after"])
async def test_a_ledger_that_cannot_be_written(tmp_path, breaks):
    paid = []

    def commit(key):
        paid.append(key)
        for path in tmp_path.glob("ledger.sqlite*"):
            path.unlink()
        (tmp_path / "ledger.sqlite").write_bytes(b"no ledger" * 1000)
        return Receipt("Paid")

    @skill("pay now", risk="money", permissions={"money": "to pay"})
    def pay() -> Proposal:
        """Pay."""
        return Proposal("20", amount=Decimal(20), payee="Anna", commit=commit)

    agent = make_agent(tmp_path, [Plugin(pay)])
    await agent.hear("pay now")
    if breaks == "before":
        (tmp_path / "ledger.sqlite").write_bytes(b"no ledger" * 1000)
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
from agent.cli import compose
from agent.cli.commands import main
limit_s = float(sys.argv.pop(1))
compose.AgentOptions = functools.partial(compose.AgentOptions, action_timeout_s=limit_s)
sys.argv[0] = "glasses"
main()
"""


def glasses(home, limit_s, *arguments):
    """Run the command as a process, with so long a time for actions."""
    environment = {**os.environ, "HOME": str(home)}
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "GLASSES_PLUGINS", "GLASSES_DATA"):
        environment.pop(name, None)
    return subprocess.run(
        [sys.executable, "-c", SOON, str(limit_s), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )


STUCK = GOOD.replace(
    "    return Reply(name)",
    "    import threading, time\n"
    "    threading.Thread(target=time.sleep, args=(3600,)).start()\n"
    "    print('not json')\n"
    "    import os; os.system('echo nor this')\n"
    "    time.sleep(3600 if name == 'forever' else 0)\n"
    "    return Reply(name)",
)


@pytest.mark.parametrize(
    ("name", "code", "limit_s", "error"),
    [("anna", 0, PATIENCE_S, None), ("forever", 1, 0.5, "stuck.hello took over 0.5 s")],
)
def test_a_command_ends_whatever_a_skill_leaves_behind(tmp_path, name, code, limit_s, error):
    (tmp_path / "stuck.py").write_text(STUCK, encoding="utf-8")
    plugin = str(tmp_path / "stuck.py")
    done = glasses(tmp_path, limit_s, "say", f"hello {name}", "--json", "--plugin", plugin)
    assert done.returncode == code, done.stderr
    record = json.loads(done.stdout)  # one line, and nothing of the skill's own between
    assert record["intent"]["skill"] == "stuck"
    assert "not json" in done.stderr
    assert "nor this" in done.stderr
    assert record["error"] == error


def test_an_unknown_plugin_is_named():
    with pytest.raises(PluginError, match="no plugin is called x; installed: none"):
        Skills().unload("x")
