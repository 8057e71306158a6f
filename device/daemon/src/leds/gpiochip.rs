//! Lines of a GPIO chip of any Linux board, through the kernel: on and off only.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

use gpiocdev::chip::Chip;
use gpiocdev::line::{Offset, Value, Values};
use gpiocdev::{Error, Request};
use moodbox_core::config::{self, Common};
use moodbox_core::led::Levels;

use super::{LedError, Leds, OnOff};

/// The lines, held for this process alone.
pub(super) struct Lines {
    request: Request,
    colours: [Offset; 3],
    camera: Offset,
    shown: OnOff,
}

impl Lines {
    pub(super) fn open(config: &config::Leds) -> Result<Self, LedError> {
        let offsets = [config.red, config.green, config.blue, config.camera_on].map(|line| line.0);
        let [red, green, blue, camera] = offsets;
        let mut request = Request::builder();
        request.on_chip(&config.chip).with_consumer("moodbox").with_lines(&offsets).as_output(Value::Inactive);
        if config.common == Common::Anode {
            request.as_active_low();
        }
        let request = request.request().map_err(|error| refusal(error, &config.chip, &offsets))?;
        Ok(Self { request, colours: [red, green, blue], camera, shown: OnOff::default() })
    }
}

impl Leds for Lines {
    fn show(&mut self, levels: Levels) -> Result<(), LedError> {
        let wanted = OnOff::of(levels);
        if wanted == self.shown {
            return Ok(());
        }
        let mut values = Values::default();
        for (line, lit) in self.colours.into_iter().zip(wanted.colours) {
            values.set(line, lit.into());
        }
        values.set(self.camera, wanted.camera.into());
        self.request.set_values(&values).map_err(io::Error::other)?;
        self.shown = wanted;
        Ok(())
    }
}

impl Drop for Lines {
    /// Goes out: what a line shows after it was let go is up to its driver.
    fn drop(&mut self) {
        let _ = self.show(Levels::default());
    }
}

/// Finds out what is behind a refused request for lines: the crate passes the kernel's bare number on.
pub(crate) fn refusal(error: Error, path: &Path, offsets: &[Offset]) -> LedError {
    if let Error::GpioChip(..) = error {
        return LedError::NotAChip(path.to_owned());
    }
    let chip = match File::open(path).map(|_| Chip::from_path(path)) {
        Ok(Ok(chip)) => chip,
        Err(error) if error.kind() == ErrorKind::NotFound => return LedError::NoChip(path.to_owned()),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return LedError::Denied(path.to_owned()),
        _ => return LedError::Io(io::Error::other(error)),
    };
    let lines = chip.info().map_or(u32::MAX, |info| info.num_lines);
    for &line in offsets {
        if line >= lines {
            return LedError::NoLine { chip: path.to_owned(), line, lines };
        }
        if let Some(error) = held(&chip, path, line) {
            return error;
        }
    }
    LedError::Io(io::Error::other(error))
}

/// Who holds a line of a chip, if somebody does.
pub(super) fn held(chip: &Chip, path: &Path, line: Offset) -> Option<LedError> {
    let info = chip.line_info(line).ok().filter(|info| info.used)?;
    let holder = if info.consumer.is_empty() { "the kernel".to_owned() } else { info.consumer };
    Some(LedError::Held { chip: path.to_owned(), line, holder })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(chip: &str) -> String {
        let config = config::Leds { chip: chip.into(), ..config::Leds::default() };
        Lines::open(&config).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_chip_that_is_none_is_refused_in_one_line() {
        assert_eq!(refused("/dev/gpiochip-none"), "/dev/gpiochip-none is not there: choose another with leds.chip");
        assert_eq!(refused("/dev/null"), "/dev/null is not a GPIO chip: choose another with leds.chip");
        assert_eq!(refused("/"), "/ is not a GPIO chip: choose another with leds.chip");
    }
}
