// The world behind the lens: a drawn street, the webcam, or a photo; and pictures of it.

import { drawStreet, LUX } from "./scenes.js";

const PICTURE = { wide: 1280, high: 960, most: 1_000_000 };

export class World {
  #scene = document.getElementById("scene");
  #webcam = document.getElementById("webcam");
  #photo = document.getElementById("photo");
  #box = document.getElementById("world");
  #stream = null;
  kind = "dusk";

  constructor() {
    new ResizeObserver(() => this.#paint()).observe(this.#box);
  }

  /** The light that goes with this world, in lux; nothing for pictures of who knows what. */
  get lux() { return LUX[this.kind]; }

  /** Show a street of this name, or the webcam. Rejects where there is no webcam. */
  async show(kind) {
    if (kind === "webcam") {
      this.#stream ??= await navigator.mediaDevices.getUserMedia({
        video: { facingMode: "environment", width: { ideal: 1280 } },
      });
      this.#webcam.srcObject = this.#stream;
      await this.#webcam.play();
    } else {
      this.#stream?.getTracks().forEach((track) => track.stop());
      this.#stream = null;
    }
    this.#become(kind);
  }

  /** Show a picture from a file. Rejects where it is none. */
  async showPhoto(file) {
    const address = URL.createObjectURL(file);
    this.#photo.src = address;
    try {
      await this.#photo.decode();
    } finally {
      URL.revokeObjectURL(address);
    }
    await this.show("photo");
  }

  /** A JPEG of what is there now, as bytes. */
  async picture() {
    const canvas = document.createElement("canvas");
    canvas.width = PICTURE.wide;
    canvas.height = PICTURE.high;
    const [source, wide, high] = this.#source();
    const scale = Math.max(canvas.width / wide, canvas.height / high);
    canvas.getContext("2d").drawImage(source, (canvas.width - wide * scale) / 2,
      (canvas.height - high * scale) / 2, wide * scale, high * scale);
    for (const quality of [0.85, 0.6, 0.3]) {
      const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
      if (blob && blob.size <= PICTURE.most) return blob.arrayBuffer();
    }
    throw new Error("the picture is too large");
  }

  #source() {
    if (this.kind === "webcam") {
      return [this.#webcam, this.#webcam.videoWidth, this.#webcam.videoHeight];
    }
    if (this.kind === "photo") {
      return [this.#photo, this.#photo.naturalWidth, this.#photo.naturalHeight];
    }
    return [this.#scene, this.#scene.width, this.#scene.height];
  }

  #become(kind) {
    this.kind = kind;
    this.#webcam.hidden = kind !== "webcam";
    this.#photo.hidden = kind !== "photo";
    this.#scene.hidden = !(kind in LUX);
    this.#paint();
  }

  #paint() {
    const dots = Math.min(2, window.devicePixelRatio || 1);
    const wide = Math.round(this.#box.clientWidth * dots);
    const high = Math.round(this.#box.clientHeight * dots);
    if (!(this.kind in LUX) || !wide || !high) return;
    const name = `${this.kind} ${wide} ${high}`;
    if (this.#scene.dataset.drawn === name) return;
    this.#scene.dataset.drawn = name;
    this.#scene.width = wide;
    this.#scene.height = high;
    drawStreet(this.#scene, this.kind);
  }
}
