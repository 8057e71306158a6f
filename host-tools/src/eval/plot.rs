//! Plots as SVG, for a [`super::page`], whose style sheet gives the colours.

use std::fmt::Write;

use super::classification::Reliability;
use super::page::escaped;
use super::table::percent;

/// Width of every plot, in its own units; the page scales it.
const WIDTH: f64 = 430.0;
/// Height of a row of bars.
const ROW: f64 = 22.0;
/// Where bars begin, to the right of their names.
const LEFT: f64 = 175.0;
/// Where they end, to the left of their figures.
const RIGHT: f64 = 330.0;

/// The name of a row, its share with the interval, and how many it is of.
pub(crate) type ShareRow = (String, Option<f64>, [f64; 2], usize);

fn figure(name: &str, height: f64, marks: &str) -> String {
    let name = escaped(name);
    format!(
        "<figure><svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{name}\">{marks}</svg>\
         <figcaption>{name}</figcaption></figure>"
    )
}

fn text(x: f64, y: f64, anchor: &str, class: &str, text: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" class=\"{class}\">{}</text>", escaped(text))
}

fn line(class: &str, [x1, y1]: [f64; 2], [x2, y2]: [f64; 2]) -> String {
    format!("<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>")
}

/// The name of a row, cut off where it is longer than the room to the left of the bars; the table has it whole.
fn name_of_row(middle: f64, name: &str) -> String {
    const LONGEST: usize = 22;
    let cut: String = name.chars().take(LONGEST).collect();
    let dots = if cut.len() < name.len() { "\u{2026}" } else { "" };
    text(LEFT - 8.0, middle + 4.5, "end", "", &(cut + dots))
}

/// A rectangle: left, top, width, height. The words show where the pointer rests.
fn rect(class: &str, opacity: f64, [x, y, width, height]: [f64; 4], words: &str) -> String {
    let words = escaped(words);
    format!(
        "<rect class=\"{class}\" fill-opacity=\"{opacity:.3}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
         height=\"{height:.1}\"><title>{words}</title></rect>"
    )
}

/// Bars from 0 to 100 % with their intervals.
pub(crate) fn shares(name: &str, rows: &[ShareRow]) -> String {
    let bottom = rows.len() as f64 * ROW;
    let x = |share: f64| LEFT + share * (RIGHT - LEFT);
    let mut marks = String::new();
    for tick in [0.0, 0.25, 0.5, 0.75, 1.0] {
        marks += &line("line", [x(tick), 0.0], [x(tick), bottom]);
    }
    for tick in [0.0, 0.5, 1.0] {
        marks += &text(x(tick), bottom + 16.0, "middle", "muted", &format!("{:.0} %", 100.0 * tick));
    }
    for (i, (label, share, [low, high], of)) in rows.iter().enumerate() {
        let y = i as f64 * ROW;
        let middle = y + ROW / 2.0;
        marks += &name_of_row(middle, label);
        let Some(share) = share else {
            marks += &text(RIGHT + 8.0, middle + 4.5, "start", "muted", "none");
            continue;
        };
        let (top, width, height) = (y + 4.0, x(*share) - LEFT, ROW - 8.0);
        marks += &rect("mark", 1.0, [LEFT, top, width, height], "");
        marks += &line("reach", [x(*low), middle], [x(*high), middle]);
        marks += &text(RIGHT + 8.0, middle + 4.5, "start", "muted", &format!("{} of {of}", percent(Some(*share))));
    }
    figure(name, bottom + 24.0, &marks)
}

/// Bars of points lost, in other colours where points are won.
pub(crate) fn losses(name: &str, rows: &[(String, f64)]) -> String {
    let bottom = rows.len() as f64 * ROW;
    let least = rows.iter().fold(0.0, |least: f64, (_, lost)| least.min(*lost));
    let most = rows.iter().fold(1.0, |most: f64, (_, lost)| most.max(*lost));
    let x = |lost: f64| LEFT + (lost - least) / (most - least) * (RIGHT - LEFT);
    let mut marks = String::new();
    for (i, (label, lost)) in rows.iter().enumerate() {
        let (top, middle) = (i as f64 * ROW + 4.0, i as f64 * ROW + ROW / 2.0);
        let class = if *lost > 0.0 { "worse" } else { "mark" };
        let (start, width, height) = (x(lost.min(0.0)), x(lost.abs()) - x(0.0), ROW - 8.0);
        marks += &name_of_row(middle, label);
        marks += &rect(class, 1.0, [start, top, width, height], "");
        marks += &text(RIGHT + 8.0, middle + 4.5, "start", "muted", &points(*lost));
    }
    marks += &line("line", [x(0.0), 0.0], [x(0.0), bottom]);
    figure(name, bottom + 4.0, &marks)
}

/// Points lost, as a table and a plot show them; no `-0.0`.
pub(crate) fn points(lost: f64) -> String {
    format!("{:.1}", (10.0 * lost).round() / 10.0 + 0.0)
}

/// How often it was right against how sure it was.
pub(crate) fn reliability(name: &str, bins: &[Reliability]) -> String {
    const SIDE: f64 = 330.0;
    let (left, top) = (60.0, 8.0);
    let x = |v: f64| left + v * SIDE;
    let y = |v: f64| top + (1.0 - v) * SIDE;
    let mut marks = String::new();
    for tick in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let label = format!("{:.0} %", 100.0 * tick);
        marks += &line("line", [x(0.0), y(tick)], [x(1.0), y(tick)]);
        marks += &text(left - 8.0, y(tick) + 4.5, "end", "muted", &label);
        marks += &text(x(tick), y(0.0) + 18.0, "middle", "muted", &label);
    }
    marks += &line("ideal", [x(0.0), y(0.0)], [x(1.0), y(1.0)]);
    let most = bins.iter().map(|bin| bin.n).max().unwrap_or(1) as f64;
    for bin in bins {
        let [low, high] = bin.accuracy_interval;
        // The area grows with the faces; the smallest can still be seen.
        let radius = 2.5 + 7.0 * (bin.n as f64 / most).sqrt();
        marks += &line("reach", [x(bin.confidence), y(low)], [x(bin.confidence), y(high)]);
        let (cx, cy) = (x(bin.confidence), y(bin.accuracy));
        let words = format!(
            "{} faces, {} % sure, {} % right",
            bin.n,
            percent(Some(bin.confidence)),
            percent(Some(bin.accuracy))
        );
        let _ = write!(
            marks,
            "<circle class=\"mark\" cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"{radius:.1}\"><title>{words}</title></circle>"
        );
    }
    marks += &text(x(0.5), y(0.0) + 38.0, "middle", "", "how sure it was");
    let (cx, cy) = (14.0, y(0.5));
    let turned = text(cx, cy, "middle", "", "how often it was right");
    let _ = write!(marks, "<g transform=\"rotate(-90 {cx} {cy})\">{turned}</g>");
    figure(name, SIDE + 54.0, &marks)
}

/// A square of counts, each row shaded by its own shares.
pub(crate) fn heat_map<const N: usize>(name: &str, names: [&str; N], counts: &[[usize; N]; N]) -> String {
    let (left, top) = (62.0, 44.0);
    let cell = (WIDTH - left) / N as f64;
    let height = 34.0;
    let at = |i: usize| (i as f64 + 0.5) * cell + left;
    let mut marks = text(left + (WIDTH - left) / 2.0, 14.0, "middle", "muted", "read as");
    for (i, (row, label)) in counts.iter().zip(names).enumerate() {
        let y = top + i as f64 * height;
        let middle = y + height / 2.0 + 4.5;
        marks += &text(at(i), top - 10.0, "middle", "", label);
        marks += &text(left - 8.0, middle, "end", "", label);
        let sum = row.iter().sum::<usize>().max(1) as f64;
        for (j, count) in row.iter().enumerate() {
            let share = *count as f64 / sum;
            let (x, width) = (at(j) - cell / 2.0 + 1.0, cell - 2.0);
            let words = format!("{label} read as {}: {count}, {} %", names[j], percent(Some(share)));
            marks += &rect("mark", share, [x, y + 1.0, width, height - 2.0], &words);
            marks += &text(at(j), middle, "middle", if share > 0.55 { "on" } else { "" }, &count.to_string());
        }
    }
    figure(name, top + N as f64 * height + 2.0, &marks)
}
