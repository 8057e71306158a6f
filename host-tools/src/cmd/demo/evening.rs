//! The demo of an evening: the box's own rules over four hours of a simulated person, whose true mood is known.

mod listener;
mod story;
mod tally;

use std::io;
use std::time::Duration;

use anyhow::anyhow;
use moodbox_core::config::Config;
use moodbox_core::emotion::Emotion;
use moodbox_core::engine::{Engine, Event, Setting, Switches, Trials};
use moodbox_core::face::Size;
use moodbox_core::hass::Device;
use moodbox_core::mood::Confusion;
use moodbox_core::music::{Catalogue, Memory};
use moodbox_core::personal::Evidence;
use moodbox_core::topics::{Topics, TrackPayload};
use moodbox_models::Models;
use serde::Serialize;

use crate::failure::Failure;
use listener::{Listener, Wish};
use story::Story;
use tally::Tally;

/// The length of the evening.
const EVENING_S: u64 = 4 * 3600;

/// Time from one song to the next.
const SONG_S: u64 = 210;

/// The id of the box in its topics.
const ID: &str = "evening";

/// A song that was played.
#[derive(Serialize)]
struct Played {
    at_s: u64,
    /// What the person feels.
    mood: Emotion,
    /// What the box takes it for.
    believed: &'static str,
    /// How the song came to play.
    how: &'static str,
    track: TrackPayload,
}

pub(super) fn run(catalogue: Catalogue, seed: u64, json: bool) -> Result<(), Failure> {
    let mut tally = Tally::new(&catalogue);
    let models = Models::built_in().map_err(|e| anyhow!(e))?;
    let emotions = models.fer.entry.emotions.as_ref();
    let emotions = emotions.ok_or_else(|| anyhow!("the built-in models do not say how the classifier errs"))?;
    let rows = emotions.fer2013.confusion;
    let confusion = Confusion::try_from(rows).map_err(|e| anyhow!(e))?;
    let mut listener = Listener::new(rows, seed);
    let setting = Setting {
        config: Config::default().into(),
        topics: Topics::new("moodbox", "homeassistant", ID),
        device: Device { version: String::new(), model: String::new() },
        confusion,
        catalogue,
        memory: Memory::default(),
        started: Duration::ZERO,
        switches: Switches::default(),
        trials: Trials::default(),
        evidence: Evidence::default(),
        seed,
    };
    let (engine, _) = Engine::new(setting, Duration::ZERO);
    let mut room = Room(engine);
    room.tell(Event::Connected, 0);
    room.tell(Event::CameraUp, 0);

    let mut out = io::stdout().lock();
    let mut story = Story::begin(&mut out, seed, json)?;
    // The first song comes when the box has had a minute to look.
    let mut song_ends = 60;
    for second in 1..=EVENING_S {
        room.tell(Event::Seen(vec![listener.face(second)], Size::default()), second);
        let believed = room.0.room(Duration::from_secs(second)).mood.name();
        let mood = listener.mood();
        let seen_after = tally.second(mood, believed);
        story.moods(&mut out, second, mood, seen_after)?;
        story.reason(&mut out, second, room.0.recommendation().map(|list| list.reason.as_str()))?;
        let heard = song_ends.max(SONG_S) - SONG_S;
        let skips = room.0.playing().is_some() && second == heard + 15 && listener.dislikes(room.0.playing());
        if second < song_ends && !skips {
            continue;
        }
        let offered: Vec<TrackPayload> = room.0.recommendation().map(|r| r.tracks.clone()).unwrap_or_default();
        let how = if skips { "skipped on" } else { room.ask(listener.wish(), &offered, second) };
        if skips {
            tally.skip();
            story.skip(&mut out, second)?;
            room.command("skip", "", second);
        }
        song_ends = second + SONG_S;
        let Some(track) = room.0.playing().cloned() else { continue };
        let played = Played { at_s: second, mood, believed, how, track };
        tally.song(&played);
        story.song(&mut out, &played)?;
    }
    tally.print(&mut out, json)?;
    Ok(())
}

/// The room with the box in it; what the box says goes nowhere.
struct Room(Engine);

impl Room {
    fn tell(&mut self, event: Event, second: u64) {
        drop(self.0.on(event, Duration::from_secs(second)));
    }

    fn command(&mut self, name: &str, payload: &str, second: u64) {
        let topic = format!("moodbox/{ID}/cmd/{name}");
        self.tell(Event::Message { topic, payload: payload.into() }, second);
    }

    /// Does what the listener wishes, and says what that was.
    fn ask(&mut self, wish: Wish, offered: &[TrackPayload], second: u64) -> &'static str {
        match (wish, offered.get(1)) {
            (Wish::Choose, Some(track)) => {
                let payload = serde_json::json!({ "uri": track.uri }).to_string();
                self.command("choose", &payload, second);
                "chosen"
            }
            (Wish::BackToTheMood, _) => {
                self.command("recommend", "", second);
                self.command("next", "", second);
                "next, by mood"
            }
            _ => {
                self.command("next", "", second);
                "next"
            }
        }
    }
}
