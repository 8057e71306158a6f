// The song that plays, the list and why, and what is to be done with them.

const element = (id) => document.getElementById(id);

/** The songs of a box; `command(name, payload)` tells it something and rejects when it refuses. */
export class Songs {
  constructor(command, announce) {
    [this.command, this.announce] = [command, announce];
    this.now = {};
    this.list = { tracks: [] };
    this.cleared = 0;
    element("like").addEventListener("click", () => this.tell("like", "PRESS", `Liked ${this.now.title ?? ""}`));
    element("skip").addEventListener("click", () => this.tell("skip", "PRESS"));
    element("next").addEventListener("click", () => this.tell("next", "PRESS"));
    element("recommend").addEventListener("click", () => this.tell("recommend", "PRESS"));
    element("list").addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) this.tell("choose", { uri: this.list.tracks[button.value].uri });
    });
  }

  async tell(name, payload, done) {
    element("now-error").textContent = "";
    const button = element(name);
    const { cleared } = this;
    // An answer that comes after another box is shown is not about that.
    const counts = () => this.cleared === cleared;
    try {
      await this.command(name, payload);
      if (!done || !counts()) return;
      this.announce(done);
      button?.classList.add("done");
    } catch (error) {
      if (counts()) element("now-error").textContent = error.message;
    }
  }

  showNow(track) {
    const changed = track.uri !== this.now.uri;
    this.now = track;
    element("now-title").textContent = track.title ?? "No song yet";
    element("now-artist").textContent = track.title ? [track.artist, track.album].filter(Boolean).join(" · ") : "Next begins the list.";
    element("like").disabled = element("skip").disabled = !track.uri;
    if (changed) {
      element("like").classList.remove("done");
      this.showList(this.list);
    }
  }

  showList(list) {
    const focused = document.activeElement?.closest?.("#list button")?.value;
    this.list = list;
    element("reason").textContent = list.reason ? `${list.reason}.` : "No list yet: it comes with the first mood.";
    element("list").replaceChildren(...list.tracks.map((track, n) => this.row(track, n)));
    if (focused !== undefined) element("list").querySelector(`button[value="${focused}"]`)?.focus();
  }

  /** Another box: nothing is known of its songs. */
  clear() {
    this.cleared += 1;
    element("now-error").textContent = "";
    this.showNow({});
    this.showList({ tracks: [] });
  }

  row(track, n) {
    const row = part("li");
    const text = part("div");
    text.append(part("p", "title", track.title), part("p", "quiet", track.artist), part("p", "why", track.why));
    const button = part("button", "plain", "Play");
    Object.assign(button, { type: "button", value: n });
    button.setAttribute("aria-label", `Play ${track.title} by ${track.artist}`);
    row.append(text, button);
    if (track.uri === this.now.uri) row.setAttribute("aria-current", "true");
    return row;
  }
}

function part(name, kind = "", text = "") {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  made.textContent = text;
  return made;
}
