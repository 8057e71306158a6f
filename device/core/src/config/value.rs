//! Values that are valid by their type.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A value that its type does not allow; the text says what would be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidValue(String);

/// A whole number from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "i64")]
pub struct Bounded<const MIN: u32, const MAX: u32>(pub u32);

impl<const MIN: u32, const MAX: u32> TryFrom<i64> for Bounded<MIN, MAX> {
    type Error = InvalidValue;

    fn try_from(value: i64) -> Result<Self, InvalidValue> {
        u32::try_from(value)
            .ok()
            .filter(|v| (MIN..=MAX).contains(v))
            .map(Self)
            .ok_or_else(|| InvalidValue(format!("must be a whole number from {MIN} to {MAX}, not {value}")))
    }
}

impl<const MIN: u32, const MAX: u32> Bounded<MIN, MAX> {
    /// The smallest number that it may be.
    pub const LOWEST: Self = Self(MIN);

    /// All the numbers that it may be.
    #[must_use]
    pub const fn range(self) -> RangeInclusive<u32> {
        MIN..=MAX
    }
}

/// A number from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(try_from = "f32")]
pub struct Fraction(pub f32);

impl TryFrom<f32> for Fraction {
    type Error = InvalidValue;

    fn try_from(value: f32) -> Result<Self, InvalidValue> {
        if (0.0..=1.0).contains(&value) {
            Ok(Self(value))
        } else {
            Err(InvalidValue(format!("must be from 0 to 1, not {value}")))
        }
    }
}

/// A time in seconds, from 0.1 to 86,400.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(try_from = "f32")]
pub struct Seconds(pub f32);

impl Seconds {
    /// The shortest time.
    pub const SHORTEST: Self = Self(0.1);

    /// The same as a [`Duration`].
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::try_from_secs_f32(self.0).unwrap_or_default()
    }
}

impl TryFrom<f32> for Seconds {
    type Error = InvalidValue;

    fn try_from(value: f32) -> Result<Self, InvalidValue> {
        if (0.1..=86_400.0).contains(&value) {
            Ok(Self(value))
        } else {
            Err(InvalidValue(format!("must be from 0.1 to 86400 seconds, not {value}")))
        }
    }
}

/// The id of a box in topics: 1 to 32 of a-z, 0-9, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String")]
pub struct DeviceId(String);

impl DeviceId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for DeviceId {
    fn default() -> Self {
        Self("moodbox".to_owned())
    }
}

impl TryFrom<String> for DeviceId {
    type Error = InvalidValue;

    fn try_from(id: String) -> Result<Self, InvalidValue> {
        let valid = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        if (1..=32).contains(&id.len()) && id.bytes().all(valid) {
            Ok(Self(id))
        } else {
            Err(InvalidValue(format!("{id:?} must be 1 to 32 of a-z, 0-9, _ and -")))
        }
    }
}

/// Where pictures come from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum Source {
    /// The first camera that captures.
    V4l2Auto,
    /// This camera.
    V4l2(PathBuf),
    /// An image, a folder of images or an .mjpeg file.
    Replay(PathBuf),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4l2Auto => f.write_str("v4l2:auto"),
            Self::V4l2(path) => write!(f, "v4l2:{}", path.display()),
            Self::Replay(path) => write!(f, "replay:{}", path.display()),
        }
    }
}

impl FromStr for Source {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match text.split_once(':') {
            Some(("v4l2", "auto")) => Ok(Self::V4l2Auto),
            Some(("v4l2", path)) if path.starts_with('/') => Ok(Self::V4l2(path.into())),
            Some(("replay", path)) if !path.is_empty() => Ok(Self::Replay(path.into())),
            _ => Err(InvalidValue(format!("{text:?} must be v4l2:auto, v4l2:/dev/videoN or replay:PATH"))),
        }
    }
}

impl From<Source> for String {
    fn from(value: Source) -> Self {
        value.to_string()
    }
}

impl TryFrom<String> for Source {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, InvalidValue> {
        text.parse()
    }
}

/// The MQTT broker.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum Broker {
    /// Inside the daemon, on the loopback interface.
    Embedded,
    /// Somewhere in the network.
    Remote {
        /// Whether the connection is encrypted.
        tls: bool,
        /// Name or address.
        host: String,
        /// TCP port.
        port: u16,
    },
}

impl Broker {
    /// Whether nobody between the box and its broker can listen in: the way is encrypted, or never leaves the box.
    #[must_use]
    pub const fn is_private(&self) -> bool {
        matches!(self, Self::Embedded | Self::Remote { tls: true, .. })
    }
}

impl fmt::Display for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("embedded"),
            Self::Remote { tls, host, port } => {
                let scheme = if *tls { "mqtts" } else { "mqtt" };
                let brackets = if host.contains(':') { ["[", "]"] } else { ["", ""] };
                write!(f, "{scheme}://{}{host}{}:{port}", brackets[0], brackets[1])
            }
        }
    }
}

impl FromStr for Broker {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        const FORMS: &str = "must be embedded, mqtt://HOST[:PORT] or mqtts://HOST[:PORT]";
        if text.contains('@') {
            // The text is not repeated: what stands before the @ may be a password, and this goes to the log.
            return Err(InvalidValue("must not hold a user or password: use username and password_file".to_owned()));
        }
        let refuse = || Err(InvalidValue(format!("{text:?} {FORMS}")));
        let (tls, rest) = match text.split_once("://") {
            None if text == "embedded" => return Ok(Self::Embedded),
            Some(("mqtt", rest)) => (false, rest),
            Some(("mqtts", rest)) => (true, rest),
            _ => return refuse(),
        };
        // An IPv6 address stands in brackets, so that its colons are not taken for a port's.
        let (host, port) = match rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, port)) => (host, Some(port.strip_prefix(':').unwrap_or(""))),
            None => rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port))),
        };
        let default_port = if tls { 8883 } else { 1883 };
        let port = port.map_or(Ok(default_port), str::parse);
        match port {
            Ok(port) if port > 0 && !host.is_empty() && !host.contains(|c: char| "/?#".contains(c) || c <= ' ') => {
                Ok(Self::Remote { tls, host: host.to_owned(), port })
            }
            _ => refuse(),
        }
    }
}

impl From<Broker> for String {
    fn from(value: Broker) -> Self {
        value.to_string()
    }
}

impl TryFrom<String> for Broker {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, InvalidValue> {
        text.parse()
    }
}

/// What the reference page says of a value whose type is one of ours.
macro_rules! described {
    (<$($generic:ident: $number:ty),*> $type:ty, $name:literal, $schema:tt) => {
        impl<$(const $generic: $number),*> JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

described!(<MIN: u32, MAX: u32> Bounded<MIN, MAX>, "Bounded", {
    "type": "integer", "minimum": MIN, "maximum": MAX
});
described!(<> Fraction, "Fraction", { "type": "number", "minimum": 0, "maximum": 1 });
described!(<> Seconds, "Seconds", { "type": "number", "minimum": 0.1, "maximum": 86_400, "unit": "s" });
described!(<> DeviceId, "DeviceId", { "type": "string", "range": "1 to 32 of a-z, 0-9, `_` and `-`" });
described!(<> Source, "Source", { "type": "string", "range": "`v4l2:auto`, `v4l2:/dev/videoN`, `replay:PATH`" });
described!(<> Broker, "Broker", {
    "type": "string", "range": "`embedded`, `mqtt://HOST[:PORT]`, `mqtts://HOST[:PORT]`"
});
