// Zoom and pan: the stage grows inside its frame, which scrolls.

const [frame, stage] = ["frame", "stage"].map((id) => document.getElementById(id));
const LARGEST = 16;
const FACTOR = 1.5; // of one step

let zoom = 1;

/** Return the place of a pointer on an element, in shares of its width and height. */
export function placeOf({ clientX, clientY }, element) {
  const box = element.getBoundingClientRect();
  const inside = (value) => Math.min(1, Math.max(0, value));
  return { x: inside((clientX - box.left) / box.width), y: inside((clientY - box.top) / box.height) };
}

/** Zoom to a factor; what lies at a point of the window stays there. */
function zoomTo(factor, clientX, clientY) {
  if (zoom === 1) frame.style.height = `${frame.getBoundingClientRect().height}px`; // it stays as high as it is
  zoom = Math.min(LARGEST, Math.max(1, factor));
  if (zoom === 1) frame.style.height = "";
  const place = placeOf({ clientX, clientY }, stage);
  stage.style.setProperty("--zoom", zoom);
  const box = stage.getBoundingClientRect();
  frame.scrollLeft += box.left + place.x * box.width - clientX;
  frame.scrollTop += box.top + place.y * box.height - clientY;
}

/** Zoom by some steps around the middle; 0 shows the whole picture. */
export function zoomBy(steps) {
  const box = frame.getBoundingClientRect();
  zoomTo(steps ? zoom * FACTOR ** steps : 1, box.left + box.width / 2, box.top + box.height / 2);
}

frame.addEventListener("wheel", (event) => {
  if (!event.ctrlKey && !event.metaKey) return; // then the frame scrolls, or the page
  event.preventDefault();
  zoomTo(zoom * 2 ** (-event.deltaY / 200), event.clientX, event.clientY);
}, { passive: false });
addEventListener("resize", () => { if (zoom > 1) zoomBy(0); });

/** Follow the pointers on the stage: two pinch, the middle button or the tool "move" pans, and others draw a stroke. */
export function follow({ moves, begin, extend, end, cancel }) {
  const pointers = new Map();
  let drawing = false;
  stage.addEventListener("pointerdown", (event) => {
    if (event.target.closest("#divider") || event.button > 1) return;
    pointers.set(event.pointerId, event);
    if (pointers.size > 1 && drawing) { drawing = false; cancel(); }
    const touches = event.pointerType === "touch";
    if (moves() && touches && pointers.size === 1) return; // the browser scrolls
    stage.setPointerCapture(event.pointerId);
    if (pointers.size > 1 || moves() || event.button === 1) { event.preventDefault(); return; }
    drawing = true;
    begin(event);
  });
  stage.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    if (drawing) {
      extend(event);
    } else {
      const other = [...pointers.values()].find(({ pointerId }) => pointerId !== event.pointerId);
      frame.scrollLeft -= (event.clientX - before.clientX) / pointers.size;
      frame.scrollTop -= (event.clientY - before.clientY) / pointers.size;
      if (other) {
        const apart = ({ clientX, clientY }) => Math.hypot(clientX - other.clientX, clientY - other.clientY);
        zoomTo(zoom * apart(event) / apart(before), (event.clientX + other.clientX) / 2, (event.clientY + other.clientY) / 2);
      }
    }
    pointers.set(event.pointerId, event);
  });
  const leave = (event) => {
    if (pointers.delete(event.pointerId) && drawing) {
      drawing = false;
      if (event.type === "pointerup") end(event); else cancel();
    }
  };
  stage.addEventListener("pointerup", leave);
  stage.addEventListener("pointercancel", leave);
}

const STEP = 0.01, LARGE_STEP = 0.1; // of a crosshair, in shares of the picture
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Let the arrow keys move a crosshair over an element; other keys act at its place, and return whether they did. */
export function pointByKeys(element, mark, say, act) {
  const place = { x: 0.5, y: 0.5 };
  element.addEventListener("keydown", (event) => {
    if (event.key in ARROWS) {
      const step = event.shiftKey ? LARGE_STEP : STEP;
      ["x", "y"].forEach((axis, index) => {
        place[axis] = Math.min(1, Math.max(0, place[axis] + step * ARROWS[event.key][index]));
      });
      mark.hidden = false;
      mark.style.left = `${100 * place.x}%`;
      mark.style.top = `${100 * place.y}%`;
      mark.scrollIntoView({ block: "nearest", inline: "nearest" });
      say(`${Math.round(100 * place.x)} % from the left, ${Math.round(100 * place.y)} % from the top.`);
    } else if (!act(event, place)) {
      return;
    }
    event.preventDefault();
  });
  element.addEventListener("blur", () => { mark.hidden = true; });
}
