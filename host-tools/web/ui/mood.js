// The moods: what they are called, their colour as the light has it, and their place on the valence-arousal plane.

export const MOODS = {
  angry: { colour: "#ba0000", light: "red", at: [-0.5, 0.5] },
  disgust: { colour: "#7bb100", light: "green", at: [-0.55, 0.3] },
  fear: { colour: "#ca00f9", light: "violet", at: [-0.6, 0.55] },
  happy: { colour: "#ffe000", light: "yellow", at: [0.75, 0.4] },
  neutral: { colour: "#d2ffe6", light: "pale green-white", at: [0, -0.1] },
  sad: { colour: "#002b94", light: "deep blue", at: [-0.6, -0.3] },
  surprise: { colour: "#7bc2ff", light: "sky blue", at: [0.15, 0.6] },
  mixed: { colour: "#ca5a96", light: "pink" },
  absent: { light: "dark" },
};

/** The colour of a mood, or that of none. */
export const colourOf = (mood) => MOODS[mood]?.colour ?? "var(--line)";

const capital = (word) => word.charAt(0).toUpperCase() + word.slice(1);

/** The mood of a state in a word or two. */
export function wordOf({ mood, unsure, camera, presence_unknown: unknown }) {
  if (camera === "off") return "The camera is off";
  if (camera === "unavailable") return "No picture";
  if (mood === "absent") return unknown ? "Nobody is seen" : "Nobody is there";
  return unsure ? `Perhaps ${mood}` : capital(mood);
}

/** Who is in the room, in words. */
export function presenceOf({ presence, presence_unknown: unknown, faces, camera }) {
  if (camera !== "on" || unknown) return "not known";
  if (faces > 0) return faces === 1 ? "1 face" : `${faces} faces`;
  return presence ? "somebody, not in view" : "nobody";
}

/** A number of the plane as a person reads it. */
export const signed = (value) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(2);
