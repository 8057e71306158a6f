//! What is drawn and said of a box, from what it says and what somebody presses.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that is surprised fails")]

use std::time::Duration;

use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Color;
use serde_json::json;

use super::keys::{Action, Mode, press};
use super::state::{Change, State};
use super::view::{Scene, draw};
use super::{HEARS, lines};

const STATE: &str = r#"{"mood":"happy","unsure":false,"expression":"happy","faces":2,"presence":true,"valence":0.61,
    "arousal":0.32,"policy":"match","camera":"on","leds":"on","schema":1}"#;

/// A box that has said all that a box says.
fn evening() -> State {
    let mut state = State::default();
    state.hear("availability", b"online");
    for step in 0..12 {
        let place = f64::from(step) / 20.0;
        let room = STATE.replace("0.61", &place.to_string()).replace("0.32", &(place / 2.0 - 0.1).to_string());
        state.hear("state", room.as_bytes());
    }
    state.hear("state", STATE.as_bytes());
    state.hear("confidence", b"87");
    state.hear("settings", br#"{"hold_time":10,"min_face":60,"brightness":100,"analysis_rate":5}"#);
    let song = |number: usize| {
        json!({ "uri": format!("u{number}"), "title": format!("Song {number}"), "artist": "The Testers", "album": "",
            "genre": "pop", "valence": 0.5, "arousal": 0.3, "score": 0.9, "why": "bright and lively, like the mood" })
    };
    let songs: Vec<_> = (1..=10).map(song).collect();
    let list = json!({ "id": "1", "mood": "happy", "policy": "match", "reason": "the room looks happy: songs that reflect it",
        "tracks": songs });
    state.hear("recommendation", list.to_string().as_bytes());
    state.hear("now", song(2).to_string().as_bytes());
    state.hear(
        "diagnostics",
        br#"{"fps":5.0,"frame_ms_p50":60.1,"frame_ms_p95":82.4,"inferences":900,"dropped":0,"corrupt":0,"rss_mb":23.4,
            "temperature_c":55.4,"throttled":false,"uptime_s":11220,"version":"0.1.0","models":{}}"#,
    );
    state.hear("faces", faces().to_string().as_bytes());
    state
}

fn faces() -> serde_json::Value {
    let emotions = json!({ "angry": 0.02, "disgust": 0.01, "fear": 0.01, "happy": 0.86, "neutral": 0.06, "sad": 0.02,
        "surprise": 0.02 });
    json!({ "width": 640, "height": 480, "faces": [
        { "person": 1, "box": [60, 120, 200, 240], "score": 1.0, "sharp": true, "emotions": emotions },
        { "person": 2, "box": [400, 60, 160, 190], "score": 0.98, "sharp": false, "emotions": emotions },
    ] })
}

fn rendered(state: &State, mode: &Mode, (width, height): (u16, u16), coloured: bool) -> Terminal<TestBackend> {
    on(Palette { coloured, true_colour: true }, state, mode, (width, height))
}

/// Colours of a terminal.
struct Palette {
    coloured: bool,
    true_colour: bool,
}

fn on(palette: Palette, state: &State, mode: &Mode, (width, height): (u16, u16)) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let (id, broker, Palette { coloured, true_colour }) = ("livingroom", "mqtt://broker.local:1883", palette);
    let scene = Scene { id, broker, state, mode, at: Duration::ZERO, coloured, true_colour };
    terminal.draw(|frame| draw(frame, &scene)).unwrap();
    terminal
}

fn picture(state: &State, mode: &Mode, size: (u16, u16)) -> String {
    rendered(state, mode, size, true).backend().to_string()
}

#[test]
fn a_box_is_drawn_at_every_usual_size() {
    for (width, height) in [(80, 24), (60, 20), (120, 40)] {
        let drawn = picture(&evening(), &Mode::Live, (width, height));
        insta::assert_snapshot!(format!("drawn_{width}x{height}"), drawn);
    }
}

#[test]
fn a_box_that_is_not_there_or_has_trouble_is_drawn_so() {
    let mut state = State::default();
    insta::assert_snapshot!("drawn_before_anything_was_heard", picture(&state, &Mode::Live, (80, 24)));
    state = evening();
    state.hear("event", br#"{"event_type":"problem","part":"camera","message":"it is unplugged"}"#);
    let room = STATE.replace("\"on\",\"leds\"", "\"unavailable\",\"camera_reason\":\"it is unplugged\",\"leds\"");
    state.hear("state", room.as_bytes());
    insta::assert_snapshot!("drawn_without_its_camera", picture(&state, &Mode::Live, (80, 24)));
    state.lose("mqtt://broker.local refuses the connection".to_owned());
    insta::assert_snapshot!("drawn_without_its_broker", picture(&state, &Mode::Live, (80, 24)));
}

#[test]
fn help_and_the_choice_are_drawn() {
    let mut state = evening();
    let mut mode = Mode::Help;
    insta::assert_snapshot!("drawn_help", picture(&state, &mode, (80, 24)));
    mode = Mode::Live;
    type_in("cjjjjjjj", &mut mode, &mut state);
    insta::assert_snapshot!("drawn_choice", picture(&state, &mode, (80, 24)));
}

#[test]
fn without_colour_there_is_none() {
    let terminal = rendered(&evening(), &Mode::Live, (80, 24), false);
    let colours = |cell: &ratatui::buffer::Cell| (cell.fg, cell.bg);
    let cells = &terminal.backend().buffer().content;
    assert!(cells.iter().map(colours).all(|both| both == (Color::Reset, Color::Reset)));
    let coloured = rendered(&evening(), &Mode::Live, (80, 24), true);
    assert!(coloured.backend().buffer().content.iter().any(|cell| cell.fg != Color::Reset));
}

#[test]
fn a_terminal_with_few_colours_is_given_no_others() {
    let drawn = |true_colour| {
        let terminal = on(Palette { coloured: true, true_colour }, &evening(), &Mode::Live, (80, 24));
        terminal.backend().buffer().content.iter().map(|cell| cell.fg).collect::<Vec<_>>()
    };
    let any = |colours: &[Color]| colours.iter().any(|colour| matches!(colour, Color::Rgb(..)));
    assert!(any(&drawn(true)) && !any(&drawn(false)));
}

#[test]
fn a_remedy_at_the_end_of_a_long_line_can_be_read() {
    let words: Vec<_> = (1..=25).map(|number| format!("word{number}")).collect();
    let reason = format!("mqtt://broker.local: {} and call somebody", words.join(" "));
    for size in [(60, 20), (80, 24), (120, 40)] {
        let mut state = evening();
        state.lose(reason.clone());
        let drawn = picture(&state, &Mode::Live, size);
        let read = drawn.split(['"', '\n', ' ']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        assert!(read.contains(&format!("{reason}; trying again")), "{drawn}");
        assert!(drawn.contains("q quit"), "{drawn}");
    }
}

fn type_in(keys: &str, mode: &mut Mode, state: &mut State) -> Option<Action> {
    let press_one = |c| {
        let code = if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) };
        press(KeyEvent::new(code, KeyModifiers::NONE), mode, state)
    };
    keys.chars().map(press_one).last().flatten()
}

#[test]
fn keys_become_commands() {
    for (keys, name, payload) in [
        ("l", "like", ""),
        ("s", "skip", ""),
        ("n", "next", ""),
        ("p", "policy", "lift"),
        ("v", "camera", "OFF"),
        ("d", "leds", "OFF"),
        ("cjjk\n", "choose", r#"{"uri":"u2"}"#),
        ("?xn", "next", ""),
        ("ccn", "next", ""),
    ] {
        let done = type_in(keys, &mut Mode::Live, &mut evening());
        assert_eq!(done, Some(Action::Command(name, payload.to_owned())), "{keys}");
    }
    assert_eq!(type_in("q", &mut Mode::Live, &mut evening()), Some(Action::Quit));
    let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(press(control_c, &mut Mode::Help, &mut evening()), Some(Action::Quit));
}

#[test]
fn letters_with_ctrl_or_alt_are_no_commands() {
    for modifiers in [KeyModifiers::CONTROL, KeyModifiers::ALT] {
        for letter in "lsnvdpq?h".chars() {
            let key = KeyEvent::new(KeyCode::Char(letter), modifiers);
            let mut mode = Mode::Live;
            let done = press(key, &mut mode, &mut evening());
            assert_eq!((done, mode), (None, Mode::Live), "{modifiers:?} {letter}");
        }
    }
}

#[test]
fn a_list_that_changes_while_somebody_chooses_changes_no_choice() {
    let (mut state, mut mode) = (evening(), Mode::Live);
    type_in("cj", &mut mode, &mut state);
    state.hear("recommendation", br#"{"id":"2","mood":"sad","policy":"match","reason":"","tracks":[]}"#);
    assert_eq!(type_in("\n", &mut mode, &mut state), Some(Action::Command("choose", r#"{"uri":"u2"}"#.to_owned())));
}

#[test]
fn nothing_is_sent_to_a_box_that_is_away() {
    for keys in ["l", "s", "n", "p", "v", "d", "c\n"] {
        let mut state = evening();
        state.hear("availability", b"offline");
        assert_eq!(type_in(keys, &mut Mode::Live, &mut state), None, "{keys}");
        assert!(state.notice.unwrap().starts_with("the box is away"), "{keys}");
    }
}

#[test]
fn a_refusal_and_a_problem_are_told_and_go_again() {
    let mut state = evening();
    let refusal = br#"{"transaction":null,"status":"error","error":"the switch on the box is off"}"#;
    assert_eq!(state.hear("response/camera", refusal), Some(Change::Refused));
    assert_eq!(state.notice.as_deref(), Some("the box refuses camera: the switch on the box is off"));
    let problem = br#"{"event_type":"problem","part":"leds","message":"no chip"}"#;
    assert_eq!(state.hear("event", problem), Some(Change::Problems));
    let well = br#"{"transaction":"1","status":"ok","data":{"problems":[]}}"#;
    assert_eq!(state.hear("response/diagnose", well), Some(Change::Problems));
    assert!(state.problems.is_empty());
}

#[test]
fn a_configuration_that_was_taken_back_stays_told_until_one_is_set_again() {
    let mut state = evening();
    let event = |part: &str, message: &str| json!({ "event_type": "problem", "part": part, "message": message });
    let lists = |problems: serde_json::Value| json!({ "status": "ok", "data": { "problems": problems } }).to_string();
    let camera = json!({ "part": "camera", "message": "it is not there" });
    let told = |state: &State| lines::line(Change::Problems, state).unwrap();
    state.hear("event", event("camera", "it is not there").to_string().as_bytes());
    let taken_back = "the new configuration was taken back: camera: it is not there";
    assert_eq!(state.hear("event", event("config", taken_back).to_string().as_bytes()), Some(Change::Problems));
    let both = format!("problems: config: {taken_back}; camera: it is not there");
    assert_eq!(told(&state), both);
    // Asked at once, and after the restart that a camera takes.
    assert_eq!(state.hear("response/diagnose", lists(json!([camera])).as_bytes()), None);
    assert!(state.may_mend());
    state.hear("availability", b"offline");
    state.hear("availability", b"online");
    assert_eq!(state.hear("response/diagnose", lists(json!([])).as_bytes()), Some(Change::Problems));
    assert_eq!(told(&state), format!("problems: config: {taken_back}"));
    assert!(picture(&state, &Mode::Live, (80, 24)).contains("config: the new configuration was taken back"));
    // There is nothing to ask the box for.
    assert!(!state.may_mend());
    let refusal = br#"{"transaction":"1","status":"error","error":"mood.hold_s: too much"}"#;
    assert_eq!(state.hear("response/config.set", refusal), Some(Change::Refused));
    assert_eq!(told(&state), format!("problems: config: {taken_back}"));
    let set = br#"{"transaction":"2","status":"ok","data":{"set":{},"after_restart":[],"trial_s":60}}"#;
    assert_eq!(state.hear("response/config.set", set), Some(Change::Problems));
    assert_eq!(told(&state), "problems: none");
}

#[test]
fn a_notice_goes_when_the_box_comes_and_when_something_new_fails() {
    let late = || Some("box livingroom is not heard".to_owned());
    let mut state = State { notice: late(), ..State::default() };
    state.hear("availability", b"offline");
    assert_eq!(state.notice, late());
    state.hear("availability", b"online");
    assert_eq!(state.notice, None);

    let mut mode = Mode::Live;
    let failing = |problems: serde_json::Value| json!({ "status": "ok", "data": { "problems": problems } }).to_string();
    let leds = json!({ "part": "leds", "message": "no chip" });
    state.hear("response/diagnose", failing(json!([leds])).as_bytes());
    for still in [json!([leds]), json!([])] {
        type_in("l", &mut mode, &mut state);
        state.hear("response/diagnose", failing(still).as_bytes());
        assert_eq!(state.notice.as_deref(), Some("told the box: like"));
    }
    state.hear("event", br#"{"event_type":"problem","part":"models","message":"no memory"}"#);
    let drawn = picture(&state, &mode, (80, 24));
    assert!(drawn.contains("models: no memory") && !drawn.contains("told the box"), "{drawn}");
}

#[test]
fn outlines_go_with_the_faces() {
    for (part, payload) in [
        ("availability", "offline".to_owned()),
        ("state", STATE.replace("\"faces\":2", "\"faces\":0")),
        ("state", STATE.replace("\"camera\":\"on\"", "\"camera\":\"off\"")),
    ] {
        let mut state = evening();
        assert!(state.faces.is_some());
        state.hear(part, payload.as_bytes());
        assert_eq!(state.faces, None, "{payload}");
    }
}

#[test]
fn each_change_is_a_line() {
    let state = evening();
    let all = [
        Change::Availability,
        Change::State,
        Change::Confidence,
        Change::Brightness,
        Change::List,
        Change::Playing,
        Change::Figures,
        Change::Problems,
    ];
    let text: Vec<_> = all.into_iter().filter_map(|change| lines::line(change, &state)).collect();
    insta::assert_snapshot!(text.join("\n"), @r#"
    box: online
    mood: happy, valence +0.61, arousal +0.32, faces 2, expression happy, policy match, camera on, light on
    confidence: 87 %
    light: 100 % bright
    songs: the room looks happy: songs that reflect it. First: The Testers – Song 1.
    plays: The Testers – Song 2
    5.0 fps  82 ms  55 °C  23 MB  up 3:07 h  v0.1.0
    problems: none
    "#);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn whatever_a_box_says_is_drawn_or_passed_over(
        messages in prop::collection::vec((prop::sample::select(&HEARS), payload()), 0..20),
        width in 1u16..200, height in 1u16..60, choosing: bool,
    ) {
        let mut state = evening();
        for (part, payload) in messages {
            state.hear(part, &payload);
        }
        let mut mode = Mode::Live;
        if choosing {
            type_in("c", &mut mode, &mut state);
        }
        picture(&state, &mode, (width, height));
    }
}

/// What a box may say, changed in places, and what it never would.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let number =
        prop_oneof![Just(json!(1e38)), Just(json!(-1)), Just(json!(null)), any::<i32>().prop_map(|n| json!(n))];
    let odd = (number.clone(), number).prop_map(|(first, second)| {
        let mut odd = faces();
        odd["faces"][0]["box"][0] = first.clone();
        odd["faces"][1]["box"][3] = second.clone();
        odd["width"] = first;
        odd["height"] = second;
        odd.to_string().into_bytes()
    });
    prop_oneof![
        odd,
        any::<(f32, f32)>().prop_map(|(v, a)| {
            let place = |value: f32| json!(value).to_string();
            STATE.replace("0.61", &place(v)).replace("0.32", &place(a)).into_bytes()
        }),
        prop::collection::vec(any::<u8>(), 0..80),
        Just(
            br#"{"reason":"\u001b[2J\u202e","tracks":[{"uri":"\u0000","title":"\u001b]0;x\u0007","why":"\n\n"}]}"#
                .to_vec()
        ),
    ]
}
