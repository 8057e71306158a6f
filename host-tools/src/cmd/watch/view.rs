//! A watched box, drawn: the head, the panels, the songs, its health and the keys.

use std::time::Duration;

use moodbox_core::led::{CameraLight, Fault, LedPattern};
use moodbox_core::mood::RoomMood;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph, Wrap};

use super::keys::{KEYS, Mode};
use super::panels;
use super::state::{Figures, Room, State};
use crate::song::Song;
use crate::tui;

/// Rows of the songs where all seven expressions need what else there is, on a usual terminal, and for a list of ten.
const fn rows_of_songs(height: u16) -> u16 {
    match height {
        ..24 => 6,
        24..32 => 7,
        32.. => 12,
    }
}

/// Rows of what does not work, at most.
const MOST_TOLD: u16 = 4;

/// Columns from which on the plane is drawn, too.
const WIDE: u16 = 72;

/// All that is drawn.
pub(super) struct Scene<'a> {
    pub(super) id: &'a str,
    pub(super) broker: &'a str,
    pub(super) state: &'a State,
    pub(super) mode: &'a Mode,
    /// Any time that goes on, for what breathes and blinks.
    pub(super) at: Duration,
    pub(super) coloured: bool,
    /// Whether the terminal shows any colour, and not only its own few.
    pub(super) true_colour: bool,
}

impl Scene<'_> {
    /// Whether the picture stays as it is until something changes.
    pub(super) fn is_still(&self) -> bool {
        !self.coloured || self.light().is_none_or(|light| light.is_steady())
    }

    /// The light as the box shows it, as far as is known; nothing where the box is away.
    fn light(&self) -> Option<LedPattern> {
        let room = self.state.room.as_ref().filter(|_| self.state.online == Some(true))?;
        let mood = room.expression.filter(|_| room.presence).map_or(room.mood, RoomMood::Emotion);
        Some(LedPattern {
            mood,
            confidence: f32::from(self.state.confidence.unwrap_or(100)) / 100.0,
            unsure: room.unsure,
            fault: (room.camera == "unavailable").then_some(Fault::Camera),
            camera: CameraLight::Steady,
            lights_on: room.leds != "off",
            brightness: f32::from(self.state.brightness.unwrap_or(100)) / 100.0,
            test: None,
        })
    }
}

pub(super) fn draw(frame: &mut Frame<'_>, scene: &Scene<'_>) {
    let area = frame.area();
    let songs = Constraint::Length(rows_of_songs(area.height));
    let told = told(scene.state);
    // What mends a fault stands at the end of its line.
    let foot = rows_of(&told, area.width).clamp(1, MOST_TOLD) + 2;
    let rows = [Constraint::Length(2), Constraint::Fill(1), songs, Constraint::Length(foot)];
    let [head, middle, lower, foot] = Layout::vertical(rows).areas(area);
    draw_head(frame, head, scene);
    if *scene.mode == Mode::Help {
        draw_help(frame, middle.union(lower));
    } else {
        draw_middle(frame, middle, scene.state);
        draw_songs(frame, lower, scene);
    }
    draw_foot(frame, foot, scene, told);
    if !scene.coloured {
        // Bold, dim and reversed stay.
        frame.buffer_mut().set_style(area, Style::new().fg(Color::Reset).bg(Color::Reset));
    }
}

fn draw_middle(frame: &mut Frame<'_>, area: Rect, state: &State) {
    // A plane looks right where it is about twice as wide as high.
    let plane = if area.width < WIDE { 0 } else { (2 * area.height).min(area.width / 3) };
    let columns = [Constraint::Fill(1), Constraint::Length(27), Constraint::Length(plane)];
    let [seen, mood, plane] = Layout::horizontal(columns).areas(area);
    panels::faces(frame, seen, state);
    panels::emotions(frame, mood, state);
    panels::plane(frame, plane, state);
}

/// Which box, its light and camera, and the mood.
fn draw_head(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>) {
    let state = scene.state;
    let mut first = vec![Span::raw(format!(" {} ", scene.id)).bold()];
    first.push(match (&state.lost, state.online) {
        (Some(_), _) => "\u{25cb} broker away".red(),
        (None, Some(true)) => "\u{25cf} online".green(),
        (None, Some(false)) => "\u{25cb} away".red(),
        (None, None) => "\u{25cb} not heard yet".yellow(),
    });
    if let Some(room) = &state.room {
        first.push(match room.camera.as_str() {
            "on" => "  \u{25cf} camera on".red(),
            "off" => "  \u{25cb} camera off".into(),
            _ => "  \u{25cb} camera unavailable".yellow(),
        });
        first.push(Span::raw(format!("  policy {}", room.policy)));
        first.push(Span::raw(format!("  light {} ", room.leds)));
    }
    if let Some(light) = scene.light() {
        let colour = match tui::on_screen(&light, scene.at) {
            [0, 0, 0] => Color::Black,
            [red, green, blue] if scene.true_colour => Color::Rgb(red, green, blue),
            // A fault blinks in red.
            [_, 0, 0] => Color::Red,
            _ => panels::colour(light.mood),
        };
        first.push(Span::styled("\u{2588}".repeat(6), Style::new().fg(colour)));
    }
    let second =
        state.room.as_ref().map_or_else(|| Line::from(" waiting for its state").dim(), |room| mood(room, state));
    frame.render_widget(Paragraph::new(vec![Line::from(first), second]), area);
}

fn mood<'a>(room: &Room, state: &State) -> Line<'a> {
    let sure = state.confidence.map(|percent| format!(" {percent} %")).unwrap_or_default();
    let mut spans = vec![
        Span::raw(" mood "),
        Span::styled(room.mood.name(), Style::new().fg(panels::colour(room.mood)).add_modifier(Modifier::BOLD)),
        Span::raw(format!("{sure}{}", if room.unsure { ", unsure" } else { "" })),
    ];
    if let Some(expression) = room.expression {
        spans.push(Span::raw(format!("   looks {expression}")));
    }
    if let Some(reason) = &room.camera_reason {
        spans.push(Span::raw(format!("   {reason}")).yellow());
    }
    Line::from(spans)
}

fn draw_songs(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>) {
    let state = scene.state;
    let room = usize::from(area.height.saturating_sub(2));
    let (title, songs, chosen) = match (scene.mode, &state.list) {
        (Mode::Choosing { songs, at }, _) => (" choose: up, down, enter; esc leaves ", songs.as_slice(), Some(*at)),
        (_, Some(list)) => (" songs ", list.tracks.as_slice(), None),
        (_, None) => (" songs ", &[][..], None),
    };
    let mut block = Block::bordered().title(title);
    if let Some(list) = state.list.as_ref().filter(|list| !list.reason.is_empty()) {
        block = block.title_bottom(format!(" {} ", list.reason));
    }
    let playing = state.playing.as_ref();
    if let Some(song) = playing {
        block = block.title_top(Line::from(format!(" \u{266a} {} ", song.name())).right_aligned());
    }
    // The chosen one is always among those that are shown.
    let first = chosen.map_or(0, |at| (at + 1).saturating_sub(room));
    let lines = songs.iter().enumerate().skip(first).take(room);
    let lines = lines.map(|(number, song)| {
        let plays = playing.is_some_and(|playing| playing.uri == song.uri);
        song_line(song, plays, chosen == Some(number))
    });
    let mut lines: Vec<_> = lines.collect();
    if lines.is_empty() {
        lines.push(Line::from("no list yet").dim());
    }
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn song_line<'a>(song: &Song, plays: bool, chosen: bool) -> Line<'a> {
    let mark = if chosen {
        "\u{25b6} "
    } else if plays {
        "\u{266a} "
    } else {
        "  "
    };
    let genre = if song.genre.is_empty() { String::new() } else { format!("  {}", song.genre) };
    let line = Line::from(vec![
        Span::raw(mark),
        Span::raw(song.name()).bold(),
        Span::raw(genre).dim(),
        Span::raw(format!("  {}", song.why)),
    ]);
    if chosen { line.reversed() } else { line }
}

/// What does not work, or was just done.
fn told(state: &State) -> Line<'static> {
    let problems = || {
        let told = state.problems.iter().map(|problem| format!("{}: {}", problem.part, problem.message));
        told.collect::<Vec<_>>().join("; ")
    };
    match (&state.lost, &state.notice) {
        (Some(reason), _) => Line::from(format!(" {reason}; trying again")).red(),
        (None, Some(notice)) => Line::from(format!(" {notice}")).yellow(),
        (None, None) => Line::from(format!(" {}", problems())).red(),
    }
}

/// Rows that a line takes where it is wrapped between its words.
fn rows_of(line: &Line<'_>, width: u16) -> u16 {
    let (mut rows, mut column) = (1_u16, 0);
    for word in line.iter().flat_map(|span| span.content.split(' ')) {
        let length = Span::raw(word).width();
        if column > 0 && column + length > usize::from(width) {
            (rows, column) = (rows.saturating_add(1), 0);
        }
        column += length + 1;
    }
    rows
}

/// What does not work or was just done, how the box is, and the keys.
fn draw_foot(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>, told: Line<'_>) {
    let [first, rest] = Layout::vertical([Constraint::Fill(1), Constraint::Length(2)]).areas(area);
    frame.render_widget(Paragraph::new(told).wrap(Wrap { trim: false }), first);
    let state = scene.state;
    let second = match &state.figures {
        Some(known) => Line::from(format!(" {}  {}", figures(known), scene.broker)),
        None => Line::from(format!(" {}", scene.broker)),
    };
    let keys = KEYS.iter().flat_map(|(key, name, _)| [Span::raw(format!(" {key}")).bold(), format!(" {name}").into()]);
    let lines = vec![second.dim(), Line::from(keys.collect::<Vec<_>>())];
    frame.render_widget(Paragraph::new(lines), rest);
}

fn draw_help(frame: &mut Frame<'_>, area: Rect) {
    let keys = KEYS.iter().map(|(key, name, what)| {
        Line::from(vec![Span::raw(format!("{key:>3}  ")).bold(), format!("{name:8} {what}").into()])
    });
    let mut lines: Vec<_> = keys.collect();
    lines.push(Line::default());
    lines
        .push(Line::from("Faces are outlines: the box sends where they are, and no picture. Any key goes back.").dim());
    let block = Block::bordered().title(" keys ");
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }).block(block), area);
}

/// How the box is, in one line.
pub(super) fn figures(figures: &Figures) -> String {
    let Figures { fps, frame_ms_p95, rss_mb, uptime_s, version, .. } = figures;
    let heat = figures.temperature_c.map(|celsius| format!("  {celsius:.0} \u{b0}C")).unwrap_or_default();
    let throttled = if figures.throttled == Some(true) { " throttled" } else { "" };
    let (hours, minutes) = (uptime_s / 3600, uptime_s / 60 % 60);
    format!(
        "{fps:.1} fps  {frame_ms_p95:.0} ms{heat}{throttled}  {rss_mb:.0} MB  up {hours}:{minutes:02} h  v{version}"
    )
}
