//! The lights as a line of text, for a machine that has none.

use std::io::{self, IsTerminal, Stderr, Write};

use moodbox_core::led::Levels;

use super::{LedError, Leds, OnOff};

/// A line that a terminal shows in colour, in place; anything else gets a new line when a light goes on or off.
pub(super) struct StatusLine<W> {
    out: W,
    in_place: bool,
    shown: Option<String>,
}

impl StatusLine<Stderr> {
    pub(super) fn stderr() -> Self {
        let out = io::stderr();
        Self { in_place: out.is_terminal(), out, shown: None }
    }
}

impl<W: Write> Leds for StatusLine<W> {
    fn show(&mut self, levels: Levels) -> Result<(), LedError> {
        let lit = OnOff::of(levels);
        let camera = if lit.camera { "camera on" } else { "camera off" };
        let line = if self.in_place {
            let [red, green, blue] =
                [levels.red, levels.green, levels.blue].map(|level| (level.clamp(0.0, 1.0) * 255.0) as u8);
            format!("\r\x1b[48;2;{red};{green};{blue}m      \x1b[0m {camera}\x1b[K")
        } else {
            let names = ["red", "green", "blue"].into_iter().zip(lit.colours);
            let colours: Vec<_> = names.filter_map(|(name, lit)| lit.then_some(name)).collect();
            let light = if colours.is_empty() { "off".to_owned() } else { colours.join(" + ") };
            format!("light {light}, {camera}\n")
        };
        if self.shown.as_ref() != Some(&line) {
            self.out.write_all(line.as_bytes())?;
            self.out.flush()?;
            self.shown = Some(line);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AMBER: Levels = Levels { red: 1.0, green: 0.6, blue: 0.0, camera: 1.0 };

    fn shown(in_place: bool, levels: &[Levels]) -> String {
        let mut line = StatusLine { out: Vec::new(), in_place, shown: None };
        for &levels in levels {
            line.show(levels).unwrap();
        }
        String::from_utf8(line.out).unwrap()
    }

    #[test]
    fn a_log_gets_a_line_when_a_light_goes_on_or_off_and_not_for_each_breath() {
        let dimmer = Levels { red: 0.9, green: 0.5, ..AMBER };
        assert_eq!(
            shown(false, &[AMBER, AMBER, dimmer, Levels::default(), AMBER]),
            "light red + green, camera on\nlight off, camera off\nlight red + green, camera on\n"
        );
    }

    #[test]
    fn a_terminal_gets_the_colour_in_place_when_it_changes() {
        let dimmer = Levels { red: 0.5, ..AMBER };
        assert_eq!(
            shown(true, &[AMBER, AMBER, dimmer]),
            "\r\x1b[48;2;255;153;0m      \x1b[0m camera on\x1b[K\r\x1b[48;2;127;153;0m      \x1b[0m camera on\x1b[K"
        );
    }
}
