//! A box that is told anything in any order: an evening of events, each a letter, a line and what is between it and the
//! next record separator. Whatever comes, the box answers a request once, says nothing that cannot be read, and lives on.
#![no_main]

use std::collections::BTreeMap;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use moodbox_core::config::Config;
use moodbox_core::emotion::{COUNT, Probabilities};
use moodbox_core::engine::{Effect, Engine, Event, Part, Recalled, Received, Setting, Stored, Switches, Trials};
use moodbox_core::face::{BBox, Face, Point, SeenFace, Size};
use moodbox_core::hass::Device;
use moodbox_core::mood::Confusion;
use moodbox_core::music::{Catalogue, Memory};
use moodbox_core::personal::Evidence;
use moodbox_core::topics::{Diagnostics, PreviewFrame, Topics};

const SEPARATOR: u8 = 0x1e;
/// The longest that the box says, a list of songs or a card, with room.
const LONGEST: usize = 40 << 10;
/// More than any that the box makes for who aims the camera.
const LARGEST_PICTURE: usize = 16 << 10;

/// Of no use to anybody who divides by it.
const FRAME: Size = Size { width: 0, height: u32::MAX };

/// Few, so that an evening is short.
const SONGS: &str = "uri,title,artist,genre,valence,arousal\n\
    demo:track:abba-dancing-queen,Dancing Queen,ABBA,pop,0.8,0.5\n\
    u:1,One,Somebody,rock,-0.5,0.6\n\
    u:2,Two,Somebody else,jazz,0.2,-0.7\n\
    u:3,Three,Nobody,classical,-0.6,-0.5\n";

fn engine() -> Engine {
    let songs = Catalogue::import(SONGS.as_bytes()).expect("four songs");
    let setting = Setting {
        topics: Topics::new("moodbox", "homeassistant", "test"),
        device: Device { version: String::new(), model: String::new() },
        confusion: Confusion::default(),
        catalogue: songs.catalogue,
        memory: Memory::default(),
        started: Duration::ZERO,
        switches: Switches::default(),
        trials: Trials::default(),
        evidence: Evidence::default(),
        seed: 0,
        config: Config::default().into(),
    };
    Engine::new(setting, Duration::ZERO).0
}

/// Any numbers at all, four bytes each; NaN where there are none left.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn next(&mut self) -> f32 {
        let Some((first, rest)) = self.0.split_first_chunk() else { return f32::NAN };
        self.0 = rest;
        f32::from_le_bytes(*first)
    }
}

/// A face as broken models could give it.
fn face(numbers: &mut Numbers<'_>) -> SeenFace {
    let bbox = BBox { x: numbers.next(), y: numbers.next(), w: numbers.next(), h: numbers.next() };
    let landmarks = std::array::from_fn(|_| Point { x: numbers.next(), y: numbers.next() });
    let face = Face { bbox, score: numbers.next(), landmarks };
    let logits: [f32; COUNT] = std::array::from_fn(|_| numbers.next());
    SeenFace { face, emotions: Probabilities::from_logits(logits, 1.0), sharp: true, fresh: true, track: None }
}

fn diagnostics(numbers: &mut Numbers<'_>) -> Diagnostics {
    Diagnostics {
        fps: numbers.next(),
        frame_ms_p50: numbers.next(),
        frame_ms_p95: numbers.next(),
        inferences: u64::MAX,
        dropped: 0,
        corrupt: 0,
        light: Some(numbers.next()),
        rss_mb: numbers.next(),
        temperature_c: Some(numbers.next()),
        throttled: Some(numbers.next() > 0.0),
        uptime_s: u64::MAX,
        version: String::new(),
        models: BTreeMap::new(),
    }
}

/// The part with this number; the camera where there is none.
fn part(rest: &[u8]) -> Part {
    let number = rest.first().map_or(0, |byte| usize::from(*byte));
    [Part::Camera, Part::Models, Part::Broker, Part::Leds][number % 4]
}

fn picture(jpeg: &[u8]) -> PreviewFrame {
    let jpeg = &jpeg[..jpeg.len().min(LARGEST_PICTURE)];
    let mut numbers = Numbers(jpeg);
    PreviewFrame { jpeg: jpeg.to_vec(), width: 0, height: u32::MAX, light: numbers.next(), faces: Vec::new() }
}

/// The event that a letter means, with a line and the rest of a record.
fn event(letter: u8, line: &str, rest: &[u8]) -> Option<Event> {
    let mut numbers = Numbers(rest);
    Some(match letter {
        b'c' => Event::Message { topic: format!("moodbox/test/cmd/{line}"), payload: rest.to_vec() },
        b'r' => Event::Message { topic: format!("moodbox/test/request/{line}"), payload: rest.to_vec() },
        b't' => Event::Message { topic: line.to_owned(), payload: rest.to_vec() },
        b'R' => Event::Retained { topic: line.to_owned() },
        b's' => Event::Seen((0..rest.len() / 100).map(|_| face(&mut numbers)).collect(), FRAME),
        b'n' => Event::Seen(Vec::new(), FRAME),
        b'm' => Event::Measured(diagnostics(&mut numbers)),
        b'f' => Event::Failed(part(rest), line.to_owned()),
        b'w' => Event::Works(part(rest)),
        b'u' => Event::CameraUp,
        b'x' => Event::CameraClosed,
        b'l' => Event::CameraLock((!line.is_empty()).then(|| line.to_owned())),
        b'p' => Event::Pictured(picture(rest)),
        b'd' => Event::Disconnected { reason: line.to_owned(), refused: !rest.is_empty() },
        b'o' => Event::Connected,
        b'U' => Event::Unsaid,
        b'v' => Event::Viewer(!rest.is_empty()),
        b'k' => Event::Tick,
        _ => return None,
    })
}

fuzz_target!(|evening: &[u8]| {
    let mut engine = engine();
    let mut now = Duration::ZERO;
    let said = engine.on(Event::Connected, now);
    assert!(!said.is_empty());
    let mut connected = true;
    for record in evening.split(|byte| *byte == SEPARATOR).take(60) {
        let Some((letter, after)) = record.split_first() else { continue };
        let (line, rest) = after.split_at(after.iter().position(|byte| *byte == b'\n').unwrap_or(after.len()));
        let Ok(line) = std::str::from_utf8(line) else { continue };
        let Some(event) = event(*letter, line, rest.strip_prefix(b"\n").unwrap_or(rest)) else { continue };
        match &event {
            Event::Connected => connected = true,
            Event::Disconnected { .. } => connected = false,
            _ => {}
        }
        let asked = connected
            && matches!(&event, Event::Message { topic, .. } if topic.starts_with("moodbox/test/request/")
            && topic.matches('/').count() == 3);
        now += Duration::from_millis(137 * (1 + rest.len() as u64 % 64));
        let mut effects = engine.on(event, now);
        // The disk does what it is asked.
        let mut at = 0;
        while let Some(effect) = effects.get(at).cloned() {
            at += 1;
            effects.extend(match effect {
                Effect::Store { transaction, piece } => {
                    let outcome = Ok(Received::Part(piece.offset));
                    engine.on(Event::Stored(Stored { transaction, outcome }), now)
                }
                Effect::Recall { transaction, .. } => {
                    let outcome = Err("there is no disk".to_owned());
                    engine.on(Event::Recalled(Recalled { transaction, outcome }), now)
                }
                Effect::KeepOverrides(_, asker) | Effect::KeepEvidence(_, asker) => engine.on(Event::Kept(asker, Ok(())), now),
                _ => Vec::new(),
            });
        }
        let mut answers = 0;
        for effect in effects {
            let Effect::Publish(publication) = effect else { continue };
            let text = std::str::from_utf8(&publication.payload).expect("text");
            assert!(text.len() <= LONGEST, "{}: {} bytes", publication.topic, text.len());
            if text.starts_with('{') {
                serde_json::from_str::<serde_json::Value>(text).expect("JSON");
            }
            answers += usize::from(publication.topic.contains("/response/"));
        }
        assert!(!asked || answers == 1, "{line}: {answers} answers");
    }
});
