"""A real third-party plugin: built as a wheel and installed into a clean environment."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests import environment, tiny_gguf

pytestmark = pytest.mark.slow  # a wheel in an environment of its own

SOURCE = Path(__file__).parent / "third_party" / "glasses-tides"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return an environment in which the wheel of glasses-tides is installed, and no source."""
    folder = tmp_path_factory.mktemp("third-party")
    there = environment.make(folder)
    source = folder / "source"
    shutil.copytree(SOURCE, source)
    there.run("pip", "wheel", "--no-deps", "--no-build-isolation", "-w", folder / "dist", source)
    (wheel,) = (folder / "dist").glob("*.whl")
    assert wheel.name == "glasses_tides-1.2.0-py3-none-any.whl"
    there.run("pip", "install", wheel)
    shutil.rmtree(source)
    return there


def test_it_answers_in_english(installed):
    turn = json.loads(installed.run("glasses", "say", "when is high tide in Dover", "--json"))
    assert turn["intent"] == {
        "skill": "tides",
        "action": "high_tide",
        "slots": {"harbour": "dover"},
    }
    assert turn["reply"]["title"] == "Dover"
    assert turn["reply"]["text"].startswith("High water at ")


def test_its_chinese_is_found_in_its_own_package(installed):
    turn = json.loads(installed.run("glasses", "say", "都柏林几点涨潮", "--json"))
    assert turn["intent"]["slots"] == {"harbour": "dublin"}
    assert turn["reply"]["title"] == "都柏林"
    assert turn["reply"]["text"].endswith("满潮。")


def test_its_prompt_reaches_the_model(installed, tmp_path):
    model = tiny_gguf.write(tmp_path / "tiny.gguf")
    said = ("glasses", "say", "explain the tide word slack water", "--json")
    turn = json.loads(installed.run(*said, GLASSES_MODEL=str(model)))
    assert turn["error"] is None
    assert turn["engine"]["model"]
    code = """
import asyncio, pathlib, sys, glasses_tides
from agent.testing import ScriptedModel, make_agent
model = ScriptedModel(["still water"] * 2)
agent = make_agent(pathlib.Path("data"), plugins=[glasses_tides], model=model)
for said in ("explain the tide word neap tide", "什么是小潮"):
    asyncio.run(agent.hear(said))
    print(model.prompts.pop())
"""
    assert installed.run("python", "-c", code).splitlines() == [
        "Explain the sailors' word “neap tide” in at most twelve plain words.",
        "用不超过二十个字解释航海词“neap tide”。",
    ]


def test_it_is_listed_with_package_and_version(installed):
    listed = installed.run("glasses", "skills", "tides")
    assert re.search(r"from\s+glasses-tides 1\.2\.0", listed)
    assert "tides.high_tide  Tell when the water is next high at a harbour." in listed
    assert "{harbour}的潮汐" in listed


def test_it_is_gone_when_uninstalled(installed):
    installed.run("pip", "uninstall", "--yes", "glasses-tides")
    turn = json.loads(installed.run("glasses", "say", "when is high tide in Dover", "--json"))
    assert turn["intent"] is None
