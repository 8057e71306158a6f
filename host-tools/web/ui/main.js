// The page: follows what the server says of one box, and shows it.

import { Refused, ask, enter, follow } from "/server.js";
import { DAY, History, merged, pointsOf } from "/history.js";
import { MOODS, colourOf, presenceOf, wordOf } from "/mood.js";
import { Plane } from "/plane.js";
import { Settings } from "/settings.js";
import { Songs } from "/songs.js";
import { cut, extended } from "/trail.js";

// Time between two attempts to reach the server again, in ms.
const AGAIN = 1000;

// How often the plot moves on by itself, in ms.
const TICK = 10_000;

// How often the box is asked for its past, in ms: it keeps a mood that lasts at least every half hour, and the page no more than
// an hour of them by itself.
const PAST = 30 * 60_000;

// How many lines that were read aloud are kept.
const SAID = 20;

const element = (id) => document.getElementById(id);
// What stays the same is not written anew: a reader of the screen would read it again.
const write = (where, text) => {
  if (where.textContent !== text) where.textContent = text;
};
const say = (id, text) => write(element(id), text);

let box = new URLSearchParams(location.search).get("box");
let boxes = [];
let broker = null;
let ended = "";
let points = [];
let kept = [];
let state = null;
let confidence = null;
let following = new AbortController();

const at = (kind, name) => `/api/boxes/${encodeURIComponent(box)}/${kind}/${name}`;
const command = (name, payload) => ask("POST", at("commands", name), payload);
const request = (name, fields) => ask("POST", at("requests", name), fields);
/** Tells who does not see the page: in a line of its own, so that of two things that happen at once both are heard. */
function announce(text) {
  if (!text) return;
  const line = document.createElement("p");
  line.textContent = text;
  element("said").append(line);
  if (element("said").childElementCount > SAID) element("said").firstElementChild.remove();
}

const plane = new Plane(element("plane"));
const history = new History(element("history"), element("history-note"));
const songs = new Songs(command, announce);
const settings = new Settings(command, request, announce);

const HEARD = {
  broker: (said) => ((broker = said), showTrouble()),
  boxes: (said) => {
    const returns = isAway(boxes) && !isAway(said);
    boxes = said;
    showBoxes();
    if (returns) recall();
  },
  trail: (said) => ((points = said), showHistory(), recall()),
  state: showState,
  confidence: (said) => ((confidence = said), showMood()),
  settings: (said) => settings.showSettings(said),
  limits: (said) => settings.showLimits(said),
  now: (said) => songs.showNow(said),
  recommendation: (said) => songs.showList(said),
};

const isAway = (some) => some.some(({ id, online }) => id === box && !online);

const showHistory = (span) => history.show(merged(kept, points), span);

/** Asks the box what it has kept of the last day; one that keeps nothing, or is away, leaves the plot as it is. */
async function recall() {
  const asked = box;
  const to = Math.floor(Date.now() / 1000) + 1;
  const moments = [];
  try {
    for (let more = true; more; ) {
      const page = await request("history.get", { from: to - DAY, to, skip: moments.length });
      moments.push(...page.moments);
      more = page.more && page.moments.length > 0;
    }
  } catch {
    return;
  }
  if (asked !== box) return;
  kept = pointsOf(moments);
  showHistory();
}

function showState(said) {
  const before = state;
  state = said;
  const last = points.at(-1);
  const same = last && last[1] === state.mood && last[2] === state.valence && last[3] === state.arousal;
  // What the broker has kept of a box that is away is no news.
  if (!same && !isAway(boxes)) points = extended(points, state, Date.now());
  // Moods that are little more than a guess come and go; only what the box believes is worth an interruption.
  if (before?.camera_reason !== state.camera_reason || !before) showTrouble();
  if (before && before.mood !== state.mood && !state.unsure) announce(wordOf(state));
  showMood();
  settings.showState(state);
  showHistory();
}

function showMood() {
  if (!state) return;
  const { expression, leds, mood, presence } = state;
  say("mood", wordOf(state));
  say("sure", presence && confidence !== null ? `${confidence} % sure` : "");
  say("presence", presenceOf(state));
  say("expression", expression ?? "no expression");
  const light = leds === "off" ? undefined : (expression ?? mood);
  say("light", leds === "off" ? "off" : (MOODS[light]?.light ?? "dark"));
  element("swatch").style.background = colourOf(light);
  const glow = MOODS[light]?.colour;
  element("lamp").style.setProperty("--light", glow ?? "var(--line)");
  element("lamp").classList.toggle("dark", !glow);
  element("lamp").classList.toggle("breathes", state.unsure && presence);
  plane.show(state, points);
}

const nameOf = (id) => boxes.find((known) => known.id === id)?.name ?? id;

function showTrouble() {
  const known = boxes.find(({ id }) => id === box);
  let text = "";
  if (ended) text = ended;
  else if (broker && !broker.connected) text = `The broker is away: ${broker.reason}. This goes on by itself when it is back.`;
  else if (known && !known.online) text = `${known.name} is not there. This is the last that it said.`;
  else if (box && broker && !known) text = `No box called ${box} is known on ${broker.broker}.`;
  const away = text !== "";
  if (!away && state?.camera_reason) text = `The camera of ${nameOf(box)}: ${state.camera_reason}`;
  if (element("trouble").textContent !== text) announce(text || (broker?.connected && known ? `${known.name} is there again` : ""));
  say("trouble", text);
  element("trouble").hidden = !text;
  document.body.classList.toggle("away", away);
  element("main").hidden = !state;
  element("nobody").hidden = state !== null || away;
  say("nobody", broker ? (box ? `${nameOf(box)} has said nothing yet.` : `No box has said anything on ${broker.broker} yet.`) : "");
}

function showBoxes() {
  const links = element("boxes");
  const shown = [...links.children].map((link) => link.dataset.box);
  // A link stays while its box changes: somebody may be pressing it.
  if (boxes.map(({ id }) => id).join() !== shown.join()) {
    const focused = document.activeElement?.dataset?.box;
    links.replaceChildren(...boxes.map(linkTo));
    [...links.children].find((link) => link.dataset.box === focused)?.focus();
  }
  for (const [n, known] of boxes.entries()) showLink(links.children[n], known);
  document.title = box ? `${nameOf(box)} · moodbox` : "moodbox";
  showTrouble();
  if (!box && boxes.length > 0) choose((boxes.find(({ online }) => online) ?? boxes[0]).id, "replaceState");
}

function linkTo({ id }) {
  const link = document.createElement("a");
  link.href = `?box=${encodeURIComponent(id)}`;
  link.dataset.box = id;
  link.append(...["swatch", "name", "unseen"].map((kind) => {
    const span = document.createElement("span");
    span.className = kind;
    return span;
  }));
  return link;
}

function showLink(link, { id, name, online, mood }) {
  const [dot, called, away] = link.children;
  dot.style.background = online ? colourOf(mood) : "transparent";
  write(called, name);
  write(away, online ? "" : ", not there");
  link.classList.toggle("offline", !online);
  link.ariaCurrent = id === box ? "page" : null;
}

/** Shows another box; `how` it goes into what the browser remembers. */
function choose(id, how) {
  box = id;
  if (how) window.history[how](null, "", id ? `?box=${encodeURIComponent(id)}` : "/");
  [state, confidence, points, kept] = [null, null, [], []];
  settings.clear();
  songs.clear();
  showBoxes();
  following.abort();
}

/** Follows the box that is shown, whichever that becomes. */
async function followAll() {
  for (;;) {
    following = new AbortController();
    const { signal } = following;
    const path = box ? at("events", "").replace(/\/$/, "") : "/api/events";
    try {
      await follow(path, (name, data) => !signal.aborted && hear(name, data), signal);
    } catch (error) {
      if (signal.aborted) continue;
      ended = error instanceof Refused && error.status === 401
        ? "moodbox ui was started anew. Open the address that it printed."
        : "moodbox ui has ended on this computer. Start it again and open the address that it prints.";
      points = cut(points, Date.now());
      showTrouble();
      await new Promise((done) => setTimeout(done, AGAIN));
    }
  }
}

function hear(name, data) {
  if (ended) {
    ended = "";
    showTrouble();
  }
  try {
    HEARD[name]?.(data);
  } catch (error) {
    // What cannot be shown keeps nothing else from being shown.
    console.error(error);
  }
}

element("boxes").addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (link.dataset.box !== box) choose(link.dataset.box, "pushState");
});
// Followed as a link it would stay in the address, where the key is looked for.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  element("main").focus();
});
window.addEventListener("popstate", () => choose(new URLSearchParams(location.search).get("box"), null));
for (const radio of document.getElementsByName("span")) {
  radio.addEventListener("change", () => showHistory(Number(radio.value)));
}
setInterval(() => !document.hidden && showHistory(), TICK);
setInterval(() => box && recall(), PAST);

try {
  await enter();
  songs.showNow({});
  await followAll();
} catch (error) {
  ended = error.status === 401 ? "This address was used already, or is not whole. Open the one that moodbox ui printed." : error.message;
  showTrouble();
}
