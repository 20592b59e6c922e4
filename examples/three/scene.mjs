// Draws a lit still life with shadows by three.js' WebGPURenderer and writes it as a PNG. The picture is the same in
// every run: nothing in it depends on time or chance.
//
//   node … three/scene.mjs [--width 640] [--height 480] [--out DIR] [--json]

import { createHash } from "node:crypto";
import * as THREE from "three/webgpu";
import { createCanvas, installPage } from "../lib/canvas-stub.mjs";
import { writePng } from "../lib/photo.mjs";
import { describeAdapter, outputPath, readOptions, report, timed } from "../lib/program.mjs";

const { values } = readOptions({
  width: { type: "string", default: "640" },
  height: { type: "string", default: "480" },
});
const width = Number(values.width);
const height = Number(values.height);

installPage();
const renderer = new THREE.WebGPURenderer({ canvas: createCanvas(width, height), antialias: false });
const started = await timed(() => renderer.init());
renderer.setSize(width, height, false);
renderer.shadowMap.enabled = true;

const { scene, camera } = stillLife(width / height);
const target = new THREE.RenderTarget(width, height, { samples: 4 });
target.texture.colorSpace = THREE.SRGBColorSpace;

const first = await timed(draw);
const second = await timed(draw);
const pixels = second.result;

const path = await outputPath(values, "scene.png");
if (path !== undefined) {
  await writePng(path, { width, height, data: pixels });
}

report(
  values,
  {
    program: "three-scene",
    adapter: await describeAdapter(),
    width,
    height,
    sha256: createHash("sha256").update(pixels).digest("hex"),
    tensors: { pixels: [...pixels.filter((_, i) => i % 4099 === 0)] },
    ...(path !== undefined && { picture: path }),
    times: { startMs: started.ms, firstMs: first.ms, steadyMs: second.ms },
  },
  (result) =>
    `${width}x${height} scene: first frame ${first.ms} ms, then ${second.ms} ms, sha256 ${result.sha256.slice(0, 16)}…` +
    (path === undefined ? "" : `, written to ${path}`),
);
renderer.dispose();

/** Renders one frame and reads it back. Rows come padded to 256 bytes, as WebGPU copies them. */
async function draw() {
  renderer.setRenderTarget(target);
  renderer.render(scene, camera);
  const padded = await renderer.readRenderTargetPixelsAsync(target, 0, 0, width, height);
  const stride = Math.ceil((width * 4) / 256) * 256;
  const tight = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    tight.set(new Uint8Array(padded.buffer, padded.byteOffset + y * stride, width * 4), y * width * 4);
  }
  return tight;
}

function stillLife(aspect) {
  const scene = new THREE.Scene();
  scene.background = new THREE.Color(0x1b2433);
  const camera = new THREE.PerspectiveCamera(35, aspect, 0.1, 50);
  camera.position.set(4.2, 3.4, 7.5);
  camera.lookAt(0, 0.75, 0);

  scene.add(new THREE.HemisphereLight(0xbfd4ff, 0x6a5a4c, 1.5));
  const sun = new THREE.DirectionalLight(0xfff0d8, 3.2);
  sun.position.set(4, 6, -1.2);
  sun.castShadow = true;
  sun.shadow.mapSize.set(1024, 1024);
  Object.assign(sun.shadow.camera, { left: -5, right: 5, top: 5, bottom: -5, near: 1, far: 15 });
  sun.shadow.bias = -0.0005;
  sun.shadow.normalBias = 0.02;
  scene.add(sun);

  const floor = new THREE.Mesh(
    new THREE.PlaneGeometry(16, 16),
    new THREE.MeshStandardMaterial({ map: checkerboard(), roughness: 0.85 }),
  );
  floor.rotation.x = -Math.PI / 2;
  floor.receiveShadow = true;
  scene.add(floor);

  const things = [
    [new THREE.TorusKnotGeometry(0.62, 0.2, 160, 24), 0xd8452e, 0.25, 0.1, [0, 1.15, 0]],
    [new THREE.SphereGeometry(0.6, 48, 32), 0xe8b23a, 0.3, 0.6, [-1.9, 0.6, 0.6]],
    [new THREE.BoxGeometry(0.95, 0.95, 0.95), 0x2f7fd1, 0.5, 0, [1.8, 0.475, -0.4]],
    [new THREE.ConeGeometry(0.5, 1.3, 48), 0x46a35a, 0.6, 0, [0.9, 0.65, 1.7]],
    [new THREE.IcosahedronGeometry(0.45, 0), 0x9a5fd0, 0.35, 0.2, [-0.9, 0.4, 2]],
  ];
  for (const [geometry, color, roughness, metalness, position] of things) {
    const mesh = new THREE.Mesh(geometry, new THREE.MeshStandardMaterial({ color, roughness, metalness }));
    mesh.position.set(...position);
    mesh.rotation.y = 0.5;
    mesh.castShadow = true;
    mesh.receiveShadow = true;
    scene.add(mesh);
  }
  return { scene, camera };
}

function checkerboard() {
  const size = 16;
  const data = new Uint8Array(size * size * 4);
  for (let i = 0; i < size * size; i++) {
    const light = (i + Math.floor(i / size)) % 2 === 0;
    data.set(light ? [205, 200, 190, 255] : [120, 124, 132, 255], i * 4);
  }
  const texture = new THREE.DataTexture(data, size, size);
  texture.colorSpace = THREE.SRGBColorSpace;
  texture.needsUpdate = true;
  return texture;
}
