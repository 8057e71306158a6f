//! Which box this is: an id that outlives a new SD card where the hardware has one, and the board's name.

use std::fs;
use std::path::{Path, PathBuf};

use moodbox_core::config::DeviceId;

/// The id used in topics: the board's serial number, else the first wired network card's address, else the machine id,
/// else `moodbox`. `root` is `/` but in tests.
#[must_use]
pub fn device_id(root: &Path) -> DeviceId {
    board_serial(root)
        .or_else(|| network_address(root))
        .or_else(|| machine_id(root))
        .and_then(|id| DeviceId::try_from(id).ok())
        .unwrap_or_default()
}

/// The board's name, such as `Raspberry Pi 4 Model B Rev 1.4`, or the kind of machine.
#[must_use]
pub fn board(root: &Path) -> String {
    read(root, "proc/device-tree/model").unwrap_or_else(|| format!("Linux {}", std::env::consts::ARCH))
}

fn board_serial(root: &Path) -> Option<String> {
    let serial = read(root, "proc/device-tree/serial-number")?.to_lowercase();
    let digits = serial.trim_start_matches('0');
    (digits.len() >= 4).then(|| digits.to_owned())
}

/// The address of the alphabetically first wired network card. A wireless one may have a random address until it has found
/// its network.
fn network_address(root: &Path) -> Option<String> {
    let interfaces = fs::read_dir(root.join("sys/class/net")).ok()?;
    let is_wired = |path: &PathBuf| path.join("device").exists() && !path.join("phy80211").exists();
    let mut wired: Vec<_> = interfaces.flatten().map(|i| i.path()).filter(is_wired).collect();
    wired.sort();
    let addresses = wired.iter().filter_map(|path| text(&path.join("address")));
    addresses.map(|address| address.replace(':', "")).find(|digits| digits.len() == 12 && digits != "000000000000")
}

fn machine_id(root: &Path) -> Option<String> {
    read(root, "etc/machine-id").filter(|id| id.len() >= 16).map(|id| id.chars().take(16).collect())
}

fn read(root: &Path, path: &str) -> Option<String> {
    text(&root.join(path))
}

fn text(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.trim_matches(['\0', '\n', ' ']).to_owned()).filter(|t| !t.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn the_best_id_there_is() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        assert_eq!(device_id(root).as_str(), "moodbox");
        write(root, "etc/machine-id", "8d5e0c1f2b3a49586778695a4b3c2d1e\n");
        assert_eq!(device_id(root).as_str(), "8d5e0c1f2b3a4958");
        write(root, "sys/class/net/lo/address", "00:00:00:00:00:00\n");
        write(root, "sys/class/net/a-wlan0/device/x", "");
        write(root, "sys/class/net/a-wlan0/phy80211/x", "");
        write(root, "sys/class/net/a-wlan0/address", "4a:00:11:22:33:44\n");
        assert_eq!(device_id(root).as_str(), "8d5e0c1f2b3a4958");
        write(root, "sys/class/net/eth0/device/x", "");
        write(root, "sys/class/net/eth0/address", "dc:a6:32:01:02:03\n");
        assert_eq!(device_id(root).as_str(), "dca632010203");
        write(root, "proc/device-tree/serial-number", "10000000A1B2C3D4\0");
        assert_eq!(device_id(root).as_str(), "10000000a1b2c3d4");
    }
}
