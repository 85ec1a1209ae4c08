"""A plugin that runs apart answers as the others do, and harms its own process only."""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest

from agent.errors import PluginError
from agent.loop import Agent, AgentOptions
from agent.plugins import apart, wire
from agent.plugins.skills import Skills
from agent.testing import ScriptedModel, lens
from hardware.base import Devices, Place
from hardware.display import MemoryDisplay
from hardware.location import FixedLocation
from hardware.profiles import load as load_profile
from tests.agent.plugins.test_isolation import MISBEHAVING, declared
from tests.agent.plugins.test_skills import GOOD
from tests.pace import PATIENCE_S

pytestmark = pytest.mark.slow  # a process each

HARMLESS_APART = ("changes_folder", "changes_locale", "leaks_threads")
"""What these change is their own process."""
OTHERWISE_APART = ("floods_with_a_word", "grants_itself")
"""More than is handed over, and permissions that are a copy: refused in other words."""

PLUGINS = Path(__file__).parents[2] / "plugins"
SECRET = "GLASSES_TEST_SECRET"


def agent_with(skills, folder, action_timeout_s=PATIENCE_S, **more):
    devices = Devices(
        display=MemoryDisplay(load_profile("quark-s1")), location=FixedLocation(Place(48.5, 9.0))
    )
    options = AgentOptions(action_timeout_s=action_timeout_s)
    return Agent(skills, devices, folder, options=options, **more)


def written(tmp_path, body, name="sinner"):
    """Write a plugin whose action, said “sin”, has a body; “behave” is always well."""
    lines = "\n    ".join(body.splitlines())
    path = tmp_path / f"{name}.py"
    path.write_text(
        "import os, sys, re, time, ctypes, socket\n"
        "from agent import Context, Proposal, Receipt, Reply, hookimpl, skill\n"
        'MONEY = {"money": "to pay"}\n'
        f'@skill("sin")\ndef sin(ctx: Context) -> Reply:\n    {lines}\n'
        '@skill("behave")\ndef behave() -> Reply:\n    return Reply("well")\n'
        "@hookimpl\ndef register_skills(register):\n    register(sin, behave)\n",
        encoding="utf-8",
    )
    return str(path)


async def heard(folder, sayings, apart):
    """Return what a conversation came to."""
    skills = Skills.discover(
        [str(PLUGINS / f"{name}.py") for name in ("barista", "define", "bundle")],
        apart=["barista", "define", "bundle"] if apart else [],
    )
    assert skills.problems == []
    assert skills.alone == (("barista", "define", "bundle") if apart else ())
    agent = agent_with(skills, folder, model=ScriptedModel(["a small bird", "a big bird"]))
    agent.now = lambda: datetime(2030, 5, 6, 12, 30)  # it is on the dashboard
    found = []
    for said in sayings:
        turn = await agent.hear(said)
        reply = turn.as_json()["reply"]
        error = turn.error and turn.error.rpartition(":")[0]  # without the line
        found.append(
            (said, getattr(turn.intent, "name", None), reply, error, turn.model, lens(agent))
        )
    await agent.close()
    return found, skills.offences


SAYINGS = (
    "make me a large latte with some soy milk",
    "define robin",
    "what does ostrich mean",
    "shine warm white at seven for ten minutes",
    "undo",
    "spin moon river",
    "wake the cat at half past seven",
    "wake the cat gently at noon",
    "remember a bead",
    "remember a bead",
    "dashboard",
    "where is my bundle",
    "where is it secretly",
    "settle twenty dollars with the florist",
    "yes",
    "settle five dollars with the cheat",
    "yes",
    "divide my bundle",
    "number my bundle",
)


async def test_what_it_answers_is_the_same(tmp_path):
    here = await heard(tmp_path / "here", SAYINGS, apart=False)
    there = await heard(tmp_path / "there", SAYINGS, apart=True)
    for one, other in zip(here[0], there[0], strict=True):
        assert one == other
    assert {k: len(v) for k, v in here[1].items()} == {k: len(v) for k, v in there[1].items()}
    shown = {said: reply["text"] for said, _, reply, *_ in there[0]}
    assert "Colour.WARM" in shown["shine warm white at seven for ten minutes"]
    assert shown["spin moon river"] == "Moon River"
    assert shown["remember a bead"] == "2 beads"


def test_what_it_declares_is_the_same():
    def declaring(alone):
        skills = Skills.discover([str(PLUGINS / "bundle.py")], apart=alone)
        actions = [a for a in skills.actions.values() if a.skill == "bundle"]
        return [
            (a.name, a.schema(), a.declaration.sentences, a.declaration.risk, a.declaration.where,
             a.declaration.permissions, a.declaration.knows, [*a.sayings("en")])
            for a in actions
        ]  # fmt: skip

    assert declaring(["bundle"]) == declaring([])


HANGS = {
    "regular expression": 're.match(r"(a+)+$", "a" * 40 + "b")\nreturn Reply("done")',
    "large number": "return Reply(str(len(bin(7 ** 10**9))))",
    "sleep": 'time.sleep(3600)\nreturn Reply("done")',
    "loop": "while True: pass",
    "asks for ever": 'while True: ctx.show("x", key="x")',
    "asks in bursts": """while True:
        try: ctx.show("x"); time.sleep(0.2)
        except BaseException: pass""",
}


@pytest.mark.parametrize("sin", HANGS)
async def test_what_never_ends_is_killed(sin, tmp_path):
    skills = Skills.discover([written(tmp_path, HANGS[sin])], apart=["sinner"])
    agent = agent_with(skills, tmp_path, action_timeout_s=1.0)
    before = skills._installed["sinner"].plugin.process._running
    began = time.monotonic()
    turn = await agent.hear("sin")
    assert time.monotonic() - began < 20
    assert turn.error == "sinner.sin took over 1 s"
    assert len(skills.offences["sinner"]) == 1
    assert before.wait(PATIENCE_S) == -9, "it is gone"
    agent.options = AgentOptions(action_timeout_s=PATIENCE_S)
    turn = await agent.hear("behave")
    assert (turn.reply.text, turn.error) == ("well", None)
    await agent.close()


ENDS = {
    "os._exit": ("os._exit(3)", "ended its process with exit status 3"),
    "crash": ("ctypes.string_at(0)", "ended its process by SIGSEGV"),
    "no message": ('os.write(int(sys.argv[1]), b"{nonsense\\n")', "said what is no message"),
    "no object": ('os.write(int(sys.argv[1]), b"[1]\\n")', "said what is no message"),
    "deep": ('os.write(int(sys.argv[1]), b"[" * 90000 + b"\\n")', "said what is no message"),
    "a gigabyte": (
        "s = socket.socket(fileno=int(sys.argv[1]))\n"
        'for _ in range(1024): s.sendall(b"x" * (1 << 20))',
        "said more than 1,048,576 bytes at once",
    ),
    "hangs up": ("os.close(int(sys.argv[1])); time.sleep(60)", "hung up"),
}


@pytest.mark.parametrize("sin", ENDS)
async def test_what_ends_or_lies_is_one_line(sin, tmp_path):
    body, said = ENDS[sin]
    path = written(tmp_path, body + '\nreturn Reply("done")')
    skills = Skills.discover([path], apart=["sinner"])
    agent = agent_with(skills, tmp_path)
    for count in range(1, 3):
        turn = await agent.hear("sin")
        assert turn.error == f"sinner.sin {said}"
        assert len(skills.offences["sinner"]) == count
        assert (await agent.hear("behave")).reply.text == "well"
    await agent.hear("sin")
    assert skills.problems[0].reason.startswith("disabled after 3 offences")
    await agent.close()


LIES = {
    "no reply": {"reply": 7, "memory": {}},
    "no memory": {"reply": {"text": "", "title": "", "kind": "answer", "speech": None}},
    "no amount": {"reply": {"text": "", "title": "", "kind": "answer", "speech": None,
                            "amount": "NaN", "currency": "USD", "payee": "x"}, "memory": {}},
    "nothing": {},
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
async def test_a_reply_that_is_none_is_one_line(lie, tmp_path):
    body = f"os.write(int(sys.argv[1]), {wire.packed(LIES[lie])!r})\ntime.sleep(60)"
    skills = Skills.discover([written(tmp_path, body)], apart=["sinner"])
    agent = agent_with(skills, tmp_path)
    turn = await agent.hear("sin")
    assert turn.error == "sinner.sin answered with what is no reply"
    await agent.close()


async def test_what_it_prints_and_reads_stays_apart(tmp_path, capfd, monkeypatch):
    monkeypatch.setenv(SECRET, "swordfish")
    body = (
        'print("flood " * 500_000); sys.stderr.write("flood" * 500_000)\n'
        f'return Reply(f"{{os.environ.get({SECRET!r})}} {{sorted(os.environ)}} {{sys.stdin.read()}}")'
    )
    skills = Skills.discover([written(tmp_path, body)], apart=["sinner"])
    agent = agent_with(skills, tmp_path)
    turn = await agent.hear("sin")
    assert turn.error is None
    assert turn.reply.text.startswith("None ['")
    assert "HOME" not in turn.reply.text
    assert "flood" not in "".join(capfd.readouterr())
    await agent.close()


async def test_a_payment_amid_which_it_ends_is_of_unknown_outcome(tmp_path):
    path = tmp_path / "payer.py"
    path.write_text(
        "import os\nfrom decimal import Decimal\n"
        "from agent import NotCommitted, Proposal, hookimpl, skill\n"
        "def end(key): os._exit(0)\n"
        'def refuse(key): raise NotCommitted("no money left")\n'
        '@skill("settle {what}", risk="money", permissions={"money": "to pay"})\n'
        "def settle(what: str) -> Proposal:\n"
        '    commit = end if what == "badly" else refuse\n'
        '    return Proposal("x", amount=Decimal("2.50"), payee="Tom", commit=commit)\n'
        "@hookimpl\ndef register_skills(register):\n    register(settle)\n",
        encoding="utf-8",
    )
    skills = Skills.discover(apart=["payer"], folder=tmp_path)
    assert skills.problems == []
    agent = agent_with(skills, tmp_path / "data")
    assert (await agent.hear("settle well")).reply.amount == 2.5
    assert "Not paid: no money left" in (await agent.hear("yes")).reply.text
    await agent.hear("settle badly")
    assert "outcome unknown" in (await agent.hear("yes")).reply.text
    await agent.hear("settle badly")
    skills._installed["payer"].plugin.process._anew()  # as a time-out of another call does
    assert "Yes once more" in (await agent.hear("yes")).reply.text, "it may have been paid before"
    assert "begun anew since" in (await agent.hear("yes")).reply.text
    await agent.close()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import os\nos._exit(4)\n", "while it was loaded it ended its process with exit status 4"),
        ("1 / 0\n", "ZeroDivisionError"),
        (
            "from agent import hookimpl\n@hookimpl\ndef turn_end(turn): pass\n",
            "did you mean turn_ended",
        ),
        (
            'from agent import hookimpl\npermissions = {"transcripts": "why"}\n'
            "@hookimpl\ndef turn_ended(turn): pass\n",
            "its turn_ended cannot run apart",
        ),
        (
            "from agent import hookimpl\n"
            '@hookimpl\ndef register_devices(provide): provide("camera", lambda config: 1, "x")\n',
            "its register_devices cannot run apart",
        ),
        (
            'import os, sys\nos.write(int(sys.argv[1]), b\'{"name": 7, "actions": 3}\\n\')\n',
            "what it declares cannot be read",
        ),
    ],
)
def test_what_cannot_run_apart_is_refused_when_loaded(text, reason, tmp_path):
    (tmp_path / "odd.py").write_text(text, encoding="utf-8")
    skills = Skills.discover(folder=tmp_path, apart=["odd"])
    (problem,) = skills.problems
    assert reason in problem.reason
    assert "\n" not in problem.reason


@pytest.mark.parametrize("path", MISBEHAVING, ids=lambda path: path.stem)
async def test_what_misbehaves_is_told_as_of_the_others(path, tmp_path):
    said = declared(path)
    shutil.copy(path, tmp_path)
    (tmp_path / "good.py").write_text(GOOD, encoding="utf-8")
    hangs = "hangs" in path.stem and "REFUSED" in said
    skills = Skills.discover(
        folder=tmp_path, apart=[path.stem], load_timeout_s=3.0 if hangs else PATIENCE_S
    )
    takes_long = "took over" in said.get("ERROR", "")
    agent = agent_with(skills, tmp_path / "data", 0.3 if takes_long else PATIENCE_S)
    if "REFUSED" in said or "turn_ended" in path.read_text("utf-8"):
        (problem,) = skills.problems
        assert path.name in problem.plugin
        assert "\n" not in problem.reason
    else:
        turn = await agent.hear(said["SAY"])
        assert skills.problems == []
        if path.stem in HARMLESS_APART:
            assert turn.error is None
        elif "ERROR" in said and path.stem not in OTHERWISE_APART:
            assert said["ERROR"] in turn.error
        elif "OFFENCE" in said:
            assert said["OFFENCE"] in skills.offences[path.stem][0]
    turn = await agent.hear("hello anna")
    assert (turn.error, turn.reply.text) == (None, "anna")
    await agent.close()


def test_a_name_that_is_no_plugin_is_told(tmp_path):
    skills = Skills.discover([str(PLUGINS / "define.py")], apart=["defin"])
    assert [(p.plugin, p.reason) for p in skills.problems] == [
        ("defin", "no plugin of this name is there to run apart; there are: define")
    ]
    with pytest.raises(PluginError, match="no module or file"):
        apart.load("nothing.here")


async def test_unload_and_reload_end_the_process(tmp_path):
    path = written(tmp_path, 'return Reply("first")')
    skills = Skills.discover([path], apart=["sinner"])
    first = skills._installed["sinner"].plugin.process._running
    written(tmp_path, 'return Reply("second")')
    assert skills.reload("sinner") is None
    assert first.wait(PATIENCE_S) == -9
    agent = agent_with(skills, tmp_path)
    assert (await agent.hear("sin")).reply.text == "second"
    second = skills._installed["sinner"].plugin.process._running
    skills.unload("sinner")
    assert second.wait(PATIENCE_S) == -9
    await agent.close()


async def test_stop_leaves_a_short_call_its_process(tmp_path):
    skills = Skills.discover(
        [written(tmp_path, 'time.sleep(0.3)\nreturn Reply("late")')], apart=["sinner"]
    )
    agent = agent_with(skills, tmp_path)
    process = skills._installed["sinner"].plugin.process
    call = asyncio.create_task(agent.hear("sin"))
    await asyncio.sleep(0.1)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    assert (await agent.hear("behave")).reply.text == "well"
    assert process.born == 1
    await agent.close()


def test_it_goes_with_the_agent(tmp_path):
    code = (
        "from agent.plugins import apart; import sys\n"
        f"p = apart.load({written(tmp_path, 'return 1')!r}); print(p.process._running.pid)"
    )
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)
