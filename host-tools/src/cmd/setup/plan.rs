//! What will be done to a machine, before any of it is.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use moodbox_core::config::DeviceId;

use super::configuration::{self, Decisions};
use super::credentials::Credentials;
use crate::failure::Failure;

/// What Avahi shall say about the box.
const ANNOUNCEMENT: &str = include_str!("../../../../deploy/avahi/moodbox.service");

/// All that is needed to do it.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) package: PathBuf,
    pub(super) package_bytes: u64,
    pub(super) decisions: Decisions,
    /// Name and content of the small files for `box.sh`.
    pub(super) files: Vec<(&'static str, Vec<u8>)>,
}

impl Plan {
    /// `before` is the configuration that the machine has.
    pub(super) fn new(
        package: &Path,
        decisions: Decisions,
        credentials: Credentials,
        before: Option<&str>,
    ) -> Result<Self, Failure> {
        let size = fs::metadata(package).with_context(|| format!("cannot read {}", package.display()))?.len();
        let config = configuration::text(before, &decisions)?;
        let id = decisions.id.as_ref().map_or("", DeviceId::as_str);
        let announcement = ANNOUNCEMENT.replace("id=ID", &format!("id={id}"));
        let mut files = vec![("moodbox.toml", config.into_bytes()), ("moodbox.service", announcement.into_bytes())];
        files.extend(credentials.password.map(|password| ("password", password)));
        files.extend(credentials.authority.filter(|_| decisions.own_authority).map(|pem| ("ca.pem", pem)));
        Ok(Self { package: package.to_owned(), package_bytes: size, decisions, files })
    }

    /// Space that the machine needs for it, in MB: the package twice, and all that is in it twice, once to look at it.
    pub(super) fn needs_mb(&self) -> u64 {
        20 + 8 * self.package_bytes.div_ceil(1_000_000)
    }

    /// The package's file, to be read.
    pub(super) fn open_package(&self) -> Result<fs::File, Failure> {
        Ok(fs::File::open(&self.package).with_context(|| format!("cannot read {}", self.package.display()))?)
    }

    /// The package's name on this computer.
    pub(super) fn package_name(&self) -> Result<String, Failure> {
        let name = self.package.file_name().ok_or_else(|| anyhow!("{} is no file", self.package.display()))?;
        Ok(name.to_string_lossy().into_owned())
    }

    /// What a person agrees to.
    pub(super) fn lines(&self) -> Result<Vec<String>, Failure> {
        let Decisions { name, room, broker, username, camera, leds, .. } = &self.decisions;
        let megabytes = self.package_bytes as f64 / 1e6;
        let place = room.as_ref().map_or_else(String::new, |room| format!(" in {room}"));
        let leds = configuration::driver(*leds);
        let user = username.as_ref().map_or_else(String::new, |user| format!(" as {user}"));
        let mut lines = vec![
            format!(
                "write /etc/moodbox/moodbox.toml: {name}{place}, camera {camera}, LEDs {leds}, broker {broker}{user}"
            ),
            format!("install {} ({megabytes:.1} MB)", self.package_name()?),
            "start the service, now and whenever the box starts".to_owned(),
        ];
        if username.is_some() {
            lines.insert(1, "keep the broker's password in /etc/moodbox/password, for root alone".to_owned());
        }
        Ok(lines)
    }
}
