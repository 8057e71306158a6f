//! `moodbox setup`: a machine with a camera becomes a box, over SSH or from the SD card that it will start with.
//!
//! What is there is shown, what is missing is asked, what will be done is said; then it is done step by step by `box.sh`, on the
//! box, with a journal by which it can be undone.

mod card;
mod configuration;
mod credentials;
mod ctrl_c;
mod found;
mod over_ssh;
mod plan;
mod questions;
mod script;
mod state;
mod steps;

use std::path::PathBuf;

use anyhow::anyhow;
use moodbox_core::config::{Broker, LedDriver, Source};

use crate::failure::Failure;
use crate::mqtt::{Login, remote};
use crate::ssh::Destination;

/// Which machine, and what it shall be.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox setup --ssh pi@raspberrypi.local --package moodboxd_0.1.0_arm64.deb")]
#[command(help_template = "{about}\n{usage-heading} {usage}\n\n{all-args}{after-help}")]
#[command(group = clap::ArgGroup::new("machine").required(true).args(["ssh", "boot"]))]
#[command(mut_arg("base_topic", |topic| topic.hide(true)))]
pub(crate) struct Arguments {
    #[command(flatten)]
    destination: Destination,
    /// Boot partition of an SD card, for its first start.
    #[arg(long, value_name = "FOLDER")]
    boot: Option<PathBuf>,
    /// Put back what was there before the last set-up.
    #[arg(long, conflicts_with_all = ["package", "yes"])]
    undo: bool,
    /// The package for the box, as `make deb` makes it.
    #[arg(long, value_name = "FILE", required_unless_present = "undo")]
    package: Option<PathBuf>,
    /// Ask nothing: the rest is as found, or as usual.
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    wishes: Wishes,
}

/// What a person has said already.
#[derive(clap::Args)]
struct Wishes {
    /// The name that Home Assistant shows.
    #[arg(long)]
    name: Option<String>,
    /// The room that Home Assistant puts it in.
    #[arg(long)]
    room: Option<String>,
    /// The broker: `mqtt[s]://HOST[:PORT]`.
    #[arg(long, value_name = "URL", value_parser = remote)]
    broker: Option<Broker>,
    #[command(flatten)]
    login: Login,
    /// The box's own way in, from `broker.sh add-box`.
    #[arg(long, value_name = "FOLDER")]
    box_files: Option<PathBuf>,
    /// `v4l2:auto`, `v4l2:/dev/video0` or `replay:PATH`.
    #[arg(long, value_name = "SOURCE")]
    camera: Option<Source>,
    /// none, rppal or gpiochip, and `:R,G,B,CAMERA`.
    #[arg(long, value_name = "DRIVER[:PINS]", value_parser = wiring)]
    leds: Option<Wiring>,
    /// A library that the box shall know.
    #[arg(long, value_name = "FILE", conflicts_with = "boot")]
    library: Option<PathBuf>,
}

/// How LEDs are driven, and at which pins they are, by BCM numbers, where that is said: red, green, blue, the camera's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wiring {
    driver: LedDriver,
    pins: Option<[u8; 4]>,
}

fn wiring(text: &str) -> Result<Wiring, String> {
    let (driver, pins) = text.split_once(':').map_or((text, None), |(driver, pins)| (driver, Some(pins)));
    let driver = match driver {
        "none" => LedDriver::None,
        "rppal" => LedDriver::Rppal,
        "gpiochip" => LedDriver::Gpiochip,
        _ => return Err("known are none, rppal and gpiochip, perhaps with pins as in rppal:17,27,22,23".to_owned()),
    };
    let read = |pins: &str| -> Option<[u8; 4]> {
        let pins = pins.split(',').map(|pin| pin.parse::<u8>().ok()).collect::<Option<Vec<_>>>()?;
        pins.try_into().ok()
    };
    match pins.map(read) {
        Some(None) => Err("pins are four numbers, as in rppal:17,27,22,23".to_owned()),
        pins => Ok(Wiring { driver, pins: pins.flatten() }),
    }
}

pub(crate) fn run(arguments: &Arguments, json: bool) -> Result<(), Failure> {
    match &arguments.boot {
        Some(folder) if arguments.undo => card::undo(folder, json),
        Some(folder) => card::set_up(folder, arguments, json),
        None if arguments.undo => over_ssh::undo(&arguments.destination, json),
        None => over_ssh::set_up(arguments, json),
    }
}

impl Arguments {
    fn package(&self) -> Result<&PathBuf, Failure> {
        self.package.as_ref().ok_or_else(|| Failure::Input(anyhow!("name the package with --package FILE")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leds_are_named_with_or_without_their_pins() {
        assert_eq!(wiring("none"), Ok(Wiring { driver: LedDriver::None, pins: None }));
        let pins = Some([5, 6, 13, 19]);
        assert_eq!(wiring("rppal:5,6,13,19"), Ok(Wiring { driver: LedDriver::Rppal, pins }));
        for wrong in ["", "terminal", "rppal:", "rppal:1,2,3", "rppal:1,2,3,4,5", "gpiochip:1,2,3,x"] {
            assert!(wiring(wrong).is_err(), "{wrong}");
        }
    }
}
