"""The dependency rules of the design, kept by a test."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOTS = ("agent", "hardware", "skills")
COMPOSITION = ("agent/cli/", "agent/serve/", "agent/testing/")
LOWEST = {"hardware.base", "hardware.reading"}
"""The ports, and how files from outside are read: both know nothing but the standard library."""

MODULES_AT_MOST = 39
"""Modules that lie flat in `agent/`, its `__init__` among them; the target is 8."""
FOLDERS_AT_MOST = 14
"""Folders in `agent/`: the stages of the pipeline, and what is made around it."""

BELOW_THE_LOOP = ("body", "display", "listen", "llm", "pocket", "understand")
"""Folders of `agent/` in which nothing may name the `Agent`; `act`, `derive`, `language`, `plugins`
and `skill` join them when they are there."""

# Imports that go round in a circle, "one: others", without "agent.". All of them are here, those
# for type checking and those inside functions too. What is here no more has to be taken off the
# list; nothing may be added to it.

CIRCLES_OF_MODULES = """
acting: loop
answers: loop
cli: cli.check cli.evaluate cli.machine cli.report cli.yesno
cli.check: cli
cli.evaluate: cli
cli.machine: cli
cli.report: cli
cli.yesno: cli
dashboard: loop
llm.native: llm.sampling
llm.sampling: llm.native
loop: acting respond senses stream unspoken
respond: acting dashboard loop
senses: loop
serve.simulator.glasses: serve.simulator.recording
serve.simulator.recording: serve.simulator.glasses
stream: answers loop
understand.semantic: understand.source
understand.source: understand.semantic
unspoken: dashboard loop
"""

CIRCLES_OF_FOLDERS = """
agent: context hooks skill slots
acting: conduct context controls dialogue loop needs plan skill turn
answers: controls hearing listen loop plan turn
check: controls listen loop plugins skill slots stream template turn understand
conduct: skill
context: skill
controls: skill understand
dashboard: conduct loop
derive: listen skill slots template
dialogue: controls skill understand
hearing: listen
hooks: context turn
listen: controls derive understand
loop: acting conduct context controls derive dialogue hearing listen plan plugins respond senses skill stream turn understand unspoken
needs: skill
paraphrases: check skill slots template
plan: context
plugins: agent check conduct context hooks sentences skill slots turn
pocket: check paraphrases plugins skill slots template understand
respond: acting conduct controls dashboard dialogue loop plan turn understand
resume: derive skill slots understand
senses: loop resume understand
sentences: skill slots template
skill: slots template
slots: understand
stream: answers hearing listen loop turn understand
template: listen
turn: slots
understand: check derive paraphrases plugins pocket skill slots template
unspoken: controls dashboard loop turn understand
"""
"""Between folders, where a module that lies flat in `agent/` counts as a folder of its own."""


def sources(folder):
    return sorted((ROOT / folder).rglob("*.py"))


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules():
    """Return every module of ours by name."""
    return {module_name(p): p for root in ROOTS for p in sources(root)}


@cache
def imports(path):
    """Return all that a file imports, wherever it does, modules of ours by their full names."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports by a relative name"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name for name in inner if name in modules()} or {node.module}
    return frozenset(found)


def names(path, wanted):
    """Return the lines of a file on which a name is used or imported, for type checking or not."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
                if name == wanted:
                    found.add(node.lineno)
    return sorted(found)


# -- who knows whom -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sources("agent"), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_agent_knows_no_skill_and_no_device(path):
    name = str(path.relative_to(ROOT))
    for module in imports(path):
        assert not module.startswith(("skills", "tests")), module
        if not name.startswith(COMPOSITION):
            assert not module.startswith("hardware.") or module in LOWEST, module


@pytest.mark.parametrize("path", sources("hardware"), ids=lambda p: str(p.relative_to(ROOT)))
def test_hardware_knows_no_agent(path):
    assert not [m for m in imports(path) if m.startswith(("agent", "skills", "tests"))]


@pytest.mark.parametrize("path", sources("skills"), ids=lambda p: str(p.relative_to(ROOT)))
def test_skills_know_no_device_and_no_other_skill(path):
    own = "skills." + path.relative_to(ROOT / "skills").parts[0]
    for module in imports(path):
        assert not module.startswith("hardware.") or module in LOWEST, module
        assert not module.startswith("skills.") or module.startswith(own), module


@pytest.mark.parametrize("folder", BELOW_THE_LOOP)
def test_nothing_below_the_loop_names_the_agent(folder):
    found = sources(f"agent/{folder}")
    assert found
    named = {str(path.relative_to(ROOT)): names(path, "Agent") for path in found}
    assert {path: lines for path, lines in named.items() if lines} == {}


def test_an_agent_is_found_however_it_is_named(tmp_path):
    path = tmp_path / "one.py"
    path.write_text(
        "if TYPE_CHECKING:\n    from agent.loop import Agent\n"
        "def one(agent: Agent) -> None:\n    agent = loop.Agent()\n    Agents = 1\n"
    )
    assert names(path, "Agent") == [2, 3, 4]


def test_import_agent_is_light():
    heavy = {
        "numpy",
        "PIL",
        "pocketsphinx",
        "llama_cpp",
        "faster_whisper",
        "av",
        "hassil",
        "jinja2",
    }
    code = f"import agent, sys; print({heavy!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    assert done.stdout.strip() == "set()"


# -- what `ls` shows ------------------------------------------------------------------------------


def test_the_agent_is_seen_at_a_glance():
    flat = [path.name for path in (ROOT / "agent").glob("*.py")]
    folders = {path.relative_to(ROOT / "agent").parts[0] for path in sources("agent")} - {*flat}
    assert len(flat) <= MODULES_AT_MOST, sorted(flat)
    assert len(folders) <= FOLDERS_AT_MOST, sorted(folders)


# -- circles --------------------------------------------------------------------------------------


def module_graph():
    """Return what each module of ours imports of ours."""
    return {
        name: {other for other in imports(path) if other in modules()} - {name}
        for name, path in modules().items()
    }


def folder_graph():
    """Return which folders the modules of each folder import from."""
    graph = {}
    for name, others in module_graph().items():
        graph.setdefault(folder_of(name), set()).update(map(folder_of, others))
    return {name: others - {name} for name, others in graph.items()}


def folder_of(module):
    return ".".join(module.split(".")[:2])


def circular(graph):
    """Return the edges from which there is a way back."""
    reached = {name: reach(graph, name) for name in graph}
    return {(one, other) for one in graph for other in graph[one] if one in reached[other]}


def reach(graph, start):
    seen, waiting = set(), [start]
    while waiting:
        for other in graph[waiting.pop()] - seen:
            seen.add(other)
            waiting.append(other)
    return seen


def listed(table):
    """Return the edges of a table, "one: others" a line."""
    rows = (line.partition(": ") for line in table.strip().splitlines())
    return {(whole(one), whole(other)) for one, _, others in rows for other in others.split()}


def whole(name):
    return name if name.partition(".")[0] in ROOTS else f"agent.{name}"


def as_table(edges):
    """Write edges as they stand above."""
    rows = {}
    for one, other in sorted(edges):
        rows.setdefault(one.removeprefix("agent."), []).append(other.removeprefix("agent."))
    return "\n".join(f"{one}: {' '.join(others)}" for one, others in rows.items())


@pytest.mark.parametrize(
    ("graph", "allowed"),
    [(module_graph, CIRCLES_OF_MODULES), (folder_graph, CIRCLES_OF_FOLDERS)],
    ids=["modules", "folders"],
)
def test_there_is_no_import_cycle(graph, allowed):
    """But those that there were; `allowed` may only become shorter."""
    found = circular(graph())
    new, gone = found - listed(allowed), listed(allowed) - found
    assert not new, f"these imports close a circle:\n{as_table(new)}"
    assert not gone, f"take these off the list, they go round no more:\n{as_table(gone)}"


def test_a_circle_is_seen_whatever_it_goes_through():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set(), "e": {"a", "d"}}
    assert circular(graph) == {("b", "c"), ("c", "b")}
    assert circular({"a": {"b"}, "b": {"c"}, "c": set()}) == set()
    assert len(modules()) > 200
    late = imports(ROOT / "agent/plugins/skills.py")
    assert "agent.check.clashes" in late, "an import inside a function"
    typing = imports(ROOT / "agent/understand/router.py")
    assert "agent.understand.semantic" in typing, "an import for type checking"


def test_a_table_is_read_as_it_is_written():
    edges = {
        ("agent", "skills.x"),
        ("agent.a", "agent.b"),
        ("agent.a", "agent.c"),
        ("agent.c", "agent"),
    }
    assert as_table(edges) == "agent: skills.x\na: b c\nc: agent"
    assert listed(as_table(edges)) == edges
