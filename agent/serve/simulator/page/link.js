// The socket to the glasses: JSON for control, binary for sound and pictures. See protocol.py and its messages.

const VERSION = 1;
const SOUND = 1, PICTURE = 2;
const SLOW_BYTES = 64_000;  // two seconds of sound wait for the network: drop what comes now

/** What the other side says arrives as events named after its `type`; `up` and `down` too. */
export class Link extends EventTarget {
  #socket = null;
  #wait_ms = 500;
  #number = 0;

  constructor(pair) {
    super();
    this.pair = pair;
    this.#connect();
  }

  get isUp() { return this.#socket?.readyState === WebSocket.OPEN; }

  #connect() {
    const address = new URL("socket", document.baseURI);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = this.#socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.#wait_ms = 500;
      this.send("hello", { version: VERSION, pair: this.pair });
      this.dispatchEvent(new Event("up"));
    };
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      this.dispatchEvent(new CustomEvent(message.type, { detail: message }));
    };
    socket.onclose = ({ code }) => {
      this.dispatchEvent(new CustomEvent("down", { detail: code }));
      setTimeout(() => this.#connect(), this.#wait_ms);
      this.#wait_ms = Math.min(8_000, this.#wait_ms * 2);
    };
  }

  /** Send a control message; nothing is sent while the socket is down. */
  send(type, fields = {}) {
    if (this.isUp) this.#socket.send(JSON.stringify({ type, ...fields }));
  }

  /** Begin to send sound: its chunks are numbered from 0. */
  listen(on) {
    this.#number = 0;
    this.send("listen", { on });
  }

  /** Send a chunk of 16 kHz samples (Int16Array); one that the network has no room for is lost. */
  sound(samples) {
    const number = this.#number++;
    if (!this.isUp || this.#socket.bufferedAmount > SLOW_BYTES) return;
    this.#binary(SOUND, number, new Uint8Array(samples.buffer, samples.byteOffset,
      samples.byteLength));
  }

  /** Answer a request for a picture with the bytes of a JPEG. */
  picture(request, bytes) {
    if (this.isUp) this.#binary(PICTURE, request, new Uint8Array(bytes));
  }

  #binary(kind, number, bytes) {
    const message = new Uint8Array(5 + bytes.length);
    const head = new DataView(message.buffer);
    head.setUint8(0, kind);
    head.setUint32(1, number);
    message.set(bytes, 5);
    this.#socket.send(message);
  }
}
