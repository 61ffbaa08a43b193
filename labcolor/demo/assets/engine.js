// What colors the pictures of the page: here, the server of `labcolor demo`. It gets the picture with each request and
// keeps nothing. The page of the documentation has another file of this name, which colors in the browser.

const BUSY_AFTER = 600; // milliseconds after which the page says that it waits
const TRIES = 40; // of a request that a full server sends away
const UNREACHABLE = "The server cannot be reached. Is it still running?";

const wait = (milliseconds, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, milliseconds);
  signal?.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); });
});

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** Return what the page shows: texts, limits, samples, and the formats of results. */
export async function about() {
  try {
    return {
      reads: "PNG, JPEG, TIFF, WebP, BMP, GIF or AVIF",
      privacy: "No picture is kept on the server.",
      formats: ["", "png", "jpg", "tif", "webp"],
      ...(await (await fetch("about")).json()),
    };
  } catch {
    throw new Error(UNREACHABLE);
  }
}

/** Return a picture as a browser can show it, { blob, width, height }, with the size that it has. */
export async function preview(file, { say, signal }) {
  const response = await send("preview", file, say, signal);
  const [width, height] = response.headers.get("X-Picture-Size").split("x").map(Number);
  return { blob: await response.blob(), width, height };
}

/**
 * Return a picture in color, a Blob, with the saturation, the hints and the format of a query, and the colors of another
 * photograph where there is one.
 */
export async function color(file, query, { like, say, signal }) {
  let body = file;
  if (like) {
    body = new FormData();
    body.append("picture", file);
    body.append("like", like);
  }
  return (await send(`color?${query}`, body, say, signal)).blob();
}

/** Send a file or a form, and return the response; say how long the queue is, and come again where the server is full. */
async function send(address, body, say, signal) {
  const type = body.type?.startsWith("image/") ? body.type : "application/octet-stream";
  const headers = body instanceof FormData ? {} : { "Content-Type": type }; // the browser names that of a form
  let answered = false;
  const watch = (async () => {
    await wait(BUSY_AFTER, signal);
    while (!answered) {
      const { coloring, waiting } = await (await fetch("health", { signal })).json();
      if (answered) return;
      const others = Math.max(0, coloring + waiting - 1);
      say(others ? `Waiting: ${others} other${others > 1 ? " pictures are" : " picture is"} here, too.` : "Coloring…");
      await wait(1000, signal);
    }
  })();
  watch.catch(() => {});
  try {
    for (let attempt = 1; ; attempt++) {
      const response = await fetch(address, { method: "POST", body, headers, signal });
      if (response.ok) return response;
      const { error } = await response.json().catch(() => ({ error: `the server answered ${response.status}.` }));
      if (response.status !== 503 || attempt === TRIES) throw new Error(sentence(error));
      const seconds = Number(response.headers.get("Retry-After")) || 3;
      say(`The server is full. Trying again in ${seconds} seconds.`);
      await wait(1000 * seconds, signal);
    }
  } catch (error) {
    if (error instanceof TypeError) throw new Error(UNREACHABLE);
    throw error;
  } finally {
    answered = true;
  }
}
