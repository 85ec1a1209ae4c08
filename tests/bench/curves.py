"""Pictures of the benchmark: cut-offs against waits, and acceptance against noise."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.turns import Point

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patheffects import AbstractPathEffect

LOOKS = {"agent": ("#0072b2", "o"), "webrtcvad": ("#d55e00", "s"), "silero": ("#009e73", "^")}
"""Colour, of Okabe and Ito's palette for every kind of sight, and marker, by name."""
NAMES = {"agent": "glasses", "webrtcvad": "webrtcvad, mode 3", "silero": "silero v6"}
INK, FAINT = "#222222", "#8a8a8a"
NOISE_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#6a3d9a")

PUBLISHED_ACCEPTANCE = {
    "Rhino": 97.6, "LUIS": 89.9, "Watson": 86.8, "Lex": 84.5, "Dialogflow": 77.6,
}  # fmt: skip
"""Percent of the same orders, averaged over noise: Picovoice's speech-to-intent benchmark."""


@dataclass(frozen=True, slots=True)
class Published:
    """Somebody else's figure, to stand beside ours."""

    label: str
    """Whose, and on what."""
    wait_ms: float
    """Wait after the last speech."""
    cut_percent: float
    """Turns that were cut off."""
    wait_spread_ms: float = 0.0
    """Half of the range of the wait, where a range was given."""
    cut_spread_percent: float = 0.0
    """Half of the range of the cut-offs."""
    same_clips: bool = True
    """False where it was measured on other recordings, so that only the order of size compares."""


ELSEWHERE = "* on other recordings, open conversation: wait at 5 % cut-offs (LiveKit's eot-bench)"
SMART_TURN = "Smart Turn v3.2\nafter 200 ms"
PUBLISHED: dict[str, tuple[Published, ...]] = {
    # 290 to 330 ms, and 95 ms of inference; 5 to 7 %.
    "fluent": (Published(SMART_TURN, 405, 6, wait_spread_ms=20, cut_spread_percent=1),),
    # 69 % cut; the wait is the one on fluent clips, since those that it cuts have none.
    "hesitant": (
        Published(SMART_TURN, 405, 69, wait_spread_ms=20),
        # LiveKit's eot-bench, open conversation: waits at 5 % cut-offs.
        Published("LiveKit v1, cloud", 543, 5, same_clips=False),
        Published("turn-1-mini", 849, 5, same_clips=False),
        Published("Smart Turn v3.2", 1051, 5, same_clips=False),
        Published("plain VAD", 1600, 5, same_clips=False),
    ),
}

ASKED = {"fluent": (150.0, 3.0), "hesitant": (200.0, 5.0)}
"""Longest wait in ms and most cut-offs in percent that are asked for."""


def draw_turns(name: str, curves: Mapping[str, Sequence[Point]], path: Path) -> None:
    """Draw the cut-offs of each policy against its wait, for one set of clips."""
    shown = [p for curve in curves.values() for p in curve if math.isfinite(p.wait_p50_ms)]
    tallest = max(p.reopened_too_percent for p in shown)
    with _picture(path, f"Cut-offs against the wait, {name} commands") as axes:
        wait_ms, cut = ASKED[name]
        axes.fill_between([0, wait_ms], cut, color="#0072b2", alpha=0.12, lw=0)
        axes.annotate(
            "asked for", (0, cut), (4, 3), textcoords="offset points", color="#0072b2", fontsize=8
        )
        for who, points in curves.items():
            kept = [p for p in points if math.isfinite(p.wait_p50_ms)]  # nobody left to wait for
            colour, marker = LOOKS[who]
            axes.plot(
                [p.wait_p50_ms for p in kept], [p.cut_percent for p in kept], color=colour,
                marker=marker, ms=7 if who == "agent" else 5, lw=2.2 if who == "agent" else 1.4,
                label=NAMES[who], zorder=4 if who == "agent" else 3, clip_on=False,
            )  # fmt: skip
            if any(p.reopened_too_percent > p.cut_percent for p in kept):
                axes.plot(
                    [p.wait_p50_ms for p in kept], [p.reopened_too_percent for p in kept],
                    color=colour, lw=1, ls=(0, (4, 3)), zorder=3, clip_on=False,
                    label=f"{NAMES[who]}, reopened turns counted too",
                )  # fmt: skip
            for p in kept:
                if who == "agent" and p.setting == 1:
                    label = f"as it ships: {p.cut_percent:.1f} %, {p.wait_p50_ms:.0f} ms"
                    at = p.wait_p50_ms, p.cut_percent
                    axes.plot(*at, "o", ms=14, mfc="none", mec=colour, label=label, clip_on=False)
        for one in PUBLISHED[name]:
            _dot(axes, one)
        if not all(one.same_clips for one in PUBLISHED[name]):
            axes.annotate(
                ELSEWHERE, (0, 0), (0, -42), xycoords="axes fraction", textcoords="offset points",
                fontsize=8, color=FAINT,
            )  # fmt: skip
        axes.set_xlim(0, 2000)
        axes.set_ylim(0, 100 if tallest > 50 else 5 * math.ceil(max(tallest, cut) / 5 + 0.2))
        axes.set_xlabel("wait after the last speech, median of the turns not cut off (ms)")
        axes.set_ylabel("turns cut off (%)")
        axes.legend(loc="upper right", frameon=False)


def _dot(axes: Axes, one: Published) -> None:
    fill = INK if one.same_clips else "white"
    axes.errorbar(
        one.wait_ms, one.cut_percent, one.cut_spread_percent or None, one.wait_spread_ms or None,
        fmt="D", ms=5, color=INK, mfc=fill, lw=1, capsize=2, zorder=3,
    )  # fmt: skip
    label = one.label if one.same_clips else f"{one.label}*"
    steep = not one.same_clips  # several in a row: their names would run into each other
    axes.annotate(
        label, (one.wait_ms, one.cut_percent), (3, 8) if steep else (11, 2),
        textcoords="offset points", fontsize=8, color=INK, rotation=40 if steep else 0,
        path_effects=_halo(),
    )  # fmt: skip


def _halo() -> list[AbstractPathEffect]:
    """Return what keeps words legible on lines."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=3, foreground="white")]


def draw_noise(
    accepted: Mapping[str, Mapping[float, float]], clean: float | None, path: Path
) -> None:
    """Draw the acceptance in each noise against its ratio to the speech in dB.

    `accepted` holds percent by noise and ratio; `clean` is the percent without noise.
    """
    with _picture(path, "Commands understood, action and every slot right") as axes:
        ratios = sorted({ratio for by_ratio in accepted.values() for ratio in by_ratio})
        quiet = max(ratios) + 6
        for (noise, by_ratio), colour in zip(accepted.items(), NOISE_COLOURS, strict=False):
            points = sorted(by_ratio.items()) + ([(quiet, clean)] if clean is not None else [])
            axes.plot(
                [ratio for ratio, _ in points], [share for _, share in points], color=colour,
                marker="o", lw=1.8, ms=5, label=noise.replace("_", " "), zorder=3,
            )  # fmt: skip
        for who, share in PUBLISHED_ACCEPTANCE.items():
            axes.axhline(share, color=FAINT, lw=0.8, ls=(0, (4, 3)), zorder=1)
            axes.annotate(
                f"{who} {share:.1f}", (1, share), (4, 0), xycoords=("axes fraction", "data"),
                textcoords="offset points", fontsize=8, color=FAINT, va="center",
            )  # fmt: skip
        ticks = [*ratios, *([quiet] if clean is not None else [])]
        axes.set_xticks(ticks, [f"{t:g}" if t in ratios else "quiet" for t in ticks])
        lowest = min(share for by_ratio in accepted.values() for share in by_ratio.values())
        axes.set_ylim(10 * math.floor(min(lowest, 75) / 10), 100)
        axes.set_xlabel("speech over noise (dB); dashed: others' averages over noise (%)")
        axes.set_ylabel("understood (%)")
        axes.legend(loc="lower right", frameon=False, fontsize=8)


def draw_voices(lines: Mapping[str, Sequence[tuple[float, float]]], path: Path) -> None:
    """Draw the percent of the wearer's speech refused against that of others' taken (DET)."""
    with _picture(path, "Who speaks: refused against taken, threshold by threshold") as axes:
        for (name, points), colour in zip(lines.items(), NOISE_COLOURS, strict=False):
            kept = [(max(a, 0.1), max(b, 0.1)) for a, b in points]
            axes.plot(
                [a for a, _ in kept], [b for _, b in kept], color=colour, lw=1.8, label=name,
                ls="-" if name.endswith(" 2 s") else (0, (4, 3)), drawstyle="steps-post",
            )  # fmt: skip
        axes.plot([0.1, 100], [0.1, 100], color=FAINT, lw=0.8, label="equal error")
        axes.set_xscale("log")
        axes.set_yscale("log")
        ticks = [0.1, 1, 2, 5, 10, 20, 50]
        axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
        axes.set_yticks(ticks, [f"{t:g}" for t in ticks])
        axes.set_xlim(0.1, 60)
        axes.set_ylim(0.1, 60)
        axes.set_xlabel("others' speech taken for the wearer's (%)")
        axes.set_ylabel("the wearer's refused (%)")
        axes.legend(loc="lower left", frameon=False, fontsize=8)


PEERS = {
    "ours": ("glasses", "#0072b2", "o"),
    "home assistant": ("as Home Assistant has it", "#d55e00", "s"),
    "realtimestt": ("RealtimeSTT's way", "#009e73", "^"),
}
"""Name, colour and marker of each, by section."""


def draw_peers(figures: Mapping[str, Mapping[str, float]], path: Path) -> None:
    """Draw acceptance against the wait for a meaning, clean (full) and in noise (hollow).

    `figures` are those of `tests.bench.peers`, by name. A line goes from the median wait to the one
    at which 95 of 100 are over.
    """
    with _picture(path, "Commands understood against the wait, on the same weights") as axes:
        for who, values in figures.items():
            label, colour, marker = PEERS[who]
            for where, noise in peers_at(values):
                share = values[f"{where}_accepted_percent"]
                p50_ms, p95_ms = (values[f"{where}_wait_p{p}_ms"] for p in (50, 95))
                axes.plot([p50_ms, p95_ms], [share, share], color=colour, lw=1.2, zorder=2)
                axes.plot(
                    p50_ms, share, marker, ms=9, color=colour, mfc="white" if noise else colour,
                    mew=1.6, ls="none", label=f"{label}, {noise or 'clean'}", zorder=3,
                    clip_on=False,
                )  # fmt: skip
        axes.set_xlim(left=0)
        axes.set_ylim(0, 100)
        axes.set_xlabel("wait after the last speech (ms): median, and a line to the 95th of 100")
        axes.set_ylabel("understood, action and every slot (%)")
        axes.legend(loc="lower right", frameon=False, fontsize=8)


def peers_at(values: Mapping[str, float]) -> list[tuple[str, str]]:
    """Return the conditions of a peer's figures: the beginning of their names, and which noise."""
    found = (re.fullmatch(r"(clean|(\d+)db)_accepted_percent", name) for name in values)
    return [(match[1], f"{match[2]} dB" if match[2] else "") for match in found if match]


def by_noise(
    figures: Mapping[str, float],
) -> tuple[dict[str, dict[float, float]], float | None]:
    """Return the acceptance by noise and dB, and without noise, from the figures' names.

    Those are `accepted_kitchen_12db_percent` and `accepted_clean_percent`.
    """
    found: dict[str, dict[float, float]] = {}
    for name, value in figures.items():
        if match := re.fullmatch(r"accepted_(\w+)_(\d+)db_percent", name):
            found.setdefault(match[1], {})[float(match[2])] = value
    return found, figures.get("accepted_clean_percent")


@contextmanager
def _picture(path: Path, title: str) -> Iterator[Axes]:
    """Give axes to draw on, then write the picture."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", fontsize=12, fontweight="bold", color=INK, pad=12)
    axes.grid(color="#e6e6e6", lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.tick_params(colors=INK, labelsize=9)
    yield axes
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
