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

MODULES_AT_MOST = 8
"""Modules that lie flat in `agent/`, its `__init__` among them."""
FOLDERS_AT_MOST = 16
"""Folders in `agent/`: the stages of the pipeline, and what is made around it; `docs` last."""

FILES_OF_A_TURN = 42
"""Files of `agent/` that run for a spoken "where am i": 41, and a reader of numbers now and then."""

ORDER = (
    "version environment errors",
    "private config",
    "language",
    "messages",
    "models display body look",
    "skill",
    "turn",
    "derive",
    "plugins",
    "listen understand",
    "act",
    "loop",
    "testing",
    "serve",
    "cli",
    "docs",
)
"""What is in `agent/`, from the bottom up: nothing knows what stands below it in this list."""
BELOW_THE_LOOP = ORDER[: ORDER.index("loop")]
"""Where nothing may name the `Agent`."""


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


@pytest.mark.parametrize("part", " ".join(BELOW_THE_LOOP).split())
def test_nothing_below_the_loop_names_the_agent(part):
    found = sources(f"agent/{part}") or [ROOT / "agent" / f"{part}.py"]
    assert all(path.is_file() for path in found)
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
        "zxingcpp",
        "rapidocr",
        "cv2",
        "ucp_sdk",
        "wyoming",
        "zeroconf",
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


@pytest.mark.slow
def test_a_spoken_turn_is_followed_in_few_files():
    said = ["tests.one_turn", "where", "am", "i"]
    done = subprocess.run([sys.executable, "-m", *said], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    files = [f for f in done.stdout.split() if not f.startswith("agent/testing/")]
    assert "agent/act/dispatch.py" in files, "the way is followed to its end"
    assert len(files) <= FILES_OF_A_TURN, files


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


def package_graph():
    """Return which packages each package's own modules import from, at every level.

    A folder's own modules are one, apart from its subfolders; those that lie flat in `agent/` are
    each a stage of their own.
    """
    graph = {}
    for name, others in module_graph().items():
        graph.setdefault(package_of(name), set()).update(map(package_of, others))
    return {name: others - {name} for name, others in graph.items()}


def package_of(module):
    own = modules()[module].name == "__init__.py"
    package = module if own else module.rpartition(".")[0]
    return module if package == "agent" else package


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


@pytest.mark.parametrize(
    "graph", [module_graph, folder_graph, package_graph], ids=["modules", "folders", "levels"]
)
def test_there_is_no_import_cycle(graph):
    """Every import counts, those for type checking and those inside functions too."""
    assert circular(graph()) == set()


def test_no_private_name_crosses_modules():
    """What another module needs has a name without an underscore, and a docstring."""
    crossed = [
        f"{path.relative_to(ROOT)}:{node.lineno} {alias.name}"
        for path in modules().values()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith(ROOTS)
        for alias in node.names
        if alias.name.startswith("_") and not alias.name.startswith("__")
    ]
    assert crossed == []


def test_imports_point_one_way():
    rank = {part: at for at, row in enumerate(ORDER) for part in row.split()}
    parts = {folder_of(name).removeprefix("agent.") for name in modules() if "agent." in name}
    assert parts == set(rank), "each folder and module has its place in the order"
    for name, others in module_graph().items():
        for other in others:
            one, two = (folder_of(m).removeprefix("agent.") for m in (name, other))
            if one in rank and two in rank:
                assert one == two or rank[two] < rank[one], f"{name} knows {other}"


def test_a_circle_is_found(tmp_path):
    assert circular({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == {("b", "c"), ("c", "b")}
