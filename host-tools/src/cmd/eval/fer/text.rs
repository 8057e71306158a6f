//! The report for a terminal.

use std::fmt::Write;

use moodbox_core::emotion::Emotion;

use super::{Group, LEAST_GROUP, Perturbed, Report, in_common};
use crate::eval::classification::Metrics;
use crate::eval::plot::points;
use crate::eval::table::{aligned, interval, percent, row, wrapped};

/// Everything, in tables of at most 100 columns.
pub(super) fn text(report: &Report) -> String {
    let Report { models, labels, metrics, missing, perturbations, groups } = report;
    let mut text =
        format!("{} faces, models {models} by {}; shares in %, with 95 % intervals\n\n", metrics.n, labels.name());
    let accuracy = format!("{}  ({})", percent(Some(metrics.accuracy)), interval(metrics.accuracy_interval));
    for (name, figure) in [
        ("accuracy", accuracy),
        ("balanced accuracy", percent(Some(metrics.balanced_accuracy))),
        ("calibration error", format!("{:.3}", metrics.ece)),
        ("sharp enough for the box", percent(Some(metrics.sharp))),
    ] {
        let _ = writeln!(text, "{name:<26}{figure}");
    }
    if !missing.is_empty() {
        let names: Vec<_> = missing.iter().map(|e| e.name()).collect();
        let _ = writeln!(text, "\nThere is no face for {}; balanced accuracy is over the others.", names.join(", "));
    }
    let _ = write!(text, "\n{}\n{}", aligned(&per_class(metrics)), aligned(&confusion(metrics)));
    let _ = write!(text, "\n{}", aligned(&reliability(metrics)));
    if !perturbations.is_empty() {
        let _ = write!(text, "\n{}", aligned(&perturbed(metrics, perturbations)));
    }
    if !groups.is_empty() {
        let _ = write!(text, "\n{}", aligned(&by_group(groups)));
        text += &wrapped(&about_groups(groups));
    }
    text
}

pub(super) fn per_class(metrics: &Metrics) -> Vec<Vec<String>> {
    let mut rows = vec![row([&"", &"faces", &"precision", &"recall", &"of recall", &"F1"])];
    for (emotion, class) in &metrics.per_class {
        let reach = class.recall.map_or_else(|| "-".to_owned(), |_| interval(class.recall_interval));
        let [precision, recall, f1] = [class.precision, class.recall, class.f1].map(percent);
        rows.push(row([emotion, &class.support, &precision, &recall, &reach, &f1]));
    }
    rows
}

fn confusion(metrics: &Metrics) -> Vec<Vec<String>> {
    let mut rows = vec![vec!["is, read as".to_owned()]];
    rows[0].extend(Emotion::ALL.map(|e| e.to_string()));
    for (emotion, counts) in Emotion::ALL.into_iter().zip(&metrics.confusion) {
        let mut cells = vec![emotion.to_string()];
        cells.extend(counts.iter().map(ToString::to_string));
        rows.push(cells);
    }
    rows
}

pub(super) fn reliability(metrics: &Metrics) -> Vec<Vec<String>> {
    let mut rows = vec![row([&"when it is", &"faces", &"sure", &"right", &"of right"])];
    for bin in &metrics.reliability {
        let range = format!("{:.0} to {:.0}", 100.0 * bin.from, 100.0 * bin.to);
        let [sure, right] = [bin.confidence, bin.accuracy].map(|share| percent(Some(share)));
        rows.push(row([&range, &bin.n, &sure, &right, &interval(bin.accuracy_interval)]));
    }
    rows
}

pub(super) fn perturbed(clean: &Metrics, perturbations: &[Perturbed]) -> Vec<Vec<String>> {
    let mut rows = vec![row([&"", &"accuracy", &"of accuracy", &"points lost", &"balanced", &"calibration", &"sharp"])];
    let figures = |name: &dyn ToString, lost: &str, metrics: &Metrics| {
        let [accuracy, balanced, sharp] =
            [metrics.accuracy, metrics.balanced_accuracy, metrics.sharp].map(|share| percent(Some(share)));
        let ece = format!("{:.3}", metrics.ece);
        row([name, &accuracy, &interval(metrics.accuracy_interval), &lost, &balanced, &ece, &sharp])
    };
    rows.push(figures(&"as they are", "", clean));
    rows.extend(perturbations.iter().map(|p| figures(&p.step, &points(p.points_lost), &p.metrics)));
    rows
}

pub(super) fn by_group(groups: &[Group]) -> Vec<Vec<String>> {
    let common = in_common(groups);
    let mut rows = vec![row([&"group", &"faces", &"accuracy", &"of accuracy", &"balanced", &"calibration"])];
    for Group { name, metrics, .. } in groups.iter().filter(|group| !group.too_small) {
        let [accuracy, balanced] = [Some(metrics.accuracy), metrics.balanced_over(&common)].map(percent);
        let reach = interval(metrics.accuracy_interval);
        rows.push(row([name, &metrics.n, &accuracy, &reach, &balanced, &format!("{:.3}", metrics.ece)]));
    }
    rows
}

/// What their balanced accuracy leaves out, and which groups nothing is said about; empty where neither is to be told.
pub(super) fn about_groups(groups: &[Group]) -> String {
    let small: Vec<_> =
        groups.iter().filter(|g| g.too_small).map(|g| format!("{} ({})", g.name, g.metrics.n)).collect();
    let common = in_common(groups);
    let mut sentences = Vec::new();
    if common.len() < Emotion::ALL.len() {
        let names = common.iter().map(|e| e.name()).collect::<Vec<_>>().join(", ");
        let over = if common.is_empty() { "none".to_owned() } else { names };
        sentences.push(format!("Balanced accuracy is over the expressions that all of these groups have: {over}."));
    }
    if !small.is_empty() {
        sentences.push(format!("Too few faces to say anything (under {LEAST_GROUP}): {}.", small.join(", ")));
    }
    sentences.join(" ")
}

#[cfg(test)]
mod tests {
    use moodbox_core::config::Labels;
    use moodbox_core::emotion::Probabilities;

    use super::*;
    use crate::eval::classification::Tally;
    use crate::eval::perturbation::STEPS;

    /// Faces of three expressions, of which every `right`th is read right, now more and now less surely.
    fn tally(faces: usize, right: usize) -> Tally {
        let mut tally = Tally::default();
        for i in 0..faces {
            let truth = [Emotion::Happy, Emotion::Neutral, Emotion::Surprise][i % 3];
            let read =
                if (i / 3).is_multiple_of(right) { truth } else { Emotion::ALL[(truth as usize + 1 + i % 2) % 7] };
            let mut weights = [0.02 * (i % 7) as f32; 7];
            weights[read as usize] = 1.0;
            tally.add(truth, &Probabilities::normalised(weights).unwrap(), !i.is_multiple_of(5));
        }
        tally
    }

    #[test]
    fn a_person_reads_it_at_100_columns() {
        let metrics = tally(360, 2).metrics();
        let report = Report {
            models: "0a1b2c3d".to_owned(),
            labels: Labels::Ferplus,
            missing: vec![Emotion::Angry, Emotion::Disgust, Emotion::Fear, Emotion::Sad],
            perturbations: STEPS.iter().map(|step| Perturbed::new(*step, &tally(360, 3), &metrics)).collect(),
            groups: vec![
                Group::new("indoors".to_owned(), &tally(240, 1)),
                Group::new("outdoors, evening".to_owned(), &tally(99, 2)),
            ],
            metrics,
        };
        let text = text(&report);
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        insta::assert_snapshot!("eval_fer", text);
    }

    #[test]
    fn groups_are_balanced_over_what_they_have_in_common() {
        let of = |faces: &[(Emotion, usize, usize)]| {
            let mut tally = Tally::default();
            for &(truth, right, wrong) in faces {
                let reads = [(truth, right), (Emotion::Sad, wrong)];
                for (read, count) in reads {
                    (0..count).for_each(|_| tally.add(truth, &Probabilities::certain(read), true));
                }
            }
            tally
        };
        // Over what each has, the first would have 25 % and look worse.
        let groups = [
            Group::new("all".to_owned(), &of(&[(Emotion::Happy, 60, 60), (Emotion::Fear, 0, 30)])),
            Group::new("happy".to_owned(), &of(&[(Emotion::Happy, 40, 60)])),
            Group::new("few".to_owned(), &of(&[(Emotion::Angry, 1, 0)])),
        ];
        let balanced: Vec<_> = by_group(&groups).into_iter().map(|cells| cells[4].clone()).collect();
        assert_eq!(balanced, ["balanced", "50.0", "40.0"]);
        assert_eq!(
            about_groups(&groups),
            "Balanced accuracy is over the expressions that all of these groups have: happy. Too few faces to say anything \
             (under 100): few (1)."
        );
        let apart = [
            Group::new("fear".to_owned(), &of(&[(Emotion::Fear, 90, 30)])),
            Group::new("happy".to_owned(), &of(&[(Emotion::Happy, 40, 60)])),
        ];
        assert_eq!(by_group(&apart)[1][4], "-");
        assert!(about_groups(&apart).contains("have: none."));
    }
}
