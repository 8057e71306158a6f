//! The report for a terminal.

use std::fmt::Write;

use super::Report;
use crate::eval::detection::{Band, Detected, SAME_FACE};
use crate::eval::skin::CAUTION;
use crate::eval::table::{aligned, interval, percent, row, wrapped};

/// Everything, in one table of at most 100 columns.
pub(super) fn text(report: &Report) -> String {
    let Report { models, pictures, min_face, all, looked_for, .. } = report;
    let mut text =
        format!("{pictures} pictures, {} faces, models {models}, faces looked for from {min_face} px on\n", all.faces);
    let _ = writeln!(
        text,
        "A box is a face's from an overlap (IoU) of {SAME_FACE} on; shares in %, with 95 % intervals.\nLight is the mean brightness, 0 to 255. Light and tone are over faces from {min_face} px on.\n"
    );
    let mut rows = vec![head(), figures("all", all), figures(&format!("from {min_face} px on"), looked_for)];
    for (title, bands) in sections(report) {
        rows.push(Vec::new());
        rows.push(row([&title]));
        rows.extend(bands.iter().map(|b| figures(&format!("  {}", b.name), &b.found)));
    }
    text += &aligned(&rows);
    text.push('\n');
    text += &wrapped(CAUTION);
    text
}

/// The parts of the report under their titles.
pub(super) fn sections(report: &Report) -> [(&'static str, &[Band]); 4] {
    [
        ("longer side", &report.by_size),
        ("light on the face", &report.by_face_light),
        ("light in the picture", &report.by_picture_light),
        ("skin tone (ITA)", &report.by_tone),
    ]
}

pub(super) fn head() -> Vec<String> {
    row([&"", &"faces", &"found", &"recall", &"of recall", &"boxes", &"false", &"precision", &"of precision"])
}

pub(super) fn figures(name: &str, found: &Detected) -> Vec<String> {
    let Detected { faces, found: hits, recall, recall_interval, boxes, right, precision, precision_interval } = found;
    let reach = |share: &Option<f64>, reach: &[f64; 2]| share.map_or_else(|| "-".to_owned(), |_| interval(*reach));
    row([
        &name,
        faces,
        hits,
        &percent(*recall),
        &reach(recall, recall_interval),
        boxes,
        &(boxes - right),
        &percent(*precision),
        &reach(precision, precision_interval),
    ])
}

#[cfg(test)]
mod tests {
    use super::super::report;
    use super::*;
    use crate::eval::detection::Judged;
    use crate::eval::skin::Tone;

    #[test]
    fn a_person_reads_it_at_100_columns() {
        let judged = |i: u32, hit: bool| Judged {
            hit,
            side: 30.0 + 7.0 * (i % 40) as f32,
            face_luma: (!i.is_multiple_of(50)).then(|| f64::from(i * 37 % 256)),
            picture_luma: f64::from(i * 11 % 256),
            tone: Tone::ALL.get(i as usize % 7).copied(),
        };
        let faces: Vec<_> = (0..1200).map(|i| judged(i, !i.is_multiple_of(9))).collect();
        let boxes: Vec<_> = (0..1100).map(|i| judged(i, !i.is_multiple_of(30))).collect();
        let text = text(&report("0a1b2c3d".to_owned(), 400, 40, &faces, &boxes));
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        insta::assert_snapshot!("eval_faces", text);
    }
}
