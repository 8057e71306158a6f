//! Following faces against finding them in every frame, on sequences made from photos whose faces are known.
//!
//! The photos may not be redistributed. Where they are absent the test says so and passes, unless `MOODBOX_REQUIRE_DATA` is
//! set.

mod sequence;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::Write;
use std::ops::AddAssign;
use std::path::{Path, PathBuf};
use std::time::Duration;

use moodbox_core::config;
use moodbox_core::face::SeenFace;
use moodbox_models::Models;
use moodbox_vision::frame::{Format, Frame};
use moodbox_vision::jpeg::Decoder;
use moodbox_vision::{Tracker, Vision};
use serde_json::Value;

use sequence::{Change, FPS, FRAMES, HEIGHT, Known, WIDTH};

/// Of the photos in the order of their names the odd ones are used, and of those every fourth. The tracker's constants were
/// chosen on the even ones.
const FIRST: usize = 1;
const EVERY: usize = 8;

/// What one way of looking has seen.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    /// Known faces that are to be found.
    wanted: usize,
    found: usize,
    boxes: usize,
    false_boxes: usize,
    /// Times that a face had another track than before.
    renamed: usize,
    searched: usize,
    frames: usize,
    /// Sum of the overlaps with what was found.
    overlap: f64,
}

impl Tally {
    /// Counts the faces of one frame. `tracks` holds the track of each known face.
    fn add(&mut self, known: &[Known], faces: &[SeenFace], tracks: &mut [Option<u32>]) {
        self.frames += 1;
        for (known, track) in known.iter().zip(tracks).filter(|(known, _)| known.is_wanted) {
            self.wanted += 1;
            let overlap = |face: &SeenFace| face.face.bbox.iou(&known.bbox);
            let best = faces.iter().max_by(|a, b| overlap(a).total_cmp(&overlap(b)));
            let Some(best) = best.filter(|b| overlap(b) >= 0.5) else { continue };
            self.found += 1;
            self.overlap += f64::from(overlap(best));
            self.renamed += usize::from(track.is_some() && *track != best.track);
            *track = best.track;
        }
        self.boxes += faces.len();
        let is_false = |face: &&SeenFace| known.iter().all(|known| known.bbox.iou(&face.face.bbox) < 0.4);
        self.false_boxes += faces.iter().filter(is_false).count();
    }

    fn recall(&self) -> f64 {
        self.found as f64 / self.wanted as f64
    }

    fn false_share(&self) -> f64 {
        self.false_boxes as f64 / self.boxes as f64
    }

    fn mean_overlap(&self) -> f64 {
        self.overlap / self.found as f64
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.wanted += other.wanted;
        self.found += other.found;
        self.boxes += other.boxes;
        self.false_boxes += other.false_boxes;
        self.renamed += other.renamed;
        self.searched += other.searched;
        self.frames += other.frames;
        self.overlap += other.overlap;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wanted, found, boxes, false_boxes, renamed, searched, frames, .. } = self;
        write!(
            f,
            "{found} of {wanted} faces ({:.2} %), mean IoU {:.3}, {false_boxes} of {boxes} boxes false ({:.2} %), {renamed} \
             renamed, cascade in {searched} of {frames} frames",
            100.0 * self.recall(),
            self.mean_overlap(),
            100.0 * self.false_share()
        )
    }
}

fn photos() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/photos");
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("MOODBOX_REQUIRE_DATA").is_none(), "{} is not there", path.display());
    let _ = writeln!(std::io::stderr(), "skipped: {} is not there", path.display());
    None
}

#[test]
fn following_sees_no_less_than_finding_in_every_frame() {
    let Some(folder) = photos() else { return };
    let known: Value = serde_json::from_str(&fs::read_to_string(folder.join("boxes.json")).unwrap()).unwrap();
    let known: BTreeMap<String, Vec<[f32; 4]>> = serde_json::from_value(known["boxes"].clone()).unwrap();
    let models = Models::built_in().unwrap();
    let settings = config::Vision::default();
    let mut vision = Vision::new(&models, &settings).unwrap();
    let mut decoder = Decoder::new(WIDTH * HEIGHT);
    let (mut finding, mut following) = (Tally::default(), Tally::default());
    for change in Change::ALL {
        let (mut found, mut followed) = (Tally::default(), Tally::default());
        for (name, boxes) in known.iter().skip(FIRST).step_by(EVERY) {
            let jpeg = fs::read(folder.join(name)).unwrap();
            let photo = decoder.decode(&jpeg).unwrap();
            let photo: Vec<u8> = (0..HEIGHT).flat_map(|y| photo.row(y).iter().copied()).collect();
            let mut tracker = Tracker::new(&models, &settings).unwrap();
            let mut tracks = vec![None; boxes.len()];
            for k in 0..FRAMES {
                let (pixels, view) = sequence::frame(&photo, change, k);
                let frame = Frame::new(&pixels, Format::Rgb, WIDTH, HEIGHT, 3 * WIDTH).unwrap();
                let known: Vec<_> = boxes.iter().map(|b| view.of(*b)).collect();
                found.searched += 1;
                found.add(&known, vision.analyse(frame).unwrap().faces, &mut vec![None; boxes.len()]);
                let sight = tracker.track(frame, Duration::from_millis(1_000 * k as u64 / FPS)).unwrap();
                followed.searched += usize::from(sight.searched);
                followed.add(&known, sight.faces, &mut tracks);
            }
        }
        println!("{change:?}, found:    {found}\n{change:?}, followed: {followed}");
        finding += found;
        following += followed;
    }
    println!("all, found:    {finding}\nall, followed: {following}");
    assert!(following.recall() >= finding.recall());
    assert!(following.false_share() <= finding.false_share());
    assert!(following.mean_overlap() >= finding.mean_overlap() - 0.01);
    assert!(2 * following.searched < following.frames, "most frames were followed");
    assert!(100 * following.renamed <= following.found, "tracks are stable");
}
