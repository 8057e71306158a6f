// The moods since somebody looks: points of time in ms, mood (null while it is not known), valence and arousal, the oldest first.

// As many as the server keeps, and as rarely.
const LENGTH = 720;
const STEP = 5000;

/** The points with that of a state at their end. */
export function extended(points, { mood, valence, arousal }, now) {
  const last = points.at(-1);
  const soon = last && now - last[0] < STEP && last[1] === mood;
  const point = [soon ? last[0] : now, mood, valence, arousal];
  return [...(soon ? points.slice(0, -1) : points), point].slice(-LENGTH);
}

/** From a time on the mood is not known. */
export const nothing = (at) => [at, null, 0, 0];

/** The points, after which the mood is not known. */
export const cut = (points, now) => ((points.at(-1)?.[1] ?? null) === null ? points : [...points, nothing(now)]);
