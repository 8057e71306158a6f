//! The configuration of a box, as text in which the comments survive.

use anyhow::anyhow;
use moodbox_core::config::{Broker, Config, ConfigError, DeviceId, LedDriver, Source};
use serde_json::{Value as Json, json};
use toml_edit::Value;

use crate::document;
use crate::failure::Failure;

/// What a box has that was never set up.
const EXAMPLE: &str = include_str!("../../../../deploy/moodbox.toml");

/// Where the service finds what only root may read.
const PASSWORD_FILE: &str = "/run/credentials/moodboxd.service/password";
/// Where the broker's authority lies on a box.
const CA_FILE: &str = "/etc/moodbox/ca.pem";

/// What is decided about a box.
#[derive(Debug)]
pub(super) struct Decisions {
    pub(super) name: String,
    /// Nothing for a box that is in none.
    pub(super) room: Option<String>,
    pub(super) id: Option<DeviceId>,
    pub(super) broker: Broker,
    /// First part of the topics under which the box speaks.
    pub(super) base_topic: String,
    /// The box's user of the broker, where it has one.
    pub(super) username: Option<String>,
    /// Whether the box gets the certificate of the broker's authority.
    pub(super) own_authority: bool,
    pub(super) camera: Source,
    pub(super) leds: LedDriver,
    /// Red, green, blue and the camera's.
    pub(super) pins: Option<[u8; 4]>,
}

impl Decisions {
    /// Keys with their values that can be set on a running box as well, which then counts more than the file.
    pub(super) fn settable(&self) -> Vec<(&'static str, Json)> {
        let mut keys = vec![("device.name", json!(self.name)), ("camera.source", json!(self.camera.to_string()))];
        if let Some([red, green, blue, _]) = self.pins {
            keys.extend([("leds.red", json!(red)), ("leds.green", json!(green)), ("leds.blue", json!(blue))]);
        }
        keys
    }
}

/// The text with the decisions in it. What they do not touch stays as it is; a text that cannot be read is refused with its
/// line.
pub(super) fn text(before: Option<&str>, decisions: &Decisions) -> Result<String, Failure> {
    let before = before.unwrap_or(EXAMPLE);
    let refused = |error: ConfigError, which: &str| Failure::Input(anyhow!(error).context(which.to_owned()));
    let mut text = before.to_owned();
    let mut set = |section: &str, key: &str, value: Option<Value>| {
        let changed = match value {
            Some(value) => document::with(&text, section, key, value),
            None => document::without(&text, section, key),
        };
        text = changed.map_err(|error| {
            let line = error.span().map_or(0, |span| before[..span.start.min(before.len())].matches('\n').count() + 1);
            Failure::Input(anyhow!("the box's moodbox.toml: line {line}: {}; mend it first", error.message()))
        })?;
        Ok::<_, Failure>(())
    };
    set("device", "name", Some(decisions.name.as_str().into()))?;
    set("device", "room", decisions.room.as_deref().map(Into::into))?;
    if let Some(id) = &decisions.id {
        set("device", "id", Some(id.as_str().into()))?;
    }
    set("camera", "source", Some(decisions.camera.to_string().into()))?;
    set("leds", "driver", Some(driver(decisions.leds).into()))?;
    if let Some(pins) = decisions.pins {
        for (key, pin) in ["red", "green", "blue", "camera_on"].into_iter().zip(pins) {
            set("leds", key, Some(i64::from(pin).into()))?;
        }
    }
    set("mqtt", "broker", Some(decisions.broker.to_string().into()))?;
    let username = decisions.username.as_deref();
    set("mqtt", "username", username.map(Into::into))?;
    set("mqtt", "password_file", username.map(|_| PASSWORD_FILE.into()))?;
    set("mqtt", "ca_file", decisions.own_authority.then(|| CA_FILE.into()))?;
    Config::parse(&text).map_err(|error| refused(error, "the configuration that this would make"))?;
    Ok(text)
}

/// The word for a driver in the file.
pub(super) const fn driver(leds: LedDriver) -> &'static str {
    match leds {
        LedDriver::None => "none",
        LedDriver::Rppal => "rppal",
        LedDriver::Gpiochip => "gpiochip",
        LedDriver::Terminal => "terminal",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decisions() -> Decisions {
        Decisions {
            name: "Moodbox \"attic\"".to_owned(),
            room: Some("Attic".to_owned()),
            id: DeviceId::try_from("attic".to_owned()).ok(),
            broker: "mqtts://home.local".parse().unwrap(),
            base_topic: "moodbox".to_owned(),
            username: Some("attic".to_owned()),
            own_authority: true,
            camera: "v4l2:auto".parse().unwrap(),
            leds: LedDriver::Rppal,
            pins: Some([5, 6, 13, 19]),
        }
    }

    #[test]
    fn a_new_box_gets_the_example_with_all_comments() {
        let made = text(None, &decisions()).unwrap();
        let lines = |text: &str| text.lines().filter_map(|line| line.split_once('#')).count();
        assert_eq!(lines(&made), lines(EXAMPLE));
        insta::assert_snapshot!(made);
    }

    #[test]
    fn what_a_person_wrote_stays() {
        let before = "# mine\n[device]\nroom = \"Attic\"\n\n\
                      [mqtt]\nbroker = \"mqtts://old\" # the old one\nca_file = \"/x\"\nkeep_alive_s = 30\n\n[mood]\nhold_s = 12\n";
        let plain = Decisions {
            broker: "mqtt://new".parse().unwrap(),
            username: None,
            own_authority: false,
            room: None,
            pins: None,
            ..decisions()
        };
        let made = text(Some(before), &plain).unwrap();
        for kept in ["# mine\n", "broker = \"mqtt://new:1883\" # the old one\n", "keep_alive_s = 30\n", "hold_s = 12\n"]
        {
            assert!(made.contains(kept), "{made}");
        }
        assert!(!made.contains("ca_file") && !made.contains("room"), "{made}");
        // A second time changes nothing.
        assert_eq!(text(Some(&made), &plain).unwrap(), made);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_refused_with_its_line() {
        let Err(Failure::Input(error)) = text(Some("[device]\nname = \n"), &decisions()) else {
            panic!("it was taken")
        };
        assert!(format!("{error:#}").starts_with("the box's moodbox.toml: line 2: "), "{error:#}");
        let Err(Failure::Input(error)) = text(Some("[camera]\nfsp = 5\n"), &decisions()) else {
            panic!("it was taken")
        };
        assert!(format!("{error:#}").contains("line 2: fsp: unknown key"), "{error:#}");
    }
}
