"""What an utterance costs, and the start, with 500 generated skills of five sentences each.

The skills share their words as real ones do: 25 places, 20 devices, 12 things to write in and a few
dozen verbs make 500 different skills, each with sentences from a pool and slots of its own: closed
and open lists, whole numbers, times and free text.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from types import ModuleType

from agent.derive import grammar
from agent.messages import Transcript
from agent.plugins.skills import Skills
from agent.skill import Action
from agent.understand.router import Router, Stages
from tests.shared import DATA

SKILLS = 500
SENTENCES = 5
RUNS = 3


def _words(text: str) -> list[str]:
    return text.split()


PLACES = _words(
    "kitchen bedroom garden garage cellar attic office hallway bathroom balcony studio workshop"
    " nursery library pool terrace barn greenhouse lobby pantry laundry stable porch shed loft"
)
DEVICES = _words(
    "lamp fan heater pump door window speaker camera radio oven kettle mixer sprinkler alarm clock"
    " vacuum printer projector freezer blind"
)
APPS = _words("Nimbo Taskly Pendo Quill Rovo Sprout Tidely Umbra Verso Wren Yonder Zesty")
THINGS = _words("list diary notebook calendar budget journal plan log report board letter recipe")
MODES = ("quiet", "normal", "strong", "night", "eco", "turbo")

DEVICE = (
    "(turn|switch) on the {place} {device}",
    "(turn|switch) the {place} {device} (on|off)",
    "[please] start the {place} {device}",
    "stop the {place} {device} [now]",
    "set [the] {place} {device} to {{level}} [percent]",
    "put the {place} {device} (in|into|on) {{mode}} [mode]",
    "{{mode}} mode (for|in) the {place} {device}",
    "run the {place} {device} for {{time}}",
    "(what is|what's|how is) the {place} {device} doing",
    "is the {place} {device} (on|off|running)",
    "tell the {place} {device} {{words}}",
)
APP = (
    "ask {app} [about] my {thing} for {{words}}",
    "(add|put|write) {{words}} (to|in|on) my {app} {thing}",
    "(open|show|read) [me] (my|the) {app} {thing}",
    "what is (on|in) my {app} {thing}",
    "remind me of the {app} {thing} in {{time}}",
    "delete item {{level}} (of|from) [my] {app} {thing}",
    "make the {app} {thing} {{mode}}",
    "send my {app} {thing} to {{person}}",
    "(share|sync) the {app} {thing} [with {{person}}]",
    "clear [all of] my {app} {thing}",
)
WORDS = ("milk and two eggs", "the train leaves at noon", "call the plumber", "be a bit gentler")
PEOPLE = ("anna", "bob", "carla", "my sister", "the whole team")
SAID = {
    "level": ("40", "seven", "twenty five"),
    "mode": MODES,
    "time": ("ten minutes", "an hour", "30 seconds"),
    "words": WORDS,
    "person": PEOPLE,
}
PARAMETERS = {
    "level": "level: Annotated[int, Range(0, 100)] = 50",
    "mode": f"mode: Literal[{', '.join(map(repr, MODES))}] = 'normal'",
    "time": "time: timedelta = timedelta(minutes=5)",
    "words": "words: str = ''",
    "person": f"person: Annotated[str, OneOf({PEOPLE!r}, open=True)] = 'anna'",
}
MODULE = '''\
"""Generated to measure with: the {title}."""

from datetime import timedelta
from typing import Annotated, Literal

from agent import OneOf, Range, Reply, hookimpl, skill


@skill(
{sentences})
def {name}({parameters}) -> Reply:
    """Do something with the {title}."""
    return Reply("{title}")


@hookimpl
def register_skills(register):
    register({name})
'''


@dataclass(frozen=True, slots=True)
class Generated:
    """One generated skill."""

    name: str
    """Its module and its action."""
    source: str
    """Python source of the plugin."""
    said: tuple[str, ...]
    """One utterance for each sentence."""


def generate(count: int = SKILLS, seed: int = 3) -> list[Generated]:
    """Return `count` different skills; fewer are the first of more."""
    chance = random.Random(seed)
    devices = [({"place": p, "device": d}, DEVICE) for p, d in product(PLACES, DEVICES)]
    apps = [({"app": a.lower(), "thing": t}, APP) for a, t in product(APPS, THINGS)]
    chance.shuffle(devices)
    chance.shuffle(apps)
    mixed = [pair for trio in zip(devices[::2], devices[1::2], apps, strict=False) for pair in trio]
    everything = [*mixed, *devices[2 * len(apps) :]]
    if count > len(everything):
        raise ValueError(f"{count} skills are more than the {len(everything)} there are words for")
    return [_one(words, pool, chance) for words, pool in everything[:count]]


def _one(words: Mapping[str, str], pool: Sequence[str], chance: random.Random) -> Generated:
    templates = [template.format(**words) for template in chance.sample(pool, SENTENCES)]
    slots = [slot for slot in SAID if any(f"{{{slot}}}" in t for t in templates)]
    name = "_".join(words.values())
    source = MODULE.format(
        title=" ".join(words.values()),
        name=name,
        sentences="".join(f"    {template!r},\n" for template in templates),
        parameters=", ".join(PARAMETERS[slot] for slot in slots),
    )
    return Generated(name, source, tuple(_say(template, chance) for template in templates))


def _say(template: str, chance: random.Random) -> str:
    """Return one of the ways to say a template."""
    from hassil import parse_sentence, sample_expression

    for slot, values in SAID.items():
        template = template.replace(f"{{{slot}}}", chance.choice(values))
    return chance.choice(list(sample_expression(parse_sentence(template).expression))).strip()


def write(skills: Iterable[Generated], folder: Path) -> None:
    """Write the plugins to a folder, as a wearer's own."""
    for generated in skills:
        (folder / f"{generated.name}.py").write_text(generated.source, encoding="utf-8")


def load(skills: Iterable[Generated], into: Skills | None = None) -> dict[str, Action]:
    """Return the actions of generated skills, after those of `into`."""
    into = Skills() if into is None else into
    for generated in skills:
        module = ModuleType(generated.name)
        exec(compile(generated.source, f"<generated {generated.name}>", "exec"), vars(module))
        into.load(module)
    return into.actions


def strangers(count: int = 300, seed: int = 3) -> list[str]:
    """Return real utterances, nearly all meant for no skill; a few by hand without the data."""
    path = DATA / "nlu" / "dev.jsonl"
    if not path.is_file():
        return ["what's the weather", "set an alarm for seven", "who won the game", "good morning"]
    texts = [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]
    return random.Random(seed).sample(texts, min(count, len(texts)))


Case = tuple[Mapping[str, Action], Sequence[str]]
"""What is installed, and what is said."""


def costs_ms(*cases: Case, rounds: int = 5) -> list[list[float]]:
    """Return for each case what routing each utterance costs, in ms of one core.

    Each is the median of a few rounds, and each round goes through all cases, so that whatever else
    the machine does meanwhile falls on all of them.
    """
    times: list[list[list[float]]] = [[[] for _ in said] for _, said in cases]
    routers = [Router(actions, Stages(semantic=False)) for actions, _ in cases]
    for router in routers:
        router.warm()
    for _ in range(rounds):
        for router, (_, said), of_case in zip(routers, cases, times, strict=True):
            for text, taken in zip(said, of_case, strict=True):
                transcript = Transcript(text)
                began = time.thread_time()
                router.route(transcript)
                taken.append((time.thread_time() - began) * 1000)
    return [[statistics.median(taken) for taken in of_case] for of_case in times]


def ratio(few: Case, many: Case) -> float:
    """Return how many times as much the median utterance costs."""
    cheap, dear = costs_ms(few, many)
    return statistics.median(dear) / statistics.median(cheap)


START = """
import sys, time
from agent import config
from agent.cli.compose import build
from hardware.display import MemoryDisplay
from hardware.profiles import load

agent = build(config.load(), MemoryDisplay(load("quark-s1")))
assert len(agent.skills.actions) > int(sys.argv[1]), agent.skills.problems[:1]
assert type(agent.route(sys.argv[2])[1]).__name__ == "Intent"
print(time.time() - float(sys.argv[3]))
"""


def start_s(skills: Sequence[Generated]) -> tuple[float, float]:
    """Return the seconds from starting a process to its first answer: the first time, and after.

    The first time Python compiles the plugins; the skills lie in the wearer's own folder, beside
    the built-in ones.
    """
    with tempfile.TemporaryDirectory() as folder:
        write(skills, Path(folder))
        environment = os.environ | {"GLASSES_PLUGINS": folder}
        times = []
        for _ in range(1 + RUNS):
            command = [sys.executable, "-c", START, str(len(skills)), skills[-1].said[0]]
            done = subprocess.run(
                [*command, str(time.time())],
                env=environment, text=True, check=True, capture_output=True,
            )  # fmt: skip
            times.append(float(done.stdout))
    return times[0], statistics.median(times[1:])


def speech_graph_s(actions: Mapping[str, Action]) -> float:
    """Return the seconds to build the graph of words that speech is recognised by, made once."""
    sayings = [saying for action in actions.values() for saying in action.sayings("en")]
    began = time.perf_counter()
    grammar.build(sayings)
    return time.perf_counter() - began


def figures() -> dict[str, float]:
    """Return the figures of the benchmark."""
    skills = generate()
    five, all_of_them = load(skills[:5]), load(skills)
    builtin, everything = Skills.discover().actions, load(skills, Skills.discover())
    own = [text for generated in skills[:5] for text in generated.said]
    spread = [generated.said[n % SENTENCES] for n, generated in enumerate(skills)]
    real = strangers()
    cases: dict[str, Case] = {
        "5_skills_hit": (five, own),
        "500_skills_hit": (all_of_them, spread),
        "5_skills_miss": (five, real),
        "500_skills_miss": (all_of_them, real),
        "built_in_real": (builtin, real),
        "built_in_and_500_real": (everything, real),
    }
    found: dict[str, float] = {}
    for name, costs in zip(cases, costs_ms(*cases.values()), strict=True):
        found[f"{name}_p50_ms"] = statistics.median(costs)
        found[f"{name}_p95_ms"] = sorted(costs)[int(0.95 * len(costs))]
    for kind, few, many in (
        ("hit", "5_skills_hit", "500_skills_hit"),
        ("miss", "5_skills_miss", "500_skills_miss"),
        ("built_in", "built_in_real", "built_in_and_500_real"),
    ):
        found[f"{kind}_ratio"] = found[f"{many}_p50_ms"] / found[f"{few}_p50_ms"]
    found["start_first_time_s"], found["start_s"] = start_s(skills)
    found["speech_graph_s"] = speech_graph_s(all_of_them)
    return found
