//! What the box says to the broker to be let in.

use std::fs;
use std::path::Path;

use anyhow::Context;
use moodbox_core::config::{Broker, Config, DeviceId};

use super::Wishes;
use crate::failure::Failure;
use crate::mqtt::Login;

/// The box's way into the broker.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    /// As this computer would use it, to try it before the box does.
    pub(super) login: Option<Login>,
    pub(super) username: Option<String>,
    /// The content of the file.
    pub(super) password: Option<Vec<u8>>,
    /// The certificate of the broker's authority, in PEM form.
    pub(super) authority: Option<Vec<u8>>,
    /// The id under which the broker knows the box, where that was made known.
    pub(super) id: Option<DeviceId>,
    pub(super) broker: Option<Broker>,
}

impl Credentials {
    /// Those that were made for the box, or else those of this computer.
    pub(super) fn of(wishes: &Wishes) -> Result<Self, Failure> {
        if let Some(folder) = &wishes.box_files {
            return Self::made_for_the_box(folder, &wishes.login);
        }
        let login = &wishes.login;
        Ok(Self {
            login: None,
            username: login.username.clone(),
            password: login.password_file.as_deref().map(|path| read("--password-file", path)).transpose()?,
            authority: login.ca_file.as_deref().map(|path| read("--ca-file", path)).transpose()?,
            ..Self::default()
        })
    }

    /// From the folder that `broker.sh add-box` made.
    fn made_for_the_box(folder: &Path, ours: &Login) -> Result<Self, Failure> {
        let [settings, password, authority] = ["mqtt.toml", "password", "ca.pem"].map(|name| folder.join(name));
        let text = String::from_utf8(read("--box-files", &settings)?).context("--box-files: mqtt.toml is no text")?;
        let config = Config::parse(&text).with_context(|| format!("--box-files: {}", settings.display()))?;
        Ok(Self {
            password: Some(read("--box-files", &password)?),
            authority: Some(read("--box-files", &authority)?),
            login: Some(Login {
                username: config.mqtt.username.clone(),
                password_file: Some(password),
                ca_file: Some(authority),
                base_topic: ours.base_topic.clone(),
            }),
            username: config.mqtt.username,
            id: config.device.id,
            broker: Some(config.mqtt.broker),
        })
    }
}

fn read(option: &str, path: &Path) -> Result<Vec<u8>, Failure> {
    Ok(fs::read(path).with_context(|| format!("{option}: cannot read {}", path.display()))?)
}
