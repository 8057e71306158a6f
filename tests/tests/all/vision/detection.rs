//! The cascade against what the Python package `mtcnn` 1.0.0, in floating point, finds on the same photos.

use std::collections::BTreeMap;
use std::fs;

use moodbox_core::config::{self, Bounded};
use moodbox_core::face::{BBox, Face};
use moodbox_models::Models;
use moodbox_tests::shared_data;
use moodbox_vision::mtcnn::Mtcnn;
use serde::Deserialize;

use super::{photos, with_frame, with_pixels};

#[derive(Deserialize)]
struct Reference {
    faces: BTreeMap<String, Vec<PeerFace>>,
}

#[derive(Deserialize)]
struct PeerFace {
    r#box: [f32; 4],
    score: f32,
    landmarks: [[f32; 2]; 5],
}

impl PeerFace {
    fn bbox(&self) -> BBox {
        let [x, y, w, h] = self.r#box;
        BBox { x, y, w, h }
    }

    /// Mean distance of the landmarks, as a share of the face's width.
    fn landmark_error(&self, face: &Face) -> f32 {
        let distances = face.landmarks.iter().zip(&self.landmarks).map(|(a, b)| (a.x - b[0]).hypot(a.y - b[1]));
        distances.sum::<f32>() / 5.0 / self.bbox().w
    }
}

#[derive(Default)]
struct Agreement {
    wanted: usize,
    found: usize,
    boxes: usize,
    false_boxes: usize,
    peer_boxes: usize,
    landmark_errors: Vec<f32>,
}

/// The least share of the peer's faces that must be found, the largest share of boxes that may be false, and the largest
/// median error of the landmarks.
const LEAST_FOUND: f32 = 0.96;
const MOST_FALSE: f32 = 0.03;
const LARGEST_ERROR: f32 = 0.04;

#[test]
fn faces_are_where_the_float_peer_finds_them() {
    let Some(folder) = shared_data::path("photos") else { return };
    for (min_face, is_whole) in [(40, true), (60, true), (40, false), (60, false)] {
        let mut agreement = agreement(&folder, min_face, 60.0, is_whole);
        agreement.landmark_errors.sort_by(f32::total_cmp);
        let median = agreement.landmark_errors[agreement.landmark_errors.len() / 2];
        let Agreement { wanted, found, boxes, false_boxes, peer_boxes, .. } = agreement;
        println!(
            "min face {min_face}, decoded {}: {found} of {wanted} faces found, {false_boxes} of {boxes} boxes false ({peer_boxes} of \
             the peer), landmarks off by {:.2} % of the width (median)",
            if is_whole { "whole" } else { "where looked at" },
            100.0 * median
        );
        assert!(found as f32 >= LEAST_FOUND * wanted as f32);
        assert!(false_boxes as f32 <= MOST_FALSE * peer_boxes as f32);
        assert!(median <= LARGEST_ERROR);
    }
}

#[test]
fn small_faces_are_found_in_a_cameras_jpeg_as_in_a_picture() {
    let Some(folder) = shared_data::path("photos") else { return };
    // At half of its size a pair of pixels is a place, so that the finest level has each of them twice.
    let [picture, camera] = [true, false].map(|is_whole| agreement(&folder, 24, 24.0, is_whole));
    println!("faces from 24 px: {} of {} found, {} in a camera's JPEG", picture.found, picture.wanted, camera.found);
    assert!(camera.found as f32 >= 0.98 * picture.found as f32);
}

fn agreement(folder: &std::path::Path, min_face: u32, counted: f32, is_whole: bool) -> Agreement {
    let reference = fs::read_to_string(folder.join("reference-mtcnn.json")).unwrap();
    let reference: Reference = serde_json::from_str(&reference).unwrap();
    let models = Models::built_in().unwrap();
    let settings = config::Vision { min_face_px: Bounded(min_face), ..config::Vision::default() };
    let mut mtcnn = Mtcnn::new(&models, &settings).unwrap();
    let mut agreement = Agreement::default();
    for photo in photos(folder) {
        let name = photo.file_name().unwrap().to_string_lossy();
        let peer = &reference.faces[name.as_ref()];
        let ours = if is_whole {
            with_frame(&photo, |frame| mtcnn.detect(frame).unwrap().0.to_vec())
        } else {
            with_pixels(&photo, |pixels| mtcnn.detect(pixels).unwrap().0.to_vec())
        };
        agreement.peer_boxes += peer.len();
        for face in peer.iter().filter(|f| f.score >= 0.9 && f.bbox().w.max(f.bbox().h) >= counted) {
            agreement.wanted += 1;
            let best = ours.iter().max_by(|a, b| a.bbox.iou(&face.bbox()).total_cmp(&b.bbox.iou(&face.bbox())));
            if let Some(best) = best.filter(|b| b.bbox.iou(&face.bbox()) >= 0.6) {
                agreement.found += 1;
                agreement.landmark_errors.push(face.landmark_error(best));
            } else {
                println!("not found in {name}: {:?}", face.bbox());
            }
        }
        let is_false = |face: &&Face| peer.iter().all(|p| p.bbox().iou(&face.bbox) < 0.4);
        agreement.boxes += ours.len();
        agreement.false_boxes += ours.iter().filter(is_false).count();
    }
    agreement
}
