//! What the mood of the room was: a log with a line for each change, and one now and then while nothing changes.
//!
//! The log is appended to. A line that was torn by a power cut, or that a later version wrote, is passed over. Each line says
//! what was the case from then on, until the next one; after a line with nothing the box did not look, or was not running.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::affect::Affect;
use crate::mood::{Room, RoomMood};
use crate::topics::two_decimals;

/// Time after which a room is noted anew in which nothing has changed: a box that lost its power was running until so long
/// after its last line at most.
pub const NOTED_AGAIN: Duration = Duration::from_secs(30 * 60);

/// Most lines that are kept; a day has about 150.
pub const MAX_LINES: usize = 60_000;

/// Lines that are left when there are more: four fifths, so that the file is not written anew each time.
pub const KEPT_LINES: usize = MAX_LINES / 5 * 4;

/// Longest line that is read; ours have 80 bytes.
pub const MAX_LINE_BYTES: usize = 256;

/// Most moments in one answer, some 14 kB.
pub const PAGE: usize = 200;

/// A room that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sight {
    /// Its mood.
    pub mood: RoomMood,
    /// Valence, -1..1; 0 where nobody is there.
    #[serde(serialize_with = "two_decimals")]
    pub valence: f32,
    /// Arousal, -1..1; 0 where nobody is there.
    #[serde(serialize_with = "two_decimals")]
    pub arousal: f32,
}

impl From<&Room> for Sight {
    fn from(room: &Room) -> Self {
        let Affect { valence, arousal } = if room.presence { room.affect } else { Affect::new(0.0, 0.0) };
        Self { mood: room.mood, valence, arousal }
    }
}

/// A line of the log.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// When, in seconds since 1970.
    pub at: u64,
    /// Whether the clock had not been set then, so that the time means little.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unset: bool,
    /// What was seen from then on; nothing when the box did not look.
    #[serde(flatten)]
    pub sight: Option<Sight>,
}

impl Moment {
    /// The line, with its end.
    #[must_use]
    pub fn line(&self) -> String {
        // Numbers and words always serialise.
        serde_json::to_string(self).map(|text| text + "\n").unwrap_or_default()
    }

    /// A line without its end; nothing where it cannot be used.
    #[must_use]
    pub fn read(line: &[u8]) -> Option<Self> {
        if line.len() > MAX_LINE_BYTES { None } else { serde_json::from_slice(line).ok() }
    }
}

/// A part of the log that somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query {
    /// From this time on, in seconds since 1970.
    pub from: u64,
    /// Until before this time.
    pub to: u64,
    /// How many of the moments that fit are known already.
    pub skip: usize,
}

/// The answer: moments in the order in which they were written.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Page {
    /// At most [`PAGE`] of them. The first of all is the one before the asked time, which was the case at its start.
    pub moments: Vec<Moment>,
    /// Whether there are more.
    pub more: bool,
}

/// Picks moments while the log is read, line by line.
#[derive(Debug)]
pub struct Picker {
    query: Query,
    /// The latest moment before the asked time, until one within it has come.
    before: Option<Moment>,
    fitting: usize,
    page: Page,
}

impl Picker {
    /// For this part of the log.
    #[must_use]
    pub const fn new(query: Query) -> Self {
        Self { query, before: None, fitting: 0, page: Page { moments: Vec::new(), more: false } }
    }

    /// The next line, without its end.
    pub fn take(&mut self, line: &[u8]) {
        let Some(moment) = Moment::read(line) else { return };
        if moment.at < self.query.from {
            if self.fitting == 0 {
                self.before = Some(moment);
            }
        } else if moment.at < self.query.to {
            if let Some(before) = self.before.take() {
                self.add(before);
            }
            self.add(moment);
        }
    }

    fn add(&mut self, moment: Moment) {
        self.fitting += 1;
        if self.fitting <= self.query.skip {
            return;
        }
        if self.page.moments.len() < PAGE {
            self.page.moments.push(moment);
        } else {
            self.page.more = true;
        }
    }

    /// What was picked, at the end of the log.
    #[must_use]
    pub fn page(mut self) -> Page {
        // Nothing has changed since.
        if let Some(before) = self.before.take() {
            self.add(before);
        }
        self.page
    }
}

/// The last lines of a log that has become too long.
#[must_use]
pub fn shortened(log: &[u8]) -> Vec<u8> {
    let usable: Vec<_> = log.split(|byte| *byte == b'\n').filter(|line| Moment::read(line).is_some()).collect();
    let mut kept = Vec::new();
    for line in &usable[usable.len().saturating_sub(KEPT_LINES)..] {
        kept.extend_from_slice(line);
        kept.push(b'\n');
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::emotion::Emotion;

    fn happy(at: u64) -> Moment {
        let sight = Sight { mood: RoomMood::Emotion(Emotion::Happy), valence: 0.81, arousal: 0.51 };
        Moment { at, unset: false, sight: Some(sight) }
    }

    #[test]
    fn a_line_is_short_and_comes_back() {
        let away = Moment { at: 9, unset: true, sight: None };
        assert_eq!(
            happy(1_790_000_000).line(),
            "{\"at\":1790000000,\"mood\":\"happy\",\"valence\":0.81,\"arousal\":0.51}\n"
        );
        assert_eq!(away.line(), "{\"at\":9,\"unset\":true}\n");
        for moment in [happy(1_790_000_000), away] {
            assert_eq!(Moment::read(moment.line().trim_end().as_bytes()), Some(moment));
        }
    }

    fn log(moments: &[Moment]) -> String {
        moments.iter().map(Moment::line).collect()
    }

    fn page(query: Query, log: &[u8]) -> Page {
        let mut picker = Picker::new(query);
        log.split(|byte| *byte == b'\n').for_each(|line| picker.take(line));
        picker.page()
    }

    fn pick(query: Query, log: &str) -> Vec<u64> {
        page(query, log.as_bytes()).moments.iter().map(|moment| moment.at).collect()
    }

    #[test]
    fn a_part_begins_with_what_was_the_case() {
        let log = log(&[happy(10), happy(20), happy(30), happy(40)]);
        assert_eq!(pick(Query { from: 25, to: 40, skip: 0 }, &log), [20, 30]);
        assert_eq!(pick(Query { from: 25, to: 28, skip: 0 }, &log), [20]);
        assert_eq!(pick(Query { from: 50, to: 60, skip: 0 }, &log), [40]);
        assert_eq!(pick(Query { from: 0, to: 10, skip: 0 }, &log), [0; 0]);
        assert_eq!(pick(Query { from: 0, to: u64::MAX, skip: 3 }, &log), [40]);
    }

    #[test]
    fn what_is_too_long_is_shortened_at_its_old_end() {
        let long: Vec<_> = (0..=MAX_LINES as u64).map(happy).collect();
        let short = String::from_utf8(shortened(log(&long).as_bytes())).unwrap();
        assert_eq!(short.lines().count(), KEPT_LINES);
        assert!(short.ends_with(&happy(MAX_LINES as u64).line()));
    }

    proptest! {
        #[test]
        fn pages_together_are_the_whole(ats in prop::collection::vec(0u64..1000, 0..700), from in 0u64..1000, length in 0u64..1000) {
            let moments: Vec<_> = ats.into_iter().map(happy).collect();
            let log = log(&moments);
            let (mut all, mut pages) = (Vec::new(), 0);
            loop {
                let page = page(Query { from, to: from + length, skip: all.len() }, log.as_bytes());
                prop_assert!(page.moments.len() <= PAGE && (page.moments.len() == PAGE || !page.more));
                all.extend(page.moments);
                pages += 1;
                prop_assert!(pages < 10);
                if !page.more {
                    break;
                }
            }
            let within = moments.iter().filter(|m| (from..from + length).contains(&m.at)).count();
            prop_assert!(all.len() == within || all.len() == within + 1 && all[0].at < from);
        }

        #[test]
        fn whatever_is_in_the_file_is_read_or_passed_over(log: Vec<u8>) {
            let all = Query { from: 0, to: u64::MAX, skip: 0 };
            prop_assert_eq!(page(all, &shortened(&log)), page(all, &log));
        }
    }
}
