// What can be set: the box says what it has, and refuses what it does not take.

const element = (id) => document.getElementById(id);

// The settings, the key of the configuration that each stands for, and what makes a value of it.
const KEYS = {
  hold_time: ["mood.hold_s", (value) => value],
  min_face: ["vision.min_face_px", (value) => value],
  brightness: ["leds.brightness", (value) => value / 100],
  analysis_rate: ["vision.fps", (value) => value],
};

// How long what was clicked or entered is shown while the box has not said it, in ms: it speaks once a second.
const PATIENCE = 2500;

/**
 * The settings of a box; `command(name, payload)` tells it something and `request(name, fields)` asks it, and both reject
 * when it refuses.
 */
export class Settings {
  constructor(command, request, announce) {
    Object.assign(this, { command, request, announce, state: null, settings: {}, wanted: {}, cleared: 0 });
    for (const name of Object.keys(KEYS)) {
      element(name).addEventListener("input", () => this.refuse(name, ""));
      element(name).addEventListener("change", () => this.set(name));
      element(name).addEventListener("blur", () => this.show());
    }
    for (const name of ["camera", "leds"]) {
      element(name).addEventListener("change", (event) => this.want(name, event.target.checked ? "ON" : "OFF"));
    }
    for (const radio of document.getElementsByName("policy")) {
      radio.addEventListener("change", () => this.want("policy", radio.value));
    }
  }

  async set(name) {
    const field = element(name);
    const [key, of] = KEYS[name];
    const value = field.valueAsNumber;
    this.refuse(name, "");
    if (Number.isNaN(value) || value === (this.wanted[name]?.value ?? this.settings[name])) return;
    const wanted = { value, answered: false };
    this.wanted[name] = wanted;
    // An answer that comes after another value was entered, or another box is shown, is not about what the field shows.
    const counts = () => this.wanted[name] === wanted;
    try {
      const answer = await this.request("config.set", { set: { [key]: of(value) } });
      if (!counts()) return;
      wanted.answered = true;
      setTimeout(() => this.give(name, wanted), PATIENCE);
      field.classList.add("done");
      setTimeout(() => field.classList.remove("done"), 1500);
      this.announce(answer.after_restart.length > 0 ? "It counts after a restart of the box" : "Set");
    } catch (error) {
      if (!counts()) return;
      delete this.wanted[name];
      this.refuse(name, error.message.replace(`${key}: `, ""));
    }
    this.show();
  }

  async want(name, value) {
    this.refuse(name, "");
    const wanted = { value: value.toLowerCase() };
    this.wanted[name] = wanted;
    const { cleared } = this;
    // What the box does not say after all was not taken.
    setTimeout(() => this.give(name, wanted), PATIENCE);
    try {
      await this.command(name, value);
    } catch (error) {
      // An answer that comes after another box is shown is not about that.
      if (cleared !== this.cleared) return;
      this.refuse(name, error.message);
      this.give(name, wanted);
    }
  }

  give(name, wanted) {
    if (this.wanted[name] !== wanted) return;
    delete this.wanted[name];
    this.show();
  }

  refuse(name, reason) {
    element(`${name}-error`).textContent = reason;
    const field = element(name);
    if (field) field.ariaInvalid = reason ? "true" : null;
  }

  showState(state) {
    this.state = state;
    this.show();
  }

  showSettings(settings) {
    this.settings = settings;
    this.show();
  }

  showLimits(limits) {
    for (const name of Object.keys(KEYS)) {
      const field = element(name);
      const { min, max, step } = limits?.[name] ?? {};
      for (const [key, value] of Object.entries({ min, max, step })) field[key] = value ?? "";
      field.closest(".field").querySelector(".bounds").textContent = limits ? `(${min} to ${max})` : "";
    }
  }

  show() {
    for (const name of Object.keys(KEYS)) {
      const field = element(name);
      const inForce = this.settings[name];
      if (this.wanted[name]?.answered && this.wanted[name].value === inForce) delete this.wanted[name];
      // What was refused is right once it is in force.
      if (field.valueAsNumber === inForce) this.refuse(name, "");
      const busy = field === document.activeElement || field.ariaInvalid === "true";
      if (!busy) field.value = this.wanted[name]?.value ?? inForce ?? "";
    }
    if (!this.state) return;
    for (const name of ["camera", "leds", "policy"]) {
      if (this.wanted[name]?.value === this.state[name]) delete this.wanted[name];
    }
    const shown = (name) => this.wanted[name]?.value ?? this.state[name];
    // A camera that gives no picture is switched on all the same.
    element("camera").checked = shown("camera") !== "off";
    element("leds").checked = shown("leds") === "on";
    for (const radio of document.getElementsByName("policy")) radio.checked = radio.value === shown("policy");
  }

  /** Another box: nothing is known of it. */
  clear() {
    Object.assign(this, { state: null, settings: {}, wanted: {}, cleared: this.cleared + 1 });
    for (const name of [...Object.keys(KEYS), "camera", "leds", "policy"]) this.refuse(name, "");
    this.showLimits(null);
    this.show();
  }
}
