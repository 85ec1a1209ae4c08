// The dock: what is typed, with what can follow; the keys to talk; sentences to try.

import { language, t } from "./words.js";

const SPOKEN = 3, TYPED = 4;
const LEVEL_MS = 100;  // how often the meter moves

export class Dock {
  #link; #sound; #note;
  #line = document.getElementById("line");
  #list = document.getElementById("options");
  #chips = document.getElementById("chips");
  #chosen = -1;
  #asking = false;
  #welcome = null;
  #timer = 0;

  constructor(link, sound, note) {
    this.#link = link;
    this.#sound = sound;
    this.#note = note;
    document.getElementById("say").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#line.addEventListener("input", () => this.#typed());
    this.#line.addEventListener("keydown", (event) => this.#key(event));
    this.#line.addEventListener("blur", () => setTimeout(() => this.#close(), 120));
    link.addEventListener("next", ({ detail }) => this.#offer(detail));
    document.addEventListener("translated", () => this.#suggest());
    this.#keys();
  }

  /** The glasses are there: offer what they can do. */
  greet(welcome) {
    this.#welcome = welcome;
    this.#suggest();
  }

  /** A turn is over: what can be said now may be something else. */
  answered() { this.#link.send("complete", { text: "" }); }

  /** Say a line, as if it had been typed. */
  say(text) { this.#link.send("say", { text }); }

  focus() { this.#line.focus(); }

  #submit() {
    const text = this.#line.value.trim();
    if (!text) return;
    this.#line.value = "";
    this.#close();
    this.say(text);
  }

  // -- what can follow ----------------------------------------------------------------------

  #typed() {
    clearTimeout(this.#timer);
    const text = this.#line.value.slice(0, 200);
    if (!text.trim()) {
      this.#close();
      return;
    }
    this.#timer = setTimeout(() => this.#link.send("complete", { text }), 60);
  }

  #offer({ text, options, asking }) {
    if (asking !== this.#asking) {
      this.#asking = asking;
      this.#suggest();
    }
    if (!text || text !== this.#line.value || document.activeElement !== this.#line) return;
    this.#chosen = -1;
    this.#list.replaceChildren(...options.map((option, index) => {
      const item = document.createElement("li");
      item.id = `option-${index}`;
      item.role = "option";
      item.textContent = option;
      item.setAttribute("aria-selected", "false");
      item.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        this.#take(option);
      });
      return item;
    }));
    this.#list.hidden = options.length === 0;
    this.#line.setAttribute("aria-expanded", String(!this.#list.hidden));
  }

  #key(event) {
    const items = [...this.#list.children];
    if (event.key === "Escape") {
      if (this.#list.hidden) this.#line.blur();
      this.#close();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && items.length) {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.#chosen = (this.#chosen + step + items.length + (this.#chosen < 0 && step < 0 ? 1 : 0))
        % items.length;
      items.forEach((item, index) => {
        item.setAttribute("aria-selected", String(index === this.#chosen));
      });
      items[this.#chosen].scrollIntoView({ block: "nearest" });
      this.#line.setAttribute("aria-activedescendant", items[this.#chosen].id);
    } else if (event.key === "Enter" && this.#chosen >= 0) {
      event.preventDefault();
      this.#take(items[this.#chosen].textContent);
    }
  }

  #take(option) {
    this.#line.value = /[a-z]$/i.test(option) ? `${option} ` : option;
    this.#close();
    this.#typed();
  }

  #close() {
    this.#list.hidden = true;
    this.#list.replaceChildren();
    this.#chosen = -1;
    this.#line.setAttribute("aria-expanded", "false");
    this.#line.removeAttribute("aria-activedescendant");
  }

  // -- sentences to try ---------------------------------------------------------------------

  #suggest() {
    if (!this.#welcome) return;
    const spoken = this.#welcome.language === "auto" ? language : this.#welcome.language;
    if (this.#asking) {
      const answers = spoken === "zh" ? ["确认", "取消"] : ["yes", "no"];
      this.#chips.replaceChildren(...answers.map((text) => this.#chip(text)));
      return;
    }
    const aloud = spoken === "zh" ? [] : this.#welcome.spoken.filter((_, n) => n % 2 === 0);
    const bySkill = new Map();
    for (const { name, examples } of this.#welcome.skills) {
      const skill = name.split(".")[0];
      const [first] = examples[spoken] ?? [];
      if (first && !bySkill.has(skill)) bySkill.set(skill, first);
    }
    this.#chips.replaceChildren(
      ...aloud.slice(0, SPOKEN).map(({ name, text }) => this.#aloud(name, text)),
      ...[...bySkill.values()].slice(0, TYPED + (aloud.length ? 0 : SPOKEN))
        .map((text) => this.#chip(text)),
    );
  }

  #chip(text) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.addEventListener("click", () => this.say(text));
    return button;
  }

  #aloud(name, text) {
    const button = this.#chip(text);
    button.classList.add("aloud");
    const fresh = button.cloneNode(true);  // without the listener that types it
    fresh.addEventListener("click", async () => {
      try {
        const answer = await fetch(`spoken/${name}.flac`);
        await this.#sound.speak(await answer.arrayBuffer());
      } catch {
        this.#note("bad_sound");
      }
    });
    return fresh;
  }

  // -- keys to talk -------------------------------------------------------------------------

  #keys() {
    const hold = document.getElementById("hold"), open = document.getElementById("open-mic");
    const level = document.getElementById("level");
    const down = (on) => this.hold(on);
    hold.addEventListener("pointerdown", (event) => {
      hold.setPointerCapture(event.pointerId);
      down(true);
    });
    for (const kind of ["pointerup", "pointercancel"]) hold.addEventListener(kind, () => down(false));
    hold.addEventListener("contextmenu", (event) => event.preventDefault());
    hold.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.repeat) down(true);
    });
    hold.addEventListener("keyup", (event) => { if (event.key === "Enter") down(false); });
    open.addEventListener("click", () => this.toggleOpen());
    this.#sound.addEventListener("change", () => {
      hold.setAttribute("aria-pressed", String(this.#sound.held));
      open.setAttribute("aria-pressed", String(this.#sound.open));
    });
    let most = 0, shown = 0;
    this.#sound.addEventListener("level", ({ detail }) => {
      most = Math.max(detail, most * 0.85);
      if (detail && performance.now() - shown < LEVEL_MS) return;
      shown = performance.now();
      level.value = detail ? most : 0;
    });
  }

  /** Push to talk, from the button or the space bar. */
  async hold(down) {
    if (down === this.#sound.held) return;
    try {
      await this.#sound.hold(down);
    } catch (error) {
      this.#sound.stop();
      this.#deaf(error);
    }
  }

  async toggleOpen() {
    try {
      await this.#sound.setOpen(!this.#sound.open);
    } catch (error) {
      this.#deaf(error);
    }
  }

  #deaf(error) { this.#note(error.message === "insecure" ? "insecure" : "no_mic"); }
}
