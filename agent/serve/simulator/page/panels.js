// What happened: turns as waterfalls, the router's reasons, the log of the lens, what can be said.

import { why } from "./reasons.js";
import { t } from "./words.js";

const KEPT = 60;
const STAGES = ["endpoint", "transcript", "intent", "reply", "first_glyph"];

const make = (tag, name, ...inside) => {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.append(...inside.filter((part) => part !== null && part !== ""));
  return made;
};

/** Tabs that arrow keys move between, as the ARIA pattern has it. */
export function tabs(list) {
  const all = [...list.querySelectorAll("[role=tab]")];
  const choose = (chosen) => {
    for (const tab of all) {
      tab.setAttribute("aria-selected", String(tab === chosen));
      tab.tabIndex = tab === chosen ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = tab !== chosen;
    }
  };
  list.addEventListener("click", ({ target }) => {
    if (target.role === "tab" || target.getAttribute("role") === "tab") choose(target);
  });
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
    next.focus();
    choose(next);
  });
}

/** How long after the last syllable each stage was done, in ms; typed lines begin at 0. */
export function waited(times) {
  const began = times.speech_end ?? times.endpoint ?? times.transcript ?? 0;
  return STAGES.filter((stage) => times[stage] != null)
    .map((stage) => [stage, Math.max(0, times[stage] - began)]);
}

const UNSPOKEN = ["nod", "shake", "tap", "double_tap"];

/** What a turn began with: its words, or the gesture that took their place. */
export function saidIn(turn) {
  const gesture = turn.source.replace(" ", "_");
  return turn.transcript || (UNSPOKEN.includes(gesture) ? t(gesture) : "");
}

export function addTurn({ turn, verdicts, unknown, replayed }) {
  const list = document.getElementById("turn-list");
  const before = list.firstElementChild;
  if (before) before.querySelector("details").open = false;
  const stages = waited(turn.timings_ms)
    .filter(([stage]) => turn.source !== "text" || !["endpoint", "transcript"].includes(stage));
  const total = stages.at(-1)?.[1] ?? 0;
  const said = saidIn(turn) || (turn.source === "text" ? "…" : t("nothing"));
  const heard = turn.source === "text" ? t("typed") : turn.engine.asr ?? turn.source;
  const tags = [
    heard,
    turn.source === "text" ? "" : turn.confidence.toFixed(2),
    turn.replaces ? t("replaced") : "",
    replayed ? t("replayed") : "",
  ].filter(Boolean).join(" · ");
  const details = make("details", "turn",
    make("summary", "",
      make("span", "said", said),
      make("span", "total", total >= 1 ? `${Math.round(total)} ${t("ms")}` : `< 1 ${t("ms")}`),
      make("span", "tags", tags)),
    waterfall(stages, total),
    card(turn),
    router(turn, verdicts, unknown),
    turn.error ? make("p", "error", turn.error) : "");
  details.open = true;
  list.prepend(make("li", turn.replaces ? "replaces" : "", details));
  while (list.children.length > KEPT) list.lastElementChild.remove();
}

function waterfall(stages, total) {
  const body = make("tbody", "");
  let from = 0;
  for (const [stage, at] of stages) {
    const bar = make("span", "bar");
    const scale = 100 / Math.max(total, 1);
    bar.style.setProperty("margin-inline-start", `${Math.min(99, from * scale)}%`);
    bar.style.setProperty("width", `${Math.max(0.8, (at - from) * scale)}%`);
    const head = make("th", "", t(`stage_${stage}`));
    head.scope = "row";
    body.append(make("tr", "", head, make("td", "lane", bar), make("td", "number", at.toFixed(at < 10 ? 1 : 0))));
    from = at;
  }
  return make("table", "waterfall", make("caption", "unseen", t("waterfall")), body);
}

function card(turn) {
  if (!turn.reply) return "";
  const { title, text, proposal } = turn.reply;
  const stake = proposal ? `${proposal.amount} ${proposal.currency} → ${proposal.payee}` : "";
  return make("pre", "card", [stake, title, text].filter(Boolean).join("\n"));
}

function router(turn, verdicts, unknown) {
  const box = make("div", "router");
  if (turn.intent) {
    const slots = Object.entries(turn.intent.slots)
      .map(([name, value]) => `${name} = ${typeof value === "string" ? value : JSON.stringify(value)}`);
    box.append(make("p", "intent", make("code", "", `${turn.intent.skill}.${turn.intent.action}`),
      ...slots.map((slot) => make("span", "slot", slot))));
  } else if (unknown) {
    box.append(make("p", "intent none", why(unknown)));
  }
  if (verdicts.length) {
    const body = make("tbody", "", ...verdicts.map((verdict) => {
      const head = make("th", "", why(verdict.stage));
      head.scope = "row";
      const sure = verdict.probability == null ? "" : `${Math.round(100 * verdict.probability)} %`;
      return make("tr", verdict.intent ? "" : "declined", head,
        make("td", "", verdict.intent ?? t("verdict_none"),
          verdict.reason ? make("span", "reason", why(verdict.reason)) : ""),
        make("td", "number", sure),
        make("td", "number", `${verdict.took_ms.toFixed(1)}`));
    }));
    box.append(make("table", "verdicts", make("caption", "", t("router")), body));
  }
  return box.childNodes.length ? box : "";
}

export function addOutcome({ kind, owner, priority, text, reason }) {
  const list = document.getElementById("outcome-list");
  const now = new Date().toLocaleTimeString([], { hour12: false });
  list.prepend(make("li", `outcome ${kind}`,
    make("time", "", now),
    make("span", "kind", why(kind)),
    make("span", "who", `${owner} · ${why(priority)}`),
    make("span", "what", text || "—"),
    reason ? make("span", "reason", why(reason)) : ""));
  while (list.children.length > 3 * KEPT) list.lastElementChild.remove();
}

export function showSkills({ skills, problems, language }, say) {
  const box = document.getElementById("skill-list");
  const groups = new Map();
  for (const action of skills) {
    const [skill] = action.name.split(".");
    groups.set(skill, [...(groups.get(skill) ?? []), action]);
  }
  const parts = [...groups].map(([skill, actions]) => make("section", "skill",
    make("h2", "", skill),
    ...actions.map((action) => {
      const list = make("ul", "");
      for (const [spoken, examples] of Object.entries(action.examples)) {
        if (language !== "auto" && spoken !== language) continue;
        examples.forEach((example, index) => {
          if (!example) return;  // nothing is on its list
          const button = make("button", "", example);
          button.type = "button";
          button.lang = spoken;
          button.addEventListener("click", () => say(example));
          list.append(make("li", "", button, make("code", "", action.sentences[spoken][index] ?? "")));
        });
      }
      return make("details", "action",
        make("summary", "", make("span", "", action.summary),
          action.risk === "none" ? "" : make("span", `risk ${action.risk}`, action.risk)),
        list);
    })));
  if (problems.length) {
    parts.push(make("section", "skill", make("h2", "", t("problems")),
      ...problems.map((problem) => make("p", "error", problem))));
  }
  box.replaceChildren(...parts);
}

export function showAbout({ version, profile, ears, model }, health) {
  const rows = [
    [t("lens"), `${profile.name}: ${t("lens_text")(profile)}`],
    [t("engine"), ears], [t("model"), model],
    ...(health ? [[t("stream"), t("stream_text")(health)]] : []),
    ["glasses", version],
  ];
  document.getElementById("about").replaceChildren(
    ...rows.flatMap(([name, value]) => [make("dt", "", name), make("dd", "", value)]));
}
