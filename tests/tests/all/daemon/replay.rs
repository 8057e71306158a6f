//! Recordings of every kind in place of a camera.

use std::fs;

use moodbox_tests::programs::{recording, repository};

use super::Home;

fn portrait() -> image::DynamicImage {
    image::open(repository().join("host-tools/demo/faces/collins.jpg")).unwrap()
}

#[test]
fn a_folder_of_pictures_is_shown_without_the_bad_ones() {
    let mut home = Home::prepared("replay:FOLDER/pictures", "fps = 10", |before| {
        let folder = before.folder.join("pictures");
        fs::create_dir(&folder).unwrap();
        let portrait = portrait();
        portrait.save(folder.join("1.png")).unwrap();
        fs::write(folder.join("2.jpg"), "milk, bread").unwrap();
        portrait.to_luma8().save(folder.join("3.jpeg")).unwrap();
        portrait.to_luma16().save(folder.join("4.PNG")).unwrap();
        portrait.resize(160, 160, image::imageops::FilterType::Triangle).save(folder.join("5.jpg")).unwrap();
        fs::write(folder.join("notes.txt"), "milk, bread").unwrap();
    });
    home.daemon.says("2.jpg is left out: ");
    home.listener.until("/state", |state| state.json()["mood"] == "happy");
    home.daemon.stop();
}

#[test]
fn a_picture_may_be_larger_than_any_camera_makes() {
    let mut home = Home::prepared("replay:FOLDER/large.png", "", |before| {
        let large = portrait().resize_exact(2600, 2200, image::imageops::FilterType::Nearest);
        large.save(before.folder.join("large.png")).unwrap();
    });
    home.listener.until("/state", |state| state.json()["faces"] == 1);
    home.daemon.stop();
}

#[test]
fn a_picture_with_nothing_in_it_shows_nobody() {
    let mut home = Home::prepared("replay:FOLDER/dot.png", "", |before| {
        image::GrayImage::new(1, 1).save(before.folder.join("dot.png")).unwrap();
    });
    let state = home.listener.until("/state", |state| state.json()["camera"] == "on").json();
    assert_eq!((&state["mood"], &state["faces"]), (&"absent".into(), &0.into()));
    home.daemon.stop();
}

/// The promise for 640x480 is 80 MB. It holds for a program that was built for tests, too.
#[test]
fn the_memory_stays_small() {
    let mut home = Home::with(&format!("replay:{}", recording().display()), "fps = 0");
    home.listener.until("/state", |state| state.json()["faces"] == 2);
    home.listener.until("/state", |state| state.json()["mood"] == "angry");
    home.listener.until("/state", |state| state.json()["faces"] == 2);
    let status = fs::read_to_string(format!("/proc/{}/status", home.daemon.process.id())).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kilobytes: u64 = resident.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kilobytes * 1024 < 80_000_000, "{resident}");
    home.daemon.stop();
}
