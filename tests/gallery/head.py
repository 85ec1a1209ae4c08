"""Draw what the head says: `python -m tests.gallery.head`. The readings are simulated."""

from __future__ import annotations

import math
from pathlib import Path

from agent.body import Body, Felt, Orientation
from hardware import moves

SECONDS = 24.0
WALK_S = (9.5, 21.0)
DOES = {
    "nod": moves.nod(2.0),
    "shake": moves.shake(5.2),
    "nod on a walk": moves.nod(14.0, degrees=16),
    "glance": moves.glance(17.0, degrees=24, hold_s=1.2),
}
COLOURS = {
    "nod": "#2ca02c",
    "shake": "#d62728",
    "glance": "#9467bd",
    "lower": "#9467bd",
    "walking": "#ff7f0e",
    "standing": "#ff7f0e",
}


def main() -> None:
    """Write `head.png` beside this file."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    step = moves.during(*WALK_S, moves.walk(seed=2), 0.5)
    motions = moves.record([moves.still(seed=1), step, *DOES.values()], SECONDS, seed=1)
    body, orientation = Body(), Orientation()
    felt: list[Felt] = []
    seen: list[tuple[float, str]] = []
    yaw_deg, total = [], 0.0
    for motion in motions:
        seen += [(motion.at_ms / 1000, movement) for movement in body.feel(motion)]
        reading = orientation.feel(motion)
        if reading is not None:
            felt.append(reading)
            total += math.degrees(reading.rates[1]) * reading.step_ms / 1000
            yaw_deg.append(total)
    times = [reading.at_ms / 1000 for reading in felt]
    drift = yaw_deg[-1] / len(yaw_deg)
    rows = {
        "pitch\n(up, °)": [reading.pitch_deg for reading in felt],
        "yaw\n(left, °)": [value - n * drift for n, value in enumerate(yaw_deg)],
        "lift\n(m/s²)": [reading.lift for reading in felt],
    }
    figure, axes = plt.subplots(3, 1, figsize=(9, 4.6), sharex=True, dpi=90)
    for axis, (name, values) in zip(axes, rows.items(), strict=True):
        axis.plot(times, values, linewidth=0.9, color="#333333")
        axis.set_ylabel(name, fontsize=9)
        axis.axvspan(*WALK_S, color="#ff7f0e", alpha=0.08, linewidth=0)
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)
        for at_s, movement in seen:
            axis.axvline(at_s, color=COLOURS[movement], linewidth=1.1)
    for at_s, movement in seen:
        axes[0].annotate(
            movement,
            (at_s, 1.02),
            xycoords=("data", "axes fraction"),
            rotation=30,
            fontsize=9,
            color=COLOURS[movement],
        )
    axes[2].set_xlabel("seconds; lines: when it was seen; shaded: walking", fontsize=9)
    axes[2].set_xlim(0, SECONDS)
    figure.tight_layout()
    figure.savefig(Path(__file__).with_name("head.png"))


if __name__ == "__main__":
    main()
