//! A catalogue on its way to the box: too long for one message, so it comes in pieces that may be sent again.

use serde::{Deserialize, Serialize};

/// Longest payload of a piece, in bytes. Brokers and clients take messages of this size everywhere.
pub const MAX_PIECE_BYTES: usize = 48 * 1024;

/// Longest file, in bytes: a million tracks.
pub const MAX_FILE_BYTES: u64 = 512 * 1024 * 1024;

/// A piece of the file with this checksum. Pieces come in their order; one that is out of it is answered with the number
/// of bytes that the box has, from where the sender goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    /// Sha-256 of the whole file, 64 hexadecimal digits in lower case.
    pub sha256: String,
    /// Length of the whole file in bytes, 1 to [`MAX_FILE_BYTES`].
    pub size: u64,
    /// Where the piece starts, in bytes.
    pub offset: u64,
    /// The piece.
    pub text: String,
}

impl Piece {
    /// Whether it can be a piece of a file.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    pub(super) fn check(&self) -> Result<(), String> {
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if self.sha256.len() != 64 || !self.sha256.bytes().all(is_hex) {
            return Err("sha256 must be 64 hexadecimal digits in lower case".to_owned());
        }
        if !(1..=MAX_FILE_BYTES).contains(&self.size) {
            return Err(format!("size must be from 1 to {MAX_FILE_BYTES}, not {}", self.size));
        }
        match self.offset.checked_add(self.text.len() as u64) {
            Some(end) if end <= self.size => Ok(()),
            _ => Err("the piece goes beyond the size".to_owned()),
        }
    }
}
