// Colors pictures beside the page, so that the page never stops: ONNX Runtime Web runs the file of
// `Colorizer.export("whole.onnx", whole=True)`, which takes pixels and gives pixels.

import * as ort from "./ort.mjs";

const SHOWN = 1024; // pixels of the long side of a preview
const QUALITY = 0.95; // of JPEG

let session = null;
let most = Infinity; // pixels of a picture
let label = null; // XMP that says that colors are inferred

self.addEventListener("message", async ({ data, ports: [port] }) => {
  try {
    port.postMessage({ result: await answer(data) });
  } catch (error) {
    port.postMessage({ error: error.message });
  }
});

async function answer(request) {
  if (request.start) return start(request);
  const picture = await opened(request.preview ?? request.color);
  try {
    return await (request.preview ? preview(picture) : color(picture, request));
  } finally {
    picture.close();
  }
}

async function start({ start: [runtime, network], pixels, xmp }) {
  most = pixels;
  label = new TextEncoder().encode(xmp);
  ort.env.wasm.wasmBinary = runtime;
  ort.env.wasm.numThreads = 1; // more would need headers that few static servers send
  session = await ort.InferenceSession.create(new Uint8Array(network));
}

async function opened(file) {
  const picture = await createImageBitmap(file).catch(() => { // upright, and in sRGB
    throw new Error("This browser cannot read the file as a picture. Save it as PNG or JPEG first, or use: labcolor colorize.");
  });
  const { width, height } = picture;
  if (width * height <= most) return picture;
  picture.close();
  throw new Error(`Expected a picture of at most ${most / 1e6} megapixels, got ${width} × ${height} pixels. Reduce it first.`);
}

function drawn(picture, width, height, ground) {
  const context = new OffscreenCanvas(width, height).getContext("2d");
  if (!context) throw new Error("This browser has not enough memory for this picture. Reduce it first.");
  if (ground) {
    context.fillStyle = ground;
    context.fillRect(0, 0, width, height);
  }
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, width, height);
  return context;
}

async function preview(picture) {
  const { width, height } = picture;
  const share = Math.min(1, SHOWN / Math.max(width, height));
  const sides = [width, height].map((side) => Math.max(1, Math.round(share * side)));
  const blob = await drawn(picture, ...sides).canvas.convertToBlob({ type: "image/png" });
  return { blob, width, height };
}

async function color(picture, { type, saturation }) {
  const { width, height } = picture;
  const context = drawn(picture, width, height, type === "image/jpeg" ? "white" : null); // JPEG has no alpha
  const { data } = context.getImageData(0, 0, width, height);
  const { colored } = await session.run({
    picture: new ort.Tensor("uint8", new Uint8Array(data.buffer), [height, width, 4]),
    saturation: new ort.Tensor("float32", [saturation], [1]),
  });
  context.putImageData(new ImageData(new Uint8ClampedArray(colored.data.buffer, colored.data.byteOffset, colored.data.length), width, height), 0, 0);
  return labeled(await context.canvas.convertToBlob({ type, quality: QUALITY }));
}

/** Return a PNG or JPEG with the label. */
async function labeled(blob) {
  const start = new DataView(await blob.slice(0, 6).arrayBuffer());
  const [place, part] = blob.type === "image/png"
    ? [33, chunk("iTXt", "XML:com.adobe.xmp\0\0\0\0\0")] // behind the header
    : [start.getUint16(2) === 0xffe0 ? 4 + start.getUint16(4) : 2, segment("http://ns.adobe.com/xap/1.0/\0")]; // behind JFIF
  return new Blob([blob.slice(0, place), part, blob.slice(place)], { type: blob.type });
}

/** Return the label behind a name in a segment of JPEG. */
function segment(name) {
  const head = new DataView(new ArrayBuffer(4));
  head.setUint16(0, 0xffe1);
  head.setUint16(2, 2 + name.length + label.length);
  return new Blob([head, name, label]);
}

/** Return the label behind a name in a chunk of PNG. */
function chunk(kind, name) {
  const content = new Uint8Array([...new TextEncoder().encode(kind + name), ...label]);
  let sum = ~0; // CRC-32
  for (const byte of content) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  const ends = new DataView(new ArrayBuffer(8));
  ends.setUint32(0, content.length - kind.length);
  ends.setUint32(4, ~sum);
  return new Blob([ends.buffer.slice(0, 4), content, ends.buffer.slice(4)]);
}
