//! Faces of a sequence of frames: found with the whole cascade now and then, and followed with O-Net alone in between.
//!
//! A face that is followed is looked for where it was, moved on as it moved before. What O-Net doubts, and what changed its
//! place or size too much for one step, is no longer followed but found anew in the same frame, so that following never
//! sees less than finding does. A newcomer is followed once it was found in two frames. The cascade runs besides when
//! something moves where nobody is followed, and every so often for whoever came without being noticed. While nobody is
//! there and nothing moves it rests.

mod track;

use std::time::{Duration, Instant};

use moodbox_core::config;
use moodbox_core::face::{Face, SeenFace};
use moodbox_models::Models;

use crate::model::ModelError;
use crate::motion::Motion;
use crate::mtcnn::{MAX_FACES, inside};
use crate::pixels::Pixels;
use crate::vision::{Stages, Vision};

use track::Track;

/// Longest time between two runs of the cascade. Nobody is followed over a longer pause.
const FIND_EVERY: Duration = Duration::from_secs(2);
/// Shortest time between two runs of the cascade for what moves while somebody is followed. People move all the time.
const FIND_AGAIN: Duration = Duration::from_millis(500);
/// A face unseen for longer is another one when it comes back.
const FORGET: Duration = Duration::from_secs(1);
/// Shortest time between two readings of one face. The mood is as good at 2 readings a second as at 5.
const READ_EVERY: Duration = Duration::from_millis(250);
/// How long the room counts as changing after the last change.
const CALM_AFTER: Duration = Duration::from_secs(2);
/// Score from which O-Net alone is believed: higher than in the cascade, where two other networks have spoken before it, unless a
/// person wants more.
const SURE: f32 = 0.9;
/// Score from which O-Net keeps a face that the cascade no longer finds, and how often in a row it may.
const KEEP: f32 = 0.8;
const MOST_MISSES: u32 = 2;
/// Overlap with where a face was expected, from which it is the same face.
const SAME: f32 = 0.3;
/// Overlap with where a face was expected, under which O-Net looks again at where it now is.
const MOVED: f32 = 0.7;
/// Overlap of two faces from which they are one.
const ONE: f32 = 0.5;

/// How much goes on in the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Nobody is seen and nothing moves.
    Idle,
    /// Somebody is there and goes on as before.
    Present,
    /// Something moves, somebody came or went, or an expression has changed.
    Changing,
}

/// What was seen in one frame of a sequence.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// The faces, best first.
    pub faces: &'a [SeenFace],
    /// What it took.
    pub stages: Stages,
    /// Whether the whole cascade ran.
    pub searched: bool,
    /// How much goes on.
    pub activity: Activity,
    /// Mean brightness of the frame, 0..1.
    pub light: f32,
}

/// Finds, follows and reads faces.
pub struct Tracker {
    vision: Vision,
    settings: config::Vision,
    motion: Motion,
    tracks: Vec<Track>,
    next: u32,
    /// When the cascade ran last.
    found: Option<Duration>,
    changed: Duration,
    /// The time of the latest frame; a clock that runs backwards stands still for us.
    clock: Duration,
    seen: Vec<SeenFace>,
}

impl Tracker {
    /// Loads the networks.
    ///
    /// # Errors
    /// When one is not what its manifest says.
    pub fn new(models: &Models, settings: &config::Vision) -> Result<Self, ModelError> {
        Ok(Self {
            vision: Vision::new(models, settings)?,
            settings: settings.clone(),
            motion: Motion::default(),
            tracks: Vec::with_capacity(MAX_FACES),
            next: 0,
            found: None,
            changed: Duration::ZERO,
            clock: Duration::ZERO,
            seen: Vec::with_capacity(MAX_FACES),
        })
    }

    /// Goes by other settings from now on; whoever is followed still is, unless the face is smaller than faces are looked for
    /// from now on.
    ///
    /// # Errors
    /// As [`Self::new`]; the settings are then as they were.
    pub fn configure(&mut self, models: &Models, settings: &config::Vision) -> Result<(), ModelError> {
        // How often frames are looked at, which heat alone changes, is nothing to the networks.
        let (fps, idle_fps) = (settings.fps, settings.idle_fps);
        if (config::Vision { fps, idle_fps, ..self.settings.clone() }) != *settings {
            self.vision = Vision::new(models, settings)?;
            self.found = None;
            if settings.min_face_px.0 > self.settings.min_face_px.0 {
                let smallest = settings.min_face_px.0 as f32;
                self.tracks.retain(|track| track.face.bbox.w.max(track.face.bbox.h) >= smallest);
            }
        }
        self.settings = settings.clone();
        Ok(())
    }

    /// Score that a person wants of a face.
    fn threshold(&self) -> f32 {
        self.settings.thresholds[2].0
    }

    /// The detector and the classifier, for a frame that belongs to no sequence.
    pub fn vision(&mut self) -> &mut Vision {
        &mut self.vision
    }

    /// The faces of the frame that was captured `at` a time on a clock of the caller's.
    ///
    /// # Errors
    /// When a network cannot be run.
    pub fn track<'a>(&mut self, pixels: impl Into<Pixels<'a>>, at: Duration) -> Result<Sight<'_>, ModelError> {
        let pixels = &mut pixels.into();
        let size = pixels.size();
        let at = at.max(self.clock);
        let mut stages = Stages::default();
        // Where frames are rare, a face of the latest one was not missed yet.
        let latest = self.clock;
        let longest = |t: &Track| if t.seen == latest { FIND_EVERY } else { FORGET };
        self.tracks.retain(|t| at.saturating_sub(t.seen) <= longest(t));
        let followed = self.tracks.len();
        let clock = Instant::now();
        self.motion.look(&pixels.overview(), self.settings.min_face_px.0 as usize, size.0);
        let moves = self.motion.is_seen(|cell| self.tracks.iter().any(|t| t.moves_in(cell)));
        stages.motion = clock.elapsed();

        let rested = self.found.map(|found| at.saturating_sub(found));
        let patience = match (moves, self.tracks.is_empty()) {
            (true, true) => Duration::ZERO,
            (true, false) => FIND_AGAIN,
            (false, _) => FIND_EVERY,
        };
        let due = rested.is_none_or(|rested| rested >= patience);
        let searched = due || !self.follow(pixels, at, &mut stages)?;
        if searched {
            self.find(pixels, at, &mut stages)?;
        }
        let clock = Instant::now();
        let spoke = self.read(pixels, at, &mut stages)?;
        stages.fer = clock.elapsed();
        if moves || spoke || followed != self.tracks.len() || self.tracks.iter().any(|t| t.seen < at) {
            self.changed = at;
        }
        self.clock = at;
        self.seen.clear();
        self.seen.extend(self.tracks.iter().filter(|t| t.seen == at).map(|t| t.shown(size, at)));
        self.seen.sort_unstable_by(|a, b| b.face.score.total_cmp(&a.face.score));
        let activity = match (at.saturating_sub(self.changed) < CALM_AFTER, self.tracks.is_empty()) {
            (true, _) => Activity::Changing,
            (false, true) => Activity::Idle,
            (false, false) => Activity::Present,
        };
        Ok(Sight { faces: &self.seen, stages, searched, activity, light: self.motion.light() })
    }

    /// Follows every face; false as soon as one is in doubt.
    fn follow(&mut self, pixels: &mut Pixels<'_>, at: Duration, stages: &mut Stages) -> Result<bool, ModelError> {
        if self.tracks.iter().any(|t| !t.is_confirmed()) {
            return Ok(false);
        }
        for i in 0..self.tracks.len() {
            let expected = self.tracks[i].expected(at);
            let mut face = self.vision.mtcnn.look_again(pixels, &expected, &mut stages.cost)?;
            let overlap = face.bbox.iou(&expected);
            if (SAME..MOVED).contains(&overlap) {
                let now = face.bbox;
                face = self.vision.mtcnn.look_again(pixels, &now, &mut stages.cost)?;
            }
            let is_sure = face.score >= SURE.max(self.threshold()) && face.bbox.iou(&expected) >= SAME;
            // Far away it is seen until it is half as large as the smallest that is looked for.
            let is_large = 2.0 * face.bbox.w >= self.settings.min_face_px.0 as f32;
            let is_one = self.tracks[..i].iter().any(|other| other.face.bbox.iou(&face.bbox) >= ONE);
            if !is_sure || !is_large || is_one {
                return Ok(false);
            }
            self.tracks[i].see(face, at);
        }
        Ok(true)
    }

    /// Runs the cascade and joins what it finds to the tracks.
    fn find(&mut self, pixels: &mut Pixels<'_>, at: Duration, stages: &mut Stages) -> Result<(), ModelError> {
        let (found, cost) = self.vision.mtcnn.find(pixels)?;
        stages.cost += cost;
        let mut faces = [None; MAX_FACES];
        for (slot, face) in faces.iter_mut().zip(found) {
            *slot = Some(*face);
        }
        self.join(&mut faces, at);
        for i in (0..self.tracks.len()).rev() {
            if self.tracks[i].joined < at && !self.keep(i, pixels, at, stages)? {
                self.tracks.swap_remove(i);
            }
        }
        for face in faces.into_iter().flatten() {
            if self.tracks.len() == MAX_FACES {
                // Whoever is seen goes before whoever is not.
                let Some(lost) = self.tracks.iter().position(|t| t.seen < at) else { break };
                self.tracks.swap_remove(lost);
            }
            self.tracks.push(Track::new(self.next, face, at));
            self.next = self.next.wrapping_add(1);
        }
        self.motion.keep();
        self.found = Some(at);
        Ok(())
    }

    /// Gives the tracks the faces that lie where they were expected, the nearest pair first; what nobody expected is left.
    fn join(&mut self, faces: &mut [Option<Face>], at: Duration) {
        loop {
            let mut best = (SAME, None);
            for (i, track) in self.tracks.iter().enumerate().filter(|(_, t)| t.joined < at) {
                for (k, face) in faces.iter().enumerate() {
                    let overlap = face.map_or(0.0, |face| face.bbox.iou(&track.expected(at)));
                    if overlap > best.0 {
                        best = (overlap, Some((i, k)));
                    }
                }
            }
            let Some((i, k)) = best.1 else { return };
            if let Some(face) = faces[k].take() {
                self.tracks[i].join(face, at);
            }
        }
    }

    /// A second look at a face that the cascade has missed; false where it is to be forgotten. One that was found only once
    /// was none.
    fn keep(
        &mut self,
        i: usize,
        pixels: &mut Pixels<'_>,
        at: Duration,
        stages: &mut Stages,
    ) -> Result<bool, ModelError> {
        let track = &mut self.tracks[i];
        track.misses += 1;
        if !track.is_confirmed() || track.misses > MOST_MISSES {
            return Ok(false);
        }
        let expected = track.expected(at);
        let face = self.vision.mtcnn.look_again(pixels, &expected, &mut stages.cost)?;
        let is_another = |t: &Track| t.seen == at && t.face.bbox.iou(&face.bbox) >= ONE;
        if face.score >= KEEP.max(self.threshold())
            && face.bbox.iou(&expected) >= SAME
            && !self.tracks.iter().any(is_another)
        {
            self.tracks[i].see(face, at);
        }
        Ok(true)
    }

    /// Reads the new faces, and of the others those whose turn it is: no more than half in one frame, the longest unread
    /// first. Whether one shows another expression than before.
    fn read(&mut self, pixels: &mut Pixels<'_>, at: Duration, stages: &mut Stages) -> Result<bool, ModelError> {
        self.vision.fer.prepare(pixels.size());
        let mut changed = false;
        let mut turns = self.tracks.len().div_ceil(2);
        loop {
            let due = self.tracks.iter_mut().filter(|t| t.seen == at && t.is_due(at, READ_EVERY, turns > 0));
            let Some(track) = due.min_by_key(|t| t.read_at()) else { return Ok(changed) };
            turns = turns.saturating_sub(usize::from(track.read_at().is_some()));
            let face = inside(pixels.size(), &track.face);
            let reading = self.vision.fer.read(&mut *pixels, &face, &mut stages.cost)?;
            changed |= track.read(reading, at);
        }
    }
}
