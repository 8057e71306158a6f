//! `moodbox eval` on faces cut from the demo recording, and on the photos that lie beside the checkout.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use image::{DynamicImage, GrayImage, ImageFormat};
use moodbox_tests::shared_data;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Done, file, frame_at, moodbox};

/// Seconds of the recording at which one person is in the picture: smiling, at rest, angry.
const MOMENTS: [usize; 6] = [15, 20, 42, 50, 62, 70];

/// A face of the recording, cut as the box cuts it, and what `moodbox analyze` reads from it.
struct Cut {
    face: DynamicImage,
    bbox: Value,
    frame: Vec<u8>,
    emotion: String,
}

fn cut(seconds: usize) -> Cut {
    let folder = tempfile::tempdir().unwrap();
    let frame = frame_at(seconds);
    let path = file(folder.path(), "frame.jpg", &frame);
    let report = moodbox(&["analyze", "--json", &path]).json().remove(0);
    let seen = &report["faces"][0];
    let [x, y, w, h]: [f64; 4] = serde_json::from_value(seen["box"].clone()).unwrap();
    let side = w.max(h);
    let (left, top) = (x + w / 2.0 - side / 2.0, y + h / 2.0 - side / 2.0);
    let picture = image::load_from_memory_with_format(&frame, ImageFormat::Jpeg).unwrap();
    let face = picture.crop_imm(left.round() as u32, top.round() as u32, side.round() as u32, side.round() as u32);
    Cut { face, bbox: seen["box"].clone(), frame, emotion: seen["emotion"].as_str().unwrap().to_owned() }
}

/// A folder of labelled faces, each in the folder of what the box reads from it.
fn labelled() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for seconds in MOMENTS {
        let Cut { face, emotion, .. } = cut(seconds);
        let class = folder.path().join(emotion);
        fs::create_dir_all(&class).unwrap();
        face.save(class.join(format!("{seconds}.png"))).unwrap();
    }
    folder
}

fn fer(folder: &Path, more: &[&str]) -> Done {
    moodbox(&[&["eval", "fer", folder.to_str().unwrap()], more].concat())
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn crops_are_read_as_the_box_reads_the_frame() {
    let folder = labelled();
    let report = &fer(folder.path(), &["--json"]).json()[0];
    let contract = ["n", "accuracy", "balanced_accuracy", "per_class", "confusion", "ece"];
    assert!(keys(report).is_superset(&BTreeSet::from(contract)), "{report}");
    assert_eq!((&report["n"], &report["accuracy"]), (&json!(6), &json!(1.0)), "{report}");
    assert_eq!(report["confusion"].as_array().unwrap().len(), 7);
    let happy = &report["per_class"]["happy"];
    assert_eq!(keys(happy), BTreeSet::from(["precision", "recall", "recall_interval", "f1", "support"]));
    assert!(report["missing"].as_array().unwrap().contains(&json!("disgust")), "{report}");
    assert!(report["missing"].as_array().unwrap().len() < 7);
}

#[test]
fn the_word_of_raters_is_measured_too() {
    let folder = labelled();
    let report = &fer(folder.path(), &["--labels", "ferplus", "--json"]).json()[0];
    assert_eq!((&report["labels"], &report["n"]), (&json!("ferplus"), &json!(6)), "{report}");
    assert_eq!(report["per_class"]["happy"]["recall"], 1.0, "{report}");
    assert!(fer(folder.path(), &["--labels", "ferplus"]).well().contains(" by ferplus; "));
}

#[test]
fn each_change_and_each_group_is_measured() {
    let folder = labelled();
    let table = file(folder.path(), "groups.csv", "file,group\n15.png,<first>\n20.png,<first>\n42.png,second\n");
    let page = folder.path().join("page.html");
    let more = ["--perturb", "--groups", &table, "--html", page.to_str().unwrap()];
    let report = &fer(folder.path(), &[&more[..], &["--json"]].concat()).json()[0];
    let steps = report["perturbations"].as_array().unwrap();
    let kinds: BTreeSet<_> = steps.iter().filter_map(|step| step["kind"].as_str()).collect();
    assert_eq!(kinds, BTreeSet::from(["light", "noise", "blur", "scale", "compression"]));
    for step in steps {
        let lost = 100.0 * (1.0 - step["accuracy"].as_f64().unwrap());
        assert!((step["points_lost"].as_f64().unwrap() - lost).abs() < 1e-9 && step["n"] == 6, "{step}");
    }
    let groups: Vec<_> = report["groups"].as_array().unwrap().iter().map(|g| (&g["group"], &g["n"])).collect();
    assert_eq!(groups, [(&json!("<first>"), &json!(2)), (&json!("second"), &json!(1))]);
    let text = fer(folder.path(), &more).well();
    assert!(
        text.contains("Too few faces to say anything (under 100): <first> (2), second (1).")
            && text.lines().all(|l| l.chars().count() <= 100),
        "{text}"
    );
    let html = fs::read_to_string(page).unwrap();
    assert!(html.contains("&lt;first&gt;") && !html.contains("<first>") && html.contains("<svg"));
    assert!(!html.contains("http") && !html.contains("<script") && !html.contains("url("), "nothing from elsewhere");
}

#[test]
fn other_spellings_of_the_folders_are_known() {
    let folder = labelled();
    fs::rename(folder.path().join("happy"), folder.path().join("Happiness")).unwrap();
    let report = &fer(folder.path(), &["--json"]).json()[0];
    assert!(report["per_class"]["happy"]["support"].as_u64().unwrap() > 0, "{report}");
}

#[test]
fn folders_that_cannot_be_measured_are_refused_by_name() {
    let refused = |prepare: &dyn Fn(&Path), told: &str| {
        let folder = tempfile::tempdir().unwrap();
        let face = GrayImage::from_fn(48, 48, |x, y| image::Luma([(5 * x) as u8 ^ (3 * y) as u8]));
        for name in ["happy/a.png", "sad/b.png"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            face.save(path).unwrap();
        }
        prepare(folder.path());
        let line = fer(folder.path(), &[]).refused(2);
        assert!(line.starts_with("moodbox: ") && line.contains(told), "{line}");
        assert!(line.contains(folder.path().to_str().unwrap()), "{line}");
    };
    let remove = |folder: &Path, names: &[&str]| names.iter().for_each(|n| fs::remove_dir_all(folder.join(n)).unwrap());
    refused(&|f| remove(f, &["happy", "sad"]), "holds no folder named after an expression");
    refused(&|f| fs::remove_dir_all(f).unwrap(), "cannot read the folder");
    refused(&|f| remove(f, &["sad"]), "holds one picture");
    refused(&|f| fs::create_dir(f.join("contempt")).unwrap(), "contempt names no expression");
    refused(&|f| fs::create_dir(f.join("fear")).unwrap(), "fear holds no .jpg, .jpeg or .png file");
    refused(&|f| fs::write(f.join("sad/c.png"), "Dear diary").unwrap(), "c.png is not a JPEG or PNG picture");
    refused(&|f| GrayImage::new(9, 48).save(f.join("sad/c.png")).unwrap(), "c.png is 9x48: the crop of a face");
    refused(&|f| GrayImage::new(48, 97).save(f.join("sad/c.png")).unwrap(), "c.png is 48x97: the crop of a face");
}

#[test]
fn what_is_given_beside_the_folder_is_checked_first() {
    let folder = labelled();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let table = file(folder.path(), "groups.csv", "file,group\nnobody.png,x\n");
    let told = fer(folder.path(), &["--groups", &table]).refused(2);
    assert_eq!(told, format!("moodbox: {table}: there is no picture nobody.png in the folder"));
    let told = fer(folder.path(), &["--models", &path("none")]).refused(2);
    assert!(told.contains("none/manifest.toml"), "{told}");
    let told = fer(folder.path(), &["--html", &path("none/page.html")]).refused(2);
    assert!(told.starts_with(&format!("moodbox: cannot write {}", path("none/page.html"))), "{told}");
    let told = fer(folder.path(), &["--html", &path(".")]).refused(2);
    assert!(told.ends_with("it is a folder"), "{told}");
}

#[test]
fn faces_are_found_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let Cut { bbox, frame, .. } = cut(15);
    file(folder.path(), "one.jpg", frame);
    file(folder.path(), "nobody.jpg", frame_at(1));
    let boxes = json!({ "about": "drawn", "boxes": { "one.jpg": [bbox, [500, 380, 60, 80]], "nobody.jpg": [] } });
    let path = file(folder.path(), "boxes.json", boxes.to_string());
    let page = folder.path().join("page.html");
    let report = &moodbox(&["eval", "faces", &path, "--json", "--html", page.to_str().unwrap()]).json()[0];
    assert_eq!(
        (&report["faces"], &report["found"], &report["recall"]),
        (&json!(2), &json!(1), &json!(0.5)),
        "{report}"
    );
    assert_eq!((&report["boxes"], &report["precision"]), (&json!(1), &json!(1.0)), "{report}");
    for bands in ["by_size", "by_face_light", "by_picture_light", "by_tone"] {
        let of = |key: &str| report[bands].as_array().unwrap().iter().filter_map(|b| b[key].as_u64()).sum::<u64>();
        assert_eq!((of("faces"), of("found"), of("boxes")), (2, 1, 1), "{bands}: {report}");
    }
    let html = fs::read_to_string(page).unwrap();
    assert!(html.contains("<svg") && !html.contains("http"));
}

#[test]
fn photos_have_their_faces_found() {
    let Some(path) = shared_data::path("photos/boxes.json") else { return };
    let done = moodbox(&["eval", "faces", path.to_str().unwrap()]);
    println!("{}", done.stdout);
    assert!(done.stdout.lines().all(|line| line.chars().count() <= 100));
    done.well();
    let report = &moodbox(&["eval", "faces", path.to_str().unwrap(), "--json"]).json()[0];
    let [recall, precision] = ["recall", "precision"].map(|of| report["looked_for"][of].as_f64().unwrap());
    assert!(recall >= 0.9 && precision >= 0.95, "{recall} {precision}");
}

#[test]
fn annotations_that_cannot_be_used_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "one.jpg", frame_at(15));
    let refused = |content: &str, told: &str| {
        let path: PathBuf = file(folder.path(), "boxes.json", content).into();
        let line = moodbox(&["eval", "faces", path.to_str().unwrap()]).refused(2);
        assert!(line.starts_with("moodbox: ") && line.contains(told), "{line}");
    };
    refused("Dear diary", "boxes.json: not of the form");
    refused("[]", "boxes.json: not of the form");
    refused(r#"{"boxes": {}}"#, "boxes.json names no picture");
    refused(r#"{"boxes": {"none.jpg": []}}"#, "none.jpg: No such file");
    refused(r#"{"boxes": {"boxes.json": []}}"#, "boxes.json is not a JPEG or PNG picture");
    refused(r#"{"boxes": {"one.jpg": [[0, 0, 10]]}}"#, "not of the form");
    refused(r#"{"boxes": {"one.jpg": [[0, 0, 0, 10]]}}"#, "one.jpg: the box [0, 0, 0, 10] is not in the picture");
    refused(r#"{"boxes": {"one.jpg": [[700, 0, 10, 10]]}}"#, "is not in the picture");
}
