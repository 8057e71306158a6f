//! Whether something moves: a small picture of the frame's brightness beside the one that was kept.

use moodbox_core::face::BBox;

use crate::frame::Frame;
use crate::resample::blend_luma;

/// Cells along the side of the smallest face that is looked for.
const CELLS_A_FACE: usize = 4;
/// Of this many rows of pixels one is looked at.
const ROW_STEP: usize = 4;
/// Levels of brightness, of 255, by which a cell must differ.
const LEVELS: i16 = 6;
/// In the dark a camera's noise moves cells, small ones more: they must differ by so many times the median of how far all do,
/// which is 5 standard deviations.
const NOISES: i16 = 8;
/// No more is asked than this: where much of the frame moves the median is no noise.
const MOST_LEVELS: i16 = 24;
/// Cells that must differ: a fifth of the smallest face.
const LEAST_CELLS: usize = 3;

/// A small picture in brightness and the one that it is compared with.
#[derive(Debug, Default)]
pub(crate) struct Motion {
    /// Side of a cell in pixels of what was looked at, and in pixels of the frame.
    cell: usize,
    side: f32,
    columns: usize,
    size: (usize, usize),
    now: Vec<u8>,
    kept: Vec<u8>,
    /// Room for the mean of the rows of a row of cells; and its brightness.
    means: Vec<u16>,
    luma: Vec<f32>,
    weights: Vec<u16>,
}

impl Motion {
    /// Looks at a frame of `width` pixels, which may be shown smaller. The smallest face that matters is `face` pixels wide.
    pub(crate) fn look(&mut self, frame: &Frame<'_>, face: usize, width: usize) {
        let shrunk = (width / frame.width()).max(1);
        let (size, cell) = ((frame.width(), frame.height()), (face / CELLS_A_FACE / shrunk).max(1));
        self.side = (cell * shrunk) as f32;
        if (size, cell) != (self.size, self.cell) {
            (self.size, self.cell, self.columns) = (size, cell, size.0.div_ceil(cell));
            self.kept.clear();
            self.now.reserve(self.columns * size.1.div_ceil(cell));
            self.kept.reserve(self.now.capacity());
        }
        self.luma.resize(size.0, 0.0);
        self.now.clear();
        for top in (0..size.1).step_by(cell) {
            let rows = (size.1 - top).min(cell).div_ceil(ROW_STEP);
            self.weights.clear();
            self.weights.resize(rows, (256 / rows) as u16);
            self.weights[0] += (256 % rows) as u16;
            let row = |k: usize| frame.row(top + ROW_STEP * k);
            blend_luma(frame.format(), row, &self.weights, &mut self.means, &mut self.luma);
            self.now.extend(self.luma.chunks(cell).map(|cell| (cell.iter().sum::<f32>() / cell.len() as f32) as u8));
        }
    }

    /// Mean brightness of the frame, 0..1.
    pub(crate) fn light(&self) -> f32 {
        let sum: usize = self.now.iter().map(|v| usize::from(*v)).sum();
        sum as f32 / (255.0 * self.now.len().max(1) as f32)
    }

    /// Keeps the picture for comparison.
    pub(crate) fn keep(&mut self) {
        self.kept.clone_from(&self.now);
    }

    /// Whether something differs from the picture that was kept, outside of what is `known` to move. A change that the
    /// whole frame has in common, such as the camera's own of its exposure, does not count.
    pub(crate) fn is_seen(&self, known: impl Fn(&BBox) -> bool) -> bool {
        if self.kept.len() != self.now.len() {
            return true;
        }
        let differences = || self.now.iter().zip(&self.kept).map(|(a, b)| i16::from(*a) - i16::from(*b));
        let common = median(differences());
        let noise = median(differences().map(|d| (d - common).abs().min(255)));
        let levels = (NOISES * noise).clamp(LEVELS, MOST_LEVELS);
        let changed = differences().enumerate().filter(|(_, d)| (d - common).abs() >= levels);
        let side = self.side;
        let place = |i: usize| BBox {
            x: (i % self.columns) as f32 * side,
            y: (i / self.columns) as f32 * side,
            w: side,
            h: side,
        };
        changed.filter(|(i, _)| !known(&place(*i))).nth(LEAST_CELLS - 1).is_some()
    }
}

/// The median of differences between bytes; what moves in a part of the frame does not shift it, as it would the mean.
fn median(differences: impl Iterator<Item = i16>) -> i16 {
    let (mut counts, mut total) = ([0_u32; 511], 0);
    for difference in differences {
        counts[(difference + 255) as usize] += 1;
        total += 1;
    }
    let mut below = 0;
    let middle = counts.iter().position(|count| {
        below += count;
        2 * below >= total
    });
    middle.map_or(0, |i| i as i16 - 255)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Format;

    const SIZE: (usize, usize) = (130, 97);

    fn look(motion: &mut Motion, value: impl Fn(usize, usize) -> u8) {
        let data: Vec<u8> = (0..SIZE.0 * SIZE.1).map(|i| value(i % SIZE.0, i / SIZE.0)).collect();
        motion.look(&Frame::new(&data, Format::Grey, SIZE.0, SIZE.1, SIZE.0).unwrap(), 60, SIZE.0);
    }

    fn wall(x: usize, y: usize) -> u8 {
        (60 + (x * 7 + y * 3) % 50) as u8
    }

    fn hand(x: usize, y: usize) -> bool {
        (30..70).contains(&x) && (40..80).contains(&y)
    }

    #[test]
    fn the_light_is_the_mean() {
        let mut motion = Motion::default();
        assert!(motion.light().abs() < 1e-6, "of no frame");
        look(&mut motion, |_, _| 51);
        assert!((motion.light() - 0.2).abs() < 1e-6, "{}", motion.light());
        look(&mut motion, |x, _| if x < 60 { 0 } else { 255 });
        assert!((motion.light() - 0.54).abs() < 0.02, "{}", motion.light());
    }

    #[test]
    fn the_noise_of_a_dark_room_is_no_motion_whatever_faces_are_looked_for() {
        const VGA: (usize, usize) = (640, 480);
        let mut chance = fastrand::Rng::with_seed(1);
        for face in [24, 40, 60, 120] {
            let mut motion = Motion::default();
            // The sum of twelve numbers from 0 to 1 has a standard deviation of 1.
            let mut dark = |hand: bool| -> Vec<u8> {
                let mut noise = || 10.0 * ((0..12).map(|_| chance.f32()).sum::<f32>() - 6.0);
                let is_hand = |i: usize| hand && (300..340).contains(&(i % VGA.0)) && (200..240).contains(&(i / VGA.0));
                (0..VGA.0 * VGA.1).map(|i| (noise() + if is_hand(i) { 80.0 } else { 40.0 }) as u8).collect()
            };
            let mut look = |data: &[u8]| {
                motion.look(&Frame::new(data, Format::Grey, VGA.0, VGA.1, VGA.0).unwrap(), face, VGA.0);
                let seen = motion.is_seen(|_| false);
                motion.keep();
                seen
            };
            look(&dark(false));
            let moving = (0..30).filter(|_| look(&dark(false))).count();
            assert!(moving <= 1, "{moving} of 30 frames with faces of {face} px");
            assert!(look(&dark(true)), "a hand, with faces of {face} px");
        }
    }

    #[test]
    fn what_moves_is_seen_and_noise_and_exposure_are_not() {
        let mut motion = Motion::default();
        look(&mut motion, wall);
        assert!(motion.is_seen(|_| false), "there is nothing yet to compare with");
        motion.keep();
        assert!(!motion.is_seen(|_| false));
        let mut noise = fastrand::Rng::with_seed(1);
        let noisy: Vec<u8> = (0..SIZE.0 * SIZE.1).map(|_| noise.u8(0..34)).collect();
        look(&mut motion, |x, y| wall(x, y) + noisy[y * SIZE.0 + x]);
        assert!(!motion.is_seen(|_| false), "noise of 10 levels on a picture that has become brighter");
        look(&mut motion, |x, y| if hand(x, y) { 150 } else { wall(x, y) });
        assert!(motion.is_seen(|_| false));
        assert!(!motion.is_seen(|cell| cell.x < 75.0), "somebody is known to move there");
    }
}
