//! The list that is recommended, what plays, and whether the next songs follow the mood or a choice.

use std::time::Duration;

use crate::affect::{Affect, Policy};
use crate::emotion::Emotion;
use crate::mood::{Room, RoomMood};
use crate::music::{Aim, Catalogue, Feedback, Recommended, Recommender, UnknownTrack};
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
    /// The id of the last list. They are counted from the time of the start, so that none comes again after a restart.
    lists: u64,
    playing: Option<TrackPayload>,
    /// A song that was skipped while none played; it is in no list until one does.
    turned_down: Option<String>,
    /// The song that the list follows.
    choice: Option<String>,
    /// Whether the room was last seen to be empty.
    for_nobody: bool,
    /// Where the room was when the list was made for its mood.
    target: Option<Affect>,
    /// Songs played since then on the way up that *lift* takes.
    climbed: usize,
    policy: Policy,
    /// Time since 1970 at which the engine's time began: plays and votes keep their age over restarts.
    started: Duration,
}

impl Playlist {
    pub(super) const fn new(recommender: Recommender, length: usize, started: Duration) -> Self {
        Self {
            recommender,
            length,
            recommendation: None,
            lists: started.as_secs(),
            playing: None,
            turned_down: None,
            choice: None,
            for_nobody: false,
            target: None,
            climbed: 0,
            policy: Policy::Match,
            started,
        }
    }

    /// From the next list on.
    pub(super) const fn set_length(&mut self, length: usize) {
        self.length = length;
    }

    /// Number of songs to choose from.
    pub(super) fn songs(&self) -> usize {
        self.recommender.catalogue().tracks().len()
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

    pub(super) const fn policy(&self) -> Policy {
        self.policy
    }

    /// The clock was set: the engine's time was 0 then, since 1970.
    pub(super) const fn set_clock(&mut self, started: Duration) {
        self.started = started;
    }

    pub(super) const fn follows_a_choice(&self) -> bool {
        self.choice.is_some()
    }

    /// Whether nobody is there, as far as that is known: once nobody is, who chose has gone.
    pub(super) fn see_the_room(&mut self, is_empty: Option<bool>) {
        let Some(is_empty) = is_empty else { return };
        if is_empty && !self.for_nobody {
            self.forget_the_choice();
        }
        self.for_nobody = is_empty;
    }

    /// The next list reflects the mood again.
    pub(super) fn forget_the_choice(&mut self) {
        self.choice = None;
        self.target = None;
        self.climbed = 0;
    }

    /// From now on these are the songs. What plays goes on playing, and a choice that is among them goes on being followed.
    pub(super) fn change_catalogue(&mut self, catalogue: Catalogue, room: &Room, now: Duration) {
        self.recommender.change_catalogue(catalogue);
        self.recommendation = None;
        if self.follow_the_choice(room, now).is_err() {
            self.forget_the_choice();
        }
    }

    /// Refuses a song that is none of the catalogue's.
    pub(super) fn check(&self, uri: Option<&str>) -> Result<(), String> {
        match uri {
            Some(uri) if self.recommender.catalogue().get(uri).is_none() => {
                Err(UnknownTrack(uri.to_owned()).to_string())
            }
            _ => Ok(()),
        }
    }

    /// Names of the first song of the list; empty where there is none.
    pub(super) fn first_names(&self) -> TrackNames {
        let first = self.recommendation.as_ref().and_then(|r| r.tracks.first());
        first.map(TrackNames::from).unwrap_or_default()
    }

    /// A new list for the mood of the room.
    pub(super) fn reflect(&mut self, room: &Room, policy: Policy, now: Duration) {
        (self.target, self.climbed) = (Some(place(room)), 0);
        self.list(room, policy, false, now);
    }

    /// The list for the mood goes on after a song of it was played: near its kind, or one step farther up.
    pub(super) fn go_on(&mut self, room: &Room, policy: Policy, now: Duration) {
        if policy == Policy::Lift && self.policy == policy && self.target.is_some() {
            self.climbed += 1;
        } else {
            (self.target, self.climbed) = (Some(place(room)), 0);
        }
        self.list(room, policy, true, now);
    }

    fn list(&mut self, room: &Room, policy: Policy, keeps_kind: bool, now: Duration) {
        let playing = self.playing.as_ref().map(|track| &*track.uri).or(self.turned_down.as_deref());
        let mood = self.target.unwrap_or(place(room));
        let aim = Aim { mood, policy, climbed: self.climbed, playing, keeps_kind };
        let tracks = self.recommender.toward(&aim, self.length, self.started + now);
        self.policy = policy;
        self.put(room, reason(room, policy), &tracks);
    }

    /// A song starts. The list then goes on with more of its kind where it was chosen, or a song before it was.
    pub(super) fn play(&mut self, uri: &str, turn: Turn, room: &Room, now: Duration) -> Result<Feedback, UnknownTrack> {
        let at = self.started + now;
        let feedback = match turn {
            Turn::Chosen => self.recommender.chosen(uri, at)?,
            Turn::Next => self.recommender.played(uri, at)?,
        };
        if turn == Turn::Chosen || self.choice.is_some() {
            self.choice = Some(uri.to_owned());
        }
        let listed = self.recommendation.as_ref().and_then(|r| r.tracks.iter().find(|t| t.uri == uri)).cloned();
        self.playing = listed.or_else(|| self.unlisted(uri));
        self.turned_down = None;
        self.follow_the_choice(room, now)?;
        Ok(feedback)
    }

    /// A new list of the kind that was chosen, where one was.
    fn follow_the_choice(&mut self, room: &Room, now: Duration) -> Result<(), UnknownTrack> {
        if let (Some(choice), Some(playing)) = (&self.choice, &self.playing) {
            let tracks = self.recommender.after(choice, self.length, self.started + now)?;
            let reason = format!("more like \u{ab}{}\u{bb} by {}", playing.title, playing.artist);
            self.put(room, reason, &tracks);
        }
        Ok(())
    }

    /// Somebody likes what plays, or else what comes next.
    pub(super) fn like(&mut self, now: Duration) -> Result<Feedback, String> {
        let uri = self.current()?;
        self.recommender.liked(&uri, self.started + now).map_err(|e| e.to_string())
    }

    /// Somebody does not want what plays, or else what comes next, which is taken out of the list; nothing where it was
    /// heard for long enough.
    pub(super) fn skip(&mut self, now: Duration) -> Result<Option<Feedback>, String> {
        let uri = self.current()?;
        let at = self.started + now;
        if self.playing.is_some() {
            // A song of the library before has no vote to be given.
            return Ok(self.recommender.skipped(&uri, at).unwrap_or_default());
        }
        let feedback = self.recommender.turned_down(&uri, at).map_err(|e| e.to_string())?;
        if let Some(list) = &mut self.recommendation {
            list.tracks.retain(|track| track.uri != uri);
        }
        self.recommendation.take_if(|list| list.tracks.is_empty());
        self.turned_down = Some(uri);
        Ok(Some(feedback))
    }

    /// Somebody said that the mood was misread.
    pub(super) fn correct(&mut self, now: Duration) -> Feedback {
        self.recommender.corrected(self.started + now)
    }

    fn current(&self) -> Result<String, String> {
        let first = || self.recommendation.as_ref().and_then(|list| list.tracks.first());
        let current = self.playing.as_ref().or_else(first).map(|track| track.uri.clone());
        current.ok_or_else(|| "there is no song yet: choose one, or ask for the next".to_owned())
    }

    /// A song that was chosen although it was not in the list.
    fn unlisted(&self, uri: &str) -> Option<TrackPayload> {
        let track = self.recommender.catalogue().get(uri)?.clone();
        Some(payload(&Recommended { track, score: 1.0, parts: Vec::new(), why: "chosen by you".to_owned() }))
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
    let Recommended { track, score, why, parts: _ } = recommended;
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

/// Where music for a room starts from. The mean of a guess lies among the unpleasant moods, which are the most, and who has
/// just come in, or is not seen, shall not be met with dark songs for that.
fn place(room: &Room) -> Affect {
    if room.unsure || !room.presence { Affect::of(Emotion::Neutral) } else { room.affect }
}

fn reason(room: &Room, policy: Policy) -> String {
    let seen = match room.mood {
        RoomMood::Emotion(emotion) if room.unsure => {
            format!("the room is hard to read, perhaps {}", emotion.adjective())
        }
        RoomMood::Emotion(emotion) => format!("the room looks {}", emotion.adjective()),
        RoomMood::Mixed => "the moods in the room differ".to_owned(),
        RoomMood::Absent => "nobody is seen".to_owned(),
    };
    let aim = match policy {
        Policy::Match if room.mood == RoomMood::Absent => "songs from the middle",
        Policy::Lift if room.mood == RoomMood::Absent => "songs that lead up from the middle",
        Policy::Match if room.unsure => "songs from the middle until it is clear",
        Policy::Match => "songs that reflect it",
        Policy::Lift => "songs that lead up from it",
        Policy::Soothe => "songs that calm",
    };
    format!("{seen}: {aim}")
}
