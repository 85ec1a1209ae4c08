// Runs on the browser's audio thread: the microphone's sound in chunks of 20 ms at 16 kHz.

import { Resampler, toInt16 } from "./resample.js";

const CHUNK = 320;

class Capture extends AudioWorkletProcessor {
  #resampler = new Resampler(sampleRate);
  #waiting = [];

  process([channels]) {
    const sound = channels[0];
    if (sound === undefined) return true;  // nothing is connected yet
    this.#waiting.push(...this.#resampler.feed(sound));
    while (this.#waiting.length >= CHUNK) {
      const chunk = this.#waiting.splice(0, CHUNK);
      const peak = chunk.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
      const samples = toInt16(chunk);
      this.port.postMessage({ samples, peak }, [samples.buffer]);
    }
    return true;
  }
}

registerProcessor("capture", Capture);
