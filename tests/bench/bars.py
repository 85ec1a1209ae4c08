"""What listening and understanding have to reach, and whether they do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

Figures = Mapping[str, Mapping[str, float]]
"""Figures by section and name."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One figure and its limit."""

    what: str
    """In words."""
    section: str
    """Section it stands in."""
    figure: str
    """Its name there."""
    limit: float
    """The limit itself is still good enough."""
    at_least: bool = False
    """True where more is better."""

    @property
    def asked(self) -> str:
        """Return the limit as it is printed."""
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}"

    def seen(self, figures: Figures) -> float | None:
        """Return what was measured; None when nothing was."""
        value = figures.get(self.section, {}).get(self.figure)
        return None if value is None or math.isnan(value) else value

    def met(self, figures: Figures) -> bool | None:
        """Whether it is reached; None when nothing was measured."""
        value = self.seen(figures)
        if value is None:
            return None
        return value >= self.limit if self.at_least else abs(value) <= self.limit


FLUENT, HESITANT = "fluent", "hesitant"
SLOWLY = ", real-time pace"
EARS, SPEECH = "ears: recognition", "ears: free speech"

BARS = (
    Bar("fluent commands: cut off (%)", FLUENT, "cut_off_percent", 3),
    Bar("the same, reopened ones counted too (%)", FLUENT, "cut_off_or_reopened_percent", 3),
    Bar("fluent commands: wait, p50 (ms)", FLUENT + SLOWLY, "endpoint_p50_ms", 150),
    Bar("hesitant commands: cut off (%)", HESITANT, "cut_off_percent", 5),
    Bar("hesitant commands: wait, p50 (ms)", HESITANT + SLOWLY, "endpoint_p50_ms", 200),
    Bar("speech end to first glyph, p50 (ms)", FLUENT + SLOWLY, "first_glyph_p50_ms", 250),
    Bar("speech end to first glyph, p95 (ms)", FLUENT + SLOWLY, "first_glyph_p95_ms", 500),
    Bar("commands understood, clean (%)", FLUENT, "accepted_percent", 97, at_least=True),
    Bar("commands understood at 12 dB (%)", "recognition", "accepted_12db_percent", 88, True),
    Bar("understood, mean of 24 to 6 dB (%)", "recognition", "accepted_mean_percent", 87, True),
    Bar("other speech taken for a command (%)", "recognition", "false_accept_percent", 3),
    Bar("“stop” over an action, slowest (ms)", "stop", "action_slowest_ms", 300),
    Bar("“stop” over an action, acted (%)", "stop", "action_acted_percent", 100, at_least=True),
    Bar("“stop” over music, slowest (ms)", "stop", "music_24_db_below_slowest_ms", 300),
    Bar("“stop” over music, acted (%)", "stop", "music_24_db_below_acted_percent", 100, True),
    Bar(
        "always listening, silence (% of a core)",
        "process", "listening_to_silence_percent_of_a_core", 3,
    ),
    Bar(
        "always listening, room noise (% of a core)",
        "process", "listening_to_noise_percent_of_a_core", 3,
    ),
    Bar("simulator: what the browser adds (ms)", "simulator", "browser_adds_most_ms", 150),
    Bar("20 browsers: chunks lost", "simulator", "chunks_lost", 0),
    Bar("card to frame at 640x480, p50 (ms)", "lens", "card_to_frame_p50_ms", 5),
    Bar("update of some rows, p50 (ms)", "lens", "update_p50_ms", 2),
    Bar("requests to the lens a second", "arbiter", "flood_per_s", 10_000, at_least=True),
    Bar("requests without an outcome", "arbiter", "flood_unreported", 0),
    Bar("growth of memory in the flood (kB)", "arbiter", "flood_memory_growth_kb", 100),
    Bar("an alert in the flood, slowest (ms)", "arbiter", "alert_ms_max", 16),
    Bar("nods that would pay, an hour of none", "gestures", "paying nods an hour of none", 0),
    Bar("products imported a second", "market", "import_products_per_s", 20_000, at_least=True),
    Bar("search in 100,000 products, slowest (ms)", "market", "search_slowest_ms", 10),
    Bar("a code, p95 (ms)", "market", "code_p95_ms", 30),
    Bar("shared code photos right (%)", "market", "codes_right_percent", 95, at_least=True),
    Bar("shared code photos misread", "market", "codes_misread", 0),
    Bar("words of a package, slowest (ms)", "market", "words_slowest_ms", 1_500),
    Bar("timetable of a million times: import (s)", "market", "gtfs_import_s", 30),
    Bar("next departure there, p95 (ms)", "market", "departure_towards_p95_ms", 10),
    Bar("an hour: growth of memory (%)", "soak", "memory_growth_percent", 5),
    Bar("an hour: chunks lost", "soak", "chunks_lost", 0),
    Bar("an hour: drift of the wait (ms)", "soak", "drift_ms", 20),
    Bar("an hour: commands answered once (%)", "soak", "answered_once_percent", 97, at_least=True),
    Bar("templates, a call, p50 (ms)", "understanding", "templates_p50_ms", 1),
    Bar("semantic stage, a call, p50 (ms)", "understanding", "semantic_p50_ms", 10),
    Bar("pocket Qwen, a call, p50 (ms)", "understanding", "pocket_p50_ms", 15),
    Bar("pocket Qwen, a call, p95 (ms)", "understanding", "pocket_p95_ms", 60),
    Bar("unseen text: right skill (%)", "unseen", "skill_percent", 97, at_least=True),
    Bar("unseen text: false accepts (%)", "unseen", "false_accepts_percent", 2),
    Bar("unseen text: into money (%)", "unseen", "false_accepts_money_percent", 0.05),
    Bar("unseen text: call, slots exact (%)", "unseen", "exact_percent", 85, True),
    Bar("pocket Qwen alone, known (%)", "understanding", "pocket_known_shapes_percent", 99, True),
    Bar("pocket Qwen alone, held out (%)", "understanding", "pocket_held_out_percent", 85, True),
    Bar("both ears: understood, clean (%)", EARS, "accepted_clean_percent", 98, at_least=True),
    Bar("both ears: understood at 12 dB (%)", EARS, "accepted_12db_percent", 91, at_least=True),
    Bar("both ears: mean of 24 to 6 dB (%)", EARS, "accepted_mean_percent", 89, at_least=True),
    Bar("both ears: worse than one alone (points)", EARS, "worse_than_one_alone_points", 0),
    Bar("both ears: other speech a command (%)", EARS, "false_accept_percent", 1),
    Bar("English beyond plain Whisper (points)", SPEECH, "english_pair_beyond_plain_points", 1),
    Bar(
        "the same, more than a word (points)",
        SPEECH, "english_sentences_pair_beyond_plain_points", 1,
    ),
    Bar("Chinese beyond plain Whisper (points)", SPEECH, "chinese_beyond_plain_points", 1),
    Bar("speech end to free transcript, p50 (ms)", SPEECH, "wait_p50_ms", 600),
    Bar("free words in commands exact (%)", "ears: free slots", "exact_percent", 90, at_least=True),
    Bar("noise, music, silence: turns", "ears: nothing", "turns_from_whisper", 0),
    Bar("the same: growth of memory (%)", "ears: nothing", "memory_growth_percent", 5),
)  # fmt: skip
"""The bars, in the order of the issues."""
