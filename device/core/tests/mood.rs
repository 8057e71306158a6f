//! The mood of the room, over people who come, go, agree and disagree.

#![expect(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::time::Duration;

use moodbox_core::config::{self, Pooling};
use moodbox_core::emotion::{COUNT, Emotion, Probabilities};
use moodbox_core::face::{BBox, Face, Point, SeenFace};
use moodbox_core::mood::{Confusion, MoodFilter, Room, RoomMood};
use proptest::prelude::*;

const HAPPY: RoomMood = RoomMood::Emotion(Emotion::Happy);
const SAD: RoomMood = RoomMood::Emotion(Emotion::Sad);
const NEUTRAL: RoomMood = RoomMood::Emotion(Emotion::Neutral);

/// The pace of these tests: frames five times a second.
const FRAME: Duration = Duration::from_millis(200);

fn seconds(s: u64) -> Duration {
    Duration::from_secs(s)
}

/// A classifier that is right in seven cases of ten.
fn confusion() -> Confusion {
    Confusion(Emotion::ALL.map(|e| reading(e, 0.7)))
}

fn reading(emotion: Emotion, p: f32) -> Probabilities {
    let mut weights = [(1.0 - p) / (COUNT - 1) as f32; COUNT];
    weights[emotion as usize] = p;
    Probabilities::normalised(weights).unwrap()
}

fn filter() -> MoodFilter {
    MoodFilter::new(&config::Mood::default(), &confusion())
}

fn filter_with(pooling: Pooling) -> MoodFilter {
    MoodFilter::new(&config::Mood { pooling, ..config::Mood::default() }, &confusion())
}

/// A frontal face.
fn face(x: f32, side: f32, emotions: Probabilities) -> SeenFace {
    let at = |dx: f32, dy: f32| Point { x: x + dx * side, y: 100.0 + dy * side };
    let landmarks = [at(0.3, 0.4), at(0.7, 0.4), at(0.5, 0.6), at(0.35, 0.8), at(0.65, 0.8)];
    let face = Face { bbox: BBox { x, y: 100.0, w: side, h: side }, score: 0.99, landmarks };
    SeenFace { face, emotions, sharp: true, fresh: true, track: None }
}

fn shows(x: f32, emotion: Emotion) -> SeenFace {
    face(x, 100.0, reading(emotion, 0.7))
}

/// Shows the same faces from `from` until `to`, and says what the room is then.
fn show(filter: &mut MoodFilter, faces: &[SeenFace], from: Duration, to: Duration) -> Room {
    let mut now = from;
    while now < to {
        filter.observe(faces, now);
        now += FRAME;
    }
    filter.room(to)
}

#[test]
fn an_empty_room_is_absent() {
    let filter = filter();
    let room = filter.room(seconds(5));
    assert_eq!((room.mood, room.presence, room.faces), (RoomMood::Absent, false, 0));
    assert_eq!(filter.next_deadline(seconds(5)), None);
}

#[test]
fn a_newcomer_is_neutral_and_unsure() {
    let mut filter = filter();
    filter.observe(&[shows(100.0, Emotion::Happy)], seconds(1));
    let room = filter.room(seconds(1));
    assert_eq!((room.mood, room.unsure, room.presence, room.faces), (NEUTRAL, true, true, 1));
}

#[test]
fn a_steady_expression_becomes_the_mood_soon_after_the_dwell() {
    for emotion in Emotion::ALL {
        let mut filter = filter();
        let room = show(&mut filter, &[shows(100.0, emotion)], Duration::ZERO, seconds(12));
        assert_eq!(room.mood, RoomMood::Emotion(emotion));
        assert!(!room.unsure, "{room:?}");
    }
}

#[test]
fn one_odd_frame_does_not_change_the_mood() {
    let mut filter = filter();
    show(&mut filter, &[shows(100.0, Emotion::Happy)], Duration::ZERO, seconds(60));
    filter.observe(&[face(100.0, 100.0, Probabilities::certain(Emotion::Angry))], seconds(60));
    assert_eq!(filter.room(seconds(60)).mood, HAPPY);
}

#[test]
fn the_mood_is_held_then_fades_then_is_absent() {
    let mut filter = filter();
    let before = show(&mut filter, &[shows(100.0, Emotion::Happy)], Duration::ZERO, seconds(60));
    let left = Duration::from_millis(59_800);
    filter.observe(&[], seconds(61));

    let held = filter.room(left + seconds(9));
    assert_eq!((held.mood, held.confidence), (HAPPY, before.confidence));
    let fading = filter.room(left + seconds(40));
    assert_eq!((fading.mood, fading.presence, fading.faces), (HAPPY, true, 0));
    assert!(fading.confidence < before.confidence && fading.confidence > 0.125);
    // Half-way through the fade it is half-way to the prior, one in eight.
    let half = f32::midpoint(before.confidence, 0.125);
    assert!((fading.confidence - half).abs() < 1e-3, "{} {half}", fading.confidence);
    let faded = filter.room(left + seconds(71));
    assert!((faded.confidence - 0.125).abs() < 1e-4 && faded.unsure, "{faded:?}");
    assert_eq!(filter.room(left + seconds(119)).mood, HAPPY);
    let absent = filter.room(left + seconds(120));
    assert_eq!((absent.mood, absent.presence), (RoomMood::Absent, false));
}

#[test]
fn the_deadlines_tell_every_change_that_time_makes() {
    let mut filter = filter();
    show(&mut filter, &[shows(100.0, Emotion::Happy)], Duration::ZERO, seconds(60));
    let mut now = seconds(60);
    let mut deadlines = 0;
    while let Some(next) = filter.next_deadline(now) {
        assert!(next > now);
        let settled = |r: Room| (r.mood, r.presence, r.faces, r.unsure);
        let just_before = next.saturating_sub(Duration::from_millis(1));
        if just_before > now + seconds(1) {
            assert_eq!(settled(filter.room(now)), settled(filter.room(just_before)));
        }
        now = next;
        deadlines += 1;
    }
    assert_eq!(filter.room(now).mood, RoomMood::Absent);
    assert_eq!(now, Duration::from_millis(59_800) + seconds(120));
    assert!(deadlines < 70, "{deadlines}");
}

#[test]
fn who_returns_during_the_fade_is_remembered_in_part_and_after_absence_not_at_all() {
    let happy = shows(100.0, Emotion::Happy);
    let returns_after = |gap: u64| {
        let mut filter = filter();
        show(&mut filter, &[happy], Duration::ZERO, seconds(60));
        filter.observe(&[shows(400.0, Emotion::Neutral)], seconds(60 + gap));
        filter.room(seconds(60 + gap))
    };
    let (soon, later, anew) = (returns_after(5), returns_after(40), returns_after(130));
    assert_eq!((soon.mood, later.mood, anew.mood), (HAPPY, HAPPY, NEUTRAL));
    assert!(soon.confidence > 0.9 && later.confidence < soon.confidence && later.confidence > 0.2);
    assert!((anew.confidence - 0.25).abs() < 1e-4);
}

#[test]
fn two_people_in_one_mood_are_of_that_mood() {
    let mut filter = filter();
    let faces = [shows(100.0, Emotion::Happy), shows(300.0, Emotion::Happy)];
    let room = show(&mut filter, &faces, Duration::ZERO, seconds(60));
    assert_eq!((room.mood, room.faces), (HAPPY, 2));
}

#[test]
fn two_people_of_two_moods_are_mixed_and_the_music_aims_between_them() {
    let mut filter = filter();
    let room =
        show(&mut filter, &[shows(100.0, Emotion::Happy), shows(300.0, Emotion::Sad)], Duration::ZERO, seconds(60));
    assert_eq!(room.mood, RoomMood::Mixed);
    assert!(!room.unsure && room.confidence > 0.8, "{room:?}");
    // The mean of (.75, .40) and (-.60, -.30).
    assert!((room.affect.valence - 0.075).abs() < 0.05 && (room.affect.arousal - 0.05).abs() < 0.05, "{room:?}");
}

#[test]
fn people_who_cross_the_frame_in_any_order_stay_two_people() {
    let mut filter = filter();
    let mut room = None;
    for i in 0..300 {
        let shift = (i as f32 * 0.1).sin() * 60.0;
        let mut faces = vec![shows(100.0 + shift, Emotion::Happy), shows(230.0 + shift, Emotion::Sad)];
        if i % 2 == 0 {
            faces.reverse();
        }
        // Now and then the detector misses one of them.
        if i % 7 == 0 {
            faces.pop();
        }
        filter.observe(&faces, FRAME * i);
        room = Some(filter.room(FRAME * i));
    }
    assert_eq!(room.unwrap().mood, RoomMood::Mixed);
}

#[test]
fn a_newcomer_of_unknown_mood_does_not_make_the_room_mixed() {
    let mut filter = filter();
    let happy = shows(100.0, Emotion::Happy);
    show(&mut filter, &[happy], Duration::ZERO, seconds(60));
    let newcomer = face(400.0, 100.0, Probabilities::UNIFORM);
    for i in 0..25 {
        let now = seconds(60) + FRAME * i;
        filter.observe(&[happy, newcomer], now);
        assert_eq!(filter.room(now).mood, HAPPY);
    }
    // Nor does the newcomer take over the mood of the one who is there: it is half of two people's now.
    let confidence = filter.room(seconds(65)).confidence;
    assert!(confidence > 0.45 && confidence < 0.7, "{confidence}");
}

#[test]
fn when_one_of_two_leaves_the_other_decides() {
    let mut filter = filter();
    let (happy, sad) = (shows(100.0, Emotion::Happy), shows(300.0, Emotion::Sad));
    show(&mut filter, &[happy, sad], Duration::ZERO, seconds(60));
    let room = show(&mut filter, &[sad], seconds(60), seconds(72));
    assert_eq!(room.mood, SAD);
}

#[test]
fn the_largest_face_alone_decides_where_so_configured() {
    let mut filter = filter_with(Pooling::Largest);
    let faces = [face(100.0, 100.0, reading(Emotion::Happy, 0.7)), face(300.0, 160.0, reading(Emotion::Sad, 0.7))];
    assert_eq!(show(&mut filter, &faces, Duration::ZERO, seconds(60)).mood, SAD);
}

#[test]
fn each_person_has_a_vote_where_so_configured() {
    let (happy, also_happy) = (shows(100.0, Emotion::Happy), shows(300.0, Emotion::Happy));
    let large_and_sad = face(500.0, 200.0, reading(Emotion::Sad, 0.7));
    let mut three = filter_with(Pooling::Majority);
    assert_eq!(show(&mut three, &[happy, also_happy, large_and_sad], Duration::ZERO, seconds(60)).mood, HAPPY);
    let mut two = filter_with(Pooling::Majority);
    assert_eq!(show(&mut two, &[happy, large_and_sad], Duration::ZERO, seconds(60)).mood, RoomMood::Mixed);
}

#[test]
fn blurred_and_small_faces_are_people_without_a_mood() {
    let mut filter = filter();
    let blurred = SeenFace { sharp: false, ..shows(100.0, Emotion::Happy) };
    let small = face(400.0, 30.0, reading(Emotion::Happy, 0.7));
    let room = show(&mut filter, &[blurred, small], Duration::ZERO, seconds(60));
    assert_eq!((room.mood, room.presence, room.faces), (NEUTRAL, true, 2));
    assert!((room.confidence - 0.25).abs() < 1e-4, "{room:?}");
}

#[test]
fn names_are_those_of_the_payload() {
    for mood in Emotion::ALL.map(RoomMood::Emotion).into_iter().chain([RoomMood::Mixed, RoomMood::Absent]) {
        let json = serde_json::to_value(mood).unwrap();
        assert_eq!(json, mood.name());
        assert_eq!(serde_json::from_value::<RoomMood>(json).unwrap(), mood);
    }
}

fn any_face() -> impl Strategy<Value = SeenFace> {
    let number = prop_oneof![4 => 0f32..640.0, 1 => any::<f32>()];
    (
        prop::array::uniform12(number),
        any::<f32>(),
        prop::array::uniform7(any::<f32>()),
        any::<(bool, bool, Option<u32>)>(),
    )
        .prop_map(|([x, y, w, h, lx, ly, rx, ry, nx, ny, mx, my], score, logits, (sharp, fresh, track))| {
            SeenFace {
                face: Face {
                    bbox: BBox { x, y, w, h },
                    score,
                    landmarks: [(lx, ly), (rx, ry), (nx, ny), (mx, my), (my, mx)].map(|(x, y)| Point { x, y }),
                },
                emotions: Probabilities::from_logits(logits, 1.0),
                sharp,
                fresh,
                track,
            }
        })
}

/// Times that creep, stand still, jump far and run backwards.
fn any_times() -> impl Strategy<Value = Vec<Duration>> {
    let step = prop_oneof![
        8 => (0i64..2_000).prop_map(|ms| ms * 1_000_000),
        1 => Just(0i64),
        1 => -100_000_000_000i64..0,
        1 => 0..300_000_000_000i64,
        1 => any::<i64>(),
    ];
    prop::collection::vec(step, 1..60).prop_map(|steps| {
        let mut now = 0u64;
        steps
            .into_iter()
            .map(|step| {
                now = now.saturating_add_signed(step);
                Duration::from_nanos(now)
            })
            .collect()
    })
}

fn any_pooling() -> impl Strategy<Value = Pooling> {
    prop::sample::select(&[Pooling::Pooled, Pooling::Largest, Pooling::Majority])
}

proptest! {
    #[test]
    fn whatever_is_seen_whenever_the_room_makes_sense(
        pooling in any_pooling(),
        times in any_times(),
        frames in prop::collection::vec(prop::collection::vec(any_face(), 0..4), 60),
    ) {
        let mut filter = filter_with(pooling);
        for (now, faces) in times.into_iter().zip(&frames) {
            filter.observe(faces, now);
            for at in [now, now + FRAME, Duration::ZERO, Duration::MAX] {
                let room = filter.room(at);
                prop_assert!((0.0..=1.0001).contains(&room.confidence), "{:?}", room);
                prop_assert!((-1.0..=1.0).contains(&room.affect.valence) && (-1.0..=1.0).contains(&room.affect.arousal));
                prop_assert_eq!(room.presence, room.mood != RoomMood::Absent);
                prop_assert!(filter.next_deadline(at).is_none_or(|next| next > at));
            }
            prop_assert_eq!(filter.room(Duration::MAX).presence, false);
        }
    }

    #[test]
    fn no_mood_that_was_sure_is_left_within_the_dwell(
        pooling in any_pooling(),
        shown in prop::collection::vec((prop::sample::select(&Emotion::ALL), prop::sample::select(&Emotion::ALL), 1u64..40), 1..30),
    ) {
        let mut filter = filter_with(pooling);
        let mut now = Duration::ZERO;
        let mut entered = (RoomMood::Absent, now);
        let mut was_sure = false;
        for (left, right, frames) in shown {
            for _ in 0..frames {
                now += FRAME;
                filter.observe(&[shows(100.0, left), shows(300.0, right)], now);
                let room = filter.room(now);
                if room.mood != entered.0 {
                    prop_assert!(!was_sure || now >= entered.1 + seconds(8), "{} {}", entered.0, room.mood);
                    entered = (room.mood, now);
                    was_sure = false;
                }
                was_sure |= !room.unsure;
            }
        }
    }
}
