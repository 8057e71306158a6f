//! `moodbox analyze` on good and bad pictures.

use std::collections::BTreeSet;
use std::fs;
use std::io::Cursor;

use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage};
use moodbox_tests::programs::repository;
use serde_json::Value;

use super::{file, frame_at, moodbox};

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn png(picture: &DynamicImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn portrait() -> DynamicImage {
    image::open(repository().join("host-tools/demo/faces/collins.jpg")).unwrap()
}

#[test]
fn a_face_is_reported_as_the_contract_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "smile.jpg", frame_at(15));
    let done = moodbox(&["analyze", "--json", &path]);
    let [report] = &done.json()[..] else { panic!("{}", done.stdout) };
    done.well();
    assert_eq!(keys(report), BTreeSet::from(["path", "width", "height", "faces"]));
    assert_eq!(
        (report["path"].as_str(), &report["width"], &report["height"]),
        (Some(&path[..]), &640.into(), &480.into())
    );
    let [face] = &report["faces"].as_array().unwrap()[..] else { panic!("{report}") };
    assert_eq!(keys(face), BTreeSet::from(["box", "score", "landmarks", "emotions", "emotion", "sharp"]));
    let numbers = |value: &Value| -> Vec<f64> { value.as_array().unwrap().iter().filter_map(Value::as_f64).collect() };
    let [x, y, w, h] = numbers(&face["box"])[..] else { panic!("{face}") };
    assert!(x > 0.0 && y > 0.0 && w > 60.0 && h > 60.0 && x + w < 640.0 && y + h < 480.0, "{face}");
    assert!((0.8..=1.0).contains(&face["score"].as_f64().unwrap()), "{face}");
    let landmarks: Vec<_> = face["landmarks"].as_array().unwrap().iter().map(numbers).collect();
    assert_eq!(landmarks.len(), 5);
    assert!(landmarks.iter().all(|p| p.len() == 2 && p[0] > x && p[0] < x + w && p[1] > y && p[1] < y + h), "{face}");
    let emotions = face["emotions"].as_object().unwrap();
    let names = BTreeSet::from(["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"]);
    assert_eq!(keys(&face["emotions"]), names);
    let sum: f64 = emotions.values().filter_map(Value::as_f64).sum();
    assert!((sum - 1.0).abs() < 1e-4, "{face}");
    assert_eq!(face["emotion"], "happy");
}

#[test]
fn whose_word_it_is_can_be_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "smile.jpg", frame_at(15));
    let emotions = |labels: &str| {
        let report = moodbox(&["analyze", "--json", "--labels", labels, &path]).json().remove(0);
        assert_eq!(report["faces"][0]["emotion"], "happy", "{report}");
        report["faces"][0]["emotions"].clone()
    };
    assert_ne!(emotions("fer2013"), emotions("ferplus"));
    let done = moodbox(&["analyze", "--labels", "mine", &path]);
    assert_eq!(done.code, Some(2));
    assert!(done.lines.join("\n").contains("[possible values: fer2013, ferplus]"), "{:#?}", done.lines);
}

#[test]
fn a_person_reads_it_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = file(folder.path(), "nobody.jpg", frame_at(1));
    let two = file(folder.path(), "two.jpg", frame_at(32));
    let smile = file(folder.path(), "smile.jpg", frame_at(15));
    let text = moodbox(&["analyze", &nobody, &two, &smile]).well();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], format!("{nobody}: 640x480, no face"));
    assert_eq!(lines[1], format!("{two}: 640x480, 2 faces"));
    assert_eq!(lines[4], format!("{smile}: 640x480, 1 face"));
    assert!(lines[5].starts_with("  happy ") && lines[5].contains(" %  at "), "{text}");
    assert_eq!(lines.len(), 6);
}

#[test]
fn a_folder_is_read_in_the_order_of_its_names() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["b.JPG", "a.jpeg", "c.png"] {
        file(folder.path(), name, frame_at(1));
    }
    file(folder.path(), "notes.txt", "not a picture");
    let done = moodbox(&["analyze", "--json", folder.path().to_str().unwrap()]);
    let paths: Vec<_> = done.json().iter().map(|report| report["path"].as_str().unwrap().to_owned()).collect();
    let expected: Vec<_> = ["a.jpeg", "b.JPG", "c.png"].map(|n| folder.path().join(n).display().to_string()).into();
    assert_eq!(paths, expected);
    done.well();
}

#[test]
fn what_is_no_picture_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let whole = frame_at(15);
    let wide = png(&RgbImage::new(20_000, 10).into());
    for (name, content) in [
        ("text.jpg", &b"Dear diary"[..]),
        ("nothing.jpg", b""),
        ("header.jpg", &whole[..300]),
        ("bomb.png", &wide),
        ("half.png", &png(&portrait())[..20_000]),
    ] {
        let path = file(here, name, content);
        let done = moodbox(&["analyze", "--json", &path]);
        assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{name}: {:#?}", done.lines);
        let told = &done.lines[0];
        assert!(
            told.starts_with(&format!("moodbox: {path} is not a JPEG or PNG picture that can be read: ")),
            "{told}"
        );
        assert_eq!(done.lines.len(), 1, "{name}: {:#?}", done.lines);
    }
    let none = here.join("none.jpg").display().to_string();
    let told = moodbox(&["analyze", &none]).refused(2);
    assert_eq!(told, format!("moodbox: cannot read {none}: No such file or directory (os error 2)"));
    let empty = here.join("empty");
    fs::create_dir(&empty).unwrap();
    assert_eq!(
        moodbox(&["analyze", empty.to_str().unwrap()]).refused(2),
        format!("moodbox: the folder {} holds no .jpg, .jpeg or .png file", empty.display())
    );
}

#[test]
fn a_bad_picture_costs_no_good_one() {
    let folder = tempfile::tempdir().unwrap();
    let bad = file(folder.path(), "a.jpg", "Dear diary");
    let good = file(folder.path(), "b.jpg", frame_at(15));
    let done = moodbox(&["analyze", "--json", &bad, &good]);
    assert_eq!(done.code, Some(2));
    assert_eq!(done.json()[0]["faces"].as_array().unwrap().len(), 1);
    assert!(done.lines[0].contains(&bad), "{:#?}", done.lines);
    assert_eq!(done.lines[1], "moodbox: 1 of 2 pictures could not be read");
}

#[test]
fn pictures_of_every_size_and_depth_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let portrait = portrait();
    let wide = RgbImage::from_fn(3000, 30, |x, _| Rgb([x as u8, 0, 0]));
    for (name, picture, faces) in [
        ("one.png", DynamicImage::from(GrayImage::from_pixel(1, 1, Luma([200]))), 0),
        ("wide.png", wide.into(), 0),
        ("grey.png", portrait.to_luma8().into(), 1),
        ("grey16.png", portrait.to_luma16().into(), 1),
        ("colour16.png", portrait.to_rgb16().into(), 1),
        ("alpha.png", portrait.to_rgba8().into(), 1),
    ] {
        let path = file(folder.path(), name, png(&picture));
        let done = moodbox(&["analyze", "--json", &path]);
        assert_eq!(done.code, Some(0), "{name}: {:#?}", done.lines);
        let report = &done.json()[0];
        assert_eq!(report["width"], picture.width(), "{name}");
        assert_eq!(report["faces"].as_array().unwrap().len(), faces, "{name}: {report}");
    }
}
