// Sound of any rate to 16 kHz, as a stream: a windowed sinc (Blackman, 32 zero crossings a side)
// that is flat up to 6.5 kHz and lets through less than -70 dB of what would fold back from 8 kHz.

export const RATE_HZ = 16_000;
const CROSSINGS = 32;
const PHASES = 256;
const PASS = 0.9;  // of the lower of both Nyquist frequencies

/** Resamples blocks of float samples; `feed` returns what is ready. */
export class Resampler {
  #step; #half; #table; #width;
  #kept; #at;

  constructor(rateHz) {
    this.#step = rateHz / RATE_HZ;
    const cutoff = PASS * Math.min(1, 1 / this.#step);  // of the input's Nyquist frequency
    this.#half = Math.ceil(CROSSINGS / cutoff);
    this.#width = 2 * this.#half;
    this.#table = kernel(cutoff, this.#half);
    this.#kept = new Float32Array(this.#half);  // silence before the first sample
    this.#at = this.#half;
  }

  feed(block) {
    const sound = new Float32Array(this.#kept.length + block.length);
    sound.set(this.#kept);
    sound.set(block, this.#kept.length);
    const out = [];
    while (Math.floor(this.#at) + this.#half < sound.length) {
      out.push(this.#sample(sound));
      this.#at += this.#step;
    }
    const from = Math.max(0, Math.floor(this.#at) - this.#half);
    this.#kept = sound.slice(from);
    this.#at -= from;
    return out;
  }

  #sample(sound) {
    const whole = Math.floor(this.#at);
    const phase = (this.#at - whole) * PHASES;
    const below = Math.floor(phase), share = phase - below;
    const first = below * this.#width, second = first + this.#width;
    let sum = 0;
    for (let tap = 0, from = whole - this.#half + 1; tap < this.#width; tap++) {
      const weight = this.#table[first + tap] * (1 - share) + this.#table[second + tap] * share;
      sum += weight * sound[from + tap];
    }
    return sum;
  }
}

/** Weights of the taps for each phase between two input samples, each set adding up to 1. */
function kernel(cutoff, half) {
  const width = 2 * half;
  const table = new Float32Array((PHASES + 1) * width);
  for (let phase = 0; phase <= PHASES; phase++) {
    const offset = phase / PHASES;
    let sum = 0;
    for (let tap = 0; tap < width; tap++) {
      const x = tap - half + 1 - offset;
      const turn = Math.PI * x / half;
      const window = Math.abs(x) >= half ? 0 : 0.42 + 0.5 * Math.cos(turn) + 0.08 * Math.cos(2 * turn);
      const value = window * (x === 0 ? 1 : Math.sin(Math.PI * cutoff * x) / (Math.PI * cutoff * x));
      table[phase * width + tap] = value;
      sum += value;
    }
    for (let tap = 0; tap < width; tap++) table[phase * width + tap] /= sum;
  }
  return table;
}

/** Floats of full scale 1 to 16 bits; what is too loud is clipped. */
export function toInt16(samples) {
  const out = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i++) {
    out[i] = Math.max(-32_768, Math.min(32_767, Math.round(samples[i] * 32_767)));
  }
  return out;
}
