//! A box whose rules are the real ones and whose room is simulated: what it says in an evening, without a camera.

#![expect(clippy::expect_used, reason = "a simulation that cannot be set up fails")]

// The person of `moodbox demo --evening`, so that there is one idea of an evening.
#[expect(dead_code, reason = "the demo also prints what the person feels")]
#[path = "../../host-tools/src/cmd/demo/evening/listener.rs"]
mod listener;

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use moodbox_core::config::{Config, Mqtt};
use moodbox_core::engine::{Effect, Engine, Event, Setting, Switches, Trials};
use moodbox_core::face::Size;
use moodbox_core::hass::Device;
use moodbox_core::mood::Confusion;
use moodbox_core::music::{Catalogue, Memory};
use moodbox_core::personal::Evidence;
use moodbox_core::topics::{Diagnostics, Publication, Topics};
use moodbox_models::Models;
use moodboxd::mqtt::{self, MqttEvent, Settings};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use listener::{Listener, Wish};

/// Time from one song to the next, in seconds.
const SONG_S: u64 = 210;

/// Time after which a song that is not wanted is turned off, in seconds.
const TURNED_OFF_S: u64 = 15;

/// Time between two measurements of the box itself, in seconds.
const MEASURED_S: u64 = 60;

/// What its camera gives.
const FRAME: Size = Size { width: 640, height: 480 };

/// How the classifier errs. Two hundred boxes need not check the networks two hundred times.
static ROWS: OnceLock<[[f32; 7]; 7]> = OnceLock::new();

/// A box in a room with one person, second by second.
pub struct SimulatedBox {
    engine: Engine,
    listener: Listener,
    topics: Topics,
    second: u64,
    song_ends: u64,
}

impl SimulatedBox {
    /// The box of these topics; the seed decides what its person does.
    ///
    /// # Panics
    /// When the built-in models do not say how the classifier errs.
    #[must_use]
    pub fn new(topics: Topics, seed: u64) -> Self {
        let rows = *ROWS.get_or_init(|| {
            let models = Models::built_in().expect("the built-in models");
            models.fer.entry.emotions.as_ref().expect("a classifier").fer2013.confusion
        });
        let mut config = Config::default();
        config.device.name = topics.device();
        let setting = Setting {
            config: config.into(),
            topics: topics.clone(),
            device: Device { version: "0.1.0".to_owned(), model: "simulated".to_owned() },
            confusion: Confusion::try_from(rows).expect("rows of shares"),
            catalogue: Catalogue::demo(),
            memory: Memory::default(),
            started: Duration::ZERO,
            switches: Switches::default(),
            trials: Trials::default(),
            evidence: Evidence::default(),
            seed,
        };
        let (engine, _) = Engine::new(setting, Duration::ZERO);
        let mut simulated = Self { engine, listener: Listener::new(rows, seed), topics, second: 0, song_ends: SONG_S };
        // There is no connection yet, so nothing is said.
        drop(simulated.tell(Event::CameraUp));
        simulated
    }

    /// What the box says to something that happens now.
    pub fn tell(&mut self, event: Event) -> Vec<Publication> {
        let effects = self.engine.on(event, Duration::from_secs(self.second));
        let mut said = Vec::new();
        for effect in effects {
            match effect {
                Effect::Publish(publication) => said.push(publication),
                // Its disk never fails.
                Effect::KeepOverrides(_, asker) | Effect::KeepEvidence(_, asker) => {
                    said.extend(self.tell(Event::Kept(asker, Ok(()))));
                }
                _ => {}
            }
        }
        said
    }

    /// What the box says in the next second: it looks at the person, who chooses, skips and hears songs.
    pub fn next_second(&mut self) -> Vec<Publication> {
        self.second += 1;
        let face = self.listener.face(self.second);
        let mut said = self.tell(Event::Seen(vec![face], FRAME));
        if self.second.is_multiple_of(MEASURED_S) {
            said.extend(self.tell(Event::Measured(self.figures())));
        }
        let playing = self.engine.playing();
        let song_began = self.song_ends - SONG_S;
        if playing.is_some() && self.second == song_began + TURNED_OFF_S && self.listener.dislikes(playing) {
            said.extend(self.command("skip", String::new()));
        } else if self.second >= self.song_ends {
            said.extend(self.wish());
        } else {
            return said;
        }
        self.song_ends = self.second + SONG_S;
        said
    }

    fn wish(&mut self) -> Vec<Publication> {
        let second_of_list = self.engine.recommendation().and_then(|list| list.tracks.get(1)).cloned();
        match (self.listener.wish(), second_of_list) {
            (Wish::Choose, Some(track)) => self.command("choose", serde_json::json!({ "uri": track.uri }).to_string()),
            (Wish::BackToTheMood, _) => {
                let mut said = self.command("recommend", String::new());
                said.extend(self.command("next", String::new()));
                said
            }
            _ => self.command("next", String::new()),
        }
    }

    fn command(&mut self, name: &str, payload: String) -> Vec<Publication> {
        let topic = self.topics.topic(&format!("cmd/{name}"));
        self.tell(Event::Message { topic, payload: payload.into_bytes() })
    }

    /// Of a Raspberry Pi that is busy; most of it is different every time.
    fn figures(&self) -> Diagnostics {
        let minute = self.second / MEASURED_S;
        let wander = (minute * 7 % 10) as f32 / 10.0;
        Diagnostics {
            fps: 4.5 + wander,
            frame_ms_p50: 60.0 + wander,
            frame_ms_p95: 80.0 + 10.0 * wander,
            inferences: self.second * 5,
            dropped: minute,
            corrupt: 0,
            light: Some(0.4 + wander / 100.0),
            rss_mb: 23.0 + wander,
            temperature_c: Some(55.0 + 3.0 * wander),
            throttled: Some(false),
            uptime_s: self.second,
            version: "0.1.0".to_owned(),
            models: BTreeMap::new(),
        }
    }
}

/// One box on a broker, until it is told to end. It tells of each message that it sends.
///
/// # Panics
/// When the settings name a file that cannot be read.
pub async fn live(topics: Topics, seed: u64, mqtt: Mqtt, sends: impl Fn(&Publication), mut ended: watch::Receiver<()>) {
    let mut simulated = SimulatedBox::new(topics.clone(), seed);
    let (publications, outbox) = mpsc::channel(64);
    let (inbox, mut events) = mpsc::channel(64);
    let settings = Settings::new(&mqtt, topics, 0).expect("no files to read");
    let client = mqtt::spawn(settings, outbox, inbox);
    // Not all in the same moment of the second.
    let mut seconds = interval_at(Instant::now() + Duration::from_millis(seed * 37 % 1000), Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let said = tokio::select! {
            _ = ended.changed() => break,
            _ = seconds.tick() => simulated.next_second(),
            event = events.recv() => match event {
                Some(MqttEvent::Connected) => simulated.tell(Event::Connected),
                Some(MqttEvent::Lost { reason, refused }) => simulated.tell(Event::Disconnected { reason, refused }),
                Some(MqttEvent::Retained { topic }) => simulated.tell(Event::Retained { topic }),
                Some(MqttEvent::Message { topic, payload }) => simulated.tell(Event::Message { topic, payload }),
                None => break,
            },
        };
        for publication in said {
            sends(&publication);
            // The client drops nothing while it is connected, and the box says nothing while it is not.
            if publications.send(publication).await.is_err() {
                return;
            }
        }
    }
    drop(publications);
    // It would wait for room to tell us something.
    events.close();
    let _ = client.await;
}
