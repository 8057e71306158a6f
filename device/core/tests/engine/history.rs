//! What is noted of a day, and how it is asked for.

use moodbox_core::engine::Recalled;
use moodbox_core::history::{Moment, Page, Query, Sight};
use moodbox_core::mood::RoomMood;
use serde_json::json;

use super::*;

impl Evening {
    fn notes(&self) -> Vec<(Duration, Option<RoomMood>)> {
        let notes = self.effects.iter().filter_map(|(at, effect)| match effect {
            Effect::Note(sight) => Some((*at, sight.map(|sight| sight.mood))),
            _ => None,
        });
        notes.collect()
    }

    fn noted(&self) -> Vec<Option<RoomMood>> {
        self.notes().into_iter().map(|(_, mood)| mood).collect()
    }
}

const HAPPY: Option<RoomMood> = Some(RoomMood::Emotion(Emotion::Happy));
const ABSENT: Option<RoomMood> = Some(RoomMood::Absent);

/// Whoever has just come is met with one.
const GUESS: Option<RoomMood> = Some(RoomMood::Emotion(Emotion::Neutral));

#[test]
fn each_change_is_noted_once() {
    let mut evening = happy_evening();
    assert_eq!(evening.noted(), [None, ABSENT, GUESS, HAPPY]);
    evening.wait(3 * MINUTE);
    evening.command("camera", "OFF");
    evening.tell(Event::CameraClosed);
    evening.wait(MINUTE);
    assert_eq!(evening.noted(), [None, ABSENT, GUESS, HAPPY, ABSENT, None]);
}

#[test]
fn a_room_in_which_nothing_changes_is_noted_every_half_hour() {
    let mut evening = happy_evening();
    let before = evening.notes().len();
    evening.watch(&[face(Emotion::Happy)], 100 * MINUTE);
    let again = evening.notes().split_off(before);
    assert_eq!(again.iter().map(|(_, mood)| *mood).collect::<Vec<_>>(), [HAPPY; 3]);
    assert!(again.windows(2).all(|pair| pair[1].0 >= pair[0].0 + 30 * MINUTE));
    // A box that does not look has nothing to say.
    evening.command("camera", "OFF");
    evening.tell(Event::CameraClosed);
    let closed = evening.notes().len();
    evening.wait(5 * 60 * MINUTE);
    assert_eq!(evening.notes().len(), closed);
}

#[test]
fn a_camera_that_comes_and_goes_leaves_no_line_for_each_time() {
    let mut evening = happy_evening();
    for _ in 0..100 {
        evening.tell(Event::Failed(Part::Camera, "EPROTO".to_owned()));
        evening.wait(Duration::from_secs(5));
        evening.tell(Event::CameraUp);
        evening.watch(&[face(Emotion::Happy)], Duration::from_secs(1));
    }
    assert_eq!(evening.noted(), [None, ABSENT, GUESS, HAPPY]);
    evening.tell(Event::Failed(Part::Camera, "EPROTO".to_owned()));
    let failed = evening.now;
    evening.wait(10 * MINUTE);
    assert_eq!(evening.notes().split_off(4), [(failed + MINUTE, None)]);
}

#[test]
fn a_switch_with_a_loose_wire_leaves_no_line_for_each_time() {
    let mut evening = happy_evening();
    let lock = |evening: &mut Evening| {
        evening.tell(Event::CameraLock(Some("the switch on the box is off".to_owned())));
        evening.tell(Event::CameraClosed);
        evening.now
    };
    let unlock = |evening: &mut Evening| {
        evening.tell(Event::CameraLock(None));
        evening.tell(Event::CameraUp);
        evening.watch(&[face(Emotion::Happy)], Duration::from_secs(1));
    };
    for _ in 0..100 {
        lock(&mut evening);
        evening.wait(Duration::from_secs(5));
        unlock(&mut evening);
    }
    assert_eq!(evening.noted(), [None, ABSENT, GUESS, HAPPY]);
    let locked = lock(&mut evening);
    evening.wait(10 * MINUTE);
    assert_eq!(evening.notes().split_off(4), [(locked + MINUTE, None)]);
    // A command is no loose wire.
    unlock(&mut evening);
    let before = evening.notes().len();
    lock(&mut evening);
    evening.wait(Duration::from_secs(5));
    evening.command("camera", "OFF");
    assert_eq!(evening.notes().split_off(before), [(evening.now, None)]);
}

#[test]
fn who_cannot_see_has_not_looked() {
    let mut evening = happy_evening();
    evening.tell(Event::Failed(Part::Models, "damaged".to_owned()));
    evening.wait(40 * MINUTE);
    assert_eq!(evening.noted(), [None, ABSENT, GUESS, HAPPY, None]);
}

#[test]
fn who_asks_is_answered_when_the_disk_has_looked() {
    let mut evening = happy_evening();
    let payload = json!({ "transaction": "h1", "from": 10, "to": 20 }).to_string();
    evening.tell(Event::Message { topic: "moodbox/t/request/history.get".to_owned(), payload: payload.into() });
    let query = Query { from: 10, to: 20, skip: 0 };
    let recall = Effect::Recall { transaction: "h1".to_owned(), query };
    assert!(evening.effects.iter().any(|(_, effect)| *effect == recall));
    assert_eq!(evening.last("response/history.get"), Value::Null);
    let sight = Sight { mood: RoomMood::Mixed, valence: 0.1, arousal: -0.2 };
    let moments = vec![Moment { at: 9, unset: true, sight: None }, Moment { at: 15, unset: false, sight: Some(sight) }];
    let outcome = Ok(Page { moments, more: true });
    evening.tell(Event::Recalled(Recalled { transaction: "h1".to_owned(), outcome }));
    insta::assert_json_snapshot!(evening.last("response/history.get"));
    let outcome = Err("the disk is busy; try again".to_owned());
    evening.tell(Event::Recalled(Recalled { transaction: "h2".to_owned(), outcome }));
    assert_eq!(evening.last("response/history.get")["error"], "the disk is busy; try again");
}
