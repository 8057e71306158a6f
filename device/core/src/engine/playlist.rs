//! The list that is recommended, what plays, and whether the next songs follow the mood or a choice.

use std::time::Duration;

use crate::affect::{Affect, Policy};
use crate::mood::{Room, RoomMood};
use crate::music::{Catalogue, Recommended, Recommender, UnknownTrack};
use crate::topics::{Recommendation, TrackNames, TrackPayload};

/// How a song comes to play.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Somebody chose it: from now on the list follows it.
    Chosen,
    /// It was the next of the list.
    Next,
}

#[derive(Debug)]
pub(super) struct Playlist {
    recommender: Recommender,
    length: usize,
    recommendation: Option<Recommendation>,
    /// Lists made so far, for their ids.
    lists: u64,
    playing: Option<TrackPayload>,
    /// The song that the list follows.
    choice: Option<String>,
    /// Where the room was when the list was made for its mood.
    target: Option<Affect>,
    policy: Policy,
}

impl Playlist {
    pub(super) fn new(catalogue: Catalogue, length: usize, seed: u64) -> Self {
        Self {
            recommender: Recommender::new(catalogue, seed),
            length,
            recommendation: None,
            lists: 0,
            playing: None,
            choice: None,
            target: None,
            policy: Policy::Match,
        }
    }

    pub(super) const fn recommendation(&self) -> Option<&Recommendation> {
        self.recommendation.as_ref()
    }

    pub(super) const fn playing(&self) -> Option<&TrackPayload> {
        self.playing.as_ref()
    }

    pub(super) const fn target(&self) -> Option<Affect> {
        self.target
    }

    pub(super) const fn follows_a_choice(&self) -> bool {
        self.choice.is_some()
    }

    /// The next list reflects the mood again.
    pub(super) fn forget_the_choice(&mut self) {
        self.choice = None;
        self.target = None;
    }

    /// Names of the first song of the list; empty where there is none.
    pub(super) fn first_names(&self) -> TrackNames {
        let first = self.recommendation.as_ref().and_then(|r| r.tracks.first());
        first.map(TrackNames::from).unwrap_or_default()
    }

    /// A list for the mood of the room.
    pub(super) fn reflect(&mut self, room: &Room, policy: Policy, now: Duration) {
        let tracks = self.recommender.for_mood(room.affect, policy, self.length, now);
        self.target = Some(room.affect);
        self.policy = policy;
        self.put(room, reason(room, policy), &tracks);
    }

    /// A song starts. The list then goes on with more of its kind where it was chosen, or a song before it was.
    pub(super) fn play(&mut self, uri: &str, turn: Turn, room: &Room, now: Duration) -> Result<(), UnknownTrack> {
        match turn {
            Turn::Chosen => {
                self.recommender.chosen(uri, now)?;
                self.choice = Some(uri.to_owned());
            }
            Turn::Next => {
                self.recommender.played(uri, now)?;
                if self.choice.is_some() {
                    self.choice = Some(uri.to_owned());
                }
            }
        }
        let listed = self.recommendation.as_ref().and_then(|r| r.tracks.iter().find(|t| t.uri == uri)).cloned();
        self.playing = listed.or_else(|| self.unlisted(uri));
        if let (Some(choice), Some(playing)) = (&self.choice, &self.playing) {
            let tracks = self.recommender.after(choice, self.length, now)?;
            let reason = format!("more like \u{ab}{}\u{bb} by {}", playing.title, playing.artist);
            self.put(room, reason, &tracks);
        }
        Ok(())
    }

    /// Somebody likes what plays, or else what comes next.
    pub(super) fn like(&mut self) -> Result<(), String> {
        let uri = self.current()?;
        self.recommender.liked(&uri).map_err(|e| e.to_string())
    }

    /// Somebody does not want what plays, or else what comes next.
    pub(super) fn skip(&mut self, now: Duration) -> Result<(), String> {
        let uri = self.current()?;
        self.recommender.skipped(&uri, now).map_err(|e| e.to_string())
    }

    fn current(&self) -> Result<String, String> {
        let first = || self.recommendation.as_ref().and_then(|list| list.tracks.first());
        let current = self.playing.as_ref().or_else(first).map(|track| track.uri.clone());
        current.ok_or_else(|| "there is no song yet: choose one, or ask for the next".to_owned())
    }

    /// A song that was chosen although it was not in the list.
    fn unlisted(&self, uri: &str) -> Option<TrackPayload> {
        let track = self.recommender.catalogue().get(uri)?.clone();
        Some(payload(&Recommended { track, score: 1.0, why: "chosen by you".to_owned() }))
    }

    fn put(&mut self, room: &Room, reason: String, tracks: &[Recommended]) {
        self.lists += 1;
        self.recommendation = Some(Recommendation {
            id: self.lists.to_string(),
            mood: room.mood.name(),
            policy: self.policy,
            reason,
            tracks: tracks.iter().map(payload).collect(),
        });
    }
}

fn payload(recommended: &Recommended) -> TrackPayload {
    let Recommended { track, score, why } = recommended;
    TrackPayload {
        uri: track.uri.clone(),
        title: track.title.clone(),
        artist: track.artist.clone(),
        album: track.album.clone(),
        genre: track.genres.first().cloned().unwrap_or_default(),
        valence: track.affect.valence,
        arousal: track.affect.arousal,
        score: *score,
        why: why.clone(),
    }
}

fn reason(room: &Room, policy: Policy) -> String {
    let room = match room.mood {
        RoomMood::Emotion(emotion) if room.unsure => format!("the room is hard to read, perhaps {emotion}"),
        RoomMood::Emotion(emotion) => format!("the room looks {emotion}"),
        RoomMood::Mixed => "the moods in the room differ".to_owned(),
        RoomMood::Absent => "nobody is there".to_owned(),
    };
    let aim = match policy {
        Policy::Match => "songs that reflect it",
        Policy::Lift => "songs that lead up from it",
        Policy::Soothe => "songs that calm",
    };
    format!("{room}: {aim}")
}
