//! How what listeners did moves the songs of a catalogue.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Part;
use super::catalogue::Catalogue;
use super::feedback::{Memory, Standing};

/// What a song loses right after it was played, and the time in which that fades (to 1/e).
const RECENCY: f32 = 0.3;
const RECENCY_FADE_S: f32 = 7.0 * 24.0 * 3600.0;

/// Time for which a song that was played comes back only where nothing else is left, and what it loses at the start of it.
/// That falls so fast, by 2 in four minutes, that neither votes nor kind nor mood outbid it: a few songs take turns.
const REST_S: f32 = 3.0 * 3600.0;
const REST: f32 = 90.0;

/// A skip later than this after the start says that the song was heard, not that it was disliked.
const SKIP_WITHIN: Duration = Duration::from_secs(30);

/// The most that votes for a song, its artist or its genres move it, each of them, up or down. Together they are more than
/// recency: a song that all like comes back as soon as its rest is over.
const VOTES: f32 = 0.3;

/// Votes of each kind that are taken for granted (the Beta prior). An artist stands for some songs and a genre for many, so
/// it takes more votes to move them.
const TRACK_PRIOR: f32 = 1.0;
const ARTIST_PRIOR: f32 = 3.0;
const GENRE_PRIOR: f32 = 5.0;

/// Plays and votes, by the numbers that the catalogue gives to recordings, artists and genres.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    /// What is counted below, for each track.
    counted: BTreeMap<usize, Standing>,
    recordings: BTreeMap<u32, Standing>,
    artists: BTreeMap<u32, Votes>,
    genres: BTreeMap<u32, Votes>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Votes {
    up: u32,
    down: u32,
}

impl Votes {
    const fn recount(&mut self, before: Standing, now: Standing) {
        self.up = self.up.saturating_add(now.up).saturating_sub(before.up);
        self.down = self.down.saturating_add(now.down).saturating_sub(before.down);
    }

    /// Mean of the Beta-Bernoulli posterior, brought from 0..1 to `-VOTES..VOTES`.
    fn shift(self, prior: f32) -> f32 {
        let (up, down) = (self.up as f32 + prior, self.down as f32 + prior);
        VOTES * (2.0 * up / (up + down) - 1.0)
    }
}

impl Standing {
    const fn votes(self) -> Votes {
        Votes { up: self.up, down: self.down }
    }
}

impl History {
    /// What a memory comes to for a catalogue; songs that it does not have wait in the memory.
    pub(super) fn new(catalogue: &Catalogue, memory: &Memory) -> Self {
        let mut history = Self::default();
        for uri in memory.uris() {
            history.recount(catalogue, uri, memory.standing(uri));
        }
        history
    }

    /// The standing of a song has changed.
    pub(super) fn recount(&mut self, catalogue: &Catalogue, uri: &str, now: Standing) {
        let Some(track) = catalogue.index_of(uri) else { return };
        let song = &catalogue.features()[track];
        let before = self.counted.insert(track, now).unwrap_or_default();
        let recording = self.recordings.entry(song.recording).or_default();
        let mut votes = recording.votes();
        votes.recount(before, now);
        // A copy's play counts unless it is the one that is counted anew.
        let of_a_copy = recording.played.filter(|_| recording.played != before.played);
        *recording = Standing { up: votes.up, down: votes.down, played: of_a_copy.max(now.played) };
        self.artists.entry(song.artist).or_default().recount(before, now);
        for genre in &song.genres {
            self.genres.entry(*genre).or_default().recount(before, now);
        }
    }

    /// Whether skipping a track at `now` is a vote against it.
    pub(super) fn skip_is_vote(&self, catalogue: &Catalogue, track: usize, now: Duration) -> bool {
        let played = self.recordings.get(&catalogue.features()[track].recording).and_then(|song| song.played);
        // A clock that was behind knows nothing of how long it has played.
        let since = |start| now.checked_sub(Duration::from_secs(start));
        played.is_none_or(|start| since(start).is_some_and(|played| played < SKIP_WITHIN))
    }

    /// Whether more liked a song than skipped it.
    pub(super) fn is_liked(&self, catalogue: &Catalogue, track: usize) -> bool {
        self.recordings.get(&catalogue.features()[track].recording).is_some_and(|song| song.up > song.down)
    }

    /// What each song gains or loses by plays and votes.
    pub(super) fn scores(&self, catalogue: &Catalogue, now: Duration) -> Vec<f32> {
        let songs = catalogue.features();
        let mut scores = vec![0.0; songs.len()];
        if self.counted.is_empty() {
            return scores;
        }
        // Dense tables, so that the pass over all songs looks nothing up in a tree.
        let mut recordings = vec![0.0; songs.len()];
        for (&recording, song) in &self.recordings {
            recordings[recording as usize] = song.votes().shift(TRACK_PRIOR) - rest(*song, now);
        }
        let artists = shifts(&self.artists, catalogue.prepared().artists, ARTIST_PRIOR);
        let genres = shifts(&self.genres, catalogue.prepared().genres.len(), GENRE_PRIOR);
        for (score, song) in scores.iter_mut().zip(songs) {
            let by_genre: f32 = song.genres.iter().map(|&genre| genres[genre as usize]).sum();
            *score = recordings[song.recording as usize]
                + artists[song.artist as usize]
                + by_genre / song.genres.len().max(1) as f32;
        }
        scores
    }

    /// What one song gains or loses, by reason; together what [`Self::scores`] says.
    pub(super) fn parts(&self, catalogue: &Catalogue, track: usize, now: Duration) -> [Part; 4] {
        let song = &catalogue.features()[track];
        let standing = self.recordings.get(&song.recording).copied().unwrap_or_default();
        let votes = |table: &BTreeMap<u32, Votes>, key| table.get(&key).copied().unwrap_or_default();
        let by_genre: f32 = song.genres.iter().map(|genre| votes(&self.genres, *genre).shift(GENRE_PRIOR)).sum();
        [
            Part { name: "votes for the song", value: standing.votes().shift(TRACK_PRIOR) },
            Part { name: "votes for the artist", value: votes(&self.artists, song.artist).shift(ARTIST_PRIOR) },
            Part { name: "votes for the genre", value: by_genre / song.genres.len().max(1) as f32 },
            Part { name: "played lately", value: -rest(standing, now) },
        ]
    }
}

/// What a song loses for having been played. A board without a clock may begin again a while before it was switched off, and
/// what it played then was played just now; a clock that was farther ahead than a rest says nothing.
fn rest(song: Standing, now: Duration) -> f32 {
    let age_s = |at| now.as_secs_f64() - at as f64;
    song.played.map(age_s).filter(|age_s| *age_s >= -f64::from(REST_S)).map_or(0.0, |age_s| {
        let age_s = age_s.max(0.0) as f32;
        RECENCY * (-age_s / RECENCY_FADE_S).exp() + REST * (1.0 - age_s / REST_S).max(0.0)
    })
}

fn shifts(votes: &BTreeMap<u32, Votes>, count: usize, prior: f32) -> Vec<f32> {
    let mut shifts = vec![0.0; count];
    for (&number, votes) in votes {
        shifts[number as usize] = votes.shift(prior);
    }
    shifts
}
