//! What is learnt of the faces before the box.

use super::*;

impl Evening {
    /// Asks to learn something, of which this comes on the disk, and gives back the answer.
    fn request_to_learn(&mut self, name: &str, fields: &str, kept: Result<(), String>) -> Result<Value, String> {
        self.ask(name, fields);
        assert_ne!(self.last(&format!("response/{name}"))["transaction"], format!("t{}", self.requests));
        let Some((_, Effect::KeepEvidence(_, asker))) = self.effects.last().cloned() else { panic!("nothing is kept") };
        self.tell(Event::Kept(asker, kept));
        self.answer(name)
    }

    /// What was last to be kept of what was learnt.
    fn kept(&self) -> Option<Evidence> {
        let mut kept = self.effects.iter().filter_map(|(_, effect)| match effect {
            Effect::KeepEvidence(evidence, _) => Some(*evidence),
            _ => None,
        });
        kept.next_back()
    }
}

/// Somebody whose neutral face is read as sad.
fn long_face() -> SeenFace {
    let emotions = Probabilities::normalised([0.02, 0.01, 0.06, 0.04, 0.33, 0.5, 0.04]).unwrap();
    SeenFace { emotions, ..face(Emotion::Sad) }
}

#[test]
fn a_face_that_is_read_wrong_is_read_right_after_a_calibration_and_as_before_after_a_reset() {
    let mut evening = Evening::begin(Switches::default());
    evening.tell(Event::Connected);
    evening.tell(Event::CameraUp);
    let alone = evening.request("calibrate.look", ",\"seconds\":4").unwrap_err();
    assert_eq!(alone, "a sharp face, and no other, was seen for 0.0 s of 4.0 s; one person must look at the camera");
    evening.watch(&[long_face()], Duration::from_secs(10));
    assert_eq!(evening.last("state")["expression"], "sad");
    let look = evening.request("calibrate.look", ",\"seconds\":4").unwrap();
    assert_eq!((&look["said"], &look["said"]["sad"]), (&look["read"], &0.5.into()));
    let shown = format!(",\"shown\":{{\"neutral\":{}}}", look["said"]);
    let bias = evening.request_to_learn("calibrate.set", &shown, Ok(())).unwrap();
    assert!(bias["bias"]["neutral"].as_f64().unwrap() > 0.2, "{bias}");
    assert!(evening.kept().is_some_and(|evidence| !evidence.is_none()));
    evening.watch(&[long_face()], Duration::from_secs(10));
    assert_eq!(evening.last("state")["expression"], "neutral");
    let again = evening.request("calibrate.look", ",\"seconds\":4").unwrap();
    assert_eq!(again["said"], look["said"], "what is learnt from is not what was learnt");
    assert_ne!(again["read"], look["said"]);
    let told = evening.request_to_learn("calibrate.reset", "", Err("the disk is full".to_owned())).unwrap_err();
    assert_eq!(told, "it counts until the next start only: the disk is full");
    assert_eq!(evening.kept(), Some(Evidence::default()));
    evening.watch(&[long_face()], Duration::from_secs(10));
    assert_eq!(evening.last("state")["expression"], "sad");
}

#[test]
fn corrections_are_learnt_from_while_one_face_is_there() {
    let mut evening = Evening::begin(Switches::default());
    evening.tell(Event::Connected);
    evening.tell(Event::CameraUp);
    evening.command("correct", "neutral");
    assert_eq!(evening.kept(), None, "nobody was there");
    evening.watch(&[long_face()], Duration::from_secs(10));
    evening.command("correct", "neutral");
    let once = evening.kept();
    assert!(once.is_some());
    evening.command("correct", "neutral");
    assert_eq!(evening.kept(), once, "the same face, said twice");
    evening.watch(&[long_face()], Duration::from_secs(10));
    evening.command("correct", "neutral");
    assert_ne!(evening.kept(), once);
    let kept = evening.kept();
    evening.watch(&[long_face(), face(Emotion::Happy)], Duration::from_secs(10));
    evening.command("correct", "angry");
    assert_eq!(evening.kept(), kept, "nobody knows whose face it was");
    let look = evening.request("calibrate.look", ",\"seconds\":4").unwrap_err();
    assert!(look.starts_with("a sharp face, and no other, was seen for 0.0 s"), "{look}");
    evening.command("camera", "OFF");
    assert_eq!(evening.request("calibrate.look", ",\"seconds\":4").unwrap_err(), "the camera is switched off");
}
