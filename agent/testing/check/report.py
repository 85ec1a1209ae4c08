"""What `glasses test` found: whether it is enough, the table, the worst cases, and JUnit XML."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from xml.etree import ElementTree

from agent.derive.clashes import AGENT, Clash
from agent.derive.sample import Sample
from agent.skill.declare import Action
from agent.skill.slots import to_json
from agent.testing.check.heard import Spoken
from agent.testing.check.said import Said

if TYPE_CHECKING:
    from rich.console import Console

Stage = Literal["said", "heard", "clashes"]
STAGES: tuple[Stage, ...] = ("said", "heard", "clashes")

MIN_HEARD = 0.9
"""Share of sentences by natural voices in quiet that must arrive, unless set otherwise."""

WORST = 12
"""Cases of each kind that are listed."""

_XML_FORBIDDEN = dict.fromkeys((*range(9), 11, 12, *range(14, 32)), "�")
"""Control characters that XML 1.0 cannot hold."""


@dataclass(slots=True)
class Report:
    """Everything that was found about the tested actions."""

    actions: Mapping[str, Action]
    """Tested actions by name."""
    samples: Mapping[tuple[str, str, str], Sequence[Sample]]
    """Sentences by action, language and template."""
    stages: Collection[Stage] = STAGES
    """What was asked for."""
    min_heard: float = MIN_HEARD
    """0 … 1."""
    said: list[Said] = field(default_factory=list)
    """Every sentence as text."""
    heard: list[Spoken] = field(default_factory=list)
    """Every sentence spoken."""
    clashes: list[Clash] = field(default_factory=list)
    """Worst first."""
    paying: Collection[str] = ()
    """Names of all actions that move money, tested or not."""
    not_heard: str = ""
    """Why nothing was judged by ear, in one line."""

    def heard_share(self) -> float | None:
        """Return the share of natural voices' sentences that arrived in quiet; None without any."""
        quiet = self._quiet()
        return sum(not h.wrong for h in quiet) / len(quiet) if quiet else None

    def _quiet(self) -> list[Spoken]:
        return [h for h in self.heard if h.voice.group == "natural" and h.snr_db is None]

    def unheard(self) -> list[tuple[str, str]]:
        """Return the actions and templates of which no natural voice arrived, even in quiet."""
        arrived: dict[tuple[str, str], bool] = {}
        for h in self._quiet():
            key = (h.sample.action, h.sample.template)
            arrived[key] = arrived.get(key, False) or not h.wrong
        return [key for key, any_arrived in arrived.items() if not any_arrived]

    def taken_for_payments(self) -> list[Spoken]:
        """Return what was heard as a payment and is none; the wearer would still be asked."""
        return [
            h
            for h in self.heard
            if h.sample.action not in self.paying
            and any(h.wrong.startswith(f"{name} ") for name in self.paying)
        ]

    def failures(self) -> list[str]:
        """Return why the test failed, a line each; empty when it passed."""
        found = []
        if wrong := sum(bool(s.wrong) for s in self.said):
            found.append(f"said: {wrong} of {len(self.said)} sentences went elsewhere")
        if empty := [key for key, found_samples in self.samples.items() if not found_samples]:
            found.append(
                f"said: “{empty[0][2]}” of {empty[0][0]} has no sentence: is a list empty?"
            )
        share = self.heard_share()
        if share is not None and share < self.min_heard:
            found.append(
                f"heard: {share:.1%} of natural voices in quiet arrived; {self.min_heard:.0%} must"
            )
        found.extend(
            f"heard: no natural voice got “{template}” of {action} across"
            for action, template in self.unheard()
        )
        quiet = self._quiet()
        found.extend(
            f"heard: “{h.sample.text}” of {h.sample.action} was taken for a payment: {h.text}"
            for h in self.taken_for_payments()
            if h in quiet
        )
        found.extend(f"clash: {clash}" for clash in self.clashes if clash.fatal)
        return found

    # -- for people -----------------------------------------------------------------------------

    def show(self, console: Console) -> None:
        """Print the tables, the worst cases and the verdict."""
        console.print(self._actions_table())
        if self.heard:
            console.print(self._voices_table())
        if self.not_heard:
            console.print(f"[yellow]heard: not run:[/] {self.not_heard}")
        payments = [
            f"“{_plain(h.sample.text)}” of {h.sample.action}, {h.voice.name},"
            f" {_condition(h.snr_db)}: heard “{_plain(h.text)}”"
            for h in self.taken_for_payments()
        ]
        self._list(console, "Spoken as a payment that nobody asked for", payments)
        self._list(console, "Said, and taken for something else", self._worst_said())
        self._list(console, "Spoken as something else", self._worst_heard())
        self._list(console, "Clashes", [_clash_line(clash) for clash in self.clashes])
        failures = self.failures()
        for failure in failures:
            console.print(f"[red]✗[/] {_plain(failure)}")
        if not failures:
            console.print("[green]✓[/] passed" + (" (heard was not run)" if self.not_heard else ""))

    def _actions_table(self) -> Any:
        from rich.table import Table

        table = Table(box=None, pad_edge=False)
        table.add_column("action")
        for title in ("said", "heard", "in noise", "clashes"):
            table.add_column(title, justify="right")
        for name, action in self.actions.items():
            mine = [h for h in self.heard if h.sample.action == name and h.voice.group == "natural"]
            money = " [yellow]$[/]" if action.declaration.risk == "money" else ""
            table.add_row(
                name + money,
                _share([not s.wrong for s in self.said if s.sample.action == name]),
                _share([not h.wrong for h in mine if h.snr_db is None]),
                _share([not h.wrong for h in mine if h.snr_db is not None]),
                self._clash_count(name),
            )
        return table

    def _clash_count(self, name: str) -> str:
        if "clashes" not in self.stages:
            return "–"
        mine = [c for c in self.clashes if name in (side.action for side in c.sides)]
        fatal = sum(clash.fatal for clash in mine)
        return f"[red]{fatal}[/] of {len(mine)}" if fatal else str(len(mine))

    def _voices_table(self) -> Any:
        from rich.table import Table

        snrs = list(dict.fromkeys(h.snr_db for h in self.heard))
        table = Table(box=None, pad_edge=False)
        table.add_column("voice")
        for snr_db in snrs:
            table.add_column(_condition(snr_db), justify="right")
        groups = {h.voice.name: h.voice.group for h in self.heard}
        for group in ("natural", "robotic"):
            voices = [name for name, its in groups.items() if its == group]
            for name in voices:
                table.add_row(name, *(self._voice_share((name,), snr_db) for snr_db in snrs))
            if voices:
                cells = (f"[bold]{self._voice_share(voices, snr_db)}[/]" for snr_db in snrs)
                note = "" if group == "natural" else " (not judged)"
                table.add_row(f"[bold]{group}[/]{note}", *cells)
        return table

    def _voice_share(self, voices: Collection[str], snr_db: float | None) -> str:
        return _share(
            [not h.wrong for h in self.heard if h.voice.name in voices and h.snr_db == snr_db]
        )

    def _worst_said(self) -> list[str]:
        wrong = [s for s in self.said if s.wrong]
        wrong.sort(key=lambda s: not self._pays(s.sample.action))
        return [
            f"“{_plain(s.sample.text)}” of {s.sample.action} → {_plain(s.wrong)}"
            f"  [dim]{_plain(s.sample.template)}[/]"
            for s in wrong
        ]

    def _worst_heard(self) -> list[str]:
        """List sentences by how seldom they arrive by natural voices, in quiet first."""
        by_text: dict[tuple[str, str], list[Spoken]] = {}
        for h in self.heard:
            if h.voice.group == "natural":
                by_text.setdefault((h.sample.action, h.sample.text), []).append(h)

        def badness(takes: Sequence[Spoken]) -> tuple[int, bool, float]:
            in_quiet = sum(bool(h.wrong) for h in takes if h.snr_db is None)
            elsewhere = any(h.wrong and h.wrong != "not recognised" for h in takes)
            return -in_quiet, not elsewhere, -sum(bool(h.wrong) for h in takes) / len(takes)

        lines = []
        for takes in sorted(by_text.values(), key=badness):
            if wrong := sorted((h for h in takes if h.wrong), key=lambda h: not h.text):
                h = wrong[0]
                lines.append(
                    f"“{_plain(h.sample.text)}” of {h.sample.action}, {h.voice.name},"
                    f" {_condition(h.snr_db)}: heard “{_plain(h.text)}” → {_plain(h.wrong)}"
                )
        return lines

    def _pays(self, name: str) -> bool:
        return name in self.actions and self.actions[name].declaration.risk == "money"

    @staticmethod
    def _list(console: Console, title: str, lines: Sequence[str]) -> None:
        if lines:
            console.print(f"\n[bold]{title}[/] ({len(lines)}, worst first)")
            for line in lines[:WORST]:
                console.print(f"  {line}")
            if len(lines) > WORST:
                console.print(f"  [dim]and {len(lines) - WORST} more; --json has all[/]")
            console.print()

    # -- for programs ---------------------------------------------------------------------------

    def as_json(self) -> dict[str, Any]:
        """Return everything but what arrived as it should, which is only counted."""
        return {
            "passed": not self.failures(),
            "failures": self.failures(),
            "actions": list(self.actions),
            "said": {
                "sentences": len(self.said),
                "wrong": [{**_sample_json(s.sample), "was": s.wrong} for s in self.said if s.wrong],
            },
            "heard": {
                "not_run": self.not_heard or None,
                "sentences": len(self.heard),
                "natural_in_quiet": self.heard_share(),
                "taken_for_payments": len(self.taken_for_payments()),
                "voices": [
                    {"voice": voice, "snr_db": snr_db, "arrived": arrived, "of": count}
                    for (voice, snr_db), (arrived, count) in self._by_voice().items()
                ],
                "wrong": [
                    {
                        **_sample_json(h.sample),
                        "voice": h.voice.name,
                        "snr_db": h.snr_db,
                        "heard": h.text,
                        "was": h.wrong,
                    }
                    for h in self.heard
                    if h.wrong
                ],
            },
            "clashes": [
                {
                    "kind": clash.kind,
                    "language": clash.language,
                    "fatal": clash.fatal,
                    "money": clash.money,
                    "distance": round(clash.distance, 3),
                    "sides": [
                        {"action": s.action, "source": s.source, "template": s.template,
                         "text": s.text}
                        for s in clash.sides
                    ],
                }
                for clash in self.clashes
            ],
        }  # fmt: skip

    def _by_voice(self) -> dict[tuple[str, float | None], tuple[int, int]]:
        counts: dict[tuple[str, float | None], tuple[int, int]] = {}
        for h in self.heard:
            arrived, count = counts.get((h.voice.name, h.snr_db), (0, 0))
            counts[h.voice.name, h.snr_db] = (arrived + (not h.wrong), count + 1)
        return counts

    def junit(self) -> bytes:
        """Return JUnit XML: a suite for each stage, a case for each template."""
        suites = ElementTree.Element("testsuites", name="glasses test")
        for stage in STAGES:
            if stage in self.stages:
                suite = ElementTree.SubElement(suites, "testsuite", name=stage)
                for action, language, template in self.samples:
                    case = ElementTree.SubElement(
                        suite,
                        "testcase",
                        classname=f"{stage}.{action}",
                        name=_xml(f"{language}: {template}"),
                    )
                    self._judge(case, stage, action, language, template)
                if stage == "heard":
                    self._judge_share(suite)
                _count(suite)
        ElementTree.indent(suites)
        document: bytes = ElementTree.tostring(suites, encoding="utf-8", xml_declaration=True)
        return document

    def _judge(
        self, case: ElementTree.Element, stage: Stage, action: str, language: str, template: str
    ) -> None:
        match stage:
            case "said":
                mine = [s for s in self.said if _is_of(s.sample, action, language, template)]
                if not mine:
                    _fail(case, ["no sentence: is a list empty?"])
                _fail(case, [f"“{s.sample.text}” → {s.wrong}" for s in mine if s.wrong])
            case "heard":
                spoken = [h for h in self.heard if _is_of(h.sample, action, language, template)]
                quiet = [h for h in spoken if h.voice.group == "natural" and h.snr_db is None]
                if not quiet:
                    _skip(case, self.not_heard or f"no speech is tested in {language}")
                elif all(h.wrong for h in quiet):
                    _fail(
                        case,
                        [
                            f"{h.voice.name}: “{h.sample.text}” → “{h.text}”: {h.wrong}"
                            for h in quiet
                        ],
                    )
            case "clashes":
                mine_clashes = [
                    str(clash)
                    for clash in self.clashes
                    if clash.fatal
                    and clash.language == language
                    and any((s.action, s.template) == (action, template) for s in clash.sides)
                ]
                _fail(case, mine_clashes)

    def _judge_share(self, suite: ElementTree.Element) -> None:
        case = ElementTree.SubElement(
            suite, "testcase", classname="heard", name="natural voices in quiet"
        )
        share = self.heard_share()
        if share is None:
            _skip(case, self.not_heard or "nothing to hear")
        elif share < self.min_heard:
            _fail(case, [f"{share:.1%} arrived, {self.min_heard:.0%} must"])


def _is_of(sample: Sample, action: str, language: str, template: str) -> bool:
    return (sample.action, sample.language, sample.template) == (action, language, template)


def _fail(case: ElementTree.Element, reasons: Sequence[str]) -> None:
    if reasons:
        failure = ElementTree.SubElement(case, "failure", message=_xml(reasons[0]))
        failure.text = _xml("\n".join(reasons))


def _skip(case: ElementTree.Element, reason: str) -> None:
    ElementTree.SubElement(case, "skipped", message=_xml(reason))


def _count(suite: ElementTree.Element) -> None:
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    suite.set("errors", "0")
    suite.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    suite.set("skipped", str(sum(case.find("skipped") is not None for case in cases)))


def _xml(text: str) -> str:
    return text.translate(_XML_FORBIDDEN)


def _sample_json(sample: Sample) -> dict[str, Any]:
    return {
        "action": sample.action,
        "template": sample.template,
        "language": sample.language,
        "text": sample.text,
        "slots": {name: str(to_json(value)) for name, value in sample.slots.items()},
    }


def _clash_line(clash: Clash) -> str:
    mark = "[red]✗[/]" if clash.fatal else "[dim]·[/]"
    money = " [yellow]$[/]" if clash.money else ""
    sources = " / ".join(dict.fromkeys(side.source for side in clash.sides if side.skill != AGENT))
    return f"{mark}{money} {clash.kind}: {_plain(str(clash))}  [dim]{_plain(sources)}[/]"


def _condition(snr_db: float | None) -> str:
    return "quiet" if snr_db is None else f"{snr_db:g} dB"


def _share(arrived: Iterable[bool]) -> str:
    known = list(arrived)
    if not known:
        return "–"
    good = sum(known)
    colour = "green" if good == len(known) else "yellow" if good * 10 >= len(known) * 9 else "red"
    return f"[{colour}]{good}/{len(known)}[/]"


def _plain(text: str) -> str:
    """Keep rich from taking a template's brackets for its markup."""
    from rich.markup import escape

    return escape(text)
