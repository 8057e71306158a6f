//! Every key, as the code knows it: for the reference page, for a file to begin with, and for whoever mistypes one.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::{Config, is_settable, waits_for_a_restart};

/// How alike two words must be to be taken for each other: 1 less the letters that differ or are swapped, of the longer
/// one (Damerau and Levenshtein's distance).
const ALIKE: f64 = 0.6;

/// A key of the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// With its section, such as `mood.hold_s`.
    pub name: String,
    /// What it does.
    pub about: String,
    /// Its default as TOML; `None` where it is nothing.
    pub default: Option<String>,
    /// The unit, where it has one.
    pub unit: Option<String>,
    /// What it may be, in Markdown.
    pub range: String,
    /// A value as TOML.
    pub example: String,
    /// Whether any value of it is text.
    pub is_text: bool,
    /// Whether it can be set over the network.
    pub settable: bool,
    /// Whether it counts only after a restart, once it was set over the network.
    pub after_restart: bool,
}

/// All keys, section by section.
#[must_use]
pub fn keys() -> Vec<Key> {
    let inline = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let schema = Value::from(inline.into_generator().into_root_schema_for::<Config>());
    let defaults = serde_json::to_value(Config::default()).unwrap_or_default();
    let mut keys = Vec::new();
    for (section, _) in SECTIONS {
        let fields = schema["properties"][section]["properties"].as_object().into_iter().flatten();
        keys.extend(fields.map(|(field, about)| key(section, field, about, &defaults[section][field])));
    }
    keys
}

/// The sections in the order of the file, and what they are about.
const SECTIONS: [(&str, &str); 8] = [
    ("device", "the box itself"),
    ("camera", "where pictures come from"),
    ("vision", "how faces are found"),
    ("mood", "how expressions become a mood"),
    ("leds", "the lights"),
    ("mqtt", "the connection to the home"),
    ("music", "the songs"),
    ("store", "what is kept over restarts"),
];

fn key(section: &str, field: &str, schema: &Value, default: &Value) -> Key {
    let name = format!("{section}.{field}");
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    Key {
        about: schema["description"].as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" "),
        default: toml_text(default),
        unit: text(&schema["unit"]),
        range: range(schema),
        example: toml_text(&schema["example"]).unwrap_or_default(),
        is_text: is_text(schema),
        settable: is_settable(&name),
        after_restart: waits_for_a_restart(&name),
        name,
    }
}

/// A value as it stands in a file; nothing for none.
fn toml_text(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        // A single as a double has digits that nobody wrote.
        Value::Number(number) if number.is_f64() => format!("{}", number.as_f64()? as f32),
        Value::Array(values) => format!("[{}]", values.iter().filter_map(toml_text).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    })
}

fn is_text(schema: &Value) -> bool {
    schema["type"] == "string" || schema["type"][0] == "string" || !words(schema).is_empty()
}

/// The words among which a value is one.
fn words(schema: &Value) -> Vec<&str> {
    let mut found: Vec<_> = schema["const"].as_str().into_iter().collect();
    found.extend(schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str));
    for several in ["oneOf", "anyOf"] {
        found.extend(schema[several].as_array().into_iter().flatten().flat_map(words));
    }
    found
}

fn range(schema: &Value) -> String {
    if let Some(range) = schema["range"].as_str() {
        return range.to_owned();
    }
    let words = words(schema);
    if !words.is_empty() {
        return words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    }
    let kind = if schema["type"].is_array() { &schema["type"][0] } else { &schema["type"] };
    match kind.as_str() {
        Some("boolean") => "`true`, `false`".to_owned(),
        Some("array") => format!("{} of {}", schema["minItems"], range(&schema["items"])),
        Some("integer" | "number") => format!("{} to {}", schema["minimum"], schema["maximum"]),
        _ => "text".to_owned(),
    }
}

impl Key {
    fn section(&self) -> &str {
        self.name.split('.').next().unwrap_or_default()
    }

    fn field(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or_default()
    }

    /// Its row of the page.
    fn row(&self) -> String {
        let changed = match (self.settable, self.after_restart) {
            (true, true) => "afar, restart",
            (true, false) => "afar",
            (false, _) => "file",
        };
        let default = self.default.as_ref().map_or("none".to_owned(), |text| format!("`{text}`"));
        let (field, about, unit) =
            (self.field(), self.about.replace('|', "\\|"), self.unit.as_deref().unwrap_or_default());
        let (range, example) = (&self.range, &self.example);
        format!("| `{field}` | {about} | {default} | {unit} | {range} | `{field} = {example}` | {changed} |\n")
    }

    /// Its lines of a file to begin with.
    fn lines(&self) -> String {
        let line = match &self.default {
            Some(default) => format!("{} = {default}", self.field()),
            None => format!("# {} = {}", self.field(), self.example),
        };
        format!("# {} ({})\n{line}\n", self.about, self.range)
    }
}

/// The reference page, in Markdown.
#[must_use]
pub fn page() -> String {
    const HEAD: &str = "# Every key of the configuration\n\n\
        Made by `moodbox config reference`; a test says when it is out of date. The file is TOML, every line may be left\n\
        out, and `moodbox config check FILE` says what is wrong on which line. The last column says who may change a key\n\
        while the box runs: *afar* with `moodbox config set` and `push`, *afar, restart* with a restart that these see to,\n\
        *file* only in the file on the box.\n";
    const TABLE: &str = "| key | what | default | unit | range | example | changed |\n|---|---|---|---|---|---|---|\n";
    HEAD.to_owned() + &by_section(|section, about| format!("\n## [{section}]: {about}\n\n{TABLE}"), Key::row)
}

/// A file with every key at its default, each with what it does.
#[must_use]
pub fn template() -> String {
    const HEAD: &str = "# Configuration of moodboxd. Every line may be left out; what stands here are the defaults.\n";
    HEAD.to_owned() + &by_section(|section, about| format!("\n# {about}\n[{section}]\n"), Key::lines)
}

/// Each section with its head and its keys.
fn by_section(head: impl Fn(&str, &str) -> String, text: impl Fn(&Key) -> String) -> String {
    let keys = keys();
    let sections = SECTIONS.iter().map(|(section, about)| {
        let own = keys.iter().filter(|key| key.section() == *section).map(&text);
        head(section, about) + &own.collect::<String>()
    });
    sections.collect()
}

/// The known key that somebody may have meant by this one, with its section.
#[must_use]
pub fn meant(key: &str) -> Option<String> {
    let keys = keys();
    let elsewhere = keys.iter().find(|known| Some(known.field()) == key.rsplit('.').next());
    let names: Vec<_> = keys.iter().map(|known| known.name.as_str()).collect();
    elsewhere.map(|known| known.name.clone()).or_else(|| nearest(key, &names).map(ToOwned::to_owned))
}

/// The parser's word on an unknown key, with the one that may have been meant.
pub(super) fn suggestion(message: &str) -> Option<String> {
    let (unknown, expected) = message.strip_prefix("unknown key `")?.split_once("`, expected ")?;
    let known: Vec<_> = expected.split('`').skip(1).step_by(2).collect();
    let meant = if let Some(near) = nearest(unknown, &known) {
        format!("did you mean `{near}`? Known")
    } else {
        let keys = keys();
        let elsewhere = keys.iter().find(|key| key.field() == unknown)?;
        format!("it belongs to [{}]; known", elsewhere.section())
    };
    Some(format!("unknown key `{unknown}`; {meant} here are {}", known.join(", ")))
}

fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let alike = known.iter().map(|name| (strsim::normalized_damerau_levenshtein(word, name), *name));
    alike.filter(|(how, _)| *how >= ALIKE).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_described_and_its_default_and_example_are_taken() {
        let keys = keys();
        assert!(keys.len() > 40, "{keys:#?}");
        for key in keys {
            let (section, field) = key.name.split_once('.').unwrap();
            assert!(key.about.len() > 5 && !key.range.is_empty() && !key.range.contains("null"), "{key:?}");
            assert_ne!(Some(&key.example), key.default.as_ref(), "{key:?}");
            for value in [Some(&key.example), key.default.as_ref()].into_iter().flatten() {
                // Some go only with others.
                let with = match field {
                    "password_file" => "username = \"a\"\n",
                    "ca_file" => "broker = \"mqtts://a\"\n",
                    _ => "",
                };
                let read = Config::parse(&format!("[{section}]\n{with}{field} = {value}\n"));
                assert!(read.is_ok(), "{key:?}: {read:?}");
            }
        }
    }

    #[test]
    fn a_file_to_begin_with_is_the_default() {
        assert_eq!(Config::parse(&template()), Ok(Config::default()));
        // And what is a comment in it is right too, one by one.
        for line in template().lines().filter_map(|line| line.strip_prefix("# ")).filter(|line| line.contains(" = ")) {
            assert!(line.parse::<toml::Table>().is_ok(), "{line}");
        }
    }

    #[test]
    fn a_mistyped_key_is_recognised() {
        for (mistyped, key) in [
            ("mood.hold", Some("mood.hold_s")),
            ("hold_s", Some("mood.hold_s")),
            ("leds.hold_s", Some("mood.hold_s")),
            ("vision.min_face", Some("vision.min_face_px")),
            ("music.polcy", Some("music.policy")),
            ("x", None),
        ] {
            assert_eq!(meant(mistyped).as_deref(), key, "{mistyped}");
        }
        for (text, told) in [
            ("[camera]\nframes_s = 5", "unknown key `frames_s`; "),
            ("[camera]\nfsp = 5", "unknown key `fsp`; did you mean `fps`? Known here are source, width"),
            ("[leds]\nhold_s = 5", "unknown key `hold_s`; it belongs to [mood]; known here are driver, "),
            ("hold_s = 5", "unknown key `hold_s`; it belongs to [mood]; known here are device, "),
            ("[led]\nred = 5", "unknown key `led`; did you mean `leds`?"),
        ] {
            let error = Config::parse(text).unwrap_err();
            if told.ends_with("; ") {
                assert!(error.reason.starts_with("unknown key `frames_s`, expected one of"), "{error}");
            } else {
                assert!(error.reason.starts_with(told), "{error}");
            }
        }
    }
}
