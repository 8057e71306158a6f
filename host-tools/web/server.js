// The way from a page to the program that serves it: the key, questions, and what it says by itself.

const KEPT = "moodbox-key";

// Longest time without a word of the server, in ms; it says something every 15 s.
const SILENCE = 40_000;

/** Why the server does not do what it is asked; `status` is that of HTTP, or 0 without an answer. */
export class Refused extends Error {
  constructor(status, reason) {
    super(reason);
    this.status = status;
  }
}

/**
 * Knows the key: the word behind `#` of the address is exchanged for it and taken out of the address. This tab keeps it, so
 * that the page can be loaded anew, also where the word is none that gets it. Rejects with Refused.
 */
export async function enter() {
  // A browser that goes from one word behind # to another loads nothing by itself.
  addEventListener("hashchange", () => location.reload());
  const kept = sessionStorage.getItem(KEPT);
  const key = await keyFor(location.hash.slice(1) || kept || "").catch((refused) => {
    if (kept) return keyFor(kept);
    throw refused;
  });
  sessionStorage.setItem(KEPT, key);
  history.replaceState(null, "", location.pathname + location.search);
}

const keyFor = async (word) => (await send("POST", "/key", { key: word })).text();

/** Asks the server; the answer as JSON, or null where there is none. Rejects with Refused. */
export async function ask(method, path, body) {
  const response = await send(method, path, { key: sessionStorage.getItem(KEPT), body });
  return response.status === 204 ? null : response.json();
}

/**
 * What the server says by itself, event by event, as `tell(name, data)`, until the signal aborts or the server ends; then it
 * rejects. Not an EventSource, which cannot send the key.
 */
export async function follow(path, tell, signal) {
  const silent = new AbortController();
  let timer = setTimeout(() => silent.abort(), SILENCE);
  try {
    const key = sessionStorage.getItem(KEPT);
    const response = await send("GET", path, { key, signal: AbortSignal.any([signal, silent.signal]) });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) throw new Refused(0, "the server has ended");
      clearTimeout(timer);
      timer = setTimeout(() => silent.abort(), SILENCE);
      const events = (text + value).split("\n\n");
      text = events.pop();
      for (const event of events) pass(event, tell);
    }
  } finally {
    clearTimeout(timer);
  }
}

function pass(event, tell) {
  const fields = event.split("\n").map((line) => line.split(/: ?(.*)/s));
  const field = (name) => fields.filter(([found]) => found === name).map(([, value]) => value).join("\n");
  if (field("data")) tell(field("event"), JSON.parse(field("data")));
}

async function send(method, path, { key, body, signal }) {
  const headers = { authorization: `Bearer ${key}` };
  if (body !== undefined) headers["content-type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal });
  } catch {
    throw new Refused(0, "moodbox does not answer on this computer");
  }
  if (!response.ok) throw new Refused(response.status, (await response.text()).trim());
  return response;
}
