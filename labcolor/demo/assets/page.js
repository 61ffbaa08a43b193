// The page of `labcolor demo` and of the documentation, which differ in engine.js. The page keeps the picture.
// A small preview shows moves and known colors; a download colors the file itself.

import * as engine from "./engine.js";
import { keep, kept } from "./kept.js";
import * as spots from "./spots.js";
import { follow, placeOf, pointByKeys, zoomBy } from "./view.js";

const byId = (id) => document.getElementById(id);
const [problem, stage, before, after, exemplar] = ["problem", "stage", "before", "after", "exemplar"].map(byId);

let about = null;
let picture = null; // { file, name, preview, width, height, small: { width, height } }
let other = null; // the photograph whose colors the picture takes, a Blob reduced to a preview
let running = null; // the AbortController of the present preview

/** Show a message where it is visible: on the start page, and beside a picture. */
const say = (text) => document.querySelectorAll("[role=status]").forEach((line) => { line.textContent = text; });

function complain(error) {
  problem.textContent = error.message;
  problem.hidden = false;
  say("");
}

/** Return the query for a picture of a size: saturation and known colors, in its pixels. */
function query(width, height, format) {
  const values = new URLSearchParams({ saturation: byId("saturation").value });
  for (const text of spots.texts(width, height)) values.append("hint", text);
  if (format) values.set("format", format);
  return values;
}

// ---------------------------------------------------------------- one picture

/** Show a picture and color it; ``saved`` is what a reload kept of it. */
async function open(file, name, saved = {}) {
  problem.hidden = true;
  running?.abort();
  const { signal } = (running = new AbortController());
  try {
    document.body.setAttribute("aria-busy", "true");
    say("Reading the picture…");
    const { blob: preview, width, height } = await reduced(file, signal);
    show(before, preview);
    await before.decode();
    const small = { width: before.naturalWidth, height: before.naturalHeight };
    picture = { file, name, preview, width, height, small };
    after.removeAttribute("src");
    stage.style.setProperty("--ratio", small.width / small.height);
    byId("saturation").value = saved.saturation ?? about.saturation;
    showSaturation();
    split(saved.split ?? 50);
    byId("start").hidden = true;
    byId("work").hidden = byId("another").hidden = false;
    byId("size").textContent = `${width} × ${height} pixels, the full size of the picture.`;
    zoomBy(0);
    spots.start(saved.spots ?? [], small, colorNow);
    if (saved.other) await showExemplar(saved.other, saved.like);
    stage.focus({ preventScroll: true });
    window.scrollTo(0, 0);
    await color();
  } catch (error) {
    if (error.name !== "AbortError") complain(error);
  } finally {
    document.body.removeAttribute("aria-busy");
  }
}

/** Return a file reduced to a preview, and its own size. */
async function reduced(file, signal) {
  if (file.size > about.bytes) {
    throw new Error(`Expected a file of at most ${Math.floor(about.bytes / 2 ** 20)} MB, got ${Math.ceil(file.size / 2 ** 20)} MB. Reduce it first.`);
  }
  const result = await engine.preview(file, { say, signal });
  signal?.throwIfAborted();
  return result;
}

function show(image, blob) {
  if (image.src.startsWith("blob:")) URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(blob);
}

/** Color the preview. A newer call ends an older one. */
async function color() {
  save();
  running?.abort();
  const { signal } = (running = new AbortController());
  stage.setAttribute("aria-busy", "true");
  try {
    const { width, height } = picture.small;
    const colored = await engine.color(picture.preview, query(width, height, "jpg"), { like: like(), say, signal });
    signal.throwIfAborted();
    show(after, colored);
    await after.decode();
    problem.hidden = true;
    const count = spots.count();
    const known = count && `with ${count} known color${count > 1 ? "s" : ""}`;
    say(`${["Colored", like() && "like the other photograph", known].filter(Boolean).join(", ")}.`);
  } catch (error) {
    if (error.name !== "AbortError") complain(error);
  }
  if (!signal.aborted) stage.removeAttribute("aria-busy");
}

let timer = null;
function colorSoon() {
  clearTimeout(timer);
  timer = setTimeout(color, 120);
}
const colorNow = () => { clearTimeout(timer); color(); };

/** Keep the picture and its settings, in case the page is reloaded. */
function save() {
  const { file, name } = picture;
  const settings = { saturation: byId("saturation").value, split: Number(byId("compare").value) };
  keep({ file, name, spots: spots.all(), other, like: byId("like").checked, ...settings });
}

async function download() {
  const button = byId("download");
  button.disabled = true;
  problem.hidden = true;
  say("Coloring the picture at its full size…");
  try {
    const { file, name, width, height } = picture;
    const blob = await engine.color(file, query(width, height, byId("format").value), { like: like(), say });
    const ending = { jpeg: "jpg", tiff: "tif" }[blob.type.split("/")[1]] ?? blob.type.split("/")[1];
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${name.replace(/\.[^.]*$/, "")}-colored.${ending}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    say(`Downloaded ${link.download}, ${width} × ${height} pixels.`);
  } catch (error) {
    complain(error);
  }
  button.disabled = false;
  button.focus();
}

// ---------------------------------------------------------------- comparing

function split(percent) {
  byId("compare").value = percent;
  stage.style.setProperty("--split", `${percent}%`);
  stage.querySelector(".left").hidden = percent < 20; // the labels stay on what they name
  stage.querySelector(".right").hidden = percent > 80;
}

byId("compare").addEventListener("input", (event) => split(Number(event.target.value)));
byId("compare").addEventListener("change", save);
byId("divider").addEventListener("pointerdown", (event) => event.target.setPointerCapture(event.pointerId));
byId("divider").addEventListener("pointermove", (event) => {
  if (event.target.hasPointerCapture(event.pointerId)) split(100 * placeOf(event, stage).x);
});
byId("divider").addEventListener("pointerup", save);

// ---------------------------------------------------------------- pointing at the picture

let stroke = [];
let touched = null; // the spot on which a stroke began; a click removes it
follow({
  moves: () => !about.hints || spots.tool() === "move",
  begin(event) {
    stroke = [placeOf(event, stage)];
    touched = event.target.closest("#dots g");
    spots.draw(touched ? [] : [spots.made(stroke)]);
  },
  extend(event) {
    const [place, last] = [placeOf(event, stage), stroke.at(-1)];
    const box = stage.getBoundingClientRect();
    if (Math.hypot((place.x - last.x) * box.width, (place.y - last.y) * box.height) < 4) return; // pixels of the screen
    stroke.push(place);
    touched = null;
    spots.draw([spots.made(stroke)]);
  },
  end() {
    if (touched) spots.remove(Number(touched.dataset.index)); else spots.add(stroke);
  },
  cancel: () => spots.draw(),
});

pointByKeys(stage, byId("crosshair"), say, ({ key }, place) => {
  if ((key === "Enter" || key === " ") && spots.tool() !== "move") spots.add([{ ...place }]);
  else if ((key === "Delete" || key === "Backspace") && spots.count()) spots.remove(spots.nearest(place));
  else if (key === "+" || key === "-") zoomBy(key === "+" ? 1 : -1);
  else if (key === "0") zoomBy(0);
  else return false;
  return true;
});
document.addEventListener("keydown", (event) => {
  if (!picture || !(event.ctrlKey || event.metaKey)) return;
  const key = event.key.toLowerCase();
  const acts = { z: event.shiftKey ? spots.redo : spots.undo, y: spots.redo };
  if (acts[key]) { acts[key](); event.preventDefault(); }
});
byId("undo").addEventListener("click", () => spots.undo());
byId("redo").addEventListener("click", () => spots.redo());
byId("clear").addEventListener("click", () => { spots.clear(); stage.focus(); });
byId("larger").addEventListener("click", () => zoomBy(1));
byId("smaller").addEventListener("click", () => zoomBy(-1));
byId("whole").addEventListener("click", () => zoomBy(0));

// ---------------------------------------------------------------- colors of another photograph

/** Return the photograph whose colors the picture takes, if it takes them. */
const like = () => (byId("like").checked ? other : null);

async function openExemplar(file) {
  problem.hidden = true;
  try {
    const { blob } = await reduced(file);
    await showExemplar(blob, true);
    if (picture) await color();
  } catch (error) {
    complain(error);
  }
}

async function showExemplar(blob, taken) {
  show(exemplar, blob);
  await exemplar.decode();
  other = blob;
  byId("like").checked = taken;
  byId("exemplar-stage").hidden = byId("like-row").hidden = false;
}

byId("like").addEventListener("change", colorNow);

/** Choose the mean color of the pixels around a place of the other photograph. */
function pick({ x, y }) {
  const side = 5;
  const context = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
  const left = Math.min(exemplar.naturalWidth - side, Math.max(0, x * exemplar.naturalWidth - side / 2));
  const top = Math.min(exemplar.naturalHeight - side, Math.max(0, y * exemplar.naturalHeight - side / 2));
  context.imageSmoothingQuality = "high";
  context.drawImage(exemplar, left, top, side, side, 0, 0, 1, 1);
  const hex = [...context.getImageData(0, 0, 1, 1).data].slice(0, 3).map((value) => value.toString(16).padStart(2, "0")).join("");
  spots.choose(`#${hex}`);
  say(`Picked the color #${hex}.`);
}

exemplar.addEventListener("click", (event) => pick(placeOf(event, exemplar)));
pointByKeys(byId("exemplar-stage"), byId("exemplar-crosshair"), say, ({ key }, place) => {
  if (key !== "Enter" && key !== " ") return false;
  pick(place);
  return true;
});

// ---------------------------------------------------------------- controls

function showSaturation() {
  byId("saturation-value").textContent = Number(byId("saturation").value).toFixed(2).replace(/0$/, "");
}

byId("saturation").addEventListener("input", () => { showSaturation(); colorSoon(); });
byId("download").addEventListener("click", download);
byId("another").addEventListener("click", () => {
  running?.abort();
  picture = null;
  keep();
  say("");
  problem.hidden = true;
  byId("work").hidden = byId("another").hidden = true;
  byId("start").hidden = false;
  byId("file").value = "";
  byId("file").focus();
});
const opens = { file: (file) => open(file, file.name), "exemplar-file": openExemplar };
for (const [id, act] of Object.entries(opens)) {
  byId(id).addEventListener("change", ({ target }) => { if (target.files[0]) act(target.files[0]); });
}

let depth = 0;
const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
const veil = () => document.body.classList.toggle("dragging", depth > 0);
document.addEventListener("dragenter", (event) => { if (hasFiles(event)) { depth++; veil(); } });
document.addEventListener("dragleave", (event) => { if (hasFiles(event)) { depth = Math.max(0, depth - 1); veil(); } });
document.addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
document.addEventListener("drop", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  depth = 0;
  veil();
  const [file] = event.dataTransfer.files;
  if (file) opens[event.target.closest?.("#exemplar-card") ? "exemplar-file" : "file"](file);
});
document.addEventListener("paste", (event) => {
  const [file] = event.clipboardData.files;
  if (file) open(file, file.name);
});

async function start() {
  spots.build();
  try {
    about = await engine.about({ say, complain });
  } catch (error) {
    complain(error);
    return;
  }
  byId("limits").textContent = `${about.reads}, up to ${Math.floor(about.bytes / 2 ** 20)} MB and ${Math.floor(about.pixels / 1e6)} megapixels.`;
  byId("privacy").textContent = about.privacy;
  byId("about").textContent = `labcolor ${about.version}, model ${about.model}.`;
  for (const id of ["hints", "exemplar-card", "history"]) byId(id).hidden = !about.hints;
  if (!about.hints) {
    for (const name of ["tabindex", "role", "aria-describedby"]) stage.removeAttribute(name);
    stage.dataset.tool = "move";
  }
  for (const option of [...byId("format").options]) if (!about.formats.includes(option.value)) option.remove();
  byId("saturation").max = Math.max(2, about.saturation);
  byId("samples").append(...Object.entries(about.samples).map(([name, text]) => {
    const row = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    const image = document.createElement("img");
    Object.assign(image, { src: `samples/${name}`, alt: "" });
    button.append(image, text);
    button.addEventListener("click", async () => {
      open(await (await fetch(`samples/${name}`)).blob(), name);
    });
    row.append(button);
    return row;
  }));
  const saved = await kept();
  if (saved && !picture) open(saved.file, saved.name, saved);
}

start();
