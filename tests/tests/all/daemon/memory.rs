//! The memory that the unit lets the daemon have, in a control group as systemd makes one: it is enough, and at its end the
//! box is killed and comes back.

use std::fs;
use std::mem;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::time::Instant;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use moodbox_core::topics::{Command, MAX_PIECE_BYTES, RequestKind};
use moodbox_tests::listener::{Message, PATIENCE};
use moodbox_tests::memory_group::{MemoryGroup, limit_of_the_unit};
use moodbox_tests::programs::{program, repository};
use serde_json::{Value, json};

use super::library::{catalogue, pieces};
use super::{Daemon, Home, smile};

/// The largest frame that the configuration asks a camera for.
const LARGEST: [u32; 2] = [1920, 1080];
/// Songs of a large library.
const SONGS: usize = 100_000;
/// Messages to each topic, one right after the other.
const FLOOD: usize = 20;

/// Pictures that take as much as a camera's can: as many faces as fit, raw, and noise, which JPEG makes nothing shorter.
fn draw(folder: &Path) {
    let [width, height] = LARGEST;
    let portrait = image::open(repository().join("host-tools/demo/faces/collins.jpg")).unwrap().to_rgb8();
    let tile = imageops::resize(&portrait, width / 8, height / 5, FilterType::Triangle);
    let crowd = RgbImage::from_fn(width, height, |x, y| *tile.get_pixel(x % tile.width(), y % tile.height()));
    let mut random = fastrand::Rng::with_seed(1);
    let noise = RgbImage::from_fn(width, height, |_, _| Rgb([random.u8(..), random.u8(..), random.u8(..)]));
    fs::create_dir(folder).unwrap();
    crowd.save(folder.join("crowd.png")).unwrap();
    JpegEncoder::new_with_quality(fs::File::create(folder.join("noise.jpg")).unwrap(), 100)
        .encode_image(&noise)
        .unwrap();
}

impl Home {
    /// How the box is, as soon as it has an ear for the question: it drops what comes too fast.
    fn diagnosis(&mut self) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let question = json!({ "transaction": self.transaction() });
            self.listener.publish("moodbox/test/request/diagnose", question.to_string(), false);
            self.listener.publish("end", "", false);
            let heard = self.listener.all_until(|message| message.topic == "end");
            let mut answers = heard.iter().filter(|m| m.topic.ends_with("/response/diagnose")).map(Message::json);
            if let Some(answer) = answers.find(|answer| answer["status"] == "ok") {
                return answer;
            }
            assert!(Instant::now() < deadline, "it does not answer");
        }
    }
}

#[test]
fn the_largest_frames_library_and_messages_fit_into_the_memory_of_the_unit() {
    let Some(group) = MemoryGroup::of(limit_of_the_unit()) else { return };
    let mut home = Home::run(
        "replay:FOLDER/pictures",
        "fps = 30\n[vision]\nfps = 30\nmin_face_px = 24",
        |before| {
            draw(&before.folder.join("pictures"));
            fs::create_dir(before.folder.join("store")).unwrap();
            fs::write(before.folder.join("store/catalogue.jsonl"), catalogue(SONGS)).unwrap();
        },
        |_| group.command(program("moodboxd")),
    );
    // What is made for a picture is made anew after the other.
    for _ in 0..3 {
        home.listener.until("/state", |state| state.json()["faces"].as_u64() > Some(8));
        home.listener.until("/state", |state| state.json()["faces"] == 0);
    }
    let largest = vec![b' '; MAX_PIECE_BYTES];
    for _ in 0..FLOOD {
        for name in Command::NAMES {
            home.command(name, largest.clone());
        }
        for name in RequestKind::NAMES {
            home.listener.publish(&format!("moodbox/test/request/{name}"), largest.clone(), false);
        }
    }
    let told = home.diagnosis();
    assert_eq!(told["data"]["songs"], SONGS, "{told}");
    let (peak, limit) = (group.peak(), limit_of_the_unit());
    eprintln!("{} of {} MiB", peak >> 20, limit >> 20);
    assert!(peak < limit, "{peak} of {limit} bytes");
    assert_eq!(group.kills(), 0);
    home.daemon.stop();
}

#[test]
fn a_library_for_which_there_is_no_memory_costs_a_restart_and_not_the_box() {
    // A part of what the unit gives, so that a part of what would break it does.
    let Some(group) = MemoryGroup::of(limit_of_the_unit() / 5) else { return };
    let mut home = Home::run(&smile(), "", |_| {}, |_| group.command(program("moodboxd")));
    home.state("mood", "happy");
    let library = String::from_utf8(catalogue(SONGS)).unwrap();
    home.send(&pieces(&library, 200));
    home.listener.until("/availability", |message| message.text == "offline");
    // As systemd starts it again.
    let next = Daemon::run(group.command(program("moodboxd")), home.folder.path(), &home.config);
    let killed = mem::replace(&mut home.daemon, next);
    assert_eq!(killed.ended().0.signal(), Some(9));
    assert_eq!(group.kills(), 1);
    home.listens();
    assert_eq!(home.ask("diagnose", &json!({}))["data"]["songs"], 475);
    home.daemon.stop();
}
