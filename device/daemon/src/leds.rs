//! The lights: four pins, or a line in the terminal.

mod gpiochip;
mod rppal;
mod terminal;

use std::io;
use std::path::PathBuf;

use moodbox_core::config::{self, LedDriver};
use moodbox_core::led::Levels;

pub(crate) use gpiochip::refusal;

/// Something that can show how bright each light is.
pub trait Leds {
    /// Shows `levels` until told otherwise. May take as long as a PWM period, 10 ms, for each light that goes out.
    ///
    /// # Errors
    /// When the lights cannot be reached any more.
    fn show(&mut self, levels: Levels) -> Result<(), LedError>;
}

/// Why the lights cannot be lit.
#[derive(Debug, thiserror::Error)]
pub enum LedError {
    /// The user may not use the pins.
    #[error("{} may not be opened: add the user to the group gpio", .0.display())]
    Denied(PathBuf),
    /// The crate rppal does not know the board.
    #[error("this is no Raspberry Pi that leds.driver = \"rppal\" knows: set it to \"gpiochip\"")]
    UnknownBoard,
    /// The board does not have the pin.
    #[error("there is no pin {0} on this board: choose others in [leds]")]
    NoPin(u8),
    /// The chip is not there.
    #[error("{} is not there: choose another with leds.chip", .0.display())]
    NoChip(PathBuf),
    /// The file is no GPIO chip.
    #[error("{} is not a GPIO chip: choose another with leds.chip", .0.display())]
    NotAChip(PathBuf),
    /// The chip does not have the line.
    #[error("there is no line {line} on {}, which has {lines}: choose others in [leds]", .chip.display())]
    NoLine {
        /// The chip.
        chip: PathBuf,
        /// The line asked for.
        line: u32,
        /// How many there are.
        lines: u32,
    },
    /// Another program, or a driver in the kernel, has the line.
    #[error("line {line} of {} is held by {holder}: stop that, or choose others in [leds]", .chip.display())]
    Held {
        /// The chip.
        chip: PathBuf,
        /// The line.
        line: u32,
        /// What the holder calls itself.
        holder: String,
    },
    /// Anything else.
    #[error("lights: {0}")]
    Io(#[from] io::Error),
}

/// Opens the lights that the configuration names, dark.
///
/// # Errors
/// When the pins do not exist or cannot be had; see [`LedError`].
pub fn open(config: &config::Leds) -> Result<Box<dyn Leds + Send>, LedError> {
    Ok(match config.driver {
        LedDriver::None => Box::new(NoLeds),
        LedDriver::Rppal => Box::new(rppal::PwmPins::open(config)?),
        LedDriver::Gpiochip => Box::new(gpiochip::Lines::open(config)?),
        LedDriver::Terminal => Box::new(terminal::StatusLine::stderr()),
    })
}

struct NoLeds;

impl Leds for NoLeds {
    fn show(&mut self, _: Levels) -> Result<(), LedError> {
        Ok(())
    }
}

/// Which lights are lit, for what can only be on or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct OnOff {
    /// Red, green and blue of the mood light.
    colours: [bool; 3],
    camera: bool,
}

impl OnOff {
    /// A colour of the mood light is on from half of the strongest one, so a mood keeps its colour however bright it is;
    /// all are off where the strongest is under [`OnOff::DARK`].
    fn of(levels: Levels) -> Self {
        let strongest = levels.red.max(levels.green).max(levels.blue);
        let lit = |level: f32| strongest >= Self::DARK && level >= strongest / 2.0;
        Self { colours: [levels.red, levels.green, levels.blue].map(lit), camera: levels.camera >= 0.5 }
    }

    /// Low enough for an unsure mood to be seen, and above the trough of a breath.
    const DARK: f32 = 0.1;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_off(red: f32, green: f32, blue: f32) -> [bool; 3] {
        OnOff::of(Levels { red, green, blue, camera: 0.0 }).colours
    }

    #[test]
    fn a_colour_is_the_same_however_bright() {
        for brightness in [1.0, 0.8, 0.3, 0.12] {
            assert_eq!(on_off(brightness, brightness * 0.7, 0.0), [true, true, false]);
            assert_eq!(on_off(brightness, brightness * 0.3, brightness * 0.1), [true, false, false]);
        }
    }

    #[test]
    fn the_trough_of_a_breath_is_dark() {
        assert_eq!(on_off(0.05, 0.05, 0.0), [false; 3]);
        assert_eq!(on_off(0.0, 0.0, 0.0), [false; 3]);
    }

    #[test]
    fn the_camera_light_has_nothing_to_do_with_the_mood() {
        let camera = |level| OnOff::of(Levels { red: 1.0, camera: level, ..Levels::default() }).camera;
        assert!(camera(0.5) && !camera(0.4));
    }

    #[test]
    fn no_driver_is_no_light_and_no_error() {
        assert!(open(&config::Leds::default()).unwrap().show(Levels::default()).is_ok());
    }
}
