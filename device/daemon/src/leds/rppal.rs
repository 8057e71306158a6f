//! A Raspberry Pi's pins, dimmed by PWM in software.
//!
//! Only two pins of the header can have a PWM channel of their own at a time, and a mood light takes three. The crate
//! writes the pins' registers past the kernel, which is therefore asked first whether somebody holds them. Who writes the
//! registers as well is seen by nobody.

use std::io;
use std::time::Duration;

use gpiocdev::chip::{self, Chip};
use moodbox_core::config::{self, Common};
use moodbox_core::led::Levels;
use rppal::gpio::{Error, Gpio, Level, OutputPin};

use super::gpiochip::held;
use super::{LedError, Leds};

/// 100 Hz: above what the eye sees as flicker, and each lit pin takes some 3 % of a core.
const PERIOD_US: u32 = 10_000;

/// What the kernel calls the chips behind the header, up to the Raspberry Pi 4 and on the 5; their lines have the numbers of
/// the pins.
const HEADERS: [&str; 2] = ["pinctrl-bcm2", "pinctrl-rp1"];

/// The pins.
pub(super) struct PwmPins {
    red: Light,
    green: Light,
    blue: Light,
    camera: Light,
}

impl PwmPins {
    pub(super) fn open(config: &config::Leds) -> Result<Self, LedError> {
        let gpio = Gpio::new().map_err(explain)?;
        require_free([config.red.0, config.green.0, config.blue.0, config.camera_on.0])?;
        let light = |pin: u32| Light::open(&gpio, pin, config.common);
        Ok(Self {
            red: light(config.red.0)?,
            green: light(config.green.0)?,
            blue: light(config.blue.0)?,
            camera: light(config.camera_on.0)?,
        })
    }
}

/// Refuses pins that another program, or a driver in the kernel, holds. A chip that may not be opened says nothing.
fn require_free(pins: [u32; 4]) -> Result<(), LedError> {
    for path in chip::chips().unwrap_or_default() {
        let Ok(chip) = Chip::from_path(&path) else { continue };
        let is_header = chip.info().is_ok_and(|info| HEADERS.iter().any(|label| info.label.starts_with(label)));
        if is_header && let Some(error) = pins.iter().find_map(|pin| held(&chip, &path, *pin)) {
            return Err(error);
        }
    }
    Ok(())
}

impl Leds for PwmPins {
    fn show(&mut self, levels: Levels) -> Result<(), LedError> {
        self.red.set(levels.red)?;
        self.green.set(levels.green)?;
        self.blue.set(levels.blue)?;
        self.camera.set(levels.camera)
    }
}

struct Light {
    pin: OutputPin,
    common: Common,
    /// Time that the pin is high in a period.
    high_us: u32,
}

impl Light {
    fn open(gpio: &Gpio, pin: u32, common: Common) -> Result<Self, LedError> {
        let number = u8::try_from(pin).map_err(|_| LedError::NoPin(u8::MAX))?;
        let pin = gpio.get(number).map_err(explain)?;
        // Dark before it is an output, so that nothing flashes.
        let high_us = high_us(0.0, common);
        let pin = if high_us == 0 { pin.into_output_low() } else { pin.into_output_high() };
        Ok(Self { pin, common, high_us })
    }

    fn set(&mut self, level: f32) -> Result<(), LedError> {
        let high_us = high_us(level, self.common);
        if high_us == self.high_us {
            return Ok(());
        }
        self.high_us = high_us;
        // A thread of the crate keeps time for a pin in between; a pin that does not change needs none.
        match high_us {
            0 | PERIOD_US => {
                self.pin.clear_pwm().map_err(explain)?;
                self.pin.write(Level::from(high_us > 0));
                Ok(())
            }
            _ => {
                let micros = |us: u32| Duration::from_micros(us.into());
                self.pin.set_pwm(micros(PERIOD_US), micros(high_us)).map_err(explain)
            }
        }
    }
}

impl Drop for Light {
    /// Goes out. The crate then makes an input of the pin, if that is what it was.
    fn drop(&mut self) {
        let _ = self.set(0.0);
    }
}

/// Time that a pin is high in a period, for a level from 0 to 1.
fn high_us(level: f32, common: Common) -> u32 {
    let lit = (level.clamp(0.0, 1.0) * PERIOD_US as f32) as u32;
    match common {
        Common::Cathode => lit,
        Common::Anode => PERIOD_US - lit,
    }
}

fn explain(error: Error) -> LedError {
    match error {
        Error::PermissionDenied(path) => LedError::Denied(path.into()),
        Error::UnknownModel => LedError::UnknownBoard,
        Error::PinNotAvailable(pin) => LedError::NoPin(pin),
        Error::Io(error) => LedError::Io(error),
        error @ (Error::PinUsed(_) | Error::ThreadPanic) => LedError::Io(io::Error::other(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_common_anode_lights_while_the_pin_is_low() {
        assert_eq!([0.0, 0.25, 1.0].map(|level| high_us(level, Common::Cathode)), [0, 2_500, 10_000]);
        assert_eq!([0.0, 0.25, 1.0].map(|level| high_us(level, Common::Anode)), [10_000, 7_500, 0]);
    }

    #[test]
    fn levels_out_of_range_are_the_nearest_in_it() {
        assert_eq!([-1.0, 2.0, f32::NAN].map(|level| high_us(level, Common::Cathode)), [0, 10_000, 0]);
    }
}
