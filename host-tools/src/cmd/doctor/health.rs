//! What a box says of itself, judged.

use std::collections::BTreeMap;

use moodbox_core::config::DeviceId;
use serde_json::{Value, json};

use super::check::Check;
use crate::light::{BRIGHT, DARK};

/// From here on a Raspberry Pi lowers its clock, in degrees Celsius.
const HOT_C: f64 = 80.0;
/// Frames analysed a second under which a box does less than it can be told to: a hot one does half of the one that is set.
const SLOW_FPS: f64 = 0.4;
/// Time after its start before which a box has not measured itself long enough, in seconds.
const SETTLED_S: u64 = 60;
/// Share of frames that may arrive damaged.
const DAMAGED: f64 = 0.01;

/// Parts whose failure the box tells, and what a person does about it.
const PARTS: [(&str, &str); 3] = [
    ("camera", "plug the camera in again; is another program using it? the configuration's camera.source names it"),
    ("models", "install the package again, or leave vision.models out of the configuration"),
    ("leds", "look at the pins in [leds]; does another program hold them? `moodbox logs --ssh USER@HOST` says more"),
];

/// Whether Home Assistant was told of the box, and whether it listens as far as that can be seen.
pub(super) fn home_assistant(prefix: &str, id: &DeviceId, kept: &BTreeMap<String, Vec<u8>>) -> Check {
    let announced = kept.contains_key(&format!("{prefix}/device/moodbox_{}/config", id.as_str()));
    // Home Assistant's word is kept only where somebody has set it so.
    let online = kept.get(&format!("{prefix}/status")).map(|word| word == b"online");
    let facts = json!({ "announced": announced, "online": online });
    let check = match (announced, online) {
        (false, _) => Check::fail(
            "home assistant",
            format!("the box is not announced under {prefix}"),
            "may the box write its announcement? see the broker's ACL; do mqtt.discovery_prefix and --discovery-prefix agree?",
        ),
        (true, Some(false)) => Check::fail(
            "home assistant",
            "the box is announced, but Home Assistant says that it is offline".to_owned(),
            "start Home Assistant",
        ),
        (true, _) => Check::ok("home assistant", "the box is announced".to_owned()),
    };
    check.with(facts)
}

/// Everything that the answers to `diagnose` and `config.get` tell.
pub(super) fn examine(diagnosis: &Value, config: &Value, checks: &mut Vec<Check>) {
    checks.push(version(diagnosis));
    for (part, mend) in PARTS {
        checks.push(working(part, mend, diagnosis, config));
    }
    let measured = &diagnosis["diagnostics"];
    checks.push(speed(measured, diagnosis["state"]["camera"] == "off"));
    checks.push(light(measured));
    checks.push(heat(measured));
    checks.push(songs(diagnosis));
    let set = diagnosis["set"].as_object().map_or(0, serde_json::Map::len);
    let said = format!("{set} keys are set over the file");
    checks.push(Check::ok("configuration", said).with(json!({ "set_over_the_file": set })));
}

fn version(diagnosis: &Value) -> Check {
    let (ours, theirs) = (env!("CARGO_PKG_VERSION"), diagnosis["diagnostics"]["version"].as_str());
    // A version is a word of ours only where it looks like one.
    let plain = theirs.filter(|version| version.chars().all(|c| c.is_ascii_digit() || c == '.'));
    let facts = json!({ "box": plain });
    match theirs {
        Some(theirs) if theirs == ours => Check::ok("version", format!("the box and this tool are {ours}")),
        Some(theirs) => {
            let said = format!("the box is {theirs} and this tool is {ours}");
            Check::warn(
                "version",
                said,
                "bring both to the same version: install the tool, or `moodbox setup` with the package",
            )
        }
        None => {
            let said = "the box does not say its version yet".to_owned();
            Check::warn(
                "version",
                said,
                "ask again in a minute; a box that stays silent is too old: `moodbox setup` it",
            )
        }
    }
    .with(facts)
}

/// A part that works unless the box names it among its problems, or a person has switched it off.
fn working(part: &'static str, mend: &'static str, diagnosis: &Value, config: &Value) -> Check {
    let problems = diagnosis["problems"].as_array().map_or(&[][..], Vec::as_slice);
    if let Some(problem) = problems.iter().find(|problem| problem["part"] == part) {
        let message = problem["message"].as_str().unwrap_or("it does not say why");
        return Check::fail(part, message.to_owned(), mend).with(json!({ "works": false }));
    }
    let off = match part {
        "camera" => diagnosis["state"]["camera"] == "off",
        "leds" => config["leds"]["driver"] == "none" || diagnosis["state"]["leds"] == "off",
        _ => false,
    };
    if off {
        return Check::ok(part, "switched off".to_owned()).with(json!({ "works": true, "on": false }));
    }
    if part == "camera" && diagnosis["state"]["camera"] != "on" {
        return Check::fail(part, "gives no pictures".to_owned(), mend).with(json!({ "works": false }));
    }
    Check::ok(part, "works".to_owned()).with(json!({ "works": true, "on": true }))
}

fn speed(measured: &Value, is_off: bool) -> Check {
    let number = |key: &str| measured[key].as_f64();
    let (fps, p95, uptime) = (number("fps"), number("frame_ms_p95"), measured["uptime_s"].as_u64());
    let share = |key: &str| Some(number(key)? / (number("inferences")? + number(key)?).max(1.0));
    let corrupt = share("corrupt");
    let facts = json!({ "fps": fps, "frame_ms_p95": p95, "uptime_s": uptime, "corrupt_share": corrupt });
    let (Some(fps), Some(p95)) = (fps, p95) else {
        let said = "the box has not measured itself yet".to_owned();
        return Check::warn("frames", said, "ask again in a minute").with(facts);
    };
    let said = format!("{fps:.1} a second, each {p95:.0} ms at most (95 of 100)");
    if corrupt.is_some_and(|share| share > DAMAGED) {
        let mend = "use a shorter or better cable, or another port, for the camera";
        return Check::warn("frames", format!("{said}; many arrive damaged"), mend).with(facts);
    }
    if fps < SLOW_FPS && !is_off && uptime.is_some_and(|seconds| seconds > SETTLED_S) {
        let mend = "raise vision.min_face_px, and see whether the camera is on";
        return Check::warn("frames", said, mend).with(facts);
    }
    Check::ok("frames", said).with(facts)
}

/// The light in the room now; at night it may be dark without anything being wrong.
fn light(measured: &Value) -> Check {
    let light = measured["light"].as_f64();
    let facts = json!({ "light": light });
    let Some(light) = light else {
        return Check::ok("light", "no frame was looked at".to_owned()).with(facts);
    };
    let said = format!("{:.0} % on average", 100.0 * light);
    if light < f64::from(DARK) {
        let mend = "let there be more light when somebody is to be seen, or face the camera to where it is";
        return Check::warn("light", format!("{said}, too dark to find every face"), mend).with(facts);
    }
    if light > f64::from(BRIGHT) {
        let mend = "turn the camera away from windows and lamps";
        return Check::warn("light", format!("{said}, too bright to find every face"), mend).with(facts);
    }
    Check::ok("light", said).with(facts)
}

fn heat(measured: &Value) -> Check {
    let (degrees, throttled) = (measured["temperature_c"].as_f64(), measured["throttled"].as_bool());
    let facts = json!({ "temperature_c": degrees, "throttled": throttled, "rss_mb": measured["rss_mb"].as_f64() });
    let said =
        degrees.map_or_else(|| "the machine does not say how warm it is".to_owned(), |c| format!("{c:.0} \u{b0}C"));
    if throttled == Some(true) {
        let mend = "use a stronger power supply and let air to it";
        return Check::warn("heat", format!("{said}; the clock is lowered for heat or want of power"), mend)
            .with(facts);
    }
    if degrees.is_some_and(|c| c > HOT_C) {
        return Check::warn("heat", said, "let air to it").with(facts);
    }
    Check::ok("heat", said).with(facts)
}

fn songs(diagnosis: &Value) -> Check {
    let songs = diagnosis["songs"].as_u64().unwrap_or(0);
    let facts = json!({ "songs": songs });
    if songs == 0 {
        let mend = "send some: `moodbox library push`";
        return Check::fail("songs", "the box knows none".to_owned(), mend).with(facts);
    }
    Check::ok("songs", format!("the box knows {songs}")).with(facts)
}

#[cfg(test)]
mod tests {
    use super::super::check::Mark;
    use super::*;

    #[test]
    fn a_dark_room_and_a_dazzled_camera_are_said() {
        for (measured, mark, said) in [
            (json!({ "light": 0.04 }), Mark::Warn, "4 % on average, too dark to find every face"),
            (json!({ "light": 0.4 }), Mark::Ok, "40 % on average"),
            (json!({ "light": 0.9 }), Mark::Warn, "90 % on average, too bright to find every face"),
            (json!({ "light": null }), Mark::Ok, "no frame was looked at"),
            (json!({}), Mark::Ok, "no frame was looked at"),
        ] {
            let check = light(&measured);
            assert_eq!((check.mark, check.said.as_str()), (mark, said));
            assert_eq!(check.mend.is_some(), mark == Mark::Warn);
        }
    }
}
