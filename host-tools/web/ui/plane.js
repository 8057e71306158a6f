// The valence-arousal plane: the mood, and the way that it came.

import { MOODS, colourOf, signed, wordOf } from "/mood.js";
import { svg } from "/svg.js";

// How much of the way is shown: its last points.
const TAIL = 24;

// From a place on the plane to units of the drawing.
const x = (valence) => 100 * valence;
const y = (arousal) => -100 * arousal;

/** The plane in this element. */
export class Plane {
  constructor(element) {
    this.element = element;
    this.way = svg("g", { class: "way" });
    this.point = svg("circle", { r: 9, class: "point" });
    element.append(...grid(), this.way, this.point, ...names());
  }

  /** Shows a state at the end of points as of Trail. */
  show(state, points) {
    const { valence, arousal, presence } = state;
    const place = `Valence ${signed(valence)}, arousal ${signed(arousal)}`;
    this.element.setAttribute("aria-label", `${wordOf(state)}. ${place}, each from −1 to 1.`);
    this.point.style.transform = `translate(${x(valence)}px, ${y(arousal)}px)`;
    this.point.style.fill = colourOf(state.mood);
    this.point.classList.toggle("gone", !presence);
    const tail = points.filter(([, mood]) => mood !== null && mood !== "absent").slice(-TAIL);
    const steps = tail.slice(1).map(([, , toX, toY], n) => {
      const [, , fromX, fromY] = tail[n];
      const opacity = ((n + 2) / tail.length).toFixed(2);
      return svg("line", { x1: x(fromX), y1: y(fromY), x2: x(toX), y2: y(toY), opacity });
    });
    this.way.replaceChildren(...steps);
  }
}

function grid() {
  const words = [
    ["lively", 4, -106, "start"],
    ["calm", 4, 113, "start"],
    ["unpleasant", -112, -4, "start"],
    ["pleasant", 112, -4, "end"],
  ].map(([word, left, base, anchor]) => svg("text", { x: left, y: base, "text-anchor": anchor, class: "axis" }, word));
  return [
    svg("circle", { r: 100, class: "rim" }),
    svg("circle", { r: 50, class: "rim" }),
    svg("path", { d: "M-112 0H112M0-112V112", class: "cross" }),
    ...words,
  ];
}

/** Where the emotions lie; the names leave room for the point of a mood that lies there. */
function names() {
  const emotions = Object.entries(MOODS).filter(([, { at }]) => at);
  return emotions.map(([name, { at: [valence, arousal], colour }]) => {
    const dot = svg("circle", { cx: x(valence), cy: y(arousal), r: 2.8, class: "mark" });
    dot.style.fill = colour;
    // Fear and anger lie close together: the leftmost have their names on the left.
    const [at, anchor] = valence < -0.52 ? [x(valence) - 12, "end"] : [x(valence) + 12, "start"];
    return svg("g", {}, dot, svg("text", { x: at, y: y(arousal) + 2.5, "text-anchor": anchor }, name));
  });
}
