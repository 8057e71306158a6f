//! What `box.sh look` has found on a machine.

use anyhow::anyhow;
use moodbox_core::config::{Config, DeviceId};

use crate::failure::Failure;
use crate::plain::plain;
use crate::ssh::Session;

/// What is done on the box.
pub(super) const SCRIPT: &str = include_str!("box.sh");

/// Version of what script and tool say to each other.
const PROTOCOL: &str = "1";

/// How to become root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    /// It is who logs in.
    Already,
    Sudo,
    /// `sudo`, which wants a password.
    SudoWithPassword,
    Never,
}

/// A machine before it is set up.
#[derive(Debug, PartialEq)]
pub(super) struct Found {
    pub(super) os: String,
    pub(super) arch: String,
    /// Empty where the machine does not say it.
    pub(super) board: String,
    pub(super) free_mb: u64,
    pub(super) root: Root,
    pub(super) systemd: bool,
    pub(super) gpio: bool,
    pub(super) id: Option<DeviceId>,
    /// Version of moodboxd that is installed.
    pub(super) installed: Option<String>,
    /// Path and name of each.
    pub(super) cameras: Vec<(String, String)>,
    /// The text of its configuration.
    pub(super) config: Option<String>,
}

impl Found {
    pub(super) fn by(session: &Session) -> Result<Self, Failure> {
        let output = session.run("sh -s look", SCRIPT.as_bytes())?;
        let text = String::from_utf8_lossy(&output.stdout);
        Self::read(&text).ok_or_else(|| {
            let reason = "is no Debian or Raspberry Pi OS that could be looked at; nothing was changed";
            Failure::Finding(anyhow!("{} {reason}", session.host()))
        })
    }

    /// From lines KEY=VALUE; nothing where what every machine has is missing.
    fn read(text: &str) -> Option<Self> {
        let values = |key: &'static str| text.lines().filter_map(move |line| line.strip_prefix(key)?.strip_prefix('='));
        let value = |key| values(key).next().map(|value| plain(value.trim())).filter(|value| !value.is_empty());
        if value("protocol")? != PROTOCOL {
            return None;
        }
        let root = match value("root")?.as_str() {
            "root" => Root::Already,
            "yes" => Root::Sudo,
            "password" => Root::SudoWithPassword,
            _ => Root::Never,
        };
        let camera = |line: &str| line.split_once(' ').map(|(path, name)| (plain(path.trim()), plain(name.trim())));
        Some(Self {
            os: value("os")?,
            arch: value("arch")?,
            board: value("board").unwrap_or_default(),
            free_mb: value("free_mb")?.parse().ok()?,
            root,
            systemd: value("systemd")? == "yes",
            gpio: value("gpio")? == "yes",
            id: value("id").and_then(|id| DeviceId::try_from(id).ok()),
            installed: value("installed"),
            cameras: values("camera").filter_map(camera).collect(),
            config: value("installed_config").map(|_| values("config").flat_map(|line| [line, "\n"]).collect()),
        })
    }

    /// The configuration that the box has, as far as this version can read it.
    pub(super) fn configuration(&self) -> Option<Config> {
        Config::parse(self.config.as_deref()?).ok()
    }

    /// What a person should know before deciding.
    pub(super) fn lines(&self) -> Vec<String> {
        let board = if self.board.is_empty() { "a machine" } else { &self.board };
        let mut lines = vec![format!("{board}, {}, {}, {} MB free", self.os, self.arch, self.free_mb)];
        lines.push(if self.cameras.is_empty() {
            "no camera".to_owned()
        } else {
            let each = self.cameras.iter().map(|(path, name)| format!("{name} ({path})"));
            format!("camera: {}", each.collect::<Vec<_>>().join(", "))
        });
        lines.push(if self.gpio { "pins for LEDs" } else { "no pins for LEDs" }.to_owned());
        lines.push(match &self.installed {
            Some(version) => format!("moodboxd {version} is installed"),
            None => "no moodboxd yet".to_owned(),
        });
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: &str = "protocol=1\nos=Debian GNU/Linux 13 (trixie)\narch=arm64\nboard=Raspberry Pi 4\nfree_mb=12034\n\
                        root=password\nid=10000000a1b2c3d4\nsystemd=yes\ngpio=yes\ninstalled=\n\
                        camera=/dev/video0 HD Web\u{7}cam: HD Webcam\ncamera=/dev/video2 Other\ninstalled_config=yes\n\
                        config=[device]\nconfig=name = \"A\"\n";

    #[test]
    fn a_look_is_read() {
        let found = Found::read(LOOK).unwrap();
        assert_eq!((found.root, found.free_mb, &found.installed), (Root::SudoWithPassword, 12034, &None));
        assert_eq!(found.cameras[0], ("/dev/video0".to_owned(), "HD Webcam: HD Webcam".to_owned()));
        assert_eq!(found.configuration().unwrap().device.name, "A");
        insta::assert_snapshot!(found.lines().join("\n"));
    }

    #[test]
    fn what_is_no_look_is_not_read() {
        assert_eq!(Found::read(""), None);
        assert_eq!(Found::read(&LOOK.replace("protocol=1", "protocol=2")), None);
        assert_eq!(Found::read(&LOOK.replace("12034", "much")), None);
    }
}
