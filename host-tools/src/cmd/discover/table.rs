//! The boxes as a table for a terminal.

use std::fmt::Write;

use super::{Boxes, Found};
use crate::plain::plain;

const TITLES: [&str; 6] = ["id", "name", "state", "version", "board", "on the network"];

/// One line a box under a line of titles, and the brokers. Columns are as wide as they need to be.
pub(super) fn text(boxes: &Boxes, brokers: &[String]) -> String {
    let mut text = String::new();
    if !boxes.0.is_empty() {
        let rows: Vec<_> = [TITLES.map(ToOwned::to_owned)].into_iter().chain(boxes.0.iter().map(row)).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        for row in &rows {
            let cells = row.iter().enumerate().map(|(column, cell)| format!("{cell:<0$}", width(column)));
            // Writing to a text does not fail.
            let _ = writeln!(text, "{}", cells.collect::<Vec<_>>().join("  ").trim_end());
        }
    }
    if !brokers.is_empty() {
        let _ = writeln!(text, "brokers that say they are there: {}", plain(&brokers.join(", ")));
    }
    text
}

fn row((id, found): (&String, &Found)) -> [String; 6] {
    let or_dash = |field: &Option<String>| plain(field.as_deref().unwrap_or("-"));
    let network = match (&found.host, found.addresses.first()) {
        (Some(host), Some(address)) => plain(&format!("{host} ({address})")),
        (Some(host), None) => plain(host),
        _ => "-".to_owned(),
    };
    [
        plain(id),
        or_dash(&found.name),
        or_dash(&found.availability),
        or_dash(&found.version),
        or_dash(&found.board),
        network,
    ]
}
