// A street, drawn by the page itself: one point of perspective, haze, and lamps at night.

const TIMES = {
  day: {
    lux: 20_000,
    sky: ["#5f93bd", "#9cc0d6", "#d5e3e4", "#eef0e8"],
    haze: [226, 232, 228], near: [120, 116, 110], road: ["#c9cbc7", "#6b6c6b"],
    walk: ["#dedcd2", "#a09c92"], windows: [[70, 88, 100], [96, 118, 130]], lit: 0.04,
    lamp: null, sun: ["rgb(255 250 230 / .85)", "rgb(255 246 214 / 0)"], leaf: [86, 118, 78],
    shadow: 0.16, stars: false, dark: 0.5,
  },
  dusk: {
    lux: 120,
    sky: ["#141b38", "#3a3560", "#96587a", "#f0a06f"],
    haze: [196, 122, 108], near: [30, 27, 42], road: ["#8d5f66", "#17161f"],
    walk: ["#a5737a", "#26232f"], windows: [[34, 34, 52], [52, 46, 66]], lit: 0.4,
    lamp: [255, 196, 120], sun: ["rgb(255 210 150 / .95)", "rgb(255 150 90 / 0)"],
    leaf: [28, 32, 40], shadow: 0.3, stars: false, dark: 0.52,
  },
  night: {
    lux: 4,
    sky: ["#02040a", "#060b18", "#0d1526", "#1b2438"],
    haze: [30, 38, 58], near: [9, 11, 17], road: ["#1d2436", "#07090e"],
    walk: ["#252c3e", "#0c0e15"], windows: [[14, 18, 28], [19, 24, 36]], lit: 0.24,
    lamp: [255, 190, 116], sun: null, leaf: [10, 14, 18], shadow: 0.3, stars: true, dark: 0.28,
  },
};

export const LUX = Object.fromEntries(Object.entries(TIMES).map(([name, { lux }]) => [name, lux]));

const EYE_M = 1.65, ROAD_M = 4.2, WALK_M = 7.6, FAR_M = 150;

/** Draw the street into a canvas, at whatever size that has. */
export function drawStreet(canvas, time) {
  const look = TIMES[time];
  const context = canvas.getContext("2d");
  const { width, height } = canvas;
  const random = seeded(7);
  const view = {
    x: width * 0.53, y: height * 0.57, focal: Math.max(width * 0.62, height * 0.9),
    at(x_m, y_m, z_m) {
      return [this.x + (x_m / z_m) * this.focal, this.y - ((y_m - EYE_M) / z_m) * this.focal];
    },
  };
  sky(context, view, width, height, look, random);
  skyline(context, view, width, look, random);
  ground(context, view, width, height, look);
  street(context, view, look, random);
  haze(context, view, width, height, look);
  if (look.lamp) reflections(context, view, width, height, look);
  dim(context, view, width, height, look);
  soften(canvas, context);
  grain(context, width, height, random);
}

function sky(context, view, width, height, look, random) {
  const paint = context.createLinearGradient(0, 0, 0, view.y + height * 0.02);
  look.sky.forEach((colour, index) => paint.addColorStop([0, 0.42, 0.8, 1][index], colour));
  context.fillStyle = paint;
  context.fillRect(0, 0, width, height);
  if (look.stars) {
    for (let n = 0; n < 130; n++) {
      const size = 0.4 + random() * 1.1;
      context.fillStyle = `rgb(220 228 255 / ${0.1 + 0.5 * random() ** 3})`;
      context.beginPath();
      context.arc(random() * width, random() ** 1.4 * view.y * 0.85, size, 0, 7);
      context.fill();
    }
  }
  context.save();
  context.filter = `blur(${Math.round(height / 60)}px)`;
  for (let n = 0; n < 9; n++) {
    const y = view.y * (0.1 + 0.7 * random());
    context.fillStyle = rgb(look.haze, time_alpha(look) * (0.05 + 0.16 * random()));
    ellipse(context, random() * width, y, width * (0.1 + 0.2 * random()), height * 0.016);
  }
  context.restore();
  if (look.sun) {
    const glow = context.createRadialGradient(view.x, view.y, 0, view.x, view.y, height * 0.62);
    glow.addColorStop(0, look.sun[0]);
    glow.addColorStop(0.16, look.sun[0].replace(/[.\d]+\)$/, ".34)"));
    glow.addColorStop(1, look.sun[1]);
    context.fillStyle = glow;
    context.fillRect(0, 0, width, height);
  }
}

const time_alpha = (look) => (look.stars ? 0.7 : 1);

function skyline(context, view, width, look, random) {
  for (const [depth, tall, share] of [[0.06, 0.13, 0.12], [0.03, 0.085, 0.3]]) {
    context.fillStyle = rgb(mix(look.haze, look.near, share));
    for (let x = -20; x < width + 20;) {
      const wide = width * (0.018 + 0.04 * random());
      const near = 1 - Math.min(1, Math.abs(x - view.x) / (width * 0.5));
      const high = width * (depth * 0.4 + tall * random()) * (0.45 + 0.55 * (1 - near));
      context.fillRect(x, view.y - high, wide + 1, high + 4);
      if (random() > 0.78) context.fillRect(x + wide / 2, view.y - high * 1.25, 2, high * 0.3);
      x += wide;
    }
  }
}

function ground(context, view, width, height, look) {
  const paint = ([far, near]) => {
    const made = context.createLinearGradient(0, view.y, 0, height);
    made.addColorStop(0, far);
    made.addColorStop(0.75, near);
    return made;
  };
  context.fillStyle = paint(look.walk);
  context.fillRect(0, view.y, width, height - view.y);
  context.fillStyle = paint(look.road);
  quad(context, [view.at(-ROAD_M, 0, FAR_M), view.at(ROAD_M, 0, FAR_M),
    view.at(ROAD_M, 0, 1.2), view.at(-ROAD_M, 0, 1.2)]);
  const chalk = look.lamp ? "rgb(210 206 214 / .34)" : "rgb(250 250 246 / .8)";
  context.fillStyle = chalk;
  for (let z = 9; z < 90; z += 7) stripe(context, view, -0.09, 0.09, z, z + 3.4);
  for (let x = -ROAD_M + 0.4; x < ROAD_M - 0.3; x += 0.95) {
    stripe(context, view, x, x + 0.52, 4.9, 5.75);
  }
  for (const side of [-1, 1]) {
    context.fillStyle = look.lamp ? "rgb(255 255 255 / .07)" : "rgb(255 255 255 / .5)";
    stripe(context, view, side * ROAD_M, side * (ROAD_M + 0.16), 1.2, FAR_M);
    context.strokeStyle = "rgb(0 0 0 / .12)";
    for (let z = 3; z < 60; z *= 1.16) {
      line(context, view.at(side * (ROAD_M + 0.2), 0, z), view.at(side * WALK_M, 0, z));
    }
  }
}

function street(context, view, look, random) {
  const houses = [];
  for (const side of [-1, 1]) {
    for (let z = 5.5; z < FAR_M;) {
      const long = 8 + random() * 9;
      houses.push({ side, z, long, floors: 3 + Math.floor(random() * 4), hue: random(),
        shop: random() > 0.25, roof: random() });
      z += long;
    }
  }
  const things = [
    ...houses.map((house) => ({ z: house.z + house.long, draw: () => facade(context, view, look, house, random) })),
  ];
  for (let z = 11, n = 0; z < 110; z += 12, n++) {
    things.push({ z: z + 0.2, draw: () => lamp(context, view, look, n % 2 ? 1 : -1, z) });
    things.push({ z: z + 6, draw: () => tree(context, view, look, n % 2 ? -1 : 1, z + 6, random) });
  }
  for (const [x, z, towards] of [[-2.1, 26, true], [2.2, 38, false], [-2.2, 62, true], [2.1, 84, false]]) {
    things.push({ z, draw: () => car(context, view, look, x, z, towards) });
  }
  for (const [x, z, tall] of [[5.9, 14, 1.78], [-5.4, 20, 1.7], [-6.1, 20.6, 1.62], [6.3, 33, 1.75], [5.3, 47, 1.7]]) {
    things.push({ z, draw: () => walker(context, view, look, x, z, tall) });
  }
  things.sort((a, b) => b.z - a.z);
  for (const thing of things) thing.draw();
}

function facade(context, view, look, { side, z, long, floors, hue, shop, roof }, random) {
  const x = side * WALK_M;
  const high = 4.3 + floors * 3.1 + roof;
  const far = Math.min(1, z / 95) ** 0.6;
  const tone = mix(look.near, [look.near[0] + 26, look.near[1] + 14, look.near[2] + 4], hue);
  const wall = mix(tone, look.haze, far * 0.92);
  const end = z + long;
  const [, top] = view.at(x, high, z), [, foot] = view.at(x, 0, z);
  const paint = context.createLinearGradient(0, top, 0, foot);
  paint.addColorStop(0, rgb(mix(wall, look.haze, look.lamp ? 0.06 : 0.02)));
  paint.addColorStop(1, rgb(mix(wall, [0, 0, 0], look.shadow)));
  context.fillStyle = paint;
  quad(context, [view.at(x, high, z), view.at(x, high, end), view.at(x, 0, end), view.at(x, 0, z)]);
  context.fillStyle = rgb(mix(wall, look.haze, 0.25), 0.55);  // the cornice
  quad(context, [view.at(x, high, z), view.at(x, high, end), view.at(x, high - 0.3, end), view.at(x, high - 0.3, z)]);
  const bays = Math.max(3, Math.round(long / 2.3));
  for (let floor = 0; floor < floors; floor++) {
    for (let bay = 0; bay < bays; bay++) {
      const from = z + ((bay + 0.24) / bays) * long, to = z + ((bay + 0.76) / bays) * long;
      const low = 4.6 + floor * 3.1, up = low + 1.75;
      const warm = random() < look.lit;
      const pane = warm ? mix([255, 196, 118], [255, 226, 176], random()) : mix(look.windows[0], look.windows[1], random());
      context.fillStyle = rgb(mix(pane, look.haze, far * (warm ? 0.55 : 0.9)), warm ? 0.9 : 0.8);
      quad(context, [view.at(x, up, from), view.at(x, up, to), view.at(x, low, to), view.at(x, low, from)]);
    }
  }
  if (shop) front(context, view, look, x, z, end, far, hue, random);
}

function front(context, view, look, x, z, end, far, hue, random) {
  const glow = look.lamp ? mix([255, 206, 138], [190, 226, 255], hue > 0.7 ? 0.8 : 0.1) : mix(look.windows[0], [255, 255, 255], 0.12);
  const awning = [[150, 62, 54], [56, 92, 88], [176, 142, 84], [70, 74, 110]][Math.floor(hue * 4)];
  const from = z + 0.7, to = end - 0.7;
  const inside = mix(glow, look.haze, far * 0.6);
  const [, high] = view.at(x, 2.9, from), [, low] = view.at(x, 0.5, from);
  const paint = context.createLinearGradient(0, high, 0, low);
  paint.addColorStop(0, rgb(inside, look.lamp ? 0.92 : 0.75));
  paint.addColorStop(0.5, rgb(mix(inside, look.near, look.lamp ? 0.25 : 0.1), look.lamp ? 0.88 : 0.75));
  paint.addColorStop(1, rgb(mix(inside, look.near, look.lamp ? 0.72 : 0.4), 0.9));
  context.fillStyle = paint;
  quad(context, [view.at(x, 2.9, from), view.at(x, 2.9, to), view.at(x, 0.5, to), view.at(x, 0.5, from)]);
  for (let at = from + 0.3; at < to - 0.6;) {  // what is in the window
    const wide = 0.18 + random() * 0.5, top = 0.7 + random() ** 2 * 1.2;
    context.fillStyle = rgb(mix(look.near, inside, 0.22), 0.4 * (1 - far * 0.6));
    quad(context, [view.at(x, top, at), view.at(x, top, at + wide), view.at(x, 0.5, at + wide), view.at(x, 0.5, at)]);
    at += wide + random() * 0.5;
  }
  context.fillStyle = rgb(mix(look.near, look.haze, far), 0.9);
  for (let at = from; at < to; at += 1.9) {
    quad(context, [view.at(x, 2.9, at), view.at(x, 2.9, at + 0.12), view.at(x, 0.5, at + 0.12), view.at(x, 0.5, at)]);
  }
  const shade = mix(mix(awning, look.near, look.lamp ? 0.62 : 0.1), look.haze, far * 0.8);
  context.fillStyle = rgb(shade);
  const out = x - Math.sign(x) * 1.1;
  quad(context, [view.at(x, 3.3, from), view.at(x, 3.3, to), view.at(out, 2.65, to), view.at(out, 2.65, from)]);
  context.fillStyle = rgb(mix(shade, [0, 0, 0], 0.35));
  quad(context, [view.at(out, 2.65, from), view.at(out, 2.65, to), view.at(out, 2.45, to), view.at(out, 2.45, from)]);
  if (look.lamp) {  // its light on the pavement
    context.save();
    context.globalCompositeOperation = "lighter";
    context.fillStyle = rgb(glow, 0.08 * (1 - far));
    quad(context, [view.at(x, 0, from), view.at(x, 0, to), view.at(x - Math.sign(x) * 2.6, 0, to + 0.8), view.at(x - Math.sign(x) * 2.6, 0, from - 0.6)]);
    context.restore();
  }
}

function lamp(context, view, look, side, z) {
  const x = side * (ROAD_M + 0.7), far = Math.min(1, z / 95) ** 0.6;
  context.strokeStyle = rgb(mix(look.lamp ? [8, 8, 12] : [72, 76, 78], look.haze, far * 0.85));
  context.lineWidth = Math.max(1, (0.11 / z) * view.focal);
  const head = view.at(x - side * 1.2, 5.6, z);
  line(context, view.at(x, 0, z), view.at(x, 5.3, z));
  context.lineWidth *= 0.7;
  context.beginPath();
  context.moveTo(...view.at(x, 5.3, z));
  context.quadraticCurveTo(...view.at(x, 5.75, z), ...head);
  context.stroke();
  if (!look.lamp) return;
  const size = (1 / z) * view.focal;
  context.save();
  context.globalCompositeOperation = "lighter";
  const halo = context.createRadialGradient(...head, 0, ...head, size * 2.6);
  halo.addColorStop(0, rgb(look.lamp, 0.85));
  halo.addColorStop(0.07, rgb(look.lamp, 0.42));
  halo.addColorStop(0.3, rgb(look.lamp, 0.1));
  halo.addColorStop(1, rgb(look.lamp, 0));
  context.fillStyle = halo;
  context.fillRect(head[0] - size * 2.6, head[1] - size * 2.6, size * 5.2, size * 5.2);
  const [px, py] = view.at(x - side * 1.2, 0, z);
  context.translate(px, py);
  context.scale(1, 0.18);
  const pool = context.createRadialGradient(0, 0, 0, 0, 0, size * 2.6);
  pool.addColorStop(0, rgb(look.lamp, 0.26));
  pool.addColorStop(0.4, rgb(look.lamp, 0.1));
  pool.addColorStop(1, rgb(look.lamp, 0));
  context.fillStyle = pool;
  context.fillRect(-size * 2.6, -size * 2.6, size * 5.2, size * 5.2);
  context.restore();
}

function tree(context, view, look, side, z, random) {
  const x = side * (ROAD_M + 1.1), far = Math.min(1, z / 95) ** 0.6, unit = view.focal / z;
  context.strokeStyle = rgb(mix([38, 32, 30], look.haze, far * 0.85));
  context.lineWidth = Math.max(1, 0.2 * unit);
  line(context, view.at(x, 0, z), view.at(x, 2.6, z));
  for (let n = 0; n < 46; n++) {
    const turn = random() * 7, out = random() ** 0.6 * 1.35;
    const [cx, cy] = view.at(x + Math.cos(turn) * out, 3.9 + Math.sin(turn) * out * 1.1, z);
    const leaf = mix(look.leaf, look.lamp ? look.haze : [214, 226, 170], random() * (look.lamp ? 0.16 : 0.34));
    context.fillStyle = rgb(mix(leaf, look.haze, far * 0.85), 0.72);
    ellipse(context, cx, cy, unit * (0.22 + 0.34 * random()), unit * (0.2 + 0.26 * random()));
  }
}

function car(context, view, look, x, z, towards) {
  const unit = view.focal / z, far = Math.min(1, z / 95) ** 0.6;
  const [cx, cy] = view.at(x, 0, z);
  const body = mix(look.lamp ? [12, 12, 18] : [58, 66, 76], look.haze, far * 0.75);
  context.fillStyle = "rgb(0 0 0 / .28)";
  ellipse(context, cx, cy, unit * 1.05, unit * 0.12);
  context.fillStyle = rgb(body);
  context.beginPath();
  context.roundRect(cx - unit * 0.92, cy - unit * 0.92, unit * 1.84, unit * 0.76, unit * 0.2);
  context.roundRect(cx - unit * 0.7, cy - unit * 1.42, unit * 1.4, unit * 0.7, unit * 0.26);
  context.fill();
  context.fillStyle = rgb(mix(look.windows[1], look.haze, 0.3), 0.75);
  context.beginPath();
  context.roundRect(cx - unit * 0.58, cy - unit * 1.32, unit * 1.16, unit * 0.44, unit * 0.12);
  context.fill();
  if (!look.lamp) return;
  context.save();
  context.globalCompositeOperation = "lighter";
  for (const side of [-1, 1]) {
    const colour = towards ? [255, 244, 220] : [255, 56, 40];
    const [lx, ly] = [cx + side * unit * 0.68, cy - unit * 0.6];
    const size = unit * (towards ? 1.15 : 0.7);
    const halo = context.createRadialGradient(lx, ly, 0, lx, ly, size);
    halo.addColorStop(0, rgb(colour, 0.85));
    halo.addColorStop(0.12, rgb(colour, 0.3));
    halo.addColorStop(1, rgb(colour, 0));
    context.fillStyle = halo;
    context.fillRect(lx - size, ly - size, size * 2, size * 2);
  }
  context.restore();
}

function walker(context, view, look, x, z, tall) {
  const unit = view.focal / z, far = Math.min(1, z / 95) ** 0.6;
  const [cx, foot] = view.at(x, 0, z);
  context.fillStyle = rgb(mix(look.lamp ? [8, 8, 13] : [46, 50, 58], look.haze, far * 0.8));
  const high = tall * unit;
  context.beginPath();
  context.arc(cx, foot - high * 0.93, high * 0.068, 0, 7);
  context.roundRect(cx - high * 0.115, foot - high * 0.85, high * 0.23, high * 0.46, high * 0.09);
  context.roundRect(cx - high * 0.1, foot - high * 0.46, high * 0.085, high * 0.46, high * 0.03);
  context.roundRect(cx + high * 0.02, foot - high * 0.46, high * 0.085, high * 0.45, high * 0.03);
  context.fill();
}

function haze(context, view, width, height, look) {
  const band = context.createLinearGradient(0, view.y - height * 0.2, 0, view.y + height * 0.12);
  band.addColorStop(0, rgb(look.haze, 0));
  band.addColorStop(0.62, rgb(look.haze, look.stars ? 0.16 : 0.24));
  band.addColorStop(1, rgb(look.haze, 0));
  context.fillStyle = band;
  context.fillRect(0, view.y - height * 0.2, width, height * 0.32);
}

/** The eye is focused on the lens, a metre away: what is further off is a little out of focus. */
function soften(canvas, context) {
  context.save();
  context.filter = `blur(${Math.max(0.6, canvas.height / 760).toFixed(2)}px)`;
  context.globalCompositeOperation = "copy";
  context.drawImage(canvas, 0, 0);
  context.restore();
}

/** The eye looks at the lens: what lies behind its rows is darker than what is around it. */
function dim(context, view, width, height, { dark }) {
  context.save();
  context.translate(view.x - width * 0.03, height * 0.74);
  context.scale(1, 0.62);
  const far = Math.max(width, height) * 0.5;
  const middle = context.createRadialGradient(0, 0, 0, 0, 0, far);
  middle.addColorStop(0, `rgb(5 8 15 / ${dark})`);
  middle.addColorStop(0.5, `rgb(5 8 15 / ${dark * 0.72})`);
  middle.addColorStop(1, "rgb(5 8 15 / 0)");
  context.fillStyle = middle;
  context.fillRect(-width, -height * 2, width * 2, height * 3);
  context.restore();
}

function reflections(context, view, width, height, look) {
  context.save();
  context.globalCompositeOperation = "lighter";
  context.filter = `blur(${Math.round(height / 110)}px)`;
  for (let z = 11, n = 0; z < 110; z += 12, n++) {
    const side = n % 2 ? 1 : -1;
    const [x, y] = view.at(side * (ROAD_M - 0.5), 0, z);
    const wide = (0.5 / z) * view.focal, long = Math.min(height - y, (2.6 / z) * view.focal);
    const streak = context.createLinearGradient(0, y, 0, y + long);
    streak.addColorStop(0, rgb(look.lamp, 0.2));
    streak.addColorStop(1, rgb(look.lamp, 0));
    context.fillStyle = streak;
    context.fillRect(x - wide / 2, y, wide, long);
  }
  context.restore();
}

function grain(context, width, height, random) {
  context.save();
  context.globalAlpha = 0.035;
  for (let n = 0; n < (width * height) / 900; n++) {
    context.fillStyle = random() > 0.5 ? "#fff" : "#000";
    context.fillRect(random() * width, random() * height, 1.4, 1.4);
  }
  context.restore();
}

function stripe(context, view, left, right, from, to) {
  quad(context, [view.at(left, 0, to), view.at(right, 0, to), view.at(right, 0, from), view.at(left, 0, from)]);
}

function quad(context, [first, ...others]) {
  context.beginPath();
  context.moveTo(...first);
  for (const point of others) context.lineTo(...point);
  context.closePath();
  context.fill();
}

function line(context, from, to) {
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
}

function ellipse(context, x, y, wide, high) {
  context.beginPath();
  context.ellipse(x, y, wide, high, 0, 0, 7);
  context.fill();
}

const mix = (from, to, share) => from.map((value, index) => value + (to[index] - value) * share);
const rgb = ([red, green, blue], alpha = 1) => `rgb(${red} ${green} ${blue} / ${alpha})`;

/** The same street every time (mulberry32). */
function seeded(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
