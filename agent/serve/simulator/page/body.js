// The body and what surrounds it: gestures, light, warmth, two cells, and the link.

import { t } from "./words.js";

const by = (id) => document.getElementById(id);

export class Body {
  #link; #world; #lens;
  #up = false;
  #watch = null;
  #still = null;
  #state = { cells: [1, 1], temperature_c: 30, lux: 300, walking: false, lost: false, on: false };

  constructor(link, world, lens) {
    this.#link = link;
    this.#world = world;
    this.#lens = lens;
    for (const button of document.querySelectorAll("[data-gesture]")) {
      button.addEventListener("click", () => this.gesture(button.dataset.gesture));
    }
    by("glance").addEventListener("click", () => this.glance());
    by("walk").addEventListener("click", () => this.walk());
    by("link").addEventListener("click", () => link.send("link", { lost: !this.#state.lost }));
    by("lux").addEventListener("input", () => this.#light(10 ** Number(by("lux").value)));
    by("position").addEventListener("click", () => this.#locate());
    by("heat").addEventListener("input", () => {
      const celsius = Number(by("heat").value);
      by("heat-out").value = `${celsius} °C`;
      link.send("temperature", { celsius });
    });
    this.#cells();
    document.addEventListener("translated", () => this.show(this.#state));
  }

  gesture(name) {
    this.#link.send("gesture", { name });
    document.querySelector(`[data-gesture=${name}]`)?.animate(
      [{ opacity: 0.4 }, { opacity: 1 }], { duration: 300 });
  }

  glance() {
    this.#up = !this.#up;
    by("glance").setAttribute("aria-pressed", String(this.#up));
    document.body.classList.toggle("up", this.#up);
    this.#link.send("gesture", { name: this.#up ? "glance" : "lower" });
  }

  walk() { this.#link.send("walk", { on: !this.#state.walking }); }

  /** Another world has another light. */
  newWorld() {
    if (this.#world.lux !== undefined) this.#light(this.#world.lux);
    this.#expose(this.#state.lux);
  }

  /** Tell where this device is, until the button is pressed again; also while it lies still. */
  #locate() {
    const on = this.#watch === null;
    by("position").setAttribute("aria-pressed", String(on));
    if (!on) {
      navigator.geolocation.clearWatch(this.#watch);
      clearInterval(this.#still);
      this.#watch = null;
      this.#link.send("position", { lat: null, lon: null, heading: null, accuracy: 0 });
      return;
    }
    let last = null;
    this.#still = setInterval(() => last && this.#link.send("position", last), 20_000);
    this.#watch = navigator.geolocation.watchPosition(({ coords }) => {
      const known = coords.heading !== null && !Number.isNaN(coords.heading);
      last = {
        lat: coords.latitude, lon: coords.longitude,
        heading: known ? coords.heading : null, accuracy: Math.min(1e7, coords.accuracy),
      };
      this.#link.send("position", last);
    }, (error) => error.code === error.PERMISSION_DENIED && this.#watch !== null && this.#locate(), { enableHighAccuracy: true, maximumAge: 0 });
  }

  #light(lux) {
    this.#link.send("light", { lux });
    this.#showLight(lux);
  }

  #showLight(lux) {
    by("lux").value = Math.log10(Math.max(1, lux));
    const shown = lux >= 1000 ? `${Math.round(lux / 100) / 10} k${t("lux")}` : `${Math.round(lux)} ${t("lux")}`;
    by("lux-out").value = shown;
    by("lux").setAttribute("aria-valuetext", shown);
    this.#expose(lux);
  }

  /** What is lit less than its picture was drawn for looks darker: a decade is a stop and a half. */
  #expose(lux) {
    const drawn = this.#world.lux ?? 300;
    const decades = Math.log10((lux + 1) / (drawn + 1));
    const exposure = Math.min(1.6, Math.max(0.18, 2 ** (0.75 * decades)));
    // The eye adapts: by night little light of the lens is much, in the sun all of it is little.
    const gain = Math.min(2.6, Math.max(0.95, (300 / Math.max(1, lux)) ** 0.24));
    this.#lens.gain = gain;
    const filter = Math.abs(exposure - 1) < 0.03 ? "none" : `brightness(${exposure.toFixed(2)})`;
    document.documentElement.style.setProperty("--exposure", filter);
  }

  /** Show how things are, whoever changed them. */
  show(state) {
    this.#state = state;
    this.#showLight(state.lux);
    by("heat").value = state.temperature_c;
    by("heat-out").value = `${Math.round(state.temperature_c)} °C`;
    by("walk").setAttribute("aria-pressed", String(state.walking));
    by("link").setAttribute("aria-pressed", String(!state.lost));
    document.body.classList.toggle("walking", state.walking);
    document.body.classList.toggle("lost", state.lost);
    document.body.classList.toggle("off", !state.on);
    document.querySelectorAll(".cell").forEach((cell, index) => {
      const level = state.cells[index];
      const there = level !== null && level !== undefined;
      cell.classList.toggle("empty", !there);
      cell.classList.toggle("low", there && level <= 0.15);
      const [label, slider, out, button] = cell.children;
      label.textContent = `${t("cell")} ${index + 1}`;
      slider.setAttribute("aria-label", `${t("charge")} ${index + 1}`);
      slider.disabled = !there;
      if (there) slider.value = level;
      out.value = there ? `${Math.round(100 * level)} %` : t("out");
      cell.style.setProperty("--level", there ? level : 0);
      button.textContent = t(there ? "take_out" : "put_in");
    });
  }

  #cells() {
    document.querySelectorAll(".cell").forEach((cell, index) => {
      const label = document.createElement("span");
      const slider = document.createElement("input");
      Object.assign(slider, { type: "range", min: 0, max: 1, step: 0.01 });
      slider.addEventListener("input", () => {
        this.#link.send("cell", { index, level: Number(slider.value) });
      });
      const button = document.createElement("button");
      button.type = "button";
      button.addEventListener("click", () => {
        const there = this.#state.cells[index] !== null;
        this.#link.send("cell", { index, level: there ? null : 0.9 });
      });
      cell.append(label, slider, document.createElement("output"), button);
    });
  }
}
