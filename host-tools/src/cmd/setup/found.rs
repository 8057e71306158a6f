//! What `box.sh look` has found on a machine.

use std::fmt;
use std::path::Path;

use anyhow::anyhow;
use moodbox_core::config::{Config, DeviceId, Source};

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

/// A camera of the machine.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Camera {
    /// Where it is found again after a reboot, as far as udev has such a name.
    pub(super) path: String,
    /// Where it is now: `/dev/videoN`.
    pub(super) node: String,
    /// As it calls itself.
    pub(super) name: String,
}

impl Camera {
    /// From a line `PATH NODE NAME`.
    fn read(line: &str) -> Option<Self> {
        let mut words = line.splitn(3, ' ').map(|word| plain(word.trim()));
        Some(Self { path: words.next()?, node: words.next()?, name: words.next()? })
    }

    /// As the configuration names it.
    pub(super) fn source(&self) -> Source {
        Source::V4l2(self.path.clone().into())
    }

    /// Whether the configuration means this one, by whichever of its names.
    pub(super) fn is(&self, source: &Source) -> bool {
        matches!(source, Source::V4l2(path) if [&self.path, &self.node].map(Path::new).contains(&path.as_path()))
    }
}

impl fmt::Display for Camera {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.node)
    }
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
    pub(super) cameras: Vec<Camera>,
    /// The text of its configuration.
    pub(super) config: Option<String>,
    /// It has one that who logs in may not read.
    pub(super) config_is_hidden: bool,
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
            cameras: values("camera").filter_map(Camera::read).collect(),
            config: (value("installed_config").as_deref() == Some("yes"))
                .then(|| values("config").flat_map(|line| [line, "\n"]).collect()),
            config_is_hidden: value("installed_config").as_deref() == Some("hidden"),
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
            let each: Vec<_> = self.cameras.iter().map(Camera::to_string).collect();
            format!("camera: {}", each.join(", "))
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
                        camera=/dev/v4l/by-id/usb-HD-index0 /dev/video0 HD Web\u{7}cam: HD Webcam\n\
                        camera=/dev/video2 /dev/video2 Other\ninstalled_config=yes\nconfig=[device]\nconfig=name = \"A\"\n";

    #[test]
    fn a_look_is_read() {
        let found = Found::read(LOOK).unwrap();
        assert_eq!((found.root, found.free_mb, &found.installed), (Root::SudoWithPassword, 12034, &None));
        let [path, node, name] =
            ["/dev/v4l/by-id/usb-HD-index0", "/dev/video0", "HD Webcam: HD Webcam"].map(ToOwned::to_owned);
        assert_eq!(found.cameras[0], Camera { path, node, name });
        let source = |text: &str| text.parse::<Source>().unwrap();
        assert_eq!(found.cameras[0].source(), source("v4l2:/dev/v4l/by-id/usb-HD-index0"));
        for chosen in ["v4l2:/dev/v4l/by-id/usb-HD-index0", "v4l2:/dev/video0"] {
            assert!(found.cameras[0].is(&source(chosen)) && !found.cameras[1].is(&source(chosen)), "{chosen}");
        }
        assert_eq!(found.configuration().unwrap().device.name, "A");
        assert!(!found.config_is_hidden);
        insta::assert_snapshot!(found.lines().join("\n"));
        let hidden = Found::read(&LOOK.replace("config=yes", "config=hidden")).unwrap();
        assert!(hidden.config_is_hidden && hidden.config.is_none());
    }

    #[test]
    #[cfg(unix)]
    fn a_camera_is_found_by_the_name_that_lasts_longest() {
        use std::fs;
        use std::os::unix::fs::symlink;
        use std::process::Command;

        let machine = tempfile::tempdir().unwrap();
        let at = |path: &str| machine.path().join(path);
        for folder in ["dev/v4l/by-id", "dev/v4l/by-path", "sys/video0", "sys/video1", "sys/video2", "sys/video3"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        for (number, index) in [(0, 0), (1, 1), (2, 0), (3, 0)] {
            fs::write(at(&format!("dev/video{number}")), "").unwrap();
            fs::write(at(&format!("sys/video{number}/name")), format!("Cam {number}\n")).unwrap();
            fs::write(at(&format!("sys/video{number}/index")), format!("{index}\n")).unwrap();
        }
        for (link, target) in [
            ("by-id/usb-Cam_0-video-index0", "video0"),
            ("by-id/usb-Gone-video-index0", "video9"),
            ("by-path/pci-0:1-video-index0", "video0"),
            ("by-path/pci-0:2-video-index0", "video2"),
        ] {
            symlink(format!("../../{target}"), at(&format!("dev/v4l/{link}"))).unwrap();
        }
        let [dev, sys] = ["dev", "sys"].map(|folder| at(folder).canonicalize().unwrap().display().to_string());
        let script = SCRIPT
            .replace("\nDEV=/dev\n", &format!("\nDEV={dev}\n"))
            .replace("\nVIDEO=/sys/class/video4linux\n", &format!("\nVIDEO={sys}\n"));
        let output = Command::new("sh").args(["-c", &script, "sh", "look"]).output().unwrap();
        let look = String::from_utf8(output.stdout).unwrap().replace(&dev, "/dev");
        let cameras: Vec<_> = look.lines().filter_map(|line| line.strip_prefix("camera=")).collect();
        assert_eq!(
            cameras,
            [
                "/dev/v4l/by-id/usb-Cam_0-video-index0 /dev/video0 Cam 0",
                "/dev/v4l/by-path/pci-0:2-video-index0 /dev/video2 Cam 2",
                "/dev/video3 /dev/video3 Cam 3",
            ]
        );
    }

    #[test]
    fn what_is_no_look_is_not_read() {
        assert_eq!(Found::read(""), None);
        assert_eq!(Found::read(&LOOK.replace("protocol=1", "protocol=2")), None);
        assert_eq!(Found::read(&LOOK.replace("12034", "much")), None);
    }
}
