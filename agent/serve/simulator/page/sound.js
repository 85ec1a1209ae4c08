// The page's microphone: open, held, or a sound file in its place.

import { RATE_HZ, toInt16 } from "./resample.js";

const CHUNK = 320, CHUNK_MS = 20;
const PREROLL = 10;        // chunks from before the key was pressed: people press as they begin
const TAIL_MS = 300;       // sound after it was let go, so that the last consonant is in
const ASLEEP_MS = 60_000;  // the browser's microphone is let go when it was of no use for so long

/** Sends sound to the glasses. `level` (0 … 1) and `change` are its events. */
export class Sound extends EventTarget {
  #link;
  #context = null;
  #stream = null;
  #recent = [];
  #sending = false;
  #tail = 0;
  #asleep = 0;
  #file = null;
  open = false;
  held = false;

  constructor(link) {
    super();
    this.#link = link;
    link.addEventListener("up", () => {
      if (this.#sending) link.listen(true);  // its chunks begin at 0 again
    });
  }

  /** Whether the browser gives this page a microphone at all. */
  get possible() { return Boolean(navigator.mediaDevices?.getUserMedia && window.AudioWorklet); }

  /** Open the microphone, or close it. Rejects where there is none. */
  async setOpen(on) {
    if (on) await this.#wake();
    this.open = on;
    this.#decide();
  }

  /** Push to talk. Rejects where there is no microphone. */
  async hold(down) {
    this.held = down;
    this.#changed();
    if (down) {
      await this.#wake();
      if (!this.held) return;  // let go while the browser asked for permission
      clearTimeout(this.#tail);
      const before = this.#sending ? [] : this.#recent.splice(0);
      this.#decide();
      this.#link.send("hold", { down: true });
      for (const samples of before) this.#link.sound(samples);
    } else {
      this.#link.send("hold", { down: false });
      clearTimeout(this.#tail);
      this.#tail = setTimeout(() => this.#decide(), TAIL_MS);
    }
  }

  /** Let go of everything, as when another page wears the glasses. */
  stop() {
    this.open = this.held = false;
    this.#file = null;
    this.#decide();
  }

  /** Play a sound file into the microphone, in time. Rejects where it is none. */
  async speak(bytes) {
    const samples = toInt16(await decoded(bytes));
    const file = this.#file = {};
    this.#decide();
    const began = performance.now();
    for (let at = 0, n = 1; at < samples.length && this.#file === file; at += CHUNK, n++) {
      const chunk = new Int16Array(CHUNK);
      chunk.set(samples.subarray(at, at + CHUNK));
      this.#send(chunk, chunk.reduce((most, s) => Math.max(most, Math.abs(s)), 0) / 32_768);
      await until(began + n * CHUNK_MS);
    }
    if (this.#file === file) this.#file = null;
    this.#decide();
  }

  async #wake() {
    clearTimeout(this.#asleep);
    if (this.#stream) return;
    if (!this.possible) throw new Error("insecure");
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: {
        channelCount: 1, echoCancellation: true, noiseSuppression: false, autoGainControl: false,
      },
    });
    const context = new AudioContext({ latencyHint: "interactive" });
    await context.audioWorklet.addModule(new URL("worklet.js", import.meta.url));
    await context.resume();
    const capture = new AudioWorkletNode(context, "capture");
    capture.port.onmessage = ({ data }) => this.#captured(data);
    context.createMediaStreamSource(stream).connect(capture).connect(context.destination);
    stream.getAudioTracks()[0].onended = () => this.#sleep();
    this.#stream = stream;
    this.#context = context;
  }

  #sleep() {
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#context?.close();
    this.#stream = this.#context = null;
    this.#recent = [];
    this.open = this.held = false;
    this.#decide();
  }

  #captured({ samples, peak }) {
    if (this.#file) return;  // a file is in its place
    if (this.#sending) {
      this.#send(samples, peak);
    } else {
      this.#recent.push(samples);
      if (this.#recent.length > PREROLL) this.#recent.shift();
    }
  }

  #send(samples, peak) {
    this.#link.sound(samples);
    if (peak > 0.02) performance.mark("loud");
    this.dispatchEvent(new CustomEvent("level", { detail: peak }));
  }

  #decide() {
    const wanted = this.open || this.held || this.#file !== null;
    if (wanted !== this.#sending) {
      this.#sending = wanted;
      this.#link.listen(wanted);
      clearTimeout(this.#asleep);
      if (!wanted) {
        this.dispatchEvent(new CustomEvent("level", { detail: 0 }));
        this.#asleep = setTimeout(() => this.#sleep(), ASLEEP_MS);
      }
    }
    this.#changed();
  }

  #changed() { this.dispatchEvent(new Event("change")); }
}

/** All of a sound file as floats at 16 kHz, mono. */
async function decoded(bytes) {
  const found = await new OfflineAudioContext(1, 1, RATE_HZ).decodeAudioData(bytes);
  const length = Math.ceil(found.duration * RATE_HZ);
  const context = new OfflineAudioContext(1, length, RATE_HZ);
  const source = context.createBufferSource();
  source.buffer = found;
  source.connect(context.destination);
  source.start();
  return (await context.startRendering()).getChannelData(0);
}

const until = (at) => new Promise((done) => setTimeout(done, Math.max(0, at - performance.now())));
