//! What listeners did with songs, as a log: a line for each deed, and what all of them come to.
//!
//! The log is appended to. A line that was torn by a power cut, or that a later version wrote, is passed over. Now and
//! then it is compacted to one line a song.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Most songs that are remembered; those that nobody touched for longest are forgotten.
pub const MAX_REMEMBERED: usize = 20_000;

/// Longest line that is read: a uri as long as allowed, escaped.
const MAX_LINE: usize = 8 * 1024;

/// When somebody says that the mood was misread, songs skipped up to this long before were skipped for being wrong for
/// the true mood, which says nothing against them.
const MISREAD: Duration = Duration::from_secs(600);

/// Most skips that a correction takes back.
const MAX_TAKEN_BACK: usize = 32;

/// Something that a listener did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feedback {
    /// When, in seconds since 1970.
    pub at: u64,
    /// What.
    #[serde(flatten)]
    pub deed: Deed,
}

/// What a listener did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "lowercase")]
pub enum Deed {
    /// The track started.
    Played {
        /// The track.
        uri: String,
    },
    /// Somebody chose the track, and it started.
    Chosen {
        /// The track.
        uri: String,
    },
    /// Somebody likes the track.
    Liked {
        /// The track.
        uri: String,
    },
    /// Somebody did not want to hear the track.
    Skipped {
        /// The track.
        uri: String,
    },
    /// Somebody corrected the mood: skips just before were meant for the wrong mood.
    Corrected,
    /// What many deeds came to.
    Sum {
        /// The track.
        uri: String,
        /// What they came to.
        #[serde(flatten)]
        standing: Standing,
    },
}

/// What listeners did with one song in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Standing {
    /// Times that it was chosen or liked.
    pub up: u32,
    /// Times that it was skipped early.
    pub down: u32,
    /// When it last started, in seconds since 1970.
    pub played: Option<u64>,
}

/// What all deeds came to.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    songs: BTreeMap<String, Remembered>,
    /// Early skips that a correction may take back, oldest first.
    skips: VecDeque<(u64, String)>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Remembered {
    standing: Standing,
    touched: u64,
}

impl Feedback {
    /// The line of the log, with its end.
    #[must_use]
    pub fn line(&self) -> String {
        // Numbers and text always serialise.
        serde_json::to_string(self).map(|text| text + "\n").unwrap_or_default()
    }
}

impl Memory {
    /// Reads a log, and counts the lines that could not be used.
    #[must_use]
    pub fn read(log: &[u8]) -> (Self, usize) {
        let mut memory = Self::default();
        let mut damaged = 0;
        for line in log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            match serde_json::from_slice(line) {
                Ok(feedback) if line.len() <= MAX_LINE => drop(memory.take(&feedback)),
                _ => damaged += 1,
            }
        }
        memory.forget_the_oldest();
        (memory, damaged)
    }

    /// Takes in a deed; returns the uris of the songs whose standing it changed.
    pub fn take(&mut self, feedback: &Feedback) -> Vec<String> {
        let at = feedback.at;
        let (uri, change): (_, fn(&mut Standing, u64)) = match &feedback.deed {
            // The last play, not the latest: one may be dated by a clock that was ahead.
            Deed::Played { uri } => (uri, |song, at| song.played = Some(at)),
            Deed::Chosen { uri } => (uri, |song, at| {
                song.up = song.up.saturating_add(1);
                song.played = Some(at);
            }),
            Deed::Liked { uri } => (uri, |song, _| song.up = song.up.saturating_add(1)),
            Deed::Skipped { uri } => {
                self.skips.push_back((at, uri.clone()));
                if self.skips.len() > MAX_TAKEN_BACK {
                    self.skips.pop_front();
                }
                (uri, |song, _| song.down = song.down.saturating_add(1))
            }
            Deed::Corrected => return self.take_back_skips(at),
            Deed::Sum { uri, standing } => {
                // Those that it counts are taken back no more.
                self.skips.retain(|(_, skipped)| skipped != uri);
                self.songs.insert(uri.clone(), Remembered { standing: *standing, touched: at });
                return vec![uri.clone()];
            }
        };
        let song = self.songs.entry(uri.clone()).or_default();
        change(&mut song.standing, at);
        song.touched = song.touched.max(at);
        vec![uri.clone()]
    }

    fn take_back_skips(&mut self, now: u64) -> Vec<String> {
        // Of a clock that was set back in between, too.
        let misread = |at: u64| now.abs_diff(at) <= MISREAD.as_secs();
        let changed: Vec<String> = self.skips.drain(..).filter(|(at, _)| misread(*at)).map(|(_, uri)| uri).collect();
        for uri in &changed {
            if let Some(song) = self.songs.get_mut(uri) {
                song.standing.down = song.standing.down.saturating_sub(1);
            }
        }
        changed
    }

    /// What listeners did with a song.
    #[must_use]
    pub fn standing(&self, uri: &str) -> Standing {
        self.songs.get(uri).map(|song| song.standing).unwrap_or_default()
    }

    /// The uris of all songs that anybody did something with.
    pub fn uris(&self) -> impl Iterator<Item = &str> {
        self.songs.keys().map(String::as_str)
    }

    /// Number of songs that are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.songs.len()
    }

    /// Whether no song is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.songs.is_empty()
    }

    /// The shortest log that comes to the same. The last skips stand by themselves, for a correction may take them back.
    #[must_use]
    pub fn compacted(&self) -> String {
        let mut songs = self.songs.clone();
        for (_, uri) in &self.skips {
            if let Some(song) = songs.get_mut(uri) {
                song.standing.down = song.standing.down.saturating_sub(1);
            }
        }
        let sum = |(uri, song): (String, Remembered)| Feedback {
            at: song.touched,
            deed: Deed::Sum { uri, standing: song.standing },
        };
        let skip = |(at, uri): &(u64, String)| Feedback { at: *at, deed: Deed::Skipped { uri: uri.clone() } };
        songs.into_iter().map(sum).chain(self.skips.iter().map(skip)).map(|feedback| feedback.line()).collect()
    }

    fn forget_the_oldest(&mut self) {
        let Some(excess) = self.songs.len().checked_sub(MAX_REMEMBERED).filter(|excess| *excess > 0) else { return };
        let mut ages: Vec<(u64, String)> = self.songs.iter().map(|(uri, song)| (song.touched, uri.clone())).collect();
        ages.sort_unstable();
        for (_, uri) in ages.into_iter().take(excess) {
            self.songs.remove(&uri);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_feedback() -> impl Strategy<Value = Feedback> {
        let uri = prop_oneof!["[a-c]", "\\PC{0,8}"];
        let standing = (0..3u32, 0..3u32, prop::option::of(0..100_000u64));
        let standing = standing.prop_map(|(up, down, played)| Standing { up, down, played });
        (0..100_000u64, 0..6u8, uri, standing).prop_map(|(at, deed, uri, standing)| Feedback {
            at,
            deed: match deed {
                0 => Deed::Played { uri },
                1 => Deed::Chosen { uri },
                2 => Deed::Liked { uri },
                3 => Deed::Skipped { uri },
                4 => Deed::Sum { uri, standing },
                _ => Deed::Corrected,
            },
        })
    }

    fn standings(memory: &Memory) -> Vec<(&str, Standing)> {
        memory.uris().map(|uri| (uri, memory.standing(uri))).collect()
    }

    #[test]
    fn a_log_reads_as_people_write() {
        let deeds = [
            Feedback { at: 7, deed: Deed::Chosen { uri: "file:///a \"b\".mp3".to_owned() } },
            Feedback { at: 8, deed: Deed::Corrected },
        ];
        let log: String = deeds.iter().map(Feedback::line).collect();
        insta::assert_snapshot!(log + &Memory::read(deeds[0].line().as_bytes()).0.compacted(), @r#"
        {"at":7,"what":"chosen","uri":"file:///a \"b\".mp3"}
        {"at":8,"what":"corrected"}
        {"at":7,"what":"sum","uri":"file:///a \"b\".mp3","up":1,"down":0,"played":7}
        "#);
    }

    #[test]
    fn a_correction_takes_back_the_skips_before_it() {
        let skip = |at, uri: &str| Feedback { at, deed: Deed::Skipped { uri: uri.to_owned() } };
        let mut memory = Memory::default();
        memory.take(&skip(0, "long ago"));
        memory.take(&skip(1000, "just now"));
        assert_eq!(memory.take(&Feedback { at: 1100, deed: Deed::Corrected }), ["just now"]);
        assert_eq!((memory.standing("long ago").down, memory.standing("just now").down), (1, 0));
        // What was taken back once is not taken back again.
        memory.take(&skip(1101, "just now"));
        memory.take(&Feedback { at: 1102, deed: Deed::Corrected });
        assert_eq!(memory.standing("just now").down, 0);
        // Nor does it matter that the log was compacted in between.
        memory.take(&skip(1200, "just now"));
        let (mut memory, _) = Memory::read(memory.compacted().as_bytes());
        assert_eq!(memory.standing("just now").down, 1);
        memory.take(&Feedback { at: 1300, deed: Deed::Corrected });
        assert_eq!(memory.standing("just now").down, 0);
    }

    #[test]
    fn only_so_many_songs_are_remembered() {
        let liked = |n: usize| Feedback { at: n as u64, deed: Deed::Liked { uri: n.to_string() } };
        let log: String = (0..MAX_REMEMBERED + 10).map(|n| liked(n).line()).collect();
        let (memory, damaged) = Memory::read(log.as_bytes());
        assert_eq!((memory.len(), damaged), (MAX_REMEMBERED, 0));
        assert_eq!((memory.standing("9").up, memory.standing("10").up), (0, 1));
    }

    proptest! {
        #[test]
        fn a_log_comes_to_the_same_when_read_and_when_compacted(deeds in prop::collection::vec(any_feedback(), 0..60)) {
            let mut lived = Memory::default();
            for deed in &deeds {
                lived.take(deed);
            }
            let log: String = deeds.iter().map(Feedback::line).collect();
            let (read, damaged) = Memory::read(log.as_bytes());
            prop_assert_eq!(damaged, 0);
            prop_assert_eq!(standings(&read), standings(&lived));
            let (compacted, damaged) = Memory::read(lived.compacted().as_bytes());
            prop_assert_eq!(damaged, 0);
            prop_assert_eq!(standings(&compacted), standings(&lived));
        }

        #[test]
        fn a_torn_tail_costs_only_itself(deeds in prop::collection::vec(any_feedback(), 1..20), cut in 1usize..200) {
            let whole: String = deeds[..deeds.len() - 1].iter().map(Feedback::line).collect();
            let last = deeds[deeds.len() - 1].line();
            // Without its end alone, a line is still whole.
            let kept = last.len().saturating_sub(cut + 1);
            let mut log = whole.clone().into_bytes();
            log.extend_from_slice(&last.as_bytes()[..kept]);
            let (memory, damaged) = Memory::read(&log);
            prop_assert_eq!(damaged, usize::from(kept > 0));
            let (before, _) = Memory::read(whole.as_bytes());
            prop_assert_eq!(standings(&memory), standings(&before));
        }

        #[test]
        fn anything_may_stand_in_the_file(log in prop::collection::vec(any::<u8>(), 0..400)) {
            drop(Memory::read(&log));
        }
    }
}
