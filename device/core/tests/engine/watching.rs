//! What somebody gets who watches: outlines of faces, for as long as they ask for them.

use serde_json::json;

use super::*;

/// A face at this place from the left.
fn face_at(x: f32) -> SeenFace {
    let smile = face(Emotion::Happy);
    let mut moved = smile.face;
    moved.bbox.x += x;
    SeenFace { face: moved, ..smile }
}

fn watched() -> Evening {
    let mut evening = happy_evening();
    assert_eq!(evening.request("watch.start", ""), Ok(json!({ "seconds": 60 })));
    evening
}

/// Somebody who moves a little from frame to frame, for so many frames of this length.
fn fidget(evening: &mut Evening, frames: u32, frame: Duration) {
    for number in 0..frames {
        evening.now += frame;
        evening.tell(Event::Seen(vec![face_at(f64::from(number % 7) as f32)], VGA));
    }
}

#[test]
fn outlines_say_where_faces_are_and_what_they_show() {
    let mut evening = happy_evening();
    assert!(evening.said("faces").is_empty(), "nobody asked");
    evening.request("watch.start", "").unwrap();
    evening.watch(&[face_at(0.0), face_at(300.0)], FRAME);
    insta::assert_json_snapshot!(evening.last("faces"));
}

#[test]
fn who_asks_gets_a_minute_and_may_ask_again() {
    let mut evening = watched();
    let begun = evening.now;
    fidget(&mut evening, 5 * 90, FRAME);
    let last = evening.said("faces").pop().unwrap().0;
    assert_eq!(last + FRAME, begun + MINUTE);
    evening.request("watch.start", "").unwrap();
    fidget(&mut evening, 5 * 50, FRAME);
    evening.request("watch.start", "").unwrap();
    let before = evening.said("faces").len();
    fidget(&mut evening, 5 * 50, FRAME);
    assert_eq!(evening.said("faces").len(), before + 5 * 50);
}

#[test]
fn nothing_new_is_not_said_but_to_who_has_just_come() {
    let mut evening = watched();
    evening.watch(&[face_at(0.0)], Duration::from_secs(5));
    assert_eq!(evening.said("faces").len(), 1);
    evening.request("watch.start", "").unwrap();
    evening.watch(&[face_at(0.0)], Duration::from_secs(5));
    assert_eq!(evening.said("faces").len(), 2);
    evening.watch(&[], Duration::from_secs(5));
    assert_eq!(evening.last("faces"), json!({ "width": 640, "height": 480, "faces": [] }));
}

#[test]
fn many_faces_are_the_best_ones_in_a_small_message() {
    let mut evening = watched();
    let crowd: Vec<_> = (0..200u16).map(|place| face_at(110.0 * f32::from(place))).collect();
    evening.watch(&crowd, FRAME);
    let told = evening.last("faces");
    assert_eq!(told["faces"].as_array().unwrap().len(), 16);
    assert_eq!(told["faces"][0]["box"], json!([200, 100, 100, 120]));
    assert!(told.to_string().len() < 4096, "{told}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn however_fast_frames_come_five_a_second_are_said(pauses in prop::collection::vec(1u64..400, 50..200)) {
        let mut evening = watched();
        for (number, pause) in pauses.into_iter().enumerate() {
            fidget(&mut evening, 1, Duration::from_millis(pause));
            // Each differs from the one before.
            evening.tell(Event::Seen(vec![face_at(number as f32)], VGA));
        }
        let times: Vec<_> = evening.said("faces").into_iter().map(|(at, _)| at).collect();
        for (first, sixth) in times.iter().zip(times.iter().skip(5)) {
            prop_assert!(*sixth + Duration::from_millis(50) >= *first + Duration::from_secs(1));
        }
    }
}
