// Known colors: spots and strokes on the picture, with undo and redo.

const byId = (id) => document.getElementById(id);
const PALETTE = {
  Skin: "#c98f6b", Red: "#b3342d", Orange: "#e07020", Straw: "#d9b64a", Grass: "#6a8f3a", Sea: "#2f8f8a",
  Sky: "#6fa3d8", Navy: "#2f4f9a", Violet: "#7b4fa0", Pink: "#d77a9b", Wood: "#8a5a34", Grey: "#808080",
};
const OWN = "Own color";
const WORDS = { keep: "Keep", fence: "Fence" }; // tools that place a word instead of a color
const HELP = {
  color: "Click a spot or draw a line on an object of this color. Its brightness is ignored.",
  keep: "Mark a spot that has the right color already. The spot and similar regions keep it.",
  fence: "Mark an area that no color may reach.",
  move: "Drag the picture to move it.",
};
const LEAST = 0.007; // of the short side: radius at which a smaller spot is drawn, so that it can be hit

let spots = []; // { points: [{ x, y }], color, radius, name }: shares of the width, the height and the short side
let past = [], future = []; // earlier and undone lists of spots
let size = { width: 1, height: 1 }; // of the shown picture
let ownColor = "#4f7f5f";
let changed = () => {};

const checked = (name) => document.querySelector(`input[name=${name}]:checked`).value;
export const tool = () => checked("tool");
export const count = () => spots.length;
export const all = () => spots;

/** Show spots on a picture of a size, without a past; call a function after each change. */
export function start(given, shown, onChange) {
  [spots, past, future, size, changed] = [given, [], [], shown, onChange];
  show();
}

function change(next) {
  past.push(spots);
  future = [];
  spots = next;
  show();
  changed();
}

/** Go back or forth by one change; return whether there was one. */
export function undo(from = past, to = future) {
  if (!from.length) return false;
  to.push(spots);
  spots = from.pop();
  show();
  changed();
  return true;
}
export const redo = () => undo(future, past);
export const clear = () => change([]);
export const remove = (index) => change(spots.filter((_, other) => other !== index));

/** Return a spot or stroke of the chosen tool, color and size. */
export function made(points) {
  const word = WORDS[tool()];
  const choice = checked("color");
  const color = word ? tool() : choice === OWN ? ownColor : PALETTE[choice];
  return { points, color, name: word ?? choice, radius: Number(byId("radius").value) / 100 };
}

export const add = (points) => change([...spots, made(simplified(points, Number(byId("radius").value) / 400))]);

/** Return the index of the spot nearest to a place. */
export function nearest({ x, y }) {
  const far = (spot) => Math.min(...spot.points.map((point) => Math.hypot(point.x - x, point.y - y)));
  const distances = spots.map(far);
  return distances.indexOf(Math.min(...distances));
}

/** Leave out points of a stroke that lie within a distance of the line through the others. */
function simplified(points, distance) {
  if (points.length < 3) return points;
  const [first, last] = [points[0], points.at(-1)];
  const [across, down] = [last.x - first.x, last.y - first.y];
  const length = across ** 2 + down ** 2 || 1;
  const offsets = points.map(({ x, y }) => {
    const along = Math.min(1, Math.max(0, ((x - first.x) * across + (y - first.y) * down) / length));
    return Math.hypot(x - first.x - along * across, y - first.y - along * down);
  });
  const farthest = offsets.indexOf(Math.max(...offsets));
  if (offsets[farthest] <= distance) return [first, last];
  return [...simplified(points.slice(0, farthest + 1), distance).slice(0, -1), ...simplified(points.slice(farthest), distance)];
}

/** Return the spots as the server reads them, in pixels of a picture of a size. */
export function texts(width, height) {
  return spots.map(({ points, color, radius }) => [
    ...points.flatMap(({ x, y }) => [Math.min(width - 1, Math.floor(x * width)), Math.min(height - 1, Math.floor(y * height))]),
    color.replace("#", ""),
    Math.round(radius * Math.min(width, height)),
  ].join(","));
}

// ---------------------------------------------------------------- showing

/** Draw the spots, and one that is being drawn, on the picture. */
export function draw(further = []) {
  const { width, height } = size;
  const side = Math.min(width, height);
  byId("dots").setAttribute("viewBox", `0 0 ${width} ${height}`);
  byId("dots").replaceChildren(...[...spots, ...further].map(({ points, color, radius }, index) => {
    const group = document.createElementNS("http://www.w3.org/2000/svg", "g");
    const places = [...points, ...(points.length === 1 ? points : [])].map(({ x, y }) => `${x * width},${y * height}`);
    group.dataset.index = index;
    if (color in WORDS) group.classList.add(color);
    else group.style.color = color;
    group.append(...[1.6, 0.8, 0].map((rim) => {
      const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
      line.setAttribute("points", places.join(" "));
      line.setAttribute("stroke-width", 2 * Math.max(radius, LEAST) * side + 0.004 * rim * side);
      return line;
    }));
    return group;
  }));
}

function show() {
  draw();
  byId("spots").replaceChildren(...spots.map((spot, index) => {
    const row = document.createElement("li");
    const swatch = document.createElement("span");
    swatch.className = `swatch ${spot.color in WORDS ? spot.color : ""}`;
    if (!(spot.color in WORDS)) swatch.style.background = spot.color;
    const text = document.createElement("span");
    const [{ x, y }] = spot.points;
    text.textContent = `${spot.name} at ${Math.round(100 * x)} %, ${Math.round(100 * y)} %`;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "✕";
    button.setAttribute("aria-label", `Remove ${text.textContent}`);
    button.addEventListener("click", () => {
      remove(index);
      (byId("spots").querySelectorAll("button")[Math.min(index, spots.length - 1)] ?? byId("stage")).focus();
    });
    const mark = (on) => byId("dots").children[index]?.classList.toggle("marked", on);
    for (const [kind, on] of [["pointerenter", true], ["pointerleave", false], ["focusin", true], ["focusout", false]]) {
      row.addEventListener(kind, () => mark(on));
    }
    row.append(swatch, text, button);
    return row;
  }));
  byId("clear").hidden = spots.length < 2;
  byId("undo").disabled = !past.length;
  byId("redo").disabled = !future.length;
}

// ---------------------------------------------------------------- choosing

/** Choose a color of one's own. */
export function choose(color) {
  ownColor = color;
  document.querySelector(`#colors input[value="${OWN}"]`).checked = true;
  document.querySelector("#tools input[value=color]").checked = true;
  showChosen();
}

function showChosen() {
  const chosen = checked("color");
  byId("stage").dataset.tool = tool();
  byId("hints-help").textContent = HELP[tool()];
  byId("colors").disabled = tool() !== "color";
  byId("own").value = ownColor;
  byId("own").hidden = chosen !== OWN;
  byId("chosen").textContent = chosen;
}

export function build() {
  byId("colors").append(...[...Object.entries(PALETTE), [OWN, null]].map(([value, color], index) => {
    const label = document.createElement("label");
    const radio = document.createElement("input");
    Object.assign(radio, { type: "radio", name: "color", value, checked: index === 0 });
    radio.setAttribute("aria-label", value);
    const swatch = document.createElement("span");
    swatch.className = `swatch ${color ? "" : "own"}`;
    if (color) swatch.style.background = color;
    label.title = value;
    label.append(radio, swatch);
    return label;
  }));
  byId("colors").addEventListener("change", showChosen);
  byId("tools").addEventListener("change", showChosen);
  byId("own").addEventListener("input", (event) => { ownColor = event.target.value; });
  byId("radius").addEventListener("input", (event) => { byId("radius-value").textContent = `${event.target.value} %`; });
  showChosen();
}
