//! Where the pixels of a frame lie in a buffer.

use moodbox_vision::jpeg::is_whole;

use crate::camera::PixelFormat;

use super::mode::FourCc;

/// What the driver settled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) format: PixelFormat,
    /// Pixels.
    pub(super) width: u32,
    /// Pixels.
    pub(super) height: u32,
    /// Bytes from row to row; 0 where there are no rows.
    pub(super) stride: usize,
    /// Bytes of a whole frame; 0 where that varies.
    whole: usize,
}

impl Layout {
    /// From the fields of the kernel's `v4l2_pix_format`; `None` where they make no frame that can be read here.
    pub(super) fn new(fourcc: FourCc, width: u32, height: u32, bytes_per_line: u32) -> Option<Self> {
        let format = fourcc.pixel_format()?;
        if width == 0 || height == 0 {
            return None;
        }
        let Some(bytes_per_pixel) = format.bytes_per_pixel() else {
            return Some(Self { format, width, height, stride: 0, whole: 0 });
        };
        let row = (width as usize).checked_mul(bytes_per_pixel)?;
        let stride = if bytes_per_line == 0 { row } else { bytes_per_line as usize };
        // The last row need not be padded.
        let whole = stride.checked_mul(height as usize - 1)?.checked_add(row)?;
        (stride >= row).then_some(Self { format, width, height, stride, whole })
    }

    /// Whether `data` is all of a frame.
    pub(super) fn is_whole(&self, data: &[u8]) -> bool {
        match self.format {
            PixelFormat::Mjpeg => is_whole(data),
            _ => data.len() >= self.whole,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(letters: [u8; 4], width: u32, height: u32, bytes_per_line: u32) -> Option<Layout> {
        Layout::new(FourCc(u32::from_le_bytes(letters)), width, height, bytes_per_line)
    }

    #[test]
    fn rows_may_be_padded_but_the_last() {
        let padded = layout(*b"YUYV", 638, 480, 1280).unwrap();
        assert_eq!(padded.stride, 1280);
        assert!(padded.is_whole(&vec![0; 479 * 1280 + 638 * 2]));
        assert!(!padded.is_whole(&vec![0; 479 * 1280 + 638 * 2 - 1]));
    }

    #[test]
    fn a_driver_that_leaves_the_stride_out_does_not_pad() {
        assert_eq!(layout(*b"RGB3", 10, 2, 0).unwrap().stride, 30);
    }

    #[test]
    fn nonsense_of_a_driver_is_no_layout() {
        assert_eq!(layout(*b"YUYV", 640, 480, 1279), None, "rows that overlap");
        assert_eq!(layout(*b"GREY", 0, 480, 0), None);
        assert_eq!(layout(*b"GREY", 640, 0, 640), None);
        assert_eq!(layout(*b"MJPG", 0, 0, 0), None);
        assert_eq!(layout(*b"NV12", 640, 480, 640), None, "not read here");
    }

    #[test]
    fn a_jpeg_is_whole_when_it_ends() {
        let mjpeg = layout(*b"MJPG", 640, 480, 0).unwrap();
        assert!(mjpeg.is_whole(b"\xff\xd8\xff\xda\0\x02data\xff\xd9\0\0"));
        assert!(!mjpeg.is_whole(b"\xff\xd8\xff\xda\0\x02da"));
        assert!(!mjpeg.is_whole(b""));
    }
}
