// The lens: light at the display's own resolution, added to the world.

const SHARE = 0.84;  // of the stage that the lens takes,
const MOST = 0.97;   // or this much where one of its pixels is then a whole number of the screen's,
const CRISP = 0.72;  // unless it gets smaller than this share of what it may be
const GLOW = "blur(8px) brightness(1.3)";

/** Draws what changed, and says in words what is there. */
export class Lens {
  #light = document.getElementById("light");
  #bloom = document.getElementById("bloom");
  #frame = document.getElementById("lens");
  #rows = document.getElementById("rows");
  #grey = document.createElement("canvas");  // as it came
  #queue = Promise.resolve();
  #tint = "rgb(255 255 255)";
  #gain = 1;

  constructor(stage) {
    this.stage = stage;
    new ResizeObserver(() => this.#fit()).observe(stage);
  }

  /** Become the lens of a profile. */
  become(profile) {
    this.#tint = `rgb(${profile.tint.join(" ")})`;
    document.documentElement.style.setProperty("--lens", this.#tint);
    if (this.#light.width !== profile.width_px || this.#light.height !== profile.height_px) {
      for (const canvas of [this.#grey, this.#light, this.#bloom]) {
        canvas.width = profile.width_px;
        canvas.height = profile.height_px;
      }
    }
    this.#blacken();
    this.#fit();
    this.#compose();
  }

  /** Be so bright to an eye that has adapted to what is around it. */
  set gain(gain) {
    if (gain === this.#gain) return;
    this.#gain = gain;
    this.#compose();
  }

  /** Show a message of the glasses. Pictures are decoded one after the other, in order. */
  show(message) {
    this.#queue = this.#queue.then(() => this.#draw(message)).catch(() => {});
  }

  /** Do something that may wait for what is to be shown. */
  after(does) { this.#queue.then(does); }

  async #draw({ x, y, png, whole, rows, listening }) {
    const image = png ? await decoded(png) : null;
    if (whole) this.#blacken();
    if (image) this.#grey.getContext("2d").drawImage(image, x, y);
    if (image || whole) this.#compose();
    image?.close();
    this.#say(rows);
    document.body.classList.toggle("listening", listening);
    performance.mark("lens", { detail: rows });
  }

  #blacken() {
    const grey = this.#grey.getContext("2d");
    grey.fillStyle = "black";  // which is no light
    grey.fillRect(0, 0, this.#grey.width, this.#grey.height);
  }

  /** Light of one colour, and the glow around it. Drawn here, since a filter on the page would be
      worked out anew whenever anything moves behind it. */
  #compose() {
    const { width, height } = this.#grey;
    if (!width || !height) return;
    const bright = `brightness(${this.#gain.toFixed(2)})`;
    for (const [canvas, filter] of [[this.#light, bright], [this.#bloom, `${bright} ${GLOW}`]]) {
      const context = canvas.getContext("2d");
      context.globalCompositeOperation = "copy";
      context.filter = filter;
      context.drawImage(this.#grey, 0, 0);
      context.filter = "none";
      context.globalCompositeOperation = "multiply";
      context.fillStyle = this.#tint;
      context.fillRect(0, 0, width, height);
    }
  }

  #say(rows) {
    const text = rows.map((row) => row.trim()).filter(Boolean);
    if (text.join("\n") === [...this.#rows.children].map((row) => row.textContent).join("\n")) {
      return;  // not read out again for the mark of an open microphone
    }
    this.#rows.replaceChildren(...text.map((row) => {
      const line = document.createElement("p");
      line.textContent = row;
      return line;
    }));
  }

  #fit() {
    const { width, height } = this.#light;
    const dots = window.devicePixelRatio || 1;
    const room = dots * Math.min(this.stage.clientWidth / width, this.stage.clientHeight / height);
    const scale = SHARE * room;
    const whole = Math.floor(MOST * room);
    const crisp = whole >= 1 && whole > CRISP * scale;
    const shown = (crisp ? whole : scale) / dots;
    this.#frame.style.setProperty("width", `${width * shown}px`);
    this.#frame.style.setProperty("height", `${height * shown}px`);
    this.#frame.classList.toggle("crisp", crisp);
  }
}

function decoded(base64) {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  return createImageBitmap(new Blob([bytes], { type: "image/png" }));
}
