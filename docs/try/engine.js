// What colors the pictures of the page: here, the browser itself, in a worker. The two large files, ONNX Runtime and the
// network, are loaded once and kept by the browser; sw.js keeps the rest. `labcolor demo` has another file of this name.

const KEPT = "labcolor"; // the name of the store, also in sw.js

const worker = new Worker("worker.js", { type: "module" });
let turn = null; // a promise, fulfilled when the worker can color the next picture

/** Return what the worker answers. */
function ask(request, transfer = []) {
  const { port1, port2 } = new MessageChannel();
  worker.postMessage(request, [port2, ...transfer]);
  return new Promise((resolve, reject) => {
    port1.onmessage = ({ data: { result, error } }) => {
      port1.close();
      if (error) reject(new Error(error)); else resolve(result);
    };
  });
}

/** Return what the page shows: texts, limits, samples, and the formats of results. Begin to load the large files. */
export async function about({ say, complain }) {
  const told = await (await fetch("about.json")).json();
  if (!told.runtime) {
    throw new Error("This copy of the page was built without ONNX Runtime Web, so it cannot color. Its documentation says how to add it.");
  }
  navigator.serviceWorker?.register("sw.js").catch(() => {}); // without it the page works, but not offline
  turn = start(told, say);
  turn.catch(complain);
  return told;
}

async function start({ runtime, network, size, pixels, xmp }, say) {
  let loaded = 0;
  const progress = (bytes) => {
    loaded += bytes;
    say(`Loading the network, once: ${Math.min(99, Math.floor((100 * loaded) / size))} % of ${(size / 1e6).toFixed(1)} MB.`);
  };
  const parts = await Promise.all([runtime, network].map((name) => load(name, progress)));
  await forget([runtime, network]);
  say("Starting the network…");
  await ask({ start: parts, pixels, xmp }, parts);
  say("");
}

/** Return the contents of a large file, decompressed, from the browser's store or from the site. */
async function load(name, progress) {
  const store = await self.caches?.open(KEPT); // there is none for a site without https
  let response = await store?.match(name);
  if (!response) {
    response = await fetch(name).catch(() => {});
    if (!response?.ok) throw new Error(`${name} cannot be loaded. Are you online? Load the page again.`);
    const counted = response.body.pipeThrough(new TransformStream({
      transform(part, controller) { progress(part.length); controller.enqueue(part); },
    }));
    response = new Response(counted);
    if (store) {
      await store.put(name, response);
      response = await store.match(name);
    }
  }
  const bytes = await response.arrayBuffer();
  const [first, second] = new Uint8Array(bytes, 0, 2);
  if (first !== 0x1f || second !== 0x8b) return bytes; // the server declared the compression, and the browser undid it
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

/** Remove large files of earlier versions. */
async function forget(present) {
  const store = await self.caches?.open(KEPT);
  for (const { url } of (await store?.keys()) ?? []) {
    if (url.endsWith(".gz") && !present.some((name) => url.endsWith(`/${name}`))) await store.delete(url);
  }
}

/** Return a picture reduced to what is shown, { blob, width, height }, with the size that it has. */
export async function preview(file) {
  return ask({ preview: file });
}

/** Return a picture in color, a Blob, with the saturation and the format of a query. */
export async function color(file, query, { say, signal }) {
  const format = query.get("format") || (file.type === "image/jpeg" ? "jpg" : "png");
  const type = { jpg: "image/jpeg", png: "image/png" }[format];
  const result = turn.then(() => {
    signal?.throwIfAborted(); // a newer picture is wanted meanwhile
    say("Coloring…");
    return ask({ color: file, type, saturation: Number(query.get("saturation")) });
  });
  const before = turn;
  turn = result.then(() => {}, () => before);
  return result;
}
