//! The demo drawn on the terminal: what the box sees, the mood, the light and the songs.

use std::io;
use std::time::{Duration, Instant};

use moodbox_core::emotion::Emotion;
use moodbox_core::face::SeenFace;
use moodboxd::picture::Picture;
use moodboxd::run::Glimpse;
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph, Widget, Wrap};
use tokio::sync::mpsc::Receiver;
use tokio::sync::mpsc::error::TryRecvError;

use crate::tui::{self, Outline};

/// Time between two pictures; the light breathes in between.
const REFRESH: Duration = Duration::from_millis(50);

pub(super) fn run(mut glimpses: Receiver<Glimpse>) -> io::Result<()> {
    // TensorFlow Lite writes a line of its own to the terminal before the first frame is analysed, across what is drawn.
    let Some(mut latest) = glimpses.blocking_recv() else { return Ok(()) };
    let mut terminal = ratatui::try_init()?;
    let drawn = (|| {
        let started = Instant::now();
        loop {
            match glimpses.try_recv() {
                Ok(glimpse) => latest = glimpse,
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => return Ok(()),
            }
            terminal.draw(|frame| draw(frame, &latest, started.elapsed()))?;
            if event::poll(REFRESH)? && is_quit(&event::read()?) {
                return Ok(());
            }
        }
    })();
    ratatui::restore();
    drawn
}

fn is_quit(event: &Event) -> bool {
    let Event::Key(key) = event else { return false };
    let control_c = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    control_c || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc)
}

fn draw(frame: &mut Frame<'_>, glimpse: &Glimpse, now: Duration) {
    let [upper, lower, foot] =
        Layout::vertical([Constraint::Fill(3), Constraint::Length(13), Constraint::Length(1)]).areas(frame.area());
    let [seen, mood] = Layout::horizontal([Constraint::Fill(1), Constraint::Length(38)]).areas(upper);
    draw_seen(frame, seen, glimpse);
    draw_mood(frame, mood, glimpse, now);
    draw_songs(frame, lower, glimpse);
    let help = format!(" q ends   the box listens and speaks on {}", glimpse.broker);
    frame.render_widget(Line::from(help).dim(), foot);
}

fn draw_seen(frame: &mut Frame<'_>, area: Rect, glimpse: &Glimpse) {
    let block = Block::bordered().title(" what the box sees ");
    let inner = block.inner(area);
    frame.render_widget(block, area);
    if let Some(picture) = &glimpse.picture {
        frame.render_widget(Mosaic { picture, faces: &glimpse.faces }, inner);
    }
}

/// A picture in half blocks: two pixels a character, one above the other.
struct Mosaic<'a> {
    picture: &'a Picture,
    faces: &'a [SeenFace],
}

impl Widget for Mosaic<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let Picture { rgb, width, height, frame_width, frame_height } = self.picture;
        if area.width == 0 || area.height == 0 || *width == 0 || *height == 0 {
            return;
        }
        // Pixels are square: the picture keeps its shape and leaves the rest of the area free.
        let scale = (f32::from(area.width) / *width as f32).min(2.0 * f32::from(area.height) / *height as f32);
        let (columns, rows) = ((*width as f32 * scale) as u16, (*height as f32 * scale / 2.0) as u16);
        let left = area.x + (area.width - columns.min(area.width)) / 2;
        let colour = |column: u16, half_row: u16| {
            let x = ((f32::from(column) + 0.5) / scale) as usize;
            let y = ((f32::from(half_row) + 0.5) / scale) as usize;
            let at = 3 * (y.min(height - 1) * width + x.min(width - 1));
            Color::Rgb(rgb[at], rgb[at + 1], rgb[at + 2])
        };
        for row in 0..rows.min(area.height) {
            for column in 0..columns.min(area.width) {
                if let Some(cell) = buffer.cell_mut((left + column, area.y + row)) {
                    let (upper, lower) = (colour(column, 2 * row), colour(column, 2 * row + 1));
                    cell.set_char('\u{2580}').set_fg(upper).set_bg(lower);
                }
            }
        }
        let (to_columns, to_rows) = (f32::from(columns) / *frame_width as f32, f32::from(rows) / *frame_height as f32);
        for seen in self.faces {
            let b = seen.face.bbox;
            let outline = Rect {
                x: left + (b.x * to_columns) as u16,
                y: area.y + (b.y * to_rows) as u16,
                width: (b.w * to_columns).ceil() as u16,
                height: (b.h * to_rows).ceil() as u16,
            }
            .intersection(area);
            let (emotion, probability) = seen.emotions.top();
            let style = Style::new().fg(Color::White).add_modifier(Modifier::BOLD);
            let caption = format!("{emotion} {:.0} %", 100.0 * probability);
            Outline { caption, caption_right: area.right(), style }.render(outline, buffer);
        }
    }
}

fn draw_mood(frame: &mut Frame<'_>, area: Rect, glimpse: &Glimpse, now: Duration) {
    let block = Block::bordered().title(" the mood ");
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let room = &glimpse.room;
    let [red, green, blue] = tui::on_screen(&glimpse.light, now);
    let light = Color::Rgb(red, green, blue);
    let lamp = "\u{2588}".repeat(8);
    // What is drawn here was seen just now.
    let camera = "\u{25cf} camera on".red();
    let mut lines = vec![
        Line::from(vec![Span::styled(lamp.clone(), Style::new().fg(light)), "  ".into(), camera]),
        Line::from(Span::styled(lamp, Style::new().fg(light))),
        Line::default(),
        Line::from(vec![
            Span::raw("room        "),
            Span::raw(room.mood.name()).bold(),
            Span::raw(if room.unsure { " (unsure)" } else { "" }),
        ]),
        Line::from(format!("confidence  {}", bar(room.confidence))),
        Line::from(format!("valence     {:+.2}", room.affect.valence)),
        Line::from(format!("arousal     {:+.2}", room.affect.arousal)),
        Line::from(format!("expression  {}", glimpse.expression.map_or("-", Emotion::name))),
        Line::default(),
    ];
    if let Some(face) = glimpse.faces.first() {
        lines.extend(face.emotions.iter().map(|(e, p)| Line::from(format!("{e:11} {}", bar(p)))));
    }
    frame.render_widget(Paragraph::new(lines), inner);
}

fn bar(share: f32) -> String {
    format!("{} {:3.0} %", tui::bar(share, 16), 100.0 * share)
}

fn draw_songs(frame: &mut Frame<'_>, area: Rect, glimpse: &Glimpse) {
    let mut block = Block::bordered().title(" songs ");
    let mut lines = Vec::new();
    if let Some(recommendation) = &glimpse.recommendation {
        block = block.title_bottom(format!(" {} ", recommendation.reason));
        for track in &recommendation.tracks {
            lines.push(Line::from(vec![
                Span::raw(format!("{} \u{2013} {}", track.artist, track.title)).bold(),
                Span::raw(format!("  {}  ", track.genre)).dim(),
                Span::raw(track.why.clone()),
            ]));
        }
    } else {
        lines.push(Line::from("nobody has been seen yet").dim());
    }
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: true }).block(block), area);
}
