// The history as a plot: valence and arousal over time, and the moods as a ribbon below.

import { colourOf, wordOf } from "/mood.js";
import { svg } from "/svg.js";
import { nothing } from "/trail.js";

const HEIGHT = 190;
const TOP = 10;
const LINES = 130;
const RIBBON = [148, 14];
const LEFT = 34;
const RIGHT = 58;

/** The longest time that is shown, in seconds. */
export const DAY = 86_400;

// A box notes a mood that lasts again after this time, in ms, and what it says later than it should still belongs together.
const NOTED_AGAIN = 30 * 60_000;
const SLACK = 5 * 60_000;

/** Points as of Trail from what a box has kept; no mood where it did not look, and nothing of a time that it did not know. */
export const pointsOf = (moments) =>
  moments
    .filter(({ unset }) => !unset)
    .map(({ at, mood, valence, arousal }) => [1000 * at, mood ?? null, valence ?? 0, arousal ?? 0]);

/** The points of `seen`, and of `kept` those of times in which the mood was not seen. */
export function merged(kept, seen) {
  const known = (at) => (seen.findLast(([since]) => since <= at)?.[1] ?? null) !== null;
  // A box that says nothing for longer than it ever does has lost its power.
  const lasting = kept.flatMap((point, n) => {
    const [at, mood] = point;
    const end = kept[n + 1]?.[0] ?? Date.now();
    return mood !== null && end - at > NOTED_AGAIN + SLACK ? [point, nothing(at + NOTED_AGAIN)] : [point];
  });
  return [...lasting.filter(([at]) => !known(at)), ...seen].sort(([a], [b]) => a - b);
}

// What is seen of nobody, or not seen, is no place on the plane.
const isPlace = (point) => point !== undefined && point[1] !== null && point[1] !== "absent";

/** The plot in this element, with a line of words below it. */
export class History {
  constructor(element, note) {
    [this.element, this.note, this.points, this.span] = [element, note, [], 300];
    new ResizeObserver(() => this.draw()).observe(element.parentElement);
  }

  /** Shows points as of Trail, or the last ones of them in `span` seconds. */
  show(points, span = this.span) {
    [this.points, this.span] = [points, span];
    this.draw();
  }

  draw() {
    const width = this.element.parentElement.clientWidth - paddingOf(this.element.parentElement);
    if (width <= LEFT + RIGHT) return;
    const now = Date.now();
    const start = now - 1000 * this.span;
    const shown = since(this.points, start);
    const x = (at) => LEFT + ((at - start) / (now - start)) * (width - LEFT - RIGHT);
    this.element.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.element.setAttribute("aria-label", inWords(shown, now, this.span));
    const parts = [...frame(width), ...times(start, now, x)];
    if (shown.length > 0) parts.push(...ribbon(shown, now, x), ...lines(shown, now, x, width));
    this.element.replaceChildren(...parts);
    this.note.textContent = shown.some(([, mood]) => mood !== null) ? "" : "Nothing was seen in this time.";
  }
}

const paddingOf = (element) => {
  const { paddingLeft, paddingRight } = getComputedStyle(element);
  return parseFloat(paddingLeft) + parseFloat(paddingRight);
};

const y = (value) => TOP + ((1 - value) / 2) * (LINES - TOP);

/** The points after a time, and what held then. */
function since(points, start) {
  const first = points.findIndex(([at]) => at > start);
  const before = first < 0 ? points.at(-1) : points[first - 1];
  const after = first < 0 ? [] : points.slice(first);
  return before ? [[start, ...before.slice(1)], ...after] : after;
}

function frame(width) {
  return [1, 0, -1].flatMap((value) => [
    svg("line", { x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value), class: value ? "grid" : "grid zero" }),
    svg("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, value > 0 ? "+1" : String(value).replace("-", "−")),
  ]);
}

function times(start, now, x) {
  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
  return [0, 0.5, 1].map((share) => {
    const at = start + share * (now - start);
    const anchor = share === 0 ? "start" : share === 1 ? "end" : "middle";
    return svg("text", { x: x(at), y: HEIGHT - 6, "text-anchor": anchor }, share === 1 ? "now" : clock.format(at));
  });
}

function ribbon(points, now, x) {
  const [top, height] = RIBBON;
  const changes = points.filter(([, mood], n) => mood !== points[n - 1]?.[1]);
  return changes.map(([at, mood], n) => {
    const end = changes[n + 1]?.[0] ?? now;
    const piece = svg("rect", { x: x(at), y: top, width: Math.max(0, x(end) - x(at)), height, class: "piece" });
    piece.style.fill = colourOf(mood);
    piece.append(svg("title", {}, mood ?? "not known"));
    return piece;
  });
}

function lines(points, now, x, width) {
  return [
    [2, "valence"],
    [3, "arousal"],
  ].flatMap(([index, name]) => {
    let path = "";
    for (const [n, point] of points.entries()) {
      if (!isPlace(point)) continue;
      const end = points[n + 1]?.[0] ?? now;
      path += `${isPlace(points[n - 1]) ? "L" : "M"}${x(point[0]).toFixed(1)} ${y(point[index]).toFixed(1)}H${x(end).toFixed(1)}`;
    }
    const label = points.at(-1);
    const other = label[index === 2 ? 3 : 2];
    // Two names that would lie on each other move apart.
    const apart = Math.max(0, 7 - Math.abs(y(label[index]) - y(other)) / 2) * (label[index] > other || (label[index] === other && index === 2) ? -1 : 1);
    return [
      svg("path", { d: path, class: `line ${name}` }),
      svg("text", { x: width - RIGHT + 6, y: y(label[index]) + 4 + apart, class: `name ${name}` }, name),
    ];
  });
}

function inWords(points, now, span) {
  const minutes = span / 60;
  const time = minutes < 60 ? `${minutes} minutes` : minutes === 60 ? "hour" : "day";
  if (points.length === 0) return `Nothing was seen in the last ${time}.`;
  const lasted = {};
  for (const [n, [at, mood]] of points.entries()) {
    if (mood === null) continue;
    lasted[mood] = (lasted[mood] ?? 0) + (points[n + 1]?.[0] ?? now) - at;
  }
  const [mood] = Object.entries(lasted).sort(([, a], [, b]) => b - a)[0] ?? [];
  if (!mood) return `Nothing was seen in the last ${time}.`;
  return `In the last ${time} most of the time: ${wordOf({ mood, camera: "on" })}.`;
}
