//! The report as a page.

use moodbox_core::emotion::Emotion;

use super::{Report, text};
use crate::eval::classification::ClassMetrics;
use crate::eval::page::{Page, escaped, table};
use crate::eval::plot::{self, ShareRow};
use crate::eval::table::{interval, percent};

pub(super) fn page(report: &Report) -> Page {
    let Report { models, labels, metrics, missing, perturbations, groups } = report;
    let mut page = Page::new(
        "How well expressions are read",
        &format!("{} faces, models {models} by {}", metrics.n, labels.name()),
    );
    page.figures(&[
        (format!("{} %", percent(Some(metrics.accuracy))), "accuracy"),
        (format!("{} %", interval(metrics.accuracy_interval)), "its 95 % interval"),
        (format!("{} %", percent(Some(metrics.balanced_accuracy))), "balanced accuracy"),
        (format!("{:.3}", metrics.ece), "calibration error"),
        (format!("{} %", percent(Some(metrics.sharp))), "sharp enough for the box"),
    ]);
    if !missing.is_empty() {
        let names: Vec<_> = missing.iter().map(|e| e.name()).collect();
        let words = "Balanced accuracy is over the other expressions.";
        page.section(&format!("There is no face for {}", names.join(", ")), words, &[]);
    }
    let recall = |(emotion, class): (&Emotion, &ClassMetrics)| {
        (emotion.to_string(), class.recall, class.recall_interval, class.support)
    };
    let recalls: Vec<ShareRow> = metrics.per_class.iter().map(recall).collect();
    page.section(
        "Each expression",
        "Recall is the share of the faces with this expression that were read so; precision the share of what was read \
         so that is. The thin lines are 95 % intervals.",
        &[plot::shares("Recall of each expression", &recalls), table(&text::per_class(metrics))],
    );
    page.section(
        "What is taken for what",
        "Rows are what a face shows, columns what was read from it; the stronger the colour, the larger the share of the row.",
        &[plot::heat_map("Confusion, in faces", Emotion::ALL.map(Emotion::name), &metrics.confusion)],
    );
    page.section(
        "Does it know when it errs?",
        "Faces that it was equally sure of, together. On the dashed line it is right as often as it says; below it, it \
         is too sure. The larger the dot, the more faces.",
        &[plot::reliability("Reliability", &metrics.reliability), table(&text::reliability(metrics))],
    );
    if !perturbations.is_empty() {
        let rows: Vec<_> = perturbations.iter().map(|p| (p.step.to_string(), p.points_lost)).collect();
        page.section(
            "Poor light, noise, blur, distance, compression",
            "The same faces after one change each; blur in percent of the face's width, noise as signal to noise. Sharp is the share that the box would still believe; it lets the \
             others pass without a reading.",
            &[plot::losses("Points of accuracy lost", &rows), table(&text::perturbed(metrics, perturbations))],
        );
    }
    if !groups.is_empty() {
        let large = groups.iter().filter(|g| !g.too_small);
        let rows: Vec<_> = large
            .map(|g| (g.name.clone(), Some(g.metrics.accuracy), g.metrics.accuracy_interval, g.metrics.n))
            .collect();
        page.section(
            "Groups",
            "Groups whose 95 % intervals do not meet differ by more than chance; where they meet, they may differ all the \
             same. A group with more of the harder expressions looks worse for that alone: compare the balanced accuracy \
             too.",
            &[
                plot::shares("Accuracy in each group", &rows),
                table(&text::by_group(groups)),
                format!("<p>{}</p>", escaped(&text::about_groups(groups))),
            ],
        );
    }
    page
}
