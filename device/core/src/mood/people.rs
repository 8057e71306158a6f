//! Who is in the room: faces of one frame matched to those of the frames before, by what the tracker says and by place.
//!
//! The tracker forgets a face that is out of sight for a second; place finds the person again who comes back to it.

use std::time::Duration;

use crate::emotion::Probabilities;
use crate::face::{BBox, Face, SeenFace};

use super::belief::{Belief, Dynamics};

/// More people than this are not followed; those unseen for longest go first.
const MOST: usize = 32;

/// How near a face must be to where a person was, by [`closeness`]: boxes that do not touch count up to one width apart.
const NEAR: f32 = -1.0;

/// Smallest side of a face that an expression is read from, in pixels.
const READABLE_PX: f32 = 40.0;

/// Somebody whose face is followed from frame to frame.
#[derive(Debug, Clone)]
pub(super) struct Person {
    /// From 1: the smallest that nobody else in the room has.
    number: u32,
    /// Where the face was last.
    bbox: BBox,
    /// What the tracker called it.
    track: Option<u32>,
    /// When it was last seen.
    seen: Duration,
    /// When an expression was last read from it.
    read: Option<Duration>,
    /// What is believed of the mood.
    pub(super) belief: Belief,
    /// How much the face counts in the room, by [`weight`].
    pub(super) weight: f32,
    /// Area of the face in square pixels.
    pub(super) area: f32,
    /// Whether any reading has changed the belief; until then it says nothing about this person.
    pub(super) known: bool,
}

/// Whether an expression can be read: the face is sharp and large enough.
pub(crate) fn readable(seen: &SeenFace) -> bool {
    seen.sharp && seen.face.bbox.w >= READABLE_PX && seen.face.bbox.h >= READABLE_PX
}

/// How much a face counts among others: larger, surer and more frontal ones more. Never negative, always finite.
pub(crate) fn weight(face: &Face) -> f32 {
    let weight = face.bbox.area().sqrt() * face.score * face.frontalness();
    if weight.is_finite() { weight.max(0.0) } else { 0.0 }
}

/// Matches the faces of a frame to the people and updates both; gives the number of each face's person. A newcomer begins
/// with `first` when nobody known is in the frame, with the prior otherwise.
pub(super) fn follow(
    people: &mut Vec<Person>,
    faces: &[SeenFace],
    now: Duration,
    dynamics: &Dynamics,
    first: &Probabilities,
) -> Vec<u32> {
    let matches = nearest_pairs(people, faces);
    let start = dynamics.start(if matches.iter().any(Option::is_some) { dynamics.prior() } else { first });
    let mut numbers = Vec::with_capacity(faces.len());
    for (seen, matched) in faces.iter().zip(matches) {
        let index = matched.unwrap_or(people.len());
        if matched.is_some() {
            people[index].see(seen, now, dynamics);
        } else {
            people.push(Person::arrive(free_number(people), seen, now, start.clone()));
        }
        numbers.push(people[index].number);
    }
    if people.len() > MOST {
        people.sort_by_key(|p| std::cmp::Reverse(p.seen));
        people.truncate(MOST);
    }
    numbers
}

fn free_number(people: &[Person]) -> u32 {
    // One more than there are people is enough for a free one.
    (1..=people.len() as u32 + 1)
        .find(|number| people.iter().all(|person| person.number != *number))
        .unwrap_or_default()
}

/// For each face the index of the person it belongs to: of all pairs the closest first, each used once.
fn nearest_pairs(people: &[Person], faces: &[SeenFace]) -> Vec<Option<usize>> {
    let mut pairs: Vec<(f32, usize, usize)> = Vec::new();
    for (f, seen) in faces.iter().enumerate() {
        for (p, person) in people.iter().enumerate() {
            let followed = seen.track.is_some() && seen.track == person.track;
            let closeness = if followed { f32::INFINITY } else { closeness(&seen.face.bbox, &person.bbox) };
            if closeness > NEAR {
                pairs.push((closeness, f, p));
            }
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut matches = vec![None; faces.len()];
    let mut taken = vec![false; people.len()];
    for (_, f, p) in pairs {
        if matches[f].is_none() && !taken[p] {
            matches[f] = Some(p);
            taken[p] = true;
        }
    }
    matches
}

/// The boxes' intersection over union less the distance of their centres in widths of the larger one: 1 for the same box, falling steadily
/// as they part, also where they no longer touch.
fn closeness(a: &BBox, b: &BBox) -> f32 {
    let (at, bt) = (a.centre(), b.centre());
    let side = a.area().max(b.area()).sqrt();
    a.iou(b) - (at.x - bt.x).hypot(at.y - bt.y) / side
}

impl Person {
    fn arrive(number: u32, seen: &SeenFace, now: Duration, belief: Belief) -> Self {
        Self {
            number,
            bbox: seen.face.bbox,
            track: seen.track,
            seen: now,
            read: (readable(seen) && seen.fresh).then_some(now),
            belief,
            weight: weight(&seen.face),
            area: seen.face.bbox.area(),
            known: false,
        }
    }

    fn see(&mut self, seen: &SeenFace, now: Duration, dynamics: &Dynamics) {
        self.bbox = seen.face.bbox;
        self.track = seen.track;
        self.seen = now;
        if !readable(seen) {
            return;
        }
        self.weight = weight(&seen.face);
        self.area = seen.face.bbox.area();
        // A reading is evidence once.
        if !seen.fresh {
            return;
        }
        if let Some(read) = self.read {
            let since = now.saturating_sub(read);
            self.belief = dynamics.step(&self.belief, &seen.emotions, since);
            self.known |= !since.is_zero();
        }
        self.read = Some(now);
    }

    /// What is believed of the mood.
    pub(super) fn moods(&self) -> &Probabilities {
        self.belief.moods()
    }

    /// How long ago the face was seen.
    pub(super) fn unseen(&self, now: Duration) -> Duration {
        now.saturating_sub(self.seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emotion::Emotion;
    use crate::face::Point;
    use crate::mood::Confusion;

    fn seen_at(x: f32, side: f32) -> SeenFace {
        let at = |x, y| Point { x, y };
        let landmarks = [at(0.3, 0.4), at(0.7, 0.4), at(0.5, 0.6), at(0.35, 0.8), at(0.65, 0.8)]
            .map(|p| Point { x: x + p.x * side, y: p.y * side });
        let face = Face { bbox: BBox { x, y: 0.0, w: side, h: side }, score: 1.0, landmarks };
        SeenFace { face, emotions: Probabilities::UNIFORM, sharp: true, fresh: true, track: None }
    }

    fn people_at(places: &[f32]) -> Vec<Person> {
        let confusion = Confusion(Emotion::ALL.map(Probabilities::certain));
        let dynamics = Dynamics::new(0.35, Duration::from_secs(300), &confusion);
        let mut people = Vec::new();
        let faces: Vec<_> = places.iter().map(|x| seen_at(*x, 100.0)).collect();
        follow(&mut people, &faces, Duration::ZERO, &dynamics, dynamics.prior());
        people
    }

    #[test]
    fn two_people_side_by_side_keep_their_places_whatever_the_order() {
        let people = people_at(&[0.0, 120.0]);
        let faces = [seen_at(150.0, 100.0), seen_at(30.0, 100.0)];
        assert_eq!(nearest_pairs(&people, &faces), [Some(1), Some(0)]);
    }

    #[test]
    fn a_newcomer_takes_the_smallest_free_number() {
        let confusion = Confusion(Emotion::ALL.map(Probabilities::certain));
        let dynamics = Dynamics::new(0.35, Duration::from_secs(300), &confusion);
        let mut people = people_at(&[0.0, 300.0, 600.0]);
        people.remove(1);
        let faces = [seen_at(900.0, 100.0), seen_at(605.0, 100.0), seen_at(1500.0, 100.0)];
        assert_eq!(follow(&mut people, &faces, Duration::ZERO, &dynamics, dynamics.prior()), [2, 3, 4]);
    }

    #[test]
    fn a_missed_face_does_not_lend_its_person_to_the_neighbour() {
        let people = people_at(&[0.0, 90.0]);
        assert_eq!(nearest_pairs(&people, &[seen_at(85.0, 100.0)]), [Some(1)]);
    }

    #[test]
    fn two_people_who_cross_between_frames_keep_their_tracks() {
        let followed = |track, x| SeenFace { track: Some(track), ..seen_at(x, 100.0) };
        let mut people = people_at(&[0.0, 120.0]);
        for (person, track) in people.iter_mut().zip([7, 8]) {
            person.track = Some(track);
        }
        assert_eq!(nearest_pairs(&people, &[followed(7, 110.0), followed(8, 10.0)]), [Some(0), Some(1)]);
        // A track that nobody had says nothing: place decides.
        assert_eq!(nearest_pairs(&people, &[followed(9, 10.0), seen_at(110.0, 100.0)]), [Some(0), Some(1)]);
    }

    #[test]
    fn a_reading_is_evidence_once_however_long_it_is_held() {
        let confusion = Confusion(Emotion::ALL.map(Probabilities::certain));
        let dynamics = Dynamics::new(0.35, Duration::from_secs(300), &confusion);
        let happy = SeenFace { emotions: Probabilities::certain(Emotion::Happy), ..seen_at(0.0, 100.0) };
        let believed = |held: u64| {
            let mut people = people_at(&[0.0]);
            let mut see = |seen, ms| people[0].see(&seen, Duration::from_millis(ms), &dynamics);
            see(happy, 400);
            for k in 1..=held {
                see(SeenFace { fresh: false, ..happy }, 400 + k);
            }
            see(happy, 800);
            *people[0].moods()
        };
        assert_eq!(believed(300), believed(0));
    }

    #[test]
    fn a_far_face_is_a_newcomer() {
        let people = people_at(&[0.0]);
        assert_eq!(nearest_pairs(&people, &[seen_at(210.0, 100.0)]), [None]);
    }

    #[test]
    fn a_small_or_blurred_face_is_not_read() {
        assert!(readable(&seen_at(0.0, 40.0)));
        assert!(!readable(&seen_at(0.0, 39.0)));
        assert!(!readable(&SeenFace { sharp: false, ..seen_at(0.0, 100.0) }));
    }

    #[test]
    fn a_frontal_face_of_twice_the_side_counts_twice() {
        let (small, large) = (weight(&seen_at(0.0, 50.0).face), weight(&seen_at(0.0, 100.0).face));
        assert!((small - 50.0).abs() < 1e-3 && (large - 100.0).abs() < 1e-3, "{small} {large}");
    }

    #[test]
    fn numbers_that_are_none_weigh_nothing_and_match_nobody() {
        let broken = seen_at(f32::NAN, 100.0);
        assert!(weight(&broken.face).abs() < f32::EPSILON);
        assert_eq!(nearest_pairs(&people_at(&[0.0]), &[broken]), [None]);
    }
}
