// Puts the page together: what the glasses say goes to where it is shown, what is done to them.

import { Body } from "./body.js";
import { Lens } from "./lens.js";
import { Link } from "./link.js";
import { addOutcome, addTurn, showAbout, showSkills, tabs, waited, saidIn } from "./panels.js";
import { Dock } from "./say.js";
import { Sessions } from "./session.js";
import { Sound } from "./sound.js";
import { switchLanguage, t, translate } from "./words.js";
import { World } from "./world.js";

const by = (id) => document.getElementById(id);
const CAPTION_MS = 7_000, NOTE_MS = 9_000;
const REFUSED = 1008, BUSY = 1013;

const link = new Link(pair());
const world = new World();
const lens = new Lens(by("stage"));
const sound = new Sound(link);
const dock = new Dock(link, sound, note);
const body = new Body(link, world, lens);
const sessions = new Sessions(link, sound, note);
let welcome = null, health = null, state = null, status = "connecting";

// -- what the glasses say -------------------------------------------------------------------------

on("welcome", (message) => {
  welcome = message;
  lens.become(message.profile);
  choices();
  dock.greet(message);
  dock.answered();
  showSkills(message, (text) => dock.say(text));
  showAbout(message, health);
  setStatus("ready");
});
on("lens", (message) => lens.show(message));
on("heard", ({ text, final }) => caption(text, final ? "final" : "partial"));
on("answered", (message) => lens.after(() => {
  addTurn(message);
  by("turns").querySelector(".empty").hidden = true;
  const { turn } = message;
  const total = waited(turn.timings_ms).at(-1)?.[1];
  const spoken = turn.source !== "text" && total !== undefined;
  caption(saidIn(turn), "final", spoken ? `${Math.round(total)} ${t("ms")} ${t("after")}` : "");
  dock.answered();
}));
on("outcome", (message) => lens.after(() => {
  addOutcome(message);
  by("outcomes").querySelector(".empty").hidden = true;
}));
on("state", (message) => {
  state = message;
  body.show(message);
  sessions.show(message);
  showStatus();
});
on("role", (message) => {
  const { wearer } = message;
  by("role").hidden = wearer;
  document.body.classList.toggle("watching", !wearer);
  by("dock").inert = by("body").inert = !wearer;
  if (!wearer) sound.stop();
});
on("note", ({ kind, text }) => note(kind, text));
on("look", async ({ request }) => {
  try {
    link.picture(request, await world.picture());
  } catch (error) {
    link.send("blind", { request, reason: String(error.message).slice(0, 200) });
  }
});
on("play", ({ do: what, key, volume, at_s }) => {
  const tune = by("tune");
  tune.volume = volume / 100;
  if (what === "play") {
    tune.src = `sound/${key}`;
    tune.dataset.key = key;
    tune.currentTime = at_s;
    tune.play().catch(() => {});  // a page that nobody has touched may make no sound
  } else if (what === "resume") {
    tune.play().catch(() => {});
  } else if (what === "pause") {
    tune.pause();
  } else if (what === "stop") {
    tune.removeAttribute("src");
    tune.load();
  }
});
by("tune").addEventListener("ended", ({ target }) => link.send("played", { key: target.dataset.key }));
on("health", (message) => {
  health = message;
  if (welcome) showAbout(welcome, health);
});
on("replay", showStatus);
link.addEventListener("up", () => setStatus("waking"));
link.addEventListener("down", ({ detail }) => {
  sound.stop();
  setStatus("lost_server");
  if (detail === REFUSED) note("other");
  if (detail === BUSY) note("full");
});

function on(type, does) {
  link.addEventListener(type, ({ detail }) => does(detail));
}

// -- around the lens ------------------------------------------------------------------------------

let fading = 0;
function caption(text, kind, time = "") {
  const place = by("caption");
  place.className = kind;
  place.replaceChildren(text);
  if (time) {
    const small = document.createElement("small");
    small.textContent = time;
    place.append(small);
  }
  clearTimeout(fading);
  fading = setTimeout(() => { place.className = "gone"; }, CAPTION_MS);
}

function note(kind, text = "", mood = "") {
  const line = document.createElement("p");
  const known = t(`note_${kind}`), words = known === `note_${kind}` ? t(kind) : known;
  line.textContent = text ? `${words}: ${text}` : words;
  if (mood) line.className = mood;
  by("notes").append(line);
  setTimeout(() => line.remove(), NOTE_MS);
}

function setStatus(name) {
  status = name;
  showStatus();
}

function showStatus() {
  let name = status;
  if (status === "ready" || status === "waking") {
    if (state && !state.on && !state.cells.some((level) => level > 0)) name = "off";
    else if (sessions.replaying) name = "replaying";
    else if (state?.lost) name = "link_lost";
    else if (state?.recording) name = "recording";
  }
  by("status").textContent = t(name);
  by("status").className = name;
  document.body.classList.toggle("waking", name === "waking" || name === "connecting");
}

function choices() {
  const profiles = by("choose-profile");
  profiles.replaceChildren(...welcome.profiles.map((name) => new Option(name, name)));
  profiles.value = welcome.profile.name;
  by("choose-language").value = welcome.language;
}

for (const id of ["choose-profile", "choose-language"]) {
  by(id).addEventListener("change", () => {
    setStatus("waking");
    link.send("setting", {
      profile: by("choose-profile").value, language: by("choose-language").value,
    });
  });
}

by("choose-world").addEventListener("change", async ({ target }) => {
  if (target.value === "photo") {
    by("photo-file").click();
    return;
  }
  try {
    await world.show(target.value);
  } catch {
    note(window.isSecureContext ? "no_camera" : "insecure");
    target.value = "dusk";
    await world.show("dusk");
  }
  body.newWorld();
  remember("world", target.value);
});
by("photo-file").addEventListener("change", ({ target }) => {
  if (target.files[0]) photo(target.files[0]);
  target.value = "";
});
by("photo-file").addEventListener("cancel", () => { by("choose-world").value = world.kind; });

async function photo(file) {
  try {
    await world.showPhoto(file);
    by("choose-world").value = "photo";
    body.newWorld();
  } catch {
    by("choose-world").value = world.kind;
    note("bad_photo");
  }
}

document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  const [file] = event.dataTransfer.files;
  if (!file) return;
  if (file.type.startsWith("image/")) photo(file);
  else sessions.take(file);
});
by("wear").addEventListener("click", () => link.send("wear"));

// -- keys -----------------------------------------------------------------------------------------

const KEYS = {
  "/": ["/", "key_slash", () => dock.focus()],
  m: ["M", "key_m", () => dock.toggleOpen()],
  n: ["N", "key_n", () => body.gesture("nod")],
  s: ["S", "key_s", () => body.gesture("shake")],
  g: ["G", "key_g", () => body.glance()],
  w: ["W", "key_w", () => body.walk()],
  t: ["T", "key_t", () => body.gesture("tap")],
  d: ["D", "key_d", () => body.gesture("double_tap")],
  "?": ["?", "key_h", () => by("help").showModal()],
};
const TYPING = "input, select, textarea, button, summary, a, [role=tab], dialog, [role=tabpanel]";

document.addEventListener("keydown", (event) => {
  if (!by("shortcuts").checked || event.ctrlKey || event.metaKey || event.altKey) return;
  const busy = event.target.closest(event.key === " " ? TYPING : "input:not([type=range]), select, textarea, dialog");
  if (busy) return;
  if (event.key === " ") {
    event.preventDefault();
    if (!event.repeat) dock.hold(true);
  } else if (event.key.toLowerCase() in KEYS && !event.repeat) {
    event.preventDefault();
    KEYS[event.key.toLowerCase()][2]();
  }
});
document.addEventListener("keyup", (event) => {
  if (event.key === " " && sound.held) dock.hold(false);
});
window.addEventListener("blur", () => { if (sound.held) dock.hold(false); });

by("open-help").addEventListener("click", () => by("help").showModal());
by("close-help").addEventListener("click", () => by("help").close());
by("shortcuts").checked = recalled("shortcuts") !== "off";
by("shortcuts").addEventListener("change", ({ target }) => {
  remember("shortcuts", target.checked ? "on" : "off");
});

function showKeys() {
  const rows = [["Space", "key_space"], ...Object.values(KEYS), ["Esc", "key_escape"],
    ["← → ↑ ↓", "key_arrows"]];
  by("keys").replaceChildren(...rows.map(([key, words]) => {
    const row = document.createElement("tr");
    const head = document.createElement("th"), shown = document.createElement("kbd");
    shown.textContent = key;
    head.scope = "row";
    head.append(shown);
    const cell = document.createElement("td");
    cell.textContent = t(words);
    row.append(head, cell);
    return row;
  }));
}

// -- begin ----------------------------------------------------------------------------------------

function pair() {
  const asked = new URLSearchParams(location.search).get("pair");
  if (asked && /^[A-Za-z0-9_-]{1,64}$/.test(asked)) return asked;
  const known = recalled("pair");
  if (known) return known;
  const bytes = crypto.getRandomValues(new Uint8Array(9));
  const made = btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
  remember("pair", made);
  return made;
}

function remember(name, value) {
  try { localStorage.setItem(`glasses-${name}`, value); } catch { /* private windows may refuse */ }
}

function recalled(name) {
  try { return localStorage.getItem(`glasses-${name}`); } catch { return null; }
}

by("ui-language").addEventListener("click", switchLanguage);
document.addEventListener("translated", () => {
  by("ui-language").textContent = t("other_language");
  document.title = "glasses";
  showKeys();
  showStatus();
  if (welcome) showAbout(welcome, health);
});
tabs(document.querySelector("[role=tablist]"));
translate();
const first = recalled("world");
world.show(first === "day" || first === "night" ? first : "dusk");
by("choose-world").value = world.kind;
link.addEventListener("welcome", () => body.newWorld(), { once: true });
