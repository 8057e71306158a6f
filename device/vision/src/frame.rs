//! Borrowed views of pixels, as cameras and decoders give them.

/// How pixels lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// 3 bytes a pixel: red, green, blue.
    Rgb,
    /// 1 byte a pixel.
    Grey,
    /// 4 bytes for two neighbouring pixels: Y0 Cb Y1 Cr, limited range, ITU-R BT.601, as USB cameras send it.
    Yuyv,
}

impl Format {
    /// Bytes of one row of this many pixels, without padding.
    #[must_use]
    pub const fn row_bytes(self, width: usize) -> usize {
        match self {
            Self::Rgb => 3 * width,
            Self::Grey => width,
            Self::Yuyv => 2 * width,
        }
    }
}

/// A picture whose pixels lie somewhere else.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    data: &'a [u8],
    format: Format,
    width: usize,
    height: usize,
    stride: usize,
}

/// Pixels that do not make a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{len} bytes are no {format:?} picture of {width}x{height} pixels with {stride} bytes a row")]
pub struct FrameError {
    format: Format,
    width: usize,
    height: usize,
    stride: usize,
    len: usize,
}

/// Longest side of a frame, in pixels; far above any camera and low enough that no product of two sides overflows.
pub const MAX_SIDE: usize = 16_384;

impl<'a> Frame<'a> {
    /// A view of `height` rows that start every `stride` bytes.
    ///
    /// # Errors
    /// When the bytes do not hold them, a side is 0 or over [`MAX_SIDE`], or a YUYV picture has an odd width.
    pub fn new(data: &'a [u8], format: Format, width: usize, height: usize, stride: usize) -> Result<Self, FrameError> {
        let error = FrameError { format, width, height, stride, len: data.len() };
        let sides = (1..=MAX_SIDE).contains(&width) && (1..=MAX_SIDE).contains(&height);
        if !sides || (format == Format::Yuyv && width % 2 == 1) {
            return Err(error);
        }
        let row = format.row_bytes(width);
        // The last row need not be padded.
        let needed = stride.checked_mul(height - 1).and_then(|n| n.checked_add(row));
        if stride < row || needed.is_none_or(|n| data.len() < n) {
            return Err(error);
        }
        Ok(Self { data, format, width, height, stride })
    }

    /// A view of rows that are known to be there.
    pub(crate) const fn known(data: &'a [u8], format: Format, width: usize, height: usize, stride: usize) -> Self {
        Self { data, format, width, height, stride }
    }

    /// Width in pixels.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    #[must_use]
    pub const fn height(&self) -> usize {
        self.height
    }

    /// How the pixels lie in memory.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// The bytes of one row, without padding; `y` must be less than the height.
    #[must_use]
    pub fn row(&self, y: usize) -> &'a [u8] {
        &self.data[y * self.stride..][..self.format.row_bytes(self.width)]
    }

    /// Red, green and blue of a pixel, which must lie inside.
    #[must_use]
    pub fn rgb(&self, x: usize, y: usize) -> [u8; 3] {
        let row = self.row(y);
        match self.format {
            Format::Rgb => rgb_in_rgb(row, x),
            Format::Grey => rgb_in_grey(row, x),
            Format::Yuyv => rgb_in_yuyv(row, x),
        }
    }
}

/// Red, green and blue of pixel `x` of a row.
#[inline]
pub(crate) fn rgb_in_rgb(row: &[u8], x: usize) -> [u8; 3] {
    let p = &row[3 * x..3 * x + 3];
    [p[0], p[1], p[2]]
}

/// Red, green and blue of pixel `x` of a row.
#[inline]
pub(crate) fn rgb_in_grey(row: &[u8], x: usize) -> [u8; 3] {
    [row[x]; 3]
}

/// Red, green and blue of pixel `x` of a row.
#[inline]
pub(crate) fn rgb_in_yuyv(row: &[u8], x: usize) -> [u8; 3] {
    let pair = &row[4 * (x / 2)..4 * (x / 2) + 4];
    yuv_to_rgb(pair[2 * (x % 2)].into(), pair[1].into(), pair[3].into())
}

/// ITU-R BT.601 limited range to RGB in 8-bit fixed point: 1.164 (Y-16) + 1.596 (Cr-128), and so on.
pub(crate) fn yuv_to_rgb(y: i32, cb: i32, cr: i32) -> [u8; 3] {
    let (y, cb, cr) = (298 * (y - 16) + 128, cb - 128, cr - 128);
    [y + 409 * cr, y - 100 * cb - 208 * cr, y + 516 * cb].map(|v| (v >> 8).clamp(0, 255) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_must_hold_its_rows() {
        let data = [0; 100];
        assert!(Frame::new(&data, Format::Rgb, 4, 3, 16).is_ok());
        assert!(Frame::new(&data[..44], Format::Rgb, 4, 3, 16).is_ok(), "the last row needs no padding");
        assert!(Frame::new(&data[..43], Format::Rgb, 4, 3, 16).is_err());
        assert!(Frame::new(&data, Format::Rgb, 4, 3, 11).is_err(), "a stride shorter than a row");
        assert!(Frame::new(&data, Format::Grey, 0, 3, 16).is_err());
        assert!(Frame::new(&data, Format::Grey, 4, 3, usize::MAX).is_err());
        assert!(Frame::new(&data, Format::Yuyv, 5, 3, 16).is_err());
    }

    #[test]
    fn colours_follow_bt_601() {
        // The 75 % colour bars in limited range: Y, Cb, Cr and R, G, B.
        for (yuv, rgb) in [
            ([180, 128, 128], [191, 191, 191]),
            ([162, 44, 142], [191, 191, 0]),
            ([65, 100, 212], [191, 0, 0]),
            ([35, 212, 114], [0, 0, 191]),
        ] {
            let data = [yuv[0] as u8, yuv[1] as u8, yuv[0] as u8, yuv[2] as u8];
            let frame = Frame::new(&data, Format::Yuyv, 2, 1, 4).unwrap();
            for (got, want) in frame.rgb(1, 0).into_iter().zip(rgb) {
                assert!((i32::from(got) - want).abs() <= 2, "{yuv:?}: {:?} is not {rgb:?}", frame.rgb(1, 0));
            }
        }
    }
}
