// Sessions: write one down, replay one; sound files; the same glasses on another screen.

import { t } from "./words.js";

const by = (id) => document.getElementById(id);

export class Sessions {
  #link; #sound; #note;
  #recording = false;
  replaying = false;

  constructor(link, sound, note) {
    this.#link = link;
    this.#sound = sound;
    this.#note = note;
    by("record").addEventListener("click", () => {
      by("recorded").hidden = true;
      link.send("record", { on: !this.#recording });
    });
    link.addEventListener("recorded", ({ detail }) => {
      by("recorded").href = `recording/${detail.key}`;
      by("recorded").hidden = false;
      by("recorded").focus();
    });
    by("recorded").addEventListener("click", () => setTimeout(() => { by("recorded").hidden = true; }));
    by("session-file").addEventListener("change", ({ target }) => this.#take(target));
    by("sound-file").addEventListener("change", ({ target }) => this.#take(target));
    by("end-replay").addEventListener("click", () => link.send("end_replay"));
    link.addEventListener("replay", ({ detail }) => this.#progress(detail));
    by("copy").addEventListener("click", async () => {
      by("share").select();
      try {
        await navigator.clipboard.writeText(by("share").value);
        note("copied", "", "good");
      } catch {
        document.execCommand("copy");
      }
    });
    document.addEventListener("translated", () => this.show({ recording: this.#recording }));
    const address = new URL(location.href);
    address.searchParams.set("pair", link.pair);
    by("share").value = address;
  }

  show({ recording }) {
    this.#recording = recording;
    by("record").setAttribute("aria-pressed", String(recording));
    by("record").textContent = t(recording ? "stop_record" : "record");
    document.body.classList.toggle("recording", recording);
  }

  /** Take a file that was chosen or dropped: a session or a sound. */
  async take(file) {
    if (file.name.endsWith(".jsonl")) {
      const answer = await fetch(`session/${this.#link.pair}`, { method: "POST", body: file });
      if (!answer.ok) this.#note("broken", await answer.text());
      return;
    }
    try {
      await this.#sound.speak(await file.arrayBuffer());
    } catch {
      this.#note("bad_sound");
    }
  }

  #take(input) {
    const [file] = input.files;
    input.value = "";
    if (file) this.take(file);
  }

  #progress({ done, total, running, differences }) {
    this.replaying = running;
    document.body.classList.toggle("replaying", running);
    by("end-replay").hidden = by("replay-progress").hidden = !running;
    by("replay-progress").max = Math.max(1, total);
    by("replay-progress").value = done;
    if (running) {
      by("replay-result").replaceChildren();
      return;
    }
    const lines = done < total ? [t("stopped")]
      : differences.length ? [t("differs"), ...differences] : [t("same")];
    by("replay-result").replaceChildren(...lines.map((text) => {
      const item = document.createElement("li");
      item.textContent = text;
      return item;
    }));
  }
}
