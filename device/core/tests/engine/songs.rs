//! Whether the songs follow the mood or a choice, and by which policy.

use moodbox_core::affect::Policy;
use moodbox_core::config::Bounded;

use super::*;

impl Evening {
    /// Chooses a song that is in no list yet, and gives back its uri.
    fn choose(&mut self) -> String {
        let uri = Catalogue::demo().tracks()[7].uri.clone();
        self.command("choose", &format!("{{\"uri\":\"{uri}\"}}"));
        uri
    }

    /// Why the songs that are recommended are.
    fn reason(&self) -> String {
        self.last("recommendation")["reason"].as_str().unwrap_or_default().to_owned()
    }

    /// Another library has come, whole.
    fn receive(&mut self, catalogue: Catalogue) {
        let outcome = Ok(Received::Whole { bytes: 1, catalogue });
        self.tell(Event::Stored(Stored { transaction: "l1".to_owned(), outcome }));
    }

    /// Whether songs are recommended, and all of them of [`two_songs`].
    fn lists_the_two_songs(&self) -> bool {
        let list = self.last("recommendation");
        let tracks = list["tracks"].as_array().unwrap();
        !tracks.is_empty() && tracks.iter().all(|track| track["uri"].as_str().unwrap().starts_with("new:"))
    }
}

/// A library of two songs, neither of them the demo's.
fn two_songs() -> Catalogue {
    Catalogue::import(b"title,artist,uri,genres\nOne,Ada,new:1,folk\nTwo,Bob,new:2,rock\n").unwrap().catalogue
}

/// A box that sees nobody, and has for long enough to say so.
fn empty_room() -> Evening {
    let mut evening = Evening::begin(Switches::default());
    evening.tell(Event::Connected);
    evening.tell(Event::CameraUp);
    evening.watch(&[], 5 * MINUTE);
    evening
}

#[test]
fn a_choice_is_followed_until_the_room_is_empty() {
    let mut evening = happy_evening();
    let uri = evening.choose();
    assert_eq!(evening.last("now")["uri"], uri);
    let list = evening.last("recommendation");
    assert!(list["reason"].as_str().unwrap().starts_with("more like"), "{list}");
    evening.command("next", "");
    assert_eq!(evening.last("now")["uri"], list["tracks"][0]["uri"]);
    evening.watch(&[face(Emotion::Sad)], 5 * MINUTE);
    assert!(evening.reason().starts_with("more like"));
    evening.wait(3 * MINUTE);
    evening.watch(&[face(Emotion::Sad)], MINUTE);
    assert!(evening.reason().starts_with("the room looks sad"));
}

#[test]
fn a_choice_is_followed_where_nobody_is_seen() {
    let mut evening = happy_evening();
    evening.choose();
    evening.command("camera", "OFF");
    evening.tell(Event::CameraClosed);
    evening.wait(60 * MINUTE);
    evening.command("next", "");
    assert!(evening.reason().starts_with("more like"), "with the camera off: {}", evening.reason());

    let mut evening = empty_room();
    evening.choose();
    evening.watch(&[], 5 * MINUTE);
    evening.command("next", "");
    assert!(evening.reason().starts_with("more like"), "in an empty room: {}", evening.reason());
    evening.watch(&[face(Emotion::Happy)], MINUTE);
    assert!(evening.reason().starts_with("more like"), "who chose has come in: {}", evening.reason());
}

#[test]
fn a_choice_in_an_empty_room_outlives_a_camera_that_comes_back() {
    let mut evening = empty_room();
    evening.choose();
    evening.tell(Event::Failed(Part::Camera, "EPROTO".to_owned()));
    evening.tell(Event::CameraUp);
    evening.watch(&[], 5 * MINUTE);
    evening.command("next", "");
    assert!(evening.reason().starts_with("more like"), "{}", evening.reason());
}

#[test]
fn a_library_that_comes_while_nobody_is_there_is_listed_as_well() {
    let mut evening = empty_room();
    evening.command("next", "");
    evening.receive(two_songs());
    assert!(evening.lists_the_two_songs(), "{}", evening.last("recommendation"));
}

#[test]
fn a_choice_outlives_a_library_that_holds_its_song_and_no_other() {
    let mut evening = happy_evening();
    let uri = evening.choose();
    let before = evening.last("recommendation");
    evening.receive(Catalogue::demo());
    assert!(evening.reason().starts_with("more like"), "{}", evening.reason());
    assert_ne!(evening.last("recommendation")["id"], before["id"], "players learn that there are other songs");
    assert_eq!(evening.last("now")["uri"], uri);
    evening.receive(two_songs());
    assert!(evening.reason().starts_with("the room looks happy"), "{}", evening.reason());
    assert!(evening.lists_the_two_songs(), "{}", evening.last("recommendation"));
}

#[test]
fn a_song_of_the_library_before_is_skipped_all_the_same() {
    let mut evening = happy_evening();
    evening.command("next", "");
    evening.receive(two_songs());
    let before = evening.last("now")["uri"].as_str().unwrap().to_owned();
    assert!(before.starts_with("demo:"), "{before}");
    evening.command("skip", "");
    assert!(evening.last("now")["uri"].as_str().unwrap().starts_with("new:"));
}

#[test]
fn a_song_that_is_unknown_changes_nothing() {
    for command in ["skip", "next", "choose"] {
        let mut evening = happy_evening();
        let before = evening.effects.len();
        evening.command(command, r#"{"uri":"unknown"}"#);
        assert!(evening.last(&format!("response/{command}"))["error"].is_string(), "{command}");
        assert!(
            !evening.effects[before..].iter().any(|(_, effect)| matches!(effect, Effect::Remember(_))),
            "{command}"
        );
        let listed = serde_json::to_value(evening.engine.recommendation()).unwrap();
        assert_eq!(listed, evening.last("recommendation"), "{command}");
    }
}

#[test]
fn a_choice_outlives_a_camera_that_comes_back() {
    let mut evening = happy_evening();
    evening.command("camera", "OFF");
    evening.tell(Event::CameraClosed);
    evening.wait(5 * MINUTE);
    evening.choose();
    evening.command("camera", "ON");
    evening.tell(Event::CameraUp);
    evening.watch(&[], MINUTE);
    evening.watch(&[face(Emotion::Sad)], MINUTE);
    assert!(evening.reason().starts_with("more like"), "who chose is there: {}", evening.reason());
    evening.watch(&[], 5 * MINUTE);
    evening.watch(&[face(Emotion::Sad)], MINUTE);
    assert!(evening.reason().starts_with("the room looks sad"), "who chose has gone: {}", evening.reason());
}

#[test]
fn every_lift_begins_at_the_mood() {
    let mut evening = empty_room();
    let first_why = |evening: &Evening| evening.last("recommendation")["tracks"][0]["why"].as_str().unwrap().to_owned();
    evening.command("next", "");
    for _ in 0..2 {
        evening.command("policy", "lift");
        evening.command("next", "");
        assert!(first_why(&evening).ends_with("where the mood is now"), "{}", first_why(&evening));
        (0..7).for_each(|_| evening.command("next", ""));
        assert!(!first_why(&evening).ends_with("where the mood is now"), "{}", first_why(&evening));
        evening.command("policy", "match");
        evening.command("next", "");
    }
    evening.ask("config.set", ",\"set\":{\"music.policy\":\"lift\"}");
    evening.command("next", "");
    assert!(first_why(&evening).ends_with("where the mood is now"), "{}", first_why(&evening));
}

#[test]
fn a_song_that_is_skipped_before_it_plays_is_not_played() {
    for length in [10, 1] {
        let mut config = Config::default();
        config.music.list_length = Bounded(length);
        let mut evening = Evening::with(config, Switches::default());
        evening.tell(Event::Connected);
        evening.tell(Event::CameraUp);
        evening.watch(&[face(Emotion::Happy)], MINUTE);
        let listed = tracks(&evening.last("recommendation"));
        evening.command("skip", "");
        let next = evening.last("now")["uri"].as_str().unwrap().to_owned();
        assert_ne!(next, listed[0]);
        assert!(length == 1 || next == listed[1]);
        let log: String = evening
            .effects
            .iter()
            .filter_map(|(_, effect)| match effect {
                Effect::Remember(feedback) => Some(feedback.line()),
                _ => None,
            })
            .collect();
        let (memory, _) = Memory::read(log.as_bytes());
        assert_eq!((memory.standing(&listed[0]).down, memory.standing(&next).down), (1, 0));
    }
}

#[test]
fn songs_for_nobody_come_from_the_middle() {
    let mut evening = empty_room();
    evening.command("next", "");
    assert_eq!(evening.reason(), "nobody is seen: songs from the middle");
    let tracks = evening.last("recommendation")["tracks"].clone();
    let valence = |track: &Value| track["valence"].as_f64().unwrap();
    let mean = tracks.as_array().unwrap().iter().map(valence).sum::<f64>() / 10.0;
    assert!(mean.abs() < 0.25, "{mean}");
    let before = evening.said("recommendation").len();
    evening.watch(&[], 5 * MINUTE);
    assert_eq!(evening.said("recommendation").len(), before, "nobody asked for more");
    evening.watch(&[face(Emotion::Sad)], MINUTE);
    assert!(evening.reason().starts_with("the room looks sad"), "{}", evening.reason());
}

#[test]
fn a_list_has_the_policy_of_the_state() {
    let mut evening = Evening::begin(Switches::default());
    evening.tell(Event::Connected);
    // Disgust lies nearer to anger than what is worth a new list by itself.
    for mood in [Emotion::Disgust, Emotion::Angry, Emotion::Disgust, Emotion::Fear] {
        evening.watch(&[face(mood)], 5 * MINUTE);
        let (state, list) = (evening.last("state"), evening.last("recommendation"));
        assert_eq!(state["mood"], mood.name());
        assert_eq!(state["policy"], list["policy"], "{state}");
    }
}

#[test]
fn a_policy_that_is_configured_takes_the_place_of_a_chosen_one() {
    let mut evening = Evening::begin(Switches::default());
    evening.tell(Event::Connected);
    evening.watch(&[face(Emotion::Angry)], MINUTE);
    evening.command("policy", "lift");
    for (set, policy) in [("\"match\"", "match"), ("null", "soothe")] {
        evening.ask("config.set", &format!(",\"set\":{{\"music.policy\":{set}}}"));
        evening.watch(&[face(Emotion::Angry)], Duration::from_secs(2));
        assert_eq!(evening.last("state")["policy"], policy);
        assert_eq!(evening.last("recommendation")["policy"], policy);
    }
    let kept = evening.effects.iter().filter(|(_, effect)| *effect == Effect::Keep(Switches::default()));
    assert_eq!(kept.count(), 1, "what was chosen is forgotten for good");
}

#[test]
fn what_listeners_do_is_dated_by_the_clock_as_it_was_set() {
    let mut evening = happy_evening();
    let dated = |evening: &Evening| {
        let remembered = evening.effects.iter().rev().find_map(|(_, effect)| match effect {
            Effect::Remember(feedback) => Some(feedback.at),
            _ => None,
        });
        remembered.unwrap()
    };
    evening.choose();
    assert_eq!(dated(&evening), 1_790_000_000 + evening.now.as_secs());
    evening.tell(Event::Clock(Duration::from_secs(1_800_000_000)));
    evening.choose();
    assert_eq!(dated(&evening), 1_800_000_000 + evening.now.as_secs());
}

#[test]
fn anger_is_soothed_unless_somebody_wants_otherwise() {
    let mut evening = Evening::begin(Switches::default());
    evening.tell(Event::Connected);
    evening.watch(&[face(Emotion::Angry)], MINUTE);
    assert_eq!(evening.last("state")["policy"], "soothe");
    evening.command("policy", "match");
    evening.wait(Duration::from_secs(2));
    assert_eq!(evening.last("recommendation")["policy"], "match");
    assert_eq!(evening.last("state")["policy"], "match");
    let kept = Switches { policy: Some(Policy::Match), ..Switches::default() };
    assert!(evening.effects.iter().any(|(_, e)| *e == Effect::Keep(kept)));
}
