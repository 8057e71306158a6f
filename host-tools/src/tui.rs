//! What is drawn on a terminal by more than one command.

use std::time::Duration;

use moodbox_core::led::{LedPattern, Levels};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

/// A frame with a caption that leaves what is below it visible.
pub(crate) struct Outline {
    pub(crate) caption: String,
    /// Right end of the caption, which may be longer than the frame is wide.
    pub(crate) caption_right: u16,
    pub(crate) style: Style,
}

impl Widget for Outline {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let (right, bottom) = (area.right().saturating_sub(1), area.bottom().saturating_sub(1));
        for position in area.positions() {
            let (x, y) = (position.x, position.y);
            let (on_side, on_end) = (x == area.x || x == right, y == area.y || y == bottom);
            let symbol = match (on_side, on_end) {
                (true, true) => '+',
                (true, false) => '\u{2502}',
                (false, true) => '\u{2500}',
                (false, false) => continue,
            };
            if let Some(cell) = buffer.cell_mut(position) {
                cell.set_char(symbol).set_style(self.style);
            }
        }
        let room = self.caption_right.saturating_sub(area.x + 1);
        buffer.set_stringn(area.x + 1, area.y, &self.caption, room.into(), self.style);
    }
}

/// A share, 0..1, as a bar of so many characters.
pub(crate) fn bar(share: f32, length: usize) -> String {
    let full = (share.clamp(0.0, 1.0) * length as f32).round() as usize;
    format!("{}{}", "\u{2588}".repeat(full), "\u{2591}".repeat(length - full))
}

/// The mood light as a screen shows it, red, green and blue: an LED's power is linear, a screen's values are not.
pub(crate) fn on_screen(light: &LedPattern, at: Duration) -> [u8; 3] {
    let Levels { red, green, blue, .. } = light.levels_at(at);
    [red, green, blue].map(|power| (255.0 * power.clamp(0.0, 1.0).powf(1.0 / 2.2)).round() as u8)
}
