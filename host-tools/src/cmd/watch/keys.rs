//! What somebody presses, and what comes of it.

use moodbox_core::affect::Policy;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde_json::json;

use super::state::State;
use crate::song::Song;

/// Each key and what it does. What a narrow terminal cuts off is on the page behind the first.
pub(super) const KEYS: [(&str, &str, &str); 9] = [
    ("?", "help", "this page"),
    ("q", "quit", "leave; the box goes on"),
    ("l", "like", "the song that plays is liked"),
    ("s", "skip", "it is not wanted; on to the next"),
    ("n", "next", "on to the next of the list"),
    ("c", "choose", "pick a song from the list; more like it follow"),
    ("p", "policy", "match, lift or soothe the mood, one after the other"),
    ("v", "camera", "switch the camera on or off"),
    ("d", "light", "switch the mood light on or off"),
];

/// What the keys are for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// The box.
    #[default]
    Live,
    /// One of these songs, which stay as they are while somebody chooses.
    Choosing { songs: Vec<Song>, at: usize },
    /// The page that explains them.
    Help,
}

/// Something to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Send this command with this payload.
    Command(&'static str, String),
    Quit,
}

/// Takes in a key.
pub(super) fn press(key: KeyEvent, mode: &mut Mode, state: &mut State) -> Option<Action> {
    if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) {
        // With Ctrl or Alt a letter means something else, such as Ctrl-L in most programs.
        let control_c = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
        return control_c.then_some(Action::Quit);
    }
    state.notice = None;
    if key.code == KeyCode::Char('q') {
        return Some(Action::Quit);
    }
    match mode {
        Mode::Choosing { songs, at } => match key.code {
            KeyCode::Up | KeyCode::Char('k') => *at = at.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => *at = (*at + 1).min(songs.len().saturating_sub(1)),
            KeyCode::Enter => {
                let song = songs.get(*at).cloned();
                *mode = Mode::Live;
                let song = song?;
                return send(state, "choose", json!({ "uri": song.uri }).to_string());
            }
            KeyCode::Esc | KeyCode::Char('c') => *mode = Mode::Live,
            _ => {}
        },
        Mode::Help => *mode = Mode::Live,
        Mode::Live => return live(key.code, mode, state),
    }
    None
}

fn live(key: KeyCode, mode: &mut Mode, state: &mut State) -> Option<Action> {
    let room = state.room.as_ref();
    let switched = |on: bool| if on { "OFF" } else { "ON" }.to_owned();
    match key {
        KeyCode::Char('l') => send(state, "like", String::new()),
        KeyCode::Char('s') => send(state, "skip", String::new()),
        KeyCode::Char('n') => send(state, "next", String::new()),
        KeyCode::Char('v') => {
            let payload = switched(room?.camera != "off");
            send(state, "camera", payload)
        }
        KeyCode::Char('d') => {
            let payload = switched(room?.leds != "off");
            send(state, "leds", payload)
        }
        KeyCode::Char('p') => {
            let policy = room?.policy;
            let next = Policy::ALL.into_iter().cycle().skip_while(|known| *known != policy).nth(1);
            send(state, "policy", next?.name().to_owned())
        }
        KeyCode::Char('c') => {
            let songs = state.list.as_ref().map(|list| list.tracks.clone()).unwrap_or_default();
            if songs.is_empty() {
                state.notice = Some("there is no list to choose from yet".to_owned());
            } else {
                *mode = Mode::Choosing { songs, at: 0 };
            }
            None
        }
        KeyCode::Char('?' | 'h') => {
            *mode = Mode::Help;
            None
        }
        KeyCode::Esc => Some(Action::Quit),
        _ => None,
    }
}

fn send(state: &mut State, command: &'static str, payload: String) -> Option<Action> {
    if !state.listens() {
        state.notice = Some(format!("the box is away; {command} was not sent"));
        return None;
    }
    state.notice = Some(format!("told the box: {command} {payload}").trim_end().to_owned());
    Some(Action::Command(command, payload))
}
