// The page of `labcolor demo` and of the documentation, which differ in engine.js. The page keeps the picture.
// Moves and spots are shown on a small preview; a download colors the file itself.

import * as engine from "./engine.js";

const byId = (id) => document.getElementById(id);
const [problem, stage, before, after] = ["problem", "stage", "before", "after"].map(byId);
const PALETTE = {
  Skin: "#c98f6b", Red: "#b3342d", Orange: "#e07020", Straw: "#d9b64a", Grass: "#6a8f3a", Sea: "#2f8f8a",
  Sky: "#6fa3d8", Navy: "#2f4f9a", Violet: "#7b4fa0", Pink: "#d77a9b", Wood: "#8a5a34", "No color": "#808080",
};
const KEEP = "keep"; // instead of a color: what the network predicts here stays
const STEP = 0.01, LARGE_STEP = 0.1; // of the crosshair, in shares of the picture

let about = null;
let picture = null; // { file, name, preview, width, height, small: {width, height} }
let spots = []; // { x, y, color, radius, name }: shares of the width, the height and the short side
let crosshair = { x: 0.5, y: 0.5 };
let running = null; // the AbortController of the present preview
let ownColor = "#4f7f5f";

/** Say what goes on, where it is seen: before a picture is there, and beside one. */
const say = (text) => document.querySelectorAll("[role=status]").forEach((line) => { line.textContent = text; });

function complain(error) {
  problem.textContent = error.message;
  problem.hidden = false;
  say("");
}

/** Return the query for a picture of a size: saturation and spots, in its pixels. */
function query(width, height, format) {
  const values = new URLSearchParams({ saturation: byId("saturation").value });
  for (const spot of spots) {
    const x = Math.min(width - 1, Math.floor(spot.x * width));
    const y = Math.min(height - 1, Math.floor(spot.y * height));
    const radius = Math.round(spot.radius * Math.min(width, height));
    values.append("hint", [x, y, spot.color.replace("#", ""), radius].join(","));
  }
  if (format) values.set("format", format);
  return values;
}

// ---------------------------------------------------------------- one picture

async function open(file, name) {
  problem.hidden = true;
  running?.abort();
  const { signal } = (running = new AbortController());
  try {
    if (file.size > about.bytes) {
      throw new Error(`Expected a file of at most ${Math.floor(about.bytes / 2 ** 20)} MB, got ${Math.ceil(file.size / 2 ** 20)} MB. Reduce it first.`);
    }
    document.body.setAttribute("aria-busy", "true");
    say("Reading the picture…");
    const { blob: preview, width, height } = await engine.preview(file, { say, signal });
    signal.throwIfAborted();
    show(before, preview);
    await before.decode();
    picture = { file, name, preview, width, height, small: { width: before.naturalWidth, height: before.naturalHeight } };
    after.removeAttribute("src");
    spots = [];
    crosshair = { x: 0.5, y: 0.5 };
    stage.style.setProperty("--ratio", before.naturalWidth / before.naturalHeight);
    byId("saturation").value = about.saturation;
    showSaturation();
    split(50);
    byId("start").hidden = true;
    byId("work").hidden = byId("another").hidden = false;
    byId("size").textContent = `${width} × ${height} pixels, the full size of the picture.`;
    listSpots();
    stage.focus({ preventScroll: true });
    window.scrollTo(0, 0);
    await color();
  } catch (error) {
    if (error.name !== "AbortError") complain(error);
  } finally {
    document.body.removeAttribute("aria-busy");
  }
}

function show(image, blob) {
  if (image.src.startsWith("blob:")) URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(blob);
}

/** Color the preview. A newer call ends an older one. */
async function color() {
  running?.abort();
  const { signal } = (running = new AbortController());
  stage.setAttribute("aria-busy", "true");
  try {
    const { width, height } = picture.small;
    const colored = await engine.color(picture.preview, query(width, height, "jpg"), { say, signal });
    signal.throwIfAborted();
    show(after, colored);
    await after.decode();
    problem.hidden = true;
    say(spots.length ? `Colored, with ${spots.length} known color${spots.length > 1 ? "s" : ""}.` : "Colored.");
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

async function download() {
  const button = byId("download");
  button.disabled = true;
  problem.hidden = true;
  say("Coloring the picture at its full size…");
  try {
    const { file, name, width, height } = picture;
    const blob = await engine.color(file, query(width, height, byId("format").value), { say });
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
  stage.querySelector(".left").hidden = percent < 20; // where they would not lie on what they name
  stage.querySelector(".right").hidden = percent > 80;
}

function placeOf(event) {
  const box = stage.getBoundingClientRect();
  const inside = (value) => Math.min(1, Math.max(0, value));
  return { x: inside((event.clientX - box.left) / box.width), y: inside((event.clientY - box.top) / box.height) };
}

byId("compare").addEventListener("input", (event) => split(Number(event.target.value)));
byId("divider").addEventListener("pointerdown", (event) => event.target.setPointerCapture(event.pointerId));
byId("divider").addEventListener("pointermove", (event) => {
  if (event.target.hasPointerCapture(event.pointerId)) split(100 * placeOf(event).x);
});

// ---------------------------------------------------------------- known colors

const chosen = () => document.querySelector("#colors input:checked").value;

function addSpot({ x, y }) {
  if (!about.hints) return;
  const value = chosen();
  const name = value === KEEP ? "As predicted" : value;
  const color = value === KEEP ? KEEP : value === "Own color" ? ownColor : PALETTE[value];
  spots.push({ x, y, color, name, radius: Number(byId("radius").value) / 100 });
  const place = 100 * x;
  if (place < Number(byId("compare").value)) split(Math.max(0, place - 15)); // so that the spot is seen in color
  listSpots();
  colorNow();
}

function removeSpot(index) {
  spots.splice(index, 1);
  listSpots();
  colorNow();
}

const colorNow = () => { clearTimeout(timer); color(); };

function listSpots() {
  const rows = spots.map((spot, index) => {
    const row = document.createElement("li");
    const swatch = document.createElement("span");
    swatch.className = spot.color === KEEP ? "swatch keep" : "swatch";
    if (spot.color !== KEEP) swatch.style.background = spot.color;
    const text = document.createElement("span");
    text.textContent = `${spot.name} at ${Math.round(100 * spot.x)} %, ${Math.round(100 * spot.y)} %`;
    const remove = document.createElement("button");
    remove.type = "button";
    remove.textContent = "✕";
    remove.setAttribute("aria-label", `Remove ${text.textContent}`);
    remove.addEventListener("click", () => {
      removeSpot(index);
      (byId("spots").querySelectorAll("button")[Math.min(index, spots.length - 1)] ?? stage).focus();
      say("Removed.");
    });
    const mark = (on) => byId("dots").children[index]?.classList.toggle("marked", on);
    for (const [kind, on] of [["pointerenter", true], ["pointerleave", false], ["focusin", true], ["focusout", false]]) {
      row.addEventListener(kind, () => mark(on));
    }
    row.append(swatch, text, remove);
    return row;
  });
  byId("spots").replaceChildren(...rows);
  byId("clear").hidden = spots.length < 2;
  const ratio = picture ? picture.width / picture.height : 1;
  byId("dots").replaceChildren(...spots.map((spot, index) => {
    const dot = document.createElement("button");
    dot.type = "button";
    dot.tabIndex = -1; // the list has the same for the keyboard
    dot.setAttribute("aria-hidden", "true");
    dot.title = "Remove this spot";
    dot.className = spot.color === KEEP ? "keep" : "";
    if (spot.color !== KEEP) dot.style.background = spot.color;
    dot.style.left = `${100 * spot.x}%`;
    dot.style.top = `${100 * spot.y}%`;
    dot.style.width = `${200 * spot.radius * Math.min(1, 1 / ratio)}%`;
    dot.addEventListener("click", (event) => { event.stopPropagation(); removeSpot(index); stage.focus(); });
    return dot;
  }));
}

function moveCrosshair(x, y) {
  crosshair = { x: Math.min(1, Math.max(0, x)), y: Math.min(1, Math.max(0, y)) };
  const mark = byId("crosshair");
  mark.hidden = false;
  mark.style.left = `${100 * crosshair.x}%`;
  mark.style.top = `${100 * crosshair.y}%`;
  say(`${Math.round(100 * crosshair.x)} % from the left, ${Math.round(100 * crosshair.y)} % from the top.`);
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
stage.addEventListener("keydown", (event) => {
  const step = event.shiftKey ? LARGE_STEP : STEP;
  if (event.key in ARROWS) {
    const [right, down] = ARROWS[event.key];
    moveCrosshair(crosshair.x + step * right, crosshair.y + step * down);
  } else if (event.key === "Enter" || event.key === " ") {
    addSpot(crosshair);
  } else if ((event.key === "Delete" || event.key === "Backspace") && spots.length) {
    const far = (spot) => Math.hypot(spot.x - crosshair.x, spot.y - crosshair.y);
    removeSpot(spots.indexOf(spots.reduce((one, other) => (far(other) < far(one) ? other : one))));
    say("Removed.");
  } else {
    return;
  }
  event.preventDefault();
});
stage.addEventListener("blur", () => { byId("crosshair").hidden = true; });
stage.addEventListener("click", (event) => {
  if (!event.target.closest("#divider")) addSpot(placeOf(event));
});
byId("clear").addEventListener("click", () => { spots = []; listSpots(); colorNow(); stage.focus(); });

function buildColors() {
  const choices = [...Object.entries(PALETTE), ["Own color", null], [KEEP, null]];
  byId("colors").append(...choices.map(([value, color], index) => {
    const label = document.createElement("label");
    const radio = document.createElement("input");
    Object.assign(radio, { type: "radio", name: "color", value, checked: index === 0 });
    radio.setAttribute("aria-label", value === KEEP ? "As predicted" : value);
    const swatch = document.createElement("span");
    swatch.className = `swatch${value === KEEP ? " keep" : color ? "" : " own"}`;
    if (color) swatch.style.background = color;
    label.title = radio.getAttribute("aria-label");
    label.append(radio, swatch);
    return label;
  }));
  byId("colors").addEventListener("change", showChosen);
  showChosen();
}

function showChosen() {
  const value = chosen();
  const line = byId("chosen");
  if (value === KEEP) {
    line.textContent = "As predicted: what looks like this keeps its color.";
  } else if (value === "Own color") {
    const picker = document.createElement("input");
    Object.assign(picker, { type: "color", value: ownColor, id: "own" });
    picker.addEventListener("input", () => { ownColor = picker.value; });
    const label = document.createElement("label");
    label.htmlFor = "own";
    label.textContent = "Your own color";
    line.replaceChildren(label, picker);
  } else {
    line.textContent = value;
  }
}

// ---------------------------------------------------------------- controls

function showSaturation() {
  byId("saturation-value").textContent = Number(byId("saturation").value).toFixed(2).replace(/0$/, "");
}

byId("saturation").addEventListener("input", () => { showSaturation(); colorSoon(); });
byId("radius").addEventListener("input", (event) => { byId("radius-value").textContent = `${event.target.value} %`; });
byId("download").addEventListener("click", download);
byId("another").addEventListener("click", () => {
  running?.abort();
  picture = null;
  say("");
  problem.hidden = true;
  byId("work").hidden = byId("another").hidden = true;
  byId("start").hidden = false;
  byId("file").value = "";
  byId("file").focus();
});
byId("file").addEventListener("change", (event) => {
  const [file] = event.target.files;
  if (file) open(file, file.name);
});

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
  if (file) open(file, file.name);
});
document.addEventListener("paste", (event) => {
  const [file] = event.clipboardData.files;
  if (file) open(file, file.name);
});

async function start() {
  buildColors();
  try {
    about = await engine.about({ say, complain });
  } catch (error) {
    complain(error);
    return;
  }
  byId("limits").textContent = `${about.reads}, up to ${Math.floor(about.bytes / 2 ** 20)} MB and ${Math.floor(about.pixels / 1e6)} megapixels.`;
  byId("privacy").textContent = about.privacy;
  byId("about").textContent = `labcolor ${about.version}, model ${about.model}.`;
  byId("hints").hidden = !about.hints;
  if (!about.hints) {
    for (const name of ["tabindex", "role", "aria-describedby"]) stage.removeAttribute(name);
    stage.style.cursor = "default";
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
}

start();
