//! Days as lines of a terminal.

use std::fmt::Write as _;

use moodbox_core::emotion::Emotion;
use moodbox_core::mood::RoomMood;
use ratatui::crossterm::style::{Color, Stylize as _};

use super::days::{CELLS, Day};

/// What each letter means, below the plot.
const LEGEND: &str = "A angry D disgust F fear H happy N neutral S sad U surprise X mixed . nobody";

/// A line a day, with the hours above and the letters' meaning below.
pub(super) fn of(days: &[Day], coloured: bool) -> String {
    let mut text = format!("{:16}{:<12}{:<12}{:<12}{:<12}\n", "", "0", "6", "12", "18");
    for day in days {
        let _ = write!(text, "{} {} ", day.date, day.date.strftime("%a"));
        text.push(' ');
        for cell in day.cells {
            let (letter, colour) = cell.map_or((' ', None), look);
            match colour.filter(|_| coloured) {
                Some(colour) => drop(write!(text, "{}", letter.with(colour))),
                None => text.push(letter),
            }
        }
        if let Some((mood, share)) = day.prevailing() {
            let _ = write!(text, "  {mood} {:.0} %", 100.0 * share);
        }
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    }
    debug_assert_eq!(CELLS, 48, "the hours stand over their cells");
    text.push_str(LEGEND);
    text.push('\n');
    text
}

/// A mood's letter, and the colour of its light as far as a terminal has it.
fn look(mood: RoomMood) -> (char, Option<Color>) {
    match mood {
        RoomMood::Emotion(Emotion::Angry) => ('A', Some(Color::Red)),
        RoomMood::Emotion(Emotion::Disgust) => ('D', Some(Color::Green)),
        RoomMood::Emotion(Emotion::Fear) => ('F', Some(Color::Magenta)),
        RoomMood::Emotion(Emotion::Happy) => ('H', Some(Color::Yellow)),
        RoomMood::Emotion(Emotion::Neutral) => ('N', Some(Color::White)),
        RoomMood::Emotion(Emotion::Sad) => ('S', Some(Color::Blue)),
        RoomMood::Emotion(Emotion::Surprise) => ('U', Some(Color::Cyan)),
        RoomMood::Mixed => ('X', Some(Color::DarkMagenta)),
        RoomMood::Absent => ('.', None),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_week_fits_on_a_screen() {
        let mut cells = [None; CELLS];
        cells[12..20].fill(Some(RoomMood::Absent));
        for (cell, emotion) in cells[20..].iter_mut().zip(Emotion::ALL.into_iter().cycle()) {
            *cell = Some(RoomMood::Emotion(emotion));
        }
        cells[47] = Some(RoomMood::Mixed);
        let seconds = BTreeMap::from([("happy", 4000), ("sad", 2000), ("absent", 9000)]);
        let day = Day { date: date(2026, 11, 25), cells, seconds };
        let empty = Day { date: date(2026, 11, 26), cells: [None; CELLS], seconds: BTreeMap::new() };
        let text = of(&[day, empty], false);
        assert!(text.lines().all(|line| line.chars().count() <= 80));
        insta::assert_snapshot!(text);
    }
}
