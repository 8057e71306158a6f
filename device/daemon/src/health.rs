//! How the machine and the process are doing, read from `/proc` and `/sys`.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Frame times that the percentiles are taken over.
const WINDOW: usize = 600;

/// Reads the machine's state below a root folder, which is `/` but in tests.
#[derive(Debug, Clone)]
pub struct Machine {
    root: PathBuf,
}

impl Default for Machine {
    fn default() -> Self {
        Self::new(Path::new("/"))
    }
}

impl Machine {
    /// The machine whose files lie below `root`.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Resident memory of this process, in MB of 10^6 bytes.
    #[must_use]
    pub fn resident_mb(&self) -> Option<f32> {
        self.memory_mb("VmRSS:")
    }

    /// The most that this process has had resident, in MB of 10^6 bytes.
    #[must_use]
    pub fn peak_resident_mb(&self) -> Option<f32> {
        self.memory_mb("VmHWM:")
    }

    fn memory_mb(&self, field: &str) -> Option<f32> {
        let status = fs::read_to_string(self.root.join("proc/self/status")).ok()?;
        let line = status.lines().find_map(|l| l.strip_prefix(field))?;
        let kib: f32 = line.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kib * 1024.0 / 1e6)
    }

    /// Temperature of the processor, in degrees Celsius.
    #[must_use]
    pub fn temperature_c(&self) -> Option<f32> {
        let text = fs::read_to_string(self.root.join("sys/class/thermal/thermal_zone0/temp")).ok()?;
        Some(text.trim().parse::<f32>().ok()? / 1000.0)
    }

    /// Whether the firmware of a Raspberry Pi lowers the clock now, for heat or for want of power: the low four bits of
    /// its `get_throttled` word.
    #[must_use]
    pub fn throttled(&self) -> Option<bool> {
        // By way of the driver, for each board calls the device by another name.
        let devices = fs::read_dir(self.root.join("sys/bus/platform/drivers/raspberrypi-firmware")).ok()?;
        let text = devices.flatten().find_map(|entry| fs::read_to_string(entry.path().join("get_throttled")).ok())?;
        let word = u32::from_str_radix(text.trim().trim_start_matches("0x"), 16).ok()?;
        Some(word & 0xf != 0)
    }
}

/// The times of the last frames.
#[derive(Debug, Default)]
pub struct FrameTimes {
    latest: VecDeque<Duration>,
    frames: u64,
}

impl FrameTimes {
    /// Adds the time that one frame took.
    pub fn push(&mut self, time: Duration) {
        if self.latest.len() == WINDOW {
            self.latest.pop_front();
        }
        self.latest.push_back(time);
        self.frames += 1;
    }

    /// All frames since the start.
    #[must_use]
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// The time that a share (0..1) of the last frames stayed under, in milliseconds; 0 before the first.
    #[must_use]
    pub fn percentile_ms(&self, share: f32) -> f32 {
        let mut sorted: Vec<_> = self.latest.iter().collect();
        sorted.sort_unstable();
        let index = (share * sorted.len() as f32) as usize;
        sorted.get(index.min(sorted.len().saturating_sub(1))).map_or(0.0, |time| time.as_secs_f32() * 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_raspberry_pi_is_read() {
        let root = tempfile::tempdir().unwrap();
        let machine = Machine::new(root.path());
        assert_eq!((machine.resident_mb(), machine.temperature_c(), machine.throttled()), (None, None, None));
        for (path, text) in [
            ("proc/self/status", "Name:\tmoodboxd\nVmRSS:\t   50000 kB\n"),
            ("sys/class/thermal/thermal_zone0/temp", "61224\n"),
        ] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        assert_eq!(machine.resident_mb(), Some(51.2));
        assert_eq!(machine.temperature_c(), Some(61.224));
    }

    #[test]
    fn each_board_says_that_its_clock_is_lowered() {
        // A Raspberry Pi 3 or 4, and a 5, as the kernel lays out their files.
        for (soc, firmware) in [("soc", "soc:firmware"), ("soc@107c000000", "soc@107c000000:firmware")] {
            let root = tempfile::tempdir().unwrap();
            let device = root.path().join("sys/devices/platform").join(soc).join(firmware);
            let driver = root.path().join("sys/bus/platform/drivers/raspberrypi-firmware");
            fs::create_dir_all(&device).unwrap();
            fs::create_dir_all(&driver).unwrap();
            fs::write(driver.join("uevent"), "").unwrap();
            symlink(&device, driver.join(firmware)).unwrap();
            for (word, lowered) in [("50005\n", true), ("50000\n", false)] {
                fs::write(device.join("get_throttled"), word).unwrap();
                assert_eq!(Machine::new(root.path()).throttled(), Some(lowered), "{firmware} {word}");
            }
        }
    }

    #[test]
    fn percentiles_are_over_the_last_frames() {
        let mut times = FrameTimes::default();
        assert!(times.percentile_ms(0.5).abs() < f32::EPSILON);
        for ms in 0..2 * WINDOW as u64 {
            times.push(Duration::from_millis(ms));
        }
        assert!((times.percentile_ms(0.5) - 900.0).abs() < 0.01);
        assert!((times.percentile_ms(1.0) - 1199.0).abs() < 0.01);
        assert_eq!(times.frames(), 1200);
    }
}
