//! The report as a page.

use super::{Report, text};
use crate::eval::page::{Page, table};
use crate::eval::plot::{self, ShareRow};
use crate::eval::skin::CAUTION;
use crate::eval::table::{interval, percent};

pub(super) fn page(report: &Report) -> Page {
    let Report { models, pictures, min_face, all, looked_for, .. } = report;
    let what = format!(
        "{pictures} pictures, {} faces, models {models}, faces looked for from {min_face} px on; a box is a face's from \
         an overlap (IoU) of {} on",
        all.faces, report.iou
    );
    let mut page = Page::new("How well faces are found", &what);
    page.figures(&[
        (format!("{} %", percent(all.recall)), "of all faces found"),
        (format!("{} %", percent(looked_for.recall)), "of those large enough to be looked for"),
        (format!("{} %", interval(looked_for.recall_interval)), "the 95 % interval"),
        (format!("{} %", percent(all.precision)), "of the boxes are faces"),
        (format!("{} %", interval(all.precision_interval)), "the 95 % interval"),
    ]);
    let words = [
        "The longer side of the box. Faces smaller than what was looked for are not expected to be found.",
        "Mean brightness inside the box, 0 to 255, of faces large enough to be looked for.",
        "Mean brightness of the whole picture with its borders, of the same faces.",
        CAUTION,
    ];
    let titles = ["Size", "Light on the face", "Light in the picture", "Skin tone"];
    for ((title, words), (name, bands)) in titles.into_iter().zip(words).zip(text::sections(report)) {
        let rows: Vec<ShareRow> =
            bands.iter().map(|b| (b.name.to_owned(), b.found.recall, b.found.recall_interval, b.found.faces)).collect();
        let mut figures = vec![text::head()];
        figures.extend(bands.iter().map(|b| text::figures(b.name, &b.found)));
        page.section(title, words, &[plot::shares(&format!("Recall by {name}"), &rows), table(&figures)]);
    }
    page
}
