//! What an evening came to, beside songs drawn at random.

use std::collections::BTreeSet;
use std::io::{self, Write};

use moodbox_core::affect::{Affect, Policy};
use moodbox_core::emotion::Emotion;
use moodbox_core::music::{Catalogue, default_policy};
use serde_json::json;

use super::Played;

/// Where *soothe* leads: songs for anger and fear shall lie there.
const CALM: Affect = Affect::new(0.4, -0.4);

pub(super) struct Tally {
    catalogue: Catalogue,
    seconds: u32,
    right: u32,
    /// The mood, since when, and whether the box has seen it.
    mood: Option<(Emotion, u32, bool)>,
    changes: usize,
    /// Seconds after which changes were seen.
    seen_after: Vec<u32>,
    songs: u32,
    skips: u32,
    artists: BTreeSet<String>,
    /// Sum of the distances from where the music should be, and the same for all songs of the catalogue.
    away: f32,
    away_by_chance: f32,
    /// Steps from a song to the next without a change of mood that stay in the family, and all of them.
    kept: u32,
    steps: u32,
    last: Option<(String, Emotion)>,
}

impl Tally {
    pub(super) fn new(catalogue: &Catalogue) -> Self {
        Self {
            catalogue: catalogue.clone(),
            seconds: 0,
            right: 0,
            mood: None,
            changes: 0,
            seen_after: Vec::new(),
            songs: 0,
            skips: 0,
            artists: BTreeSet::new(),
            away: 0.0,
            away_by_chance: 0.0,
            kept: 0,
            steps: 0,
            last: None,
        }
    }

    /// A second of the evening; gives the time that it took the box to see a change of mood, once it has.
    pub(super) fn second(&mut self, mood: Emotion, believed: &str) -> Option<u32> {
        self.seconds += 1;
        let is_right = mood.name() == believed;
        self.right += u32::from(is_right);
        match &mut self.mood {
            Some((last, since, seen)) if *last == mood => {
                let newly = is_right && !std::mem::replace(seen, *seen || is_right);
                let after = newly.then(|| self.seconds - *since);
                self.seen_after.extend(after);
                after
            }
            // The evening begins with a mood that did not change.
            first @ None => {
                *first = Some((mood, self.seconds, true));
                None
            }
            Some(last) => {
                *last = (mood, self.seconds, is_right);
                self.changes += 1;
                None
            }
        }
    }

    pub(super) const fn skip(&mut self) {
        self.skips += 1;
    }

    pub(super) fn song(&mut self, played: &Played) {
        self.songs += 1;
        self.artists.insert(played.track.artist.to_lowercase());
        let aim = match default_policy(played.mood) {
            Policy::Soothe => CALM,
            Policy::Match | Policy::Lift => Affect::of(played.mood),
        };
        let away = |uri: &str| self.catalogue.place(uri).map_or(0.0, |place| place.distance(aim));
        let all = self.catalogue.tracks();
        self.away_by_chance += all.iter().map(|track| away(&track.uri)).sum::<f32>() / all.len().max(1) as f32;
        self.away += away(&played.track.uri);
        if let Some((last, mood)) = self.last.take()
            && mood == played.mood
        {
            self.steps += 1;
            let kinship = self.catalogue.kinship(&last, &played.track.uri);
            self.kept += u32::from(kinship.is_some_and(|kinship| kinship.same_family));
        }
        self.last = Some((played.track.uri.clone(), played.mood));
    }

    pub(super) fn print(&self, out: &mut impl Write, json: bool) -> io::Result<()> {
        let share = |part: f32, whole: u32| part / whole.max(1) as f32;
        let mood_right = share(self.right as f32, self.seconds);
        let (away, by_chance) = (share(self.away, self.songs), share(self.away_by_chance, self.songs));
        let kept = share(self.kept as f32, self.steps);
        let (songs, skips, artists) = (self.songs, self.skips, self.artists.len());
        let mut after = self.seen_after.clone();
        after.sort_unstable();
        let (seen, median) = (after.len(), after.get(after.len() / 2).copied());
        if json {
            let summary = json!({
                "songs": songs, "artists": artists, "skips": skips, "mood_right": mood_right,
                "changes": self.changes, "changes_seen": seen, "seen_after_s": median,
                "distance": away, "distance_by_chance": by_chance, "same_family": kept,
            });
            return writeln!(out, "{summary}");
        }
        writeln!(out, "\n{songs} songs by {artists} artists, {skips} skipped")?;
        write!(out, "mood right {:.0} % of the time; ", 100.0 * mood_right)?;
        match median {
            Some(median) => writeln!(out, "{seen} of {} changes seen, half of them within {median} s", self.changes)?,
            None => writeln!(out, "no change seen")?,
        }
        writeln!(out, "distance from where the music should be {away:.2}; songs drawn at random {by_chance:.2}")?;
        writeln!(out, "next song of the same family while the mood lasted {:.0} %", 100.0 * kept)
    }
}
