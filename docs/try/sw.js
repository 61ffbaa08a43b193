// Keeps the page for visits without a network: what is on the site is taken from there, and else what was kept.

const KEPT = "labcolor"; // the name of the store, also in engine.js, which keeps the large files in it
const PAGE = [
  "./", "index.html", "page.css", "page.js", "spots.js", "view.js", "kept.js", "engine.js", "worker.js", "ort.mjs",
  "icon.svg", "about.json",
];

self.addEventListener("install", (event) => event.waitUntil(keep().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  if (method === "GET" && !url.endsWith(".gz")) event.respondWith(answer(event.request));
});

async function keep() {
  const store = await caches.open(KEPT);
  const { samples } = await (await fetch("about.json")).json();
  await store.addAll([...PAGE, ...Object.keys(samples).map((name) => `samples/${name}`)]);
}

async function answer(request) {
  const store = await caches.open(KEPT);
  try {
    const fresh = await fetch(request);
    if (fresh.ok) await store.put(request, fresh.clone());
    return fresh;
  } catch (error) {
    const kept = await store.match(request, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
}
