//! What is set from afar proves itself, or is taken back.

use moodbox_core::engine::Outcome;
use serde_json::json;

use super::*;

impl Evening {
    /// Sets keys, and has them kept: the answer's data.
    fn set_from_afar(&mut self, set: &Value) -> Value {
        self.requests += 1;
        let payload = json!({ "transaction": format!("t{}", self.requests), "set": set }).to_string();
        self.tell(Event::Message { topic: "moodbox/t/request/config.set".to_owned(), payload: payload.into() });
        self.disk(&Ok(()));
        self.last("response/config.set")["data"].clone()
    }

    fn trial(&mut self) -> Value {
        self.request("config.trial", "").unwrap()
    }

    /// The trials that the disk has.
    fn trials(&self) -> Trials {
        let kept = self.effects.iter().rev().find_map(|(_, effect)| match effect {
            Effect::KeepTrials(trials) => Some(trials.clone()),
            _ => None,
        });
        kept.unwrap()
    }

    /// The box as it is after a restart, with what the disk has.
    fn restarted(&self) -> Self {
        let mut trials = self.trials();
        assert_eq!(trials.start(), None);
        let config = self.effects.iter().rev().find_map(|(_, effect)| match effect {
            Effect::KeepOverrides(overrides, _) => Configuration::new(Config::default(), overrides.clone()).ok(),
            _ => None,
        });
        Self::begin_with(config.unwrap(), Switches::default(), trials)
    }
}

fn restarts(evening: &Evening) -> bool {
    evening.effects.iter().any(|(_, effect)| matches!(effect, Effect::Restart))
}

#[test]
fn what_no_part_depends_on_counts_at_once() {
    let mut evening = happy_evening();
    for set in [json!({ "mood.hold_s": 20 }), json!({ "leds.brightness": 0.5 }), json!({ "vision.fps": 5 })] {
        assert_eq!(evening.set_from_afar(&set)["trial_s"], Value::Null, "{set}");
        assert_eq!(evening.trial(), json!({ "trial": null, "last": null }));
    }
}

#[test]
fn what_vision_does_is_taken_when_frames_are_seen_with_it() {
    let mut evening = happy_evening();
    assert_eq!(evening.set_from_afar(&json!({ "vision.min_face_px": 50 }))["trial_s"], 60.0);
    let lacking = &evening.trial()["trial"]["lacking"];
    assert_eq!(lacking, "models: it does not come up");
    evening.watch(&[face(Emotion::Happy)], Duration::from_secs(4));
    assert_eq!(evening.trial()["trial"]["lacking"], Value::Null);
    evening.watch(&[face(Emotion::Happy)], Duration::from_secs(2));
    assert_eq!(evening.trial(), json!({ "trial": null, "last": { "outcome": "taken" } }));
    assert_eq!(evening.trials().last, Some(Outcome::Taken));
}

#[test]
fn what_vision_cannot_do_is_taken_back_after_a_minute_and_said() {
    let mut evening = happy_evening();
    evening.set_from_afar(&json!({ "vision.min_face_px": 50 }));
    evening.tell(Event::Failed(Part::Models, "out of memory".to_owned()));
    evening.wait(Duration::from_secs(59));
    assert_eq!(evening.engine.config().vision.min_face_px.0, 50);
    evening.wait(Duration::from_secs(2));
    assert_eq!(evening.engine.config().vision.min_face_px.0, 60);
    let why = "the new configuration was taken back: models: out of memory";
    let problem = evening.last("event");
    assert_eq!((&problem["part"], &problem["message"]), (&json!("config"), &json!(why)));
    assert!(evening.effects.iter().any(|(_, effect)| *effect == Effect::Warn(why.to_owned())));
    let last = json!({ "outcome": "taken_back", "why": "models: out of memory" });
    assert_eq!(evening.trial()["last"], last);
    assert!(!restarts(&evening));
}

#[test]
fn a_camera_that_does_not_come_after_the_restart_is_taken_back_with_another() {
    let mut evening = happy_evening();
    let told = evening.set_from_afar(&json!({ "camera.source": "v4l2:/dev/video9" }));
    assert_eq!((&told["after_restart"], &told["trial_s"]), (&json!(["camera.source"]), &json!(60.0)));
    // Nothing is decided before the restart, however long that takes.
    evening.watch(&[face(Emotion::Happy)], 10 * MINUTE);
    assert_eq!(evening.trial()["trial"]["awaits_restart"], true);
    // What a person sets meanwhile is theirs and stays.
    evening.command("hold_time", "33");
    assert_eq!(evening.set_from_afar(&json!({ "music.policy": "lift" }))["trial_s"], Value::Null);
    let mut evening = evening.restarted();
    evening.tell(Event::Connected);
    evening.tell(Event::Failed(Part::Camera, "no such camera".to_owned()));
    evening.wait(Duration::from_secs(61));
    assert!(restarts(&evening));
    let mut evening = evening.restarted();
    assert_eq!(evening.engine.config().camera, Config::default().camera);
    assert_eq!(evening.engine.config().mood.hold_s.duration().as_secs(), 33);
    assert_eq!(evening.engine.config().music.policy, Some(moodbox_core::affect::Policy::Lift));
    evening.tell(Event::Connected);
    assert_eq!(evening.trial()["last"]["why"], "camera: no such camera");
    evening.wait(10 * MINUTE);
    assert!(!restarts(&evening));
}

#[test]
fn what_is_taken_back_while_nobody_hears_is_told_after_the_restart_once() {
    let mut evening = happy_evening();
    evening.set_from_afar(&json!({ "camera.source": "v4l2:/dev/video9" }));
    let mut evening = evening.restarted();
    evening.tell(Event::Disconnected { reason: "no broker".to_owned(), refused: false });
    evening.wait(Duration::from_secs(61));
    assert!(restarts(&evening));
    let mut evening = evening.restarted();
    let told = |evening: &Evening| evening.said("event").iter().filter(|(_, event)| event["part"] == "config").count();
    evening.wait(MINUTE);
    assert_eq!(told(&evening), 0);
    evening.tell(Event::Connected);
    assert_eq!(told(&evening), 1);
    // Also where the box is started again.
    evening.tell(Event::Connected);
    assert_eq!((told(&evening), serde_json::to_value(evening.trials()).unwrap().get("untold")), (1, None));
}

#[test]
fn what_is_asked_for_again_while_it_is_on_trial_still_is() {
    let mut evening = happy_evening();
    let bad = json!({ "camera.source": "v4l2:/dev/video9", "mood.hold_s": 33 });
    let told = evening.set_from_afar(&bad);
    // The answer was lost, or somebody did not wait for it.
    assert_eq!(evening.set_from_afar(&bad), told);
    let mut evening = evening.restarted();
    evening.tell(Event::Connected);
    evening.tell(Event::Failed(Part::Camera, "no such camera".to_owned()));
    let again = evening.set_from_afar(&bad);
    assert_eq!((&again["after_restart"], &again["trial_s"]), (&json!([]), &json!(60.0)));
    evening.wait(Duration::from_secs(61));
    let evening = evening.restarted();
    assert_eq!(evening.engine.config().camera, Config::default().camera);
}

#[test]
fn what_is_set_back_before_the_restart_waits_for_none() {
    let mut evening = happy_evening();
    evening.set_from_afar(&json!({ "camera.fps": 15 }));
    let told = evening.set_from_afar(&json!({ "camera.fps": Config::default().camera.fps.0 }));
    assert_eq!(told["after_restart"], json!([]));
    assert_eq!(evening.trial()["trial"]["awaits_restart"], false);
    evening.watch(&[face(Emotion::Happy)], Duration::from_secs(10));
    assert_eq!(evening.trial(), json!({ "trial": null, "last": { "outcome": "taken" } }));
    // Nor does what comes after it, which fails.
    evening.set_from_afar(&json!({ "vision.fps": 9 }));
    evening.tell(Event::Failed(Part::Models, "out of memory".to_owned()));
    evening.wait(Duration::from_secs(61));
    assert_eq!(evening.trial()["last"]["outcome"], "taken_back");
    assert!(!restarts(&evening));
}

#[test]
fn what_did_not_work_before_need_not_work_after() {
    let mut evening = Evening::begin(Switches::default());
    evening.tell(Event::Connected);
    evening.tell(Event::Failed(Part::Camera, "none".to_owned()));
    evening.set_from_afar(&json!({ "leds.red": 5 }));
    let mut evening = evening.restarted();
    evening.tell(Event::Failed(Part::Camera, "none".to_owned()));
    // The broker has to come first.
    evening.wait(Duration::from_secs(30));
    assert!(!evening.effects.iter().any(|(_, effect)| matches!(effect, Effect::KeepTrials(_))));
    evening.tell(Event::Connected);
    evening.wait(Duration::from_secs(6));
    assert_eq!(evening.trials().last, Some(Outcome::Taken));
}

#[test]
fn a_camera_that_is_switched_off_is_not_waited_for() {
    let mut evening = happy_evening();
    evening.set_from_afar(&json!({ "vision.fps": 9 }));
    evening.command("camera", "OFF");
    evening.wait(Duration::from_secs(6));
    assert_eq!(evening.trial()["last"]["outcome"], "taken");
}

#[test]
fn a_camera_that_had_failed_before_keeps_nothing_from_being_set() {
    let mut evening = happy_evening();
    evening.tell(Event::Failed(Part::Camera, "unplugged".to_owned()));
    evening.set_from_afar(&json!({ "vision.fps": 9 }));
    evening.wait(2 * MINUTE);
    assert_eq!(evening.trial()["last"], json!({ "outcome": "taken" }));
    assert_eq!(evening.engine.config().vision.fps.0, 9);
}

#[test]
fn models_that_read_faces_again_have_failed_no_longer() {
    let mut evening = happy_evening();
    evening.tell(Event::Failed(Part::Models, "out of memory".to_owned()));
    assert_eq!(evening.request("diagnose", "").unwrap()["problems"][0]["part"], "models");
    evening.watch(&[face(Emotion::Happy)], FRAME);
    assert_eq!(evening.request("diagnose", "").unwrap()["problems"], json!([]));
}

#[test]
fn models_that_fail_are_taken_back_though_the_camera_is_off() {
    let mut evening = happy_evening();
    evening.command("camera", "OFF");
    evening.set_from_afar(&json!({ "vision.labels": "ferplus" }));
    let mut evening = evening.restarted();
    evening.tell(Event::Connected);
    evening.command("camera", "OFF");
    let why = "fer.tflite has no answer of FERPlus' raters";
    evening.tell(Event::Failed(Part::Models, why.to_owned()));
    assert_eq!(evening.trial()["trial"]["lacking"], format!("models: {why}"));
    evening.wait(Duration::from_secs(61));
    let mut evening = evening.restarted();
    evening.tell(Event::Connected);
    assert_eq!(evening.trial()["last"]["why"], format!("models: {why}"));
    assert_eq!(evening.engine.config().vision.labels, Labels::Fer2013);
}

#[test]
fn without_a_connection_it_is_said_when_there_is_one_again() {
    let mut evening = happy_evening();
    evening.set_from_afar(&json!({ "vision.fps": 9 }));
    evening.tell(Event::Disconnected { reason: "refused".to_owned(), refused: true });
    evening.watch(&[face(Emotion::Happy)], Duration::from_secs(61));
    assert_eq!(evening.engine.config().vision.fps.0, 5);
    assert!(evening.said("event").iter().all(|(_, event)| event["part"] != "config"));
    evening.tell(Event::Connected);
    let problem = evening.last("event");
    assert_eq!(problem["message"], "the new configuration was taken back: broker: refused");
}
