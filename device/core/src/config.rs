//! The configuration file: its fields, their defaults and units, and what is refused.
//!
//! Every field has a default, so an empty file is a valid configuration. Unknown keys, values out of range and words
//! that are not among the choices are refused with the line they stand on.

mod check;
mod overrides;
pub mod reference;
mod value;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use check::is_topic;
pub use overrides::{Configuration, OverrideError, Overrides};
pub(crate) use overrides::{is_settable, touches_a_part, waits_for_a_restart};
pub use value::{Bounded, Broker, DeviceId, Fraction, InvalidValue, Seconds, Source};

use crate::affect::Policy;

use check::check;

/// Side of a face in a picture, in pixels.
pub type FacePx = Bounded<24, 400>;

/// Frames a second that are analysed.
pub type AnalysisRate = Bounded<1, 30>;

/// The whole configuration.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The box itself.
    pub device: Device,
    /// Where pictures come from.
    pub camera: Camera,
    /// How faces are found.
    pub vision: Vision,
    /// How expressions become a mood.
    pub mood: Mood,
    /// The lights.
    pub leds: Leds,
    /// The connection to the home.
    pub mqtt: Mqtt,
    /// The songs.
    pub music: Music,
    /// What is kept over restarts.
    pub store: Store,
}

/// `[device]`: the box itself.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Device {
    /// The name a person sees in Home Assistant; may be changed at any time.
    #[schemars(extend("example" = "Kitchen"))]
    pub name: String,
    /// The room that Home Assistant puts a new box in; one that a person has moved there stays.
    #[schemars(extend("example" = "Living room"))]
    pub room: Option<String>,
    /// The id in topics; by default the board's serial number, else the address of the wired network card, else the machine id.
    #[schemars(extend("example" = "livingroom"))]
    pub id: Option<DeviceId>,
}

impl Default for Device {
    fn default() -> Self {
        Self { name: "Moodbox".to_owned(), room: None, id: None }
    }
}

/// `[camera]`: where pictures come from.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Camera {
    /// `v4l2:auto`, `v4l2:/dev/video0` or `replay:PATH` (an image, a folder of images or an .mjpeg file, outside of /home and
    /// /tmp and readable by the user `moodbox`).
    #[schemars(extend("example" = "v4l2:/dev/video0"))]
    pub source: Source,
    /// Width asked of the camera, in pixels; the nearest mode it offers is taken.
    #[schemars(extend("unit" = "px", "example" = 1280))]
    pub width: Bounded<160, 1920>,
    /// Height asked of the camera, in pixels.
    #[schemars(extend("unit" = "px", "example" = 720))]
    pub height: Bounded<120, 1080>,
    /// Frames a second asked of the camera, and shown by a replay; a replay at 0 runs as fast as frames are analysed.
    #[schemars(extend("unit" = "1/s", "example" = 15))]
    pub fps: Bounded<0, 60>,
    /// Whether a replay starts again at its end.
    #[schemars(extend("example" = false))]
    pub repeat: bool,
    /// BCM number of the pin (line of `leds.chip`) of a switch to ground: closed lets the camera be used, open keeps it off
    /// whatever is commanded, so that a broken wire is the safe side. Without it there is no such switch.
    #[schemars(extend("example" = 24))]
    pub switch_pin: Option<Bounded<0, 53>>,
}

impl Default for Camera {
    fn default() -> Self {
        Self {
            source: Source::V4l2Auto,
            width: Bounded(640),
            height: Bounded(480),
            fps: Bounded(10),
            repeat: true,
            switch_pin: None,
        }
    }
}

impl Camera {
    /// Whether every frame is analysed however long it takes: a replay as fast as possible.
    #[must_use]
    pub const fn every_frame(&self) -> bool {
        matches!(self.source, Source::Replay(_)) && self.fps.0 == 0
    }
}

/// `[vision]`: how faces are found.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Vision {
    /// Side of the smallest face looked for, in pixels. Twice as large makes the search a quarter of the work.
    #[schemars(extend("unit" = "px", "example" = 40))]
    pub min_face_px: FacePx,
    /// Frames analysed a second while something changes; more than the camera gives is the camera's rate. A board that is
    /// hot, or whose clock is lowered, does half.
    #[schemars(extend("unit" = "1/s", "example" = 10))]
    pub fps: AnalysisRate,
    /// Frames analysed a second while nobody is there and nothing moves, at most `fps`. While people go on as before it is half
    /// way between the two.
    #[schemars(extend("unit" = "1/s", "example" = 1))]
    pub idle_fps: AnalysisRate,
    /// Threads that one network may use. The networks are too small for more than one to pay; threads that wait for each other
    /// spin, so that beside other work more are slower.
    #[schemars(extend("example" = 2))]
    pub threads: Bounded<1, 4>,
    /// Score from which P-Net, R-Net and O-Net keep a candidate, 0..1; above .1, for the networks do not tell lower ones apart.
    #[schemars(extend("example" = [0.6, 0.7, 0.9]))]
    pub thresholds: [Fraction; 3],
    /// Whose word for an expression the box takes: `fer2013`, the labels that the faces it learnt from came with, which finds
    /// fear and disgust, and takes many a calm face for something else; or `ferplus`, what ten people said of the same faces,
    /// which sees calm where people do, and hardly ever disgust. A personal calibration counts for the one it was made with.
    #[schemars(extend("example" = "ferplus"))]
    pub labels: Labels,
    /// Folder with other models and their manifest, outside of /home and /tmp and readable by the user `moodbox`; the built-in
    /// ones where it is absent.
    #[schemars(extend("example" = "/srv/models"))]
    pub models: Option<PathBuf>,
}

impl Default for Vision {
    fn default() -> Self {
        Self {
            min_face_px: Bounded(60),
            fps: Bounded(5),
            idle_fps: Bounded(2),
            threads: Bounded(1),
            thresholds: [Fraction(0.6), Fraction(0.7), Fraction(0.8)],
            labels: Labels::Fer2013,
            models: None,
        }
    }
}

/// Labels that the same faces were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Labels {
    /// Those of FER2013 (Goodfellow et al. 2013).
    #[default]
    Fer2013,
    /// Those of ten raters a face (Barsoum et al. 2016).
    Ferplus,
}

impl Labels {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Fer2013, Self::Ferplus];

    /// As in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fer2013 => "fer2013",
            Self::Ferplus => "ferplus",
        }
    }
}

/// How the beliefs about several people become the mood of the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// All of them, weighted by size, score and how much they face the camera.
    #[default]
    Pooled,
    /// The largest face alone.
    Largest,
    /// Each person has one vote.
    Majority,
}

/// `[mood]`: how expressions become a mood.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Mood {
    /// Time constant of the average that drives the light.
    #[schemars(extend("example" = 2))]
    pub expression_time_constant_s: Seconds,
    /// Probability at which an expression is entered.
    #[schemars(extend("example" = 0.5))]
    pub expression_enter: Fraction,
    /// Probability under which an expression is left.
    #[schemars(extend("example" = 0.3))]
    pub expression_leave: Fraction,
    /// Shortest time an expression is shown.
    #[schemars(extend("example" = 2))]
    pub expression_dwell_s: Seconds,
    /// Time after which two thirds (1 - 1/e) of the belief in a mood are forgotten.
    #[schemars(extend("example" = 120))]
    pub forget_s: Seconds,
    /// Share of the time that a face shows the mood it is in.
    #[schemars(extend("example" = 0.5))]
    pub expressiveness: Fraction,
    /// Belief at which a new mood is taken on.
    #[schemars(extend("example" = 0.7))]
    pub enter: Fraction,
    /// Belief that the old mood must have fallen to.
    #[schemars(extend("example" = 0.3))]
    pub leave: Fraction,
    /// Shortest time between two changes of mood.
    #[schemars(extend("example" = 15))]
    pub dwell_s: Seconds,
    /// Belief under which the box says that it is unsure.
    #[schemars(extend("example" = 0.5))]
    pub unsure_below: Fraction,
    /// How several people become one mood: `pooled`, `largest` or `majority`.
    #[schemars(extend("example" = "largest"))]
    pub pooling: Pooling,
    /// Time the mood is held after the last face was seen.
    #[schemars(extend("example" = 20))]
    pub hold_s: Seconds,
    /// Time after which the room counts as empty.
    #[schemars(extend("example" = 300))]
    pub absent_s: Seconds,
}

impl Default for Mood {
    fn default() -> Self {
        Self {
            expression_time_constant_s: Seconds(1.5),
            expression_enter: Fraction(0.45),
            expression_leave: Fraction(0.35),
            expression_dwell_s: Seconds(1.5),
            forget_s: Seconds(300.0),
            expressiveness: Fraction(0.35),
            enter: Fraction(0.60),
            leave: Fraction(0.35),
            dwell_s: Seconds(8.0),
            unsure_below: Fraction(0.45),
            pooling: Pooling::Pooled,
            hold_s: Seconds(10.0),
            absent_s: Seconds(120.0),
        }
    }
}

/// What drives the LEDs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LedDriver {
    /// No LEDs.
    #[default]
    None,
    /// A Raspberry Pi's pins, with PWM.
    Rppal,
    /// The kernel's GPIO character device, any Linux board; on and off only.
    Gpiochip,
    /// Drawn in the terminal.
    Terminal,
}

/// Which leg the LEDs share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Common {
    /// The shared leg goes to ground: a high pin lights.
    #[default]
    Cathode,
    /// The shared leg goes to 3.3 V: a low pin lights.
    Anode,
}

/// `[leds]`: the lights.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Leds {
    /// `none`, `rppal`, `gpiochip` or `terminal`.
    #[schemars(extend("example" = "rppal"))]
    pub driver: LedDriver,
    /// `cathode` or `anode`.
    #[schemars(extend("example" = "anode"))]
    pub common: Common,
    /// BCM number of the pin (line of the chip) of the red LED.
    #[schemars(extend("example" = 5))]
    pub red: Bounded<0, 53>,
    /// Of the green LED.
    #[schemars(extend("example" = 6))]
    pub green: Bounded<0, 53>,
    /// Of the blue LED.
    #[schemars(extend("example" = 13))]
    pub blue: Bounded<0, 53>,
    /// Of the light that is on while the camera is.
    #[schemars(extend("example" = 19))]
    pub camera_on: Bounded<0, 53>,
    /// The GPIO character device, for `gpiochip` and for `camera.switch_pin`.
    #[schemars(extend("example" = "/dev/gpiochip4"))]
    pub chip: PathBuf,
    /// Brightness of the mood light at full confidence, 0..1.
    #[schemars(extend("example" = 0.5))]
    pub brightness: Fraction,
}

impl Default for Leds {
    fn default() -> Self {
        Self {
            driver: LedDriver::None,
            common: Common::Cathode,
            red: Bounded(17),
            green: Bounded(27),
            blue: Bounded(22),
            camera_on: Bounded(23),
            chip: PathBuf::from("/dev/gpiochip0"),
            brightness: Fraction(0.8),
        }
    }
}

/// `[mqtt]`: the connection to the home.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Mqtt {
    /// `embedded` (a broker inside the daemon, reachable on this machine only), `mqtt://HOST[:PORT]` or `mqtts://HOST[:PORT]`.
    #[schemars(extend("example" = "mqtts://broker.local"))]
    pub broker: Broker,
    /// Port of the embedded broker; 0 takes a free one.
    #[schemars(extend("example" = 1884))]
    pub embedded_port: Bounded<0, 65535>,
    /// User name, if the broker wants one.
    #[schemars(extend("example" = "livingroom"))]
    pub username: Option<String>,
    /// File whose first line is the password; readable by the daemon alone.
    #[schemars(extend("example" = "/run/credentials/moodboxd.service/password"))]
    pub password_file: Option<PathBuf>,
    /// PEM file with the certificate authority of an `mqtts` broker, or several; the system's are used where it is absent.
    #[schemars(extend("example" = "/etc/moodbox/ca.pem"))]
    pub ca_file: Option<PathBuf>,
    /// First part of every topic.
    #[schemars(extend("example" = "upstairs"))]
    pub base_topic: String,
    /// Where Home Assistant looks for devices.
    #[schemars(extend("example" = "ha"))]
    pub discovery_prefix: String,
    /// Longest silence on the connection. A broker tells of a box that hangs after one and a half of it, and some seconds.
    #[schemars(extend("unit" = "s", "example" = 30))]
    pub keep_alive_s: Bounded<5, 1200>,
}

impl Default for Mqtt {
    fn default() -> Self {
        Self {
            broker: Broker::Embedded,
            embedded_port: Bounded(1883),
            username: None,
            password_file: None,
            ca_file: None,
            base_topic: "moodbox".to_owned(),
            discovery_prefix: "homeassistant".to_owned(),
            keep_alive_s: Bounded(8),
        }
    }
}

/// `[music]`: the songs.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Music {
    /// File with the tracks: a table, a playlist, JSON or a library of the host tool, outside of /home and /tmp and readable by
    /// the user `moodbox`. Where it is absent, what the host tool has sent, or else the built-in demo catalogue.
    #[schemars(extend("example" = "/srv/songs.csv"))]
    pub catalogue: Option<PathBuf>,
    /// `match` reflects the mood, `lift` leads up from it, `soothe` calms. Where it is absent: `soothe` for angry and
    /// fear, which songs reflect badly, and `match` for the rest. The command `policy` is above it until this is set from
    /// afar, be it to null.
    #[schemars(extend("example" = "lift"))]
    pub policy: Option<Policy>,
    /// Tracks in a recommendation.
    #[schemars(extend("example" = 20))]
    pub list_length: Bounded<1, 50>,
}

impl Default for Music {
    fn default() -> Self {
        Self { catalogue: None, policy: None, list_length: Bounded(10) }
    }
}

/// `[store]`: what is kept over restarts.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// Folder for the switches and settings a person has set, and what it has learnt. The box runs without it, and forgets them.
    /// The service may write only to the default and below it: a folder elsewhere must belong to the user `moodbox` and needs a
    /// drop-in of the service with `ReadWritePaths=` (`systemctl edit moodboxd`).
    #[schemars(extend("example" = "/var/lib/moodbox/second"))]
    pub folder: PathBuf,
    /// Time that the box may take to come up as well as before with what was set from afar, before it takes that back.
    #[schemars(extend("example" = 120))]
    pub trial_s: Seconds,
}

impl Default for Store {
    fn default() -> Self {
        Self { folder: PathBuf::from("/var/lib/moodbox"), trial_s: Seconds(60.0) }
    }
}

/// Why a configuration was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// Line of the file, from 1.
    pub line: usize,
    /// The key on that line, where there is one.
    pub key: Option<String>,
    /// What is wrong and what would be right.
    pub reason: String,
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: ", self.line)?;
        if let Some(key) = &self.key {
            write!(f, "{key}: ")?;
        }
        f.write_str(&self.reason)
    }
}

impl Config {
    /// Reads a configuration from TOML text.
    ///
    /// # Errors
    /// When the text is not TOML, names an unknown key, or a value is out of its range or contradicts another.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start.min(text.len()));
            let message = plain(error.message());
            let reason = reference::suggestion(&message).unwrap_or(message);
            ConfigError { reason, ..locate(text, start) }
        })?;
        check(&config, text)?;
        Ok(config)
    }
}

/// The parser's message on one line, in the words of people who write no Rust.
fn plain(message: &str) -> String {
    const WORDS: [(&str, &str); 7] = [
        ("\n", "; "),
        ("expected i64", "expected a whole number"),
        ("expected f32", "expected a number"),
        ("invalid type: floating point", "invalid type: fraction"),
        ("wanted string or table", "expected a word in quotes"),
        ("unknown variant", "unknown word"),
        ("unknown field", "unknown key"),
    ];
    WORDS.iter().fold(message.trim_end().to_owned(), |text, (theirs, ours)| text.replace(theirs, ours))
}

/// The line and key at a byte offset.
fn locate(text: &str, start: usize) -> ConfigError {
    let before = text.get(..start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let key = text.lines().nth(line - 1).and_then(|l| l.split_once('=')).map(|(key, _)| key.trim().to_owned());
    ConfigError { line, key, reason: String::new() }
}
