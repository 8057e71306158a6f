//! Sequences made from one photo, as a camera would see it that moves, loses focus, is covered or meets another light.

use moodbox_core::face::BBox;

pub(crate) const WIDTH: usize = 640;
pub(crate) const HEIGHT: usize = 480;

/// Frames of a sequence, and how many of them are shown a second.
pub(crate) const FRAMES: usize = 20;
pub(crate) const FPS: u64 = 5;

/// What happens in a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// The camera turns from side to side, up to 25 pixels a frame.
    Pan,
    /// It comes nearer, to 1.5 times the size, and goes back.
    Zoom,
    /// It loses focus, to a box blur of 9 pixels, and finds it again.
    Blur,
    /// A grey post as wide as a tenth of the frame goes by in front.
    Occlusion,
    /// The light fades to a third and comes back.
    Light,
}

impl Change {
    pub(crate) const ALL: [Self; 5] = [Self::Pan, Self::Zoom, Self::Blur, Self::Occlusion, Self::Light];
}

/// A face that is known to be in a frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    /// The part that is inside.
    pub(crate) bbox: BBox,
    /// Whether it is to be found: two thirds of it are inside, and it has 60 pixels. Whoever finds another one is right too.
    pub(crate) is_wanted: bool,
}

/// Where a pixel of the photo lies in a frame: moved and scaled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    scale: f32,
    x: f32,
    y: f32,
}

impl View {
    /// What of a face of the photo is in the frame.
    pub(crate) fn of(self, [x, y, w, h]: [f32; 4]) -> Known {
        let along = |start: f32, shift: f32, size: f32, length: usize| {
            let start = start * self.scale + shift;
            let low = start.clamp(0.0, length as f32);
            (low, (start + size * self.scale).clamp(0.0, length as f32) - low)
        };
        let (left, width) = along(x, self.x, w, WIDTH);
        let (top, height) = along(y, self.y, h, HEIGHT);
        let bbox = BBox { x: left, y: top, w: width, h: height };
        let whole = w * h * self.scale * self.scale;
        Known { bbox, is_wanted: w.max(h) * self.scale >= 60.0 && bbox.area() >= whole * 2.0 / 3.0 }
    }
}

/// Frame `k` of a sequence from a photo of red, green and blue bytes.
pub(crate) fn frame(photo: &[u8], change: Change, k: usize) -> (Vec<u8>, View) {
    // Once there and back.
    let phase = k as f32 / FRAMES as f32 * std::f32::consts::TAU;
    let away = (1.0 - phase.cos()) / 2.0;
    let mut view = View { scale: 1.0, x: 0.0, y: 0.0 };
    match change {
        Change::Pan => view.x = 80.0 * phase.sin(),
        Change::Zoom => {
            view.scale = 1.0 + 0.5 * away;
            view.x = (1.0 - view.scale) * WIDTH as f32 / 2.0;
            view.y = (1.0 - view.scale) * HEIGHT as f32 / 2.0;
        }
        Change::Blur | Change::Occlusion | Change::Light => {}
    }
    let mut pixels = seen(photo, view);
    match change {
        Change::Blur => blur(&mut pixels, (4.0 * away).round() as usize),
        Change::Occlusion => {
            let left = (WIDTH as f32 * k as f32 / FRAMES as f32) as usize;
            for row in pixels.chunks_exact_mut(3 * WIDTH) {
                row[3 * left..3 * (left + WIDTH / 10).min(WIDTH)].fill(110);
            }
        }
        Change::Light => pixels.iter_mut().for_each(|v| *v = (f32::from(*v) * (1.0 - away * 2.0 / 3.0)) as u8),
        Change::Pan | Change::Zoom => {}
    }
    (pixels, view)
}

/// The photo through a view, bilinear; its border goes on.
fn seen(photo: &[u8], view: View) -> Vec<u8> {
    let place = |at: usize, shift: f32, length: usize| {
        let source = ((at as f32 - shift) / view.scale).clamp(0.0, (length - 1) as f32);
        let low = source as usize;
        (low, (low + 1).min(length - 1), source - low as f32)
    };
    let columns: Vec<_> = (0..WIDTH).map(|x| place(x, view.x, WIDTH)).collect();
    let mut pixels = Vec::with_capacity(photo.len());
    for y in 0..HEIGHT {
        let (low, high, down) = place(y, view.y, HEIGHT);
        let (upper, lower) = (&photo[3 * WIDTH * low..][..3 * WIDTH], &photo[3 * WIDTH * high..][..3 * WIDTH]);
        for (left, right, along) in &columns {
            for c in 0..3 {
                let mix = |row: &[u8]| {
                    let (a, b) = (f32::from(row[3 * left + c]), f32::from(row[3 * right + c]));
                    a + (b - a) * along
                };
                pixels.push((mix(upper) + (mix(lower) - mix(upper)) * down).round() as u8);
            }
        }
    }
    pixels
}

/// A box blur of `2 * reach + 1` pixels each way.
fn blur(pixels: &mut [u8], reach: usize) {
    let blurred = |line: &[u8]| -> Vec<u8> {
        (0..line.len())
            .map(|i| {
                let window = &line[i.saturating_sub(reach)..(i + reach + 1).min(line.len())];
                (window.iter().map(|v| u32::from(*v)).sum::<u32>() / window.len() as u32) as u8
            })
            .collect()
    };
    if reach == 0 {
        return;
    }
    for row in pixels.chunks_exact_mut(3 * WIDTH) {
        for c in 0..3 {
            let line: Vec<u8> = row.iter().skip(c).step_by(3).copied().collect();
            row.iter_mut().skip(c).step_by(3).zip(blurred(&line)).for_each(|(v, b)| *v = b);
        }
    }
    for x in 0..3 * WIDTH {
        let line: Vec<u8> = pixels.iter().skip(x).step_by(3 * WIDTH).copied().collect();
        pixels.iter_mut().skip(x).step_by(3 * WIDTH).zip(blurred(&line)).for_each(|(v, b)| *v = b);
    }
}
