//! What a person or an automation may ask of the box, and what is refused.

use moodbox_tests::listener::Message;
use serde_json::{Value, json};

use super::{Home, smile};

impl Home {
    /// The first list that was made for somebody who is there.
    fn first_list(&mut self) -> Value {
        self.listener.until("/recommendation", |list| list.json()["mood"] == "happy").json()
    }

    fn event(&mut self, kind: &str) -> Value {
        self.listener.until("/event", |event| event.json()["event_type"] == kind).json()
    }

    pub(super) fn state(&mut self, key: &str, value: &str) -> Value {
        self.listener.until("/state", |state| state.json()[key] == value).json()
    }

    /// Chooses a track of a list and waits until it plays.
    fn choose(&mut self, list: &Value, index: usize) -> Value {
        let track = list["tracks"][index].clone();
        self.command("choose", json!({ "uri": track["uri"] }).to_string());
        assert_eq!(self.listener.until("/now", |now| now.text != "{}").json()["uri"], track["uri"]);
        track
    }

    fn refusal(&mut self, name: &str) -> String {
        let response = self.listener.next(&format!("/response/{name}")).json();
        assert_eq!((&response["transaction"], &response["status"]), (&Value::Null, &json!("error")));
        assert_eq!(response.as_object().unwrap().len(), 3, "{response}");
        response["error"].as_str().unwrap().to_owned()
    }
}

fn names(event: &Value) -> [&Value; 4] {
    ["title", "artist", "album", "uri"].map(|key| &event[key])
}

#[test]
fn a_camera_that_was_switched_off_stays_off_over_a_restart() {
    let mut home = Home::with_a_smile();
    home.state("expression", "happy");
    home.command("camera", "OFF");
    let state = home.state("camera", "off");
    // The mood is held for a while; what is seen now is nothing.
    assert_eq!((&state["mood"], &state["faces"], &state["expression"]), (&json!("happy"), &json!(0), &Value::Null));
    home.daemon.signal("TERM");
    home.listener.until("/availability", |message| message.text == "offline");
    home.start_again();
    home.listener.until("/availability", |message| message.text == "online");
    assert_eq!(home.listener.next("/state").json()["camera"], "off");
    home.command("camera", "ON");
    let state = home.state("camera", "on");
    assert_eq!(state["schema"], 1);
    home.state("mood", "happy");
}

#[test]
fn the_switch_on_the_box_is_above_the_command() {
    // A switch that cannot be read counts as off.
    let mut home = Home::with(&smile(), "switch_pin = 24\n[leds]\nchip = \"/dev/null\"\n");
    let state = home.state("camera", "off");
    let reason = "the switch on the box cannot be read: /dev/null is not a GPIO chip: choose another with leds.chip";
    assert_eq!(state["camera_reason"], reason);
    home.command("camera", "ON");
    assert_eq!(home.refusal("camera"), format!("the camera stays off: {reason}"));
    home.command("camera", "OFF");
    home.command("leds", "OFF");
    let state = home.state("leds", "off");
    assert_eq!((&state["camera"], &state["faces"]), (&json!("off"), &json!(0)));
}

#[test]
fn a_camera_that_is_on_can_be_switched_on() {
    let mut home = Home::with_a_smile();
    home.state("camera", "on");
    for word in ["ON", "OFF", "ON"] {
        home.command("camera", word);
    }
    home.command("leds", "OFF");
    home.state("leds", "off");
    home.command("leds", "ON");
    // Whatever was said in between, this is how it ends.
    home.listener.until("/state", |state| {
        let state = state.json();
        state["leds"] == "on" && state["camera"] == "on"
    });
    home.listener.publish("end", "", false);
    let rest = home.listener.all_until(|message| message.topic == "end");
    let states = rest.iter().filter(|message| message.topic.ends_with("/state"));
    assert!(states.map(Message::json).all(|state| state["camera"] == "on"), "{rest:#?}");
}

#[test]
fn lights_and_policy_are_kept_over_a_restart() {
    let mut home = Home::with_a_smile();
    home.first_list();
    home.command("leds", "OFF");
    home.command("policy", "lift");
    home.state("policy", "lift");
    let list = home.listener.until("/recommendation", |list| list.json()["policy"] == "lift").json();
    assert_eq!(list["tracks"].as_array().unwrap().len(), 10);
    home.daemon.signal("TERM");
    home.listener.until("/availability", |message| message.text == "offline");
    home.start_again();
    home.listener.until("/availability", |message| message.text == "online");
    let state = home.listener.next("/state").json();
    assert_eq!((&state["leds"], &state["policy"]), (&json!("off"), &json!("lift")));
}

#[test]
fn a_chosen_song_plays_and_more_of_its_kind_follow() {
    let mut home = Home::with_a_smile();
    let list = home.first_list();
    let track = home.choose(&list, 3);
    let chosen = home.event("chosen");
    assert_eq!(names(&chosen), names(&track));
    assert_eq!(chosen.as_object().unwrap().len(), 5, "{chosen}");
    let (title, artist) = (track["title"].as_str().unwrap(), track["artist"].as_str().unwrap());
    let reason = format!("more like \u{ab}{title}\u{bb} by {artist}");
    let follows = home.listener.until("/recommendation", |list| list.json()["reason"] == reason).json();
    assert_ne!(follows["id"], list["id"]);
    let tracks = follows["tracks"].as_array().unwrap();
    assert!(tracks.iter().all(|other| other["uri"] != track["uri"]), "{follows:#}");
    assert_eq!(names(&home.event("recommended")), names(&tracks[0]));
}

#[test]
fn next_and_skip_go_on_in_the_list() {
    let mut home = Home::with_a_smile();
    let list = home.first_list();
    home.choose(&list, 0);
    for command in ["next", "skip"] {
        let follows = home.listener.until("/recommendation", |list| list.text.contains("more like")).json();
        home.command(command, "PRESS");
        assert_eq!(home.listener.next("/now").json(), follows["tracks"][0], "{command}");
    }
    home.command("like", "");
    home.command("recommend", "{}");
    let anew = home.listener.until("/recommendation", |list| !list.text.contains("more like")).json();
    assert_eq!(anew["mood"], "happy");
}

#[test]
fn next_before_any_list_plays_a_song() {
    let mut home = Home::with("replay:FOLDER/nobody-home.jpg", "");
    home.state("camera", "unavailable");
    home.command("next", "");
    let now = home.listener.until("/now", |now| now.text != "{}").json();
    assert!(!now["uri"].as_str().unwrap().is_empty());
    assert_eq!(home.event("chosen")["uri"], now["uri"]);
}

#[test]
fn a_mood_that_is_corrected_changes() {
    let mut home = Home::with("replay:FOLDER/nobody-home.jpg", "");
    home.state("camera", "unavailable");
    home.command("correct", "sad");
    home.command("leds", "OFF");
    // Nobody is there whose mood could be corrected: nothing happens, and nothing is refused.
    assert_eq!(home.state("leds", "off")["mood"], "absent");
    let mut home = Home::with_a_smile();
    home.state("mood", "happy");
    home.command("correct", "sad");
    home.listener.until("/state", |state| state.json()["valence"].as_f64().unwrap() < 0.0);
}

#[test]
fn a_wrong_command_is_refused_with_a_reason_and_harms_nothing() {
    let mut home = Home::with(&smile(), "");
    home.state("camera", "on");
    let long = "x".repeat(5000);
    let nested = "[".repeat(3000);
    let refused: [(&str, &[u8], &str); 18] = [
        ("camera", b"off", "must be ON or OFF, not \"off\""),
        ("camera", b"", "must be ON or OFF, not \"\""),
        ("camera", b"\xff\xfe", "the payload must be UTF-8 text; byte 1 is not"),
        ("leds", b"1", "must be ON or OFF, not \"1\""),
        ("policy", b"Match", "must be one of match, lift, soothe, not \"Match\""),
        ("correct", b"mixed", "must be one of angry, "),
        ("choose", b"demo:track:x", "must be {\"uri\": \"...\"}: "),
        ("choose", b"{\"uri\":\"demo:track:x\"}", "no track of the catalogue has the uri \"demo:track:x\""),
        ("choose", b"{\"uri\":\"a\",\"path\":\"/etc/passwd\"}", "must be {\"uri\": \"...\"}: unknown field `path`"),
        ("choose", b"{\"uri\":7}", "must be {\"uri\": \"...\"}: invalid type"),
        ("choose", b"{\"uri\":\"\"}", "uri must not be empty"),
        ("choose", b"{\"uri\":\"a\\nb\"}", "uri must not hold control characters"),
        ("choose", nested.as_bytes(), "must be {\"uri\": \"...\"}, not a list"),
        ("choose", long.as_bytes(), "a payload has at most 4096 bytes, not 5000"),
        ("next", b"two", "takes no payload (or PRESS), not \"two\""),
        ("recommend", b"[]", "takes no payload (or PRESS), not \"[]\""),
        ("skip", b"\0", "takes no payload (or PRESS), not \"\\0\""),
        ("reboot", b"", "no command is called \"reboot\"; known are camera, leds, "),
    ];
    for (name, payload, reason) in refused {
        home.command(name, payload);
        let told = home.refusal(name);
        assert!(told.starts_with(reason) && !told.contains('\n'), "{name} {payload:?}: {told}");
    }
    // The next answer is to the next mistake: each was refused once.
    home.command("leds", "OFF");
    home.state("leds", "off");
    home.command("sing", "");
    let rest = home.listener.all_until(|message| message.topic.ends_with("/response/sing"));
    assert_eq!(rest.iter().filter(|message| message.topic.contains("/response/")).count(), 1, "{rest:#?}");
}

#[test]
fn a_flood_of_wrong_commands_is_survived() {
    let mut home = Home::with_a_smile();
    home.state("camera", "on");
    for n in 0..250 {
        home.command("choose", format!("{{\"uri\":\"{n}\"}}"));
    }
    home.refusal("choose");
    // What comes faster than it can be read is dropped, this too while it lasts.
    loop {
        home.command("policy", "soothe");
        if home.listener.next("/state").json()["policy"] == "soothe" {
            break;
        }
    }
}

#[test]
fn like_and_skip_of_nothing_are_refused() {
    let mut home = Home::with("replay:FOLDER/nobody-home.jpg", "");
    home.state("camera", "unavailable");
    for name in ["like", "skip"] {
        home.command(name, "");
        let told = home.refusal(name);
        assert_eq!(told, "there is no song yet: choose one, or ask for the next", "{name}");
    }
}

#[test]
fn the_configuration_is_given_to_who_asks() {
    let mut home = Home::with(&smile(), "fps = 7");
    home.state("camera", "on");
    home.listener.publish("moodbox/test/request/config.get", r#"{"transaction":"t-1"}"#, false);
    let response = home.listener.next("/response/config.get").json();
    assert_eq!((&response["transaction"], &response["status"]), (&json!("t-1"), &json!("ok")));
    assert_eq!((&response["data"]["camera"]["fps"], &response["data"]["device"]["id"]), (&json!(7), &json!("test")));
    assert_eq!(response["data"]["camera"]["source"], smile());
    for (name, payload, transaction, reason) in [
        ("config.get", "{}", Value::Null, "must be {\"transaction\": \"...\"}: missing field"),
        ("config.get", "get", Value::Null, "must be {\"transaction\": \"...\"}: "),
        ("library.take", r#"{"transaction":"t-2"}"#, json!("t-2"), "no request is called \"library.take\""),
    ] {
        home.listener.publish(&format!("moodbox/test/request/{name}"), payload, false);
        let response = home.listener.next(&format!("/response/{name}")).json();
        assert_eq!((&response["transaction"], &response["status"]), (&transaction, &json!("error")), "{payload}");
        assert!(response["error"].as_str().unwrap().starts_with(reason), "{response}");
    }
}
