// human on WebAssembly: one call a frame, with what faces and their emotions need and nothing else.
//
// node serve_human.js NODE_MODULES detect|follow|reuse
//
// detect: faces are looked for and labelled in every frame. follow: the mesh follows faces between detections, as it
// does by default, and every frame is labelled. reuse: as follow, and a label is used again for up to 1.5 s, as it is
// by default where little moves.
'use strict';

const fs = require('fs');
const path = require('path');
const readline = require('readline');

const [modules, mode] = process.argv.slice(2);
const { Human } = require(path.join(modules, '@vladmandic/human/dist/human.node-wasm.js'));

// Node's fetch knows no files. The models come from the package; anything else is an error.
globalThis.fetch = async (url) => new Response(fs.readFileSync(new URL(url)));
// What libraries print must not get between the answers.
console.log = console.error;

const off = { enabled: false };
const human = new Human({
  backend: 'wasm',
  wasmPath: path.join(modules, '@tensorflow/tfjs-backend-wasm/dist/'),
  modelBasePath: `file://${modules}/@vladmandic/human/models/`,
  ...(mode === 'detect' && { cacheSensitivity: 0 }),
  face: {
    detector: { maxDetected: 32 },
    mesh: { enabled: mode !== 'detect' },
    iris: off,
    description: off,
    emotion: mode === 'reuse' ? {} : { skipFrames: 0, skipTime: 0 },
  },
  body: off,
  hand: off,
  gesture: off,
  filter: off,
});

// Blue and red change places in a whole file of frames.
function toRgb(pixels) {
  for (let at = 0; at < pixels.length; at += 3) [pixels[at], pixels[at + 2]] = [pixels[at + 2], pixels[at]];
  return pixels;
}

async function label(pixels, shape) {
  const image = human.tf.tensor(pixels, shape, 'int32');
  const result = await human.detect(image);
  human.tf.dispose(image);
  if (result.error) throw new Error(result.error);
  return result.face.filter((face) => face.emotion?.length).map((face) => face.box);
}

async function answer(order, pixels) {
  const shape = [order.height, order.width, 3];
  const size = order.height * order.width * 3;
  const last = Math.min(order.first + order.count, pixels.length / size);
  const boxes = [];
  let frames = 0;
  const cpu = process.cpuUsage();
  const started = performance.now();
  while (!frames || performance.now() - started < 1000 * order.least_s) {
    for (let at = order.first; at < last; at++) {
      const found = await label(pixels.subarray(at * size, (at + 1) * size), shape);
      if (boxes.length < last - order.first) boxes.push(found);
      frames += 1;
    }
  }
  const wall_s = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { frames, wall_s, cpu_s: (user + system) / 1e6, boxes };
}

async function main() {
  const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
  await human.load();
  const threads = human.env.wasm.multithread ? 'many' : '1';
  say({ human: human.version, tfjs: human.tf.version_core, node: process.version, 'WASM threads': threads });
  let at = '';
  let pixels = null;
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const order = JSON.parse(line);
    if (order.path !== at) {
      at = order.path;
      pixels = toRgb(fs.readFileSync(at));
    }
    say(await answer(order, pixels));
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
