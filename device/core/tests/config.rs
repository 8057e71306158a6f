//! The configuration file: what is accepted, and what a person reads where it is not.

use moodbox_core::affect::Policy;
use moodbox_core::config::{Bounded, Broker, Config, Fraction, LedDriver, Pooling, Source};
use proptest::prelude::*;

#[test]
fn an_empty_file_is_the_default() {
    assert_eq!(Config::parse(""), Ok(Config::default()));
    assert_eq!(Config::parse("# nothing set\n[mood]\n"), Ok(Config::default()));
}

#[test]
fn every_kind_of_value_is_read() {
    let config = Config::parse(
        r#"
        [device]
        name = "Living room"
        id = "living-room_2"
        [camera]
        source = "replay:/srv/party.mjpeg"
        fps = 0
        repeat = false
        [vision]
        thresholds = [0.5, 0.6, 1]
        [mood]
        pooling = "majority"
        hold_s = 5
        [leds]
        driver = "gpiochip"
        [mqtt]
        broker = "mqtts://[fd00::7]:8884"
        username = "moodbox"
        [music]
        policy = "lift"
        "#,
    )
    .unwrap();
    assert_eq!(config.device.name, "Living room");
    assert_eq!(config.device.id.unwrap().as_str(), "living-room_2");
    assert_eq!(config.camera.source, Source::Replay("/srv/party.mjpeg".into()));
    assert_eq!(config.camera.fps, Bounded(0));
    assert_eq!(config.vision.thresholds, [Fraction(0.5), Fraction(0.6), Fraction(1.0)]);
    assert_eq!(config.mood.pooling, Pooling::Majority);
    assert_eq!(config.mood.hold_s.duration().as_secs(), 5);
    assert_eq!(config.leds.driver, LedDriver::Gpiochip);
    assert_eq!(config.mqtt.broker, Broker::Remote { tls: true, host: "fd00::7".to_owned(), port: 8884 });
    assert_eq!(config.music.policy, Some(Policy::Lift));
}

#[test]
fn sources_and_brokers_are_read() {
    for (text, source) in [
        ("v4l2:auto", Source::V4l2Auto),
        ("v4l2:/dev/video2", Source::V4l2("/dev/video2".into())),
        ("replay:faces", Source::Replay("faces".into())),
    ] {
        assert_eq!(text.parse(), Ok(source), "{text}");
    }
    let remote = |tls, host: &str, port| Broker::Remote { tls, host: host.to_owned(), port };
    for (text, broker) in [
        ("embedded", Broker::Embedded),
        ("mqtt://homeassistant.local", remote(false, "homeassistant.local", 1883)),
        ("mqtts://10.0.0.2", remote(true, "10.0.0.2", 8883)),
        ("mqtt://[::1]:11883", remote(false, "::1", 11883)),
    ] {
        assert_eq!(text.parse(), Ok(broker), "{text}");
    }
}

/// Each kind of mistake, with the line that a person reads.
#[test]
fn each_mistake_is_told_in_one_line() {
    let mistakes = [
        ("not TOML", "[camera\n"),
        ("a key without a value", "[camera]\nfps\n"),
        ("a text without its end", "[device]\nname = \"Box\n"),
        ("a key given twice", "[camera]\nfps = 5\nfps = 6\n"),
        ("an unknown part", "[camera]\nfps = 5\n\n[lamps]\nred = 1\n"),
        ("an unknown key", "[camera]\nfps = 5\nframes = 6\n"),
        ("a number too large", "[camera]\nfps = 61\n"),
        ("a negative number", "[camera]\nfps = -1\n"),
        ("a fraction where a whole number belongs", "[camera]\nfps = 5.5\n"),
        ("a word where a number belongs", "[camera]\nfps = \"fast\"\n"),
        ("a number where a word belongs", "[leds]\ndriver = 1\n"),
        ("a word that is no choice", "[leds]\ndriver = \"pwm\"\n"),
        ("a share over 1", "[mood]\nenter = 1.5\n"),
        ("a share that is no number", "[mood]\nenter = nan\n"),
        ("a time of nothing", "[mood]\n\nhold_s = 0\n"),
        ("a list of the wrong length", "[vision]\nthresholds = [0.6, 0.7]\n"),
        ("a wrong value in a list", "[vision]\nthresholds = [\n  0.6,\n  7,\n  0.8,\n]\n"),
        ("a threshold that the networks do not know", "[vision]\nthresholds = [0.05, 0.7, 0.8]\n"),
        ("a camera that is none", "[camera]\nsource = \"/dev/video0\"\n"),
        ("a camera without a path", "[camera]\nsource = \"replay:\"\n"),
        ("an id for topics with a slash", "[device]\nid = \"a/b\"\n"),
        ("a broker of another kind", "[mqtt]\nbroker = \"http://home\"\n"),
        ("a port that is none", "[mqtt]\nbroker = \"mqtt://home:99999\"\n"),
        ("words after an address", "[mqtt]\nbroker = \"mqtt://[::1]8883\"\n"),
        ("a password in the address", "[mqtt]\nbroker = \"mqtt://me:secret@home\"\n"),
        ("a password in an address of another kind", "[mqtt]\nbroker = \"http://me:secret@home\"\n"),
        ("hysteresis upside down, by the lower limit", "[mood]\nleave = 0.7\n"),
        ("hysteresis upside down, by the upper limit", "[mood]\n# braver\nenter = 0.3\n"),
        ("hysteresis of the expression", "[mood]\nexpression_enter = 0.4\nexpression_leave = 0.4\n"),
        ("absent before the hold is over", "[mood]\nhold_s = 300\n"),
        ("one pin for two lights", "[leds]\nred = 5\ngreen = 5\n"),
        ("one pin for two lights, one by default", "[leds]\nred = 27\n"),
        ("a contradiction in one line", "mood = { enter = 0.2, leave = 0.3 }\n"),
        ("a wildcard in a topic", "[mqtt]\nbase_topic = \"home/#\"\n"),
        ("a line break in a topic", "[mqtt]\ndiscovery_prefix = \"home\\nassistant\"\n"),
        ("an empty name", "[device]\nname = \" \"\n"),
        ("an empty room", "[device]\nroom = \"\"\n"),
        ("a line break in a name", "[device]\nname = \"a\\nb\"\n"),
        (
            "a certificate for a connection without encryption",
            "[mqtt]\nca_file = \"ca.pem\"\nbroker = \"mqtt://home\"\n",
        ),
    ];
    let told: Vec<String> = mistakes
        .into_iter()
        .map(|(what, text)| {
            let line = Config::parse(text).unwrap_err().to_string();
            assert!(!line.contains('\n'), "{what}: {line}");
            assert!(!line.contains("secret"), "{what}: {line}");
            format!("{what}\n    {line}")
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

/// Text that looks like a configuration more often than chance would have it.
fn any_text() -> impl Strategy<Value = String> {
    let word = prop::sample::select(&[
        "[",
        "]",
        "{",
        "}",
        "=",
        "\n",
        "\r\n",
        ",",
        ".",
        "\"",
        "'",
        "#",
        " ",
        "mood",
        "leds",
        "mqtt",
        "leave",
        "enter",
        "red",
        "base_topic",
        "name",
        "device",
        "0.5",
        "27",
        "-1",
        "nan",
        "inf",
        "1e999",
        "\u{feff}",
        "\u{0}",
        "é",
        "broker",
        "mqtt://",
        "[::1]",
        "@",
    ]);
    prop_oneof![any::<String>(), prop::collection::vec(word, 0..40).prop_map(|words| words.concat())]
}

proptest! {
    #[test]
    fn no_text_breaks_it(text in any_text()) {
        if let Err(error) = Config::parse(&text) {
            prop_assert!(error.line >= 1 && error.line <= text.matches('\n').count() + 1, "{}", error);
            prop_assert!(!error.to_string().contains('\n'));
        }
    }

    #[test]
    fn a_number_is_accepted_exactly_in_its_range(fps: i64, share: f32) {
        prop_assert_eq!(Config::parse(&format!("[vision]\nfps = {fps}\n")).is_ok(), (1..=30).contains(&fps));
        let ok = Config::parse(&format!("[leds]\nbrightness = {share:?}\n")).is_ok();
        prop_assert_eq!(ok, (0.0..=1.0).contains(&share));
    }
}
