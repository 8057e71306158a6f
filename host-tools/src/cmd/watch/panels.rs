//! The panels of a watched box: faces as outlines, what they show, and where the mood is.

use moodbox_core::affect::Affect;
use moodbox_core::emotion::Emotion;
use moodbox_core::mood::RoomMood;
use moodbox_core::topics::{Faces, Outline as Face};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::canvas::{Canvas, Line as Stroke, Points};
use ratatui::widgets::{Block, Paragraph, Widget};

use super::state::State;
use crate::tui::{Outline, bar};

/// Columns of the plane from which on the emotions are named in it.
const ROOM_FOR_NAMES: u16 = 32;

/// The nearest that every terminal has to the light's colour.
pub(super) const fn colour(mood: RoomMood) -> Color {
    match mood {
        RoomMood::Emotion(Emotion::Angry) => Color::Red,
        RoomMood::Emotion(Emotion::Disgust) => Color::Green,
        RoomMood::Emotion(Emotion::Fear) => Color::Magenta,
        RoomMood::Emotion(Emotion::Happy) => Color::Yellow,
        RoomMood::Emotion(Emotion::Sad) => Color::Blue,
        RoomMood::Emotion(Emotion::Surprise) => Color::Cyan,
        RoomMood::Emotion(Emotion::Neutral) => Color::Reset,
        RoomMood::Mixed => Color::LightMagenta,
        RoomMood::Absent => Color::DarkGray,
    }
}

/// Where the faces are in the frame.
pub(super) fn faces(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let block = Block::bordered().title(" faces ");
    let inner = block.inner(area);
    frame.render_widget(block, area);
    match state.faces.as_ref().filter(|seen| !seen.faces.is_empty()) {
        Some(seen) => seen.faces.iter().for_each(|face| draw_face(frame, inner, seen, face)),
        None => frame.render_widget(Line::from(nobody(state)).dim(), inner),
    }
}

fn nobody(state: &State) -> &'static str {
    match &state.room {
        Some(room) if room.camera == "off" => "the camera is off",
        Some(room) if room.camera == "on" && room.faces == 0 => "nobody in view",
        Some(room) if room.camera == "on" => "no outlines have come",
        _ => "nothing is seen",
    }
}

fn draw_face(frame: &mut Frame<'_>, area: Rect, seen: &Faces, face: &Face) {
    // The whole frame fits, and a character is twice as high as wide.
    let (width, height) = (seen.width.max(1) as f32, seen.height.max(1) as f32);
    let scale = (f32::from(area.width) / width).min(2.0 * f32::from(area.height) / height);
    let margin = ((f32::from(area.width) - width * scale) / 2.0).max(0.0);
    let [x, y, w, h] = face.bbox.map(|edge| edge as f32 * scale);
    // Cut at the borders of the panel.
    let column = |x: f32| area.x + (x + margin).clamp(0.0, f32::from(area.width)) as u16;
    let row = |y: f32| area.y + (y / 2.0).clamp(0.0, f32::from(area.height)) as u16;
    let (left, top) = (column(x), row(y));
    let (right, bottom) = (column((x + w).ceil()), row((y + h).ceil()));
    let outline = Rect { x: left, y: top, width: right.saturating_sub(left), height: bottom.saturating_sub(top) };
    let (emotion, probability) = face.emotions.0.top();
    let caption =
        if face.sharp { format!("{} {emotion} {:.0} %", face.person, 100.0 * probability) } else { "blurred".into() };
    let style = Style::new().fg(colour(RoomMood::Emotion(emotion))).add_modifier(Modifier::BOLD);
    Outline { caption, caption_right: area.right(), style }.render(outline.intersection(area), frame.buffer_mut());
}

/// How likely each emotion is, on the mean over the faces.
pub(super) fn emotions(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let block = Block::bordered().title(" expressions ");
    let length = usize::from(area.width.saturating_sub(17));
    let shown = state.expression();
    let lines = Emotion::ALL.map(|emotion| {
        let share = shown.as_ref().map_or(0.0, |shown| shown[emotion]);
        let style = Style::new().fg(colour(RoomMood::Emotion(emotion)));
        let percent = if shown.is_some() { format!(" {:3.0} %", 100.0 * share) } else { String::new() };
        Line::from(vec![Span::raw(format!("{emotion:8} ")), Span::styled(bar(share, length), style), percent.into()])
    });
    frame.render_widget(Paragraph::new(lines.to_vec()).block(block), area);
}

/// The mood on the valence-arousal plane, and where it was before.
pub(super) fn plane(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let place = state.trail.back();
    let said = place.map(|at| format!(" v {:+.2} a {:+.2} ", at.valence, at.arousal)).unwrap_or_default();
    let block = Block::bordered().title(" valence, arousal ").title_bottom(said);
    let trail: Vec<_> = state.trail.iter().copied().map(on_plane).collect();
    let canvas = Canvas::default().block(block).marker(Marker::Braille).x_bounds([-1.0, 1.0]).y_bounds([-1.0, 1.0]);
    let canvas = canvas.paint(|canvas| {
        canvas.draw(&Stroke::new(-1.0, 0.0, 1.0, 0.0, Color::DarkGray));
        canvas.draw(&Stroke::new(0.0, -1.0, 0.0, 1.0, Color::DarkGray));
        canvas.layer();
        for pair in trail.windows(2) {
            canvas.draw(&Stroke::new(pair[0].0, pair[0].1, pair[1].0, pair[1].1, Color::Cyan));
        }
        canvas.draw(&Points { coords: &trail, color: Color::Cyan });
        canvas.layer();
        if area.width >= ROOM_FOR_NAMES {
            for emotion in Emotion::ALL {
                let (x, y) = on_plane(Affect::of(emotion));
                canvas.print(x, y, Line::from(emotion.name()).dim());
            }
        }
        if let Some((x, y)) = trail.last() {
            canvas.print(*x, *y, "\u{25cf}".bold());
        }
    });
    frame.render_widget(canvas, area);
}

fn on_plane(at: Affect) -> (f64, f64) {
    (f64::from(at.valence), f64::from(at.arousal))
}
