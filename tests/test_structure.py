"""The dependency rules of the design, kept by a test."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
COMPOSITION = ("agent/cli/", "agent/serve/", "agent/testing/")
LOWEST = {"hardware.base", "hardware.reading"}
"""The ports, and how files from outside are read: both know nothing but the standard library."""


def imports(path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def sources(folder):
    return sorted((ROOT / folder).rglob("*.py"))


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


def test_there_is_no_import_cycle():
    trees = {}
    for folder in ("agent", "hardware", "skills"):
        for path in sources(folder):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            trees[name] = ast.parse(path.read_text(encoding="utf-8"))
    graph = {
        name: {
            inner if (inner := f"{node.module}.{alias.name}") in trees else node.module
            for node in tree.body
            if isinstance(node, ast.ImportFrom) and node.module in trees
            for alias in node.names
        }
        - {"agent"}  # its __init__ only gathers what authors import
        for name, tree in trees.items()
    }

    def reach(name, seen):
        for other in graph[name] - seen:
            seen.add(other)
            reach(other, seen)
        return seen

    assert [name for name in graph if name in reach(name, set())] == []
