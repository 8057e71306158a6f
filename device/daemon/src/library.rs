//! The catalogue that was sent to the box: pieces are gathered beside it, and it is replaced only by a whole and readable
//! one. A power cut leaves the old one, the new one, and pieces that are gone on with.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use moodbox_core::engine::Received;
use moodbox_core::music::{Catalogue, FileError};
use moodbox_core::topics::Piece;
use sha2::{Digest, Sha256};

const FILE: &str = "catalogue.jsonl";

/// How the name of a file with pieces begins and ends; the checksum of the whole stands between.
const PART: (&str, &str) = ("catalogue.", ".part");

/// Why a catalogue cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// The disk does not do what it should.
    #[error("{path}: {source}", path = path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The pieces are not those of the file with this checksum.
    #[error("the checksum of what came is wrong; send it again")]
    Checksum,
    /// It is whole, and no catalogue.
    #[error(transparent)]
    Unusable(#[from] FileError),
}

/// A catalogue on its way.
struct Upload {
    sha256: String,
    file: File,
    received: u64,
    hash: Sha256,
}

/// A catalogue that has come.
struct Taken {
    sha256: String,
    bytes: u64,
    songs: usize,
}

/// The catalogue in a folder.
pub struct Library {
    folder: PathBuf,
    upload: Option<Upload>,
    /// The last that has come since the start.
    taken: Option<Taken>,
}

impl Library {
    /// The catalogue in this folder, which need not exist yet.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), upload: None, taken: None }
    }

    /// The catalogue that was sent last; nothing where none ever was.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn catalogue(&self) -> Result<Option<Catalogue>, LibraryError> {
        let path = self.folder.join(FILE);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(Catalogue::from_file(&bytes)?)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(LibraryError::Disk { path, source }),
        }
    }

    /// Takes a piece that goes on where the last one ended; of any other it says where to go on. With the last piece comes
    /// the catalogue, which is kept by then. Of a catalogue that has come, any piece is answered with the whole.
    ///
    /// # Errors
    /// When the disk fails, or the whole is not what it should be. Its pieces are forgotten then.
    pub fn take(&mut self, piece: &Piece) -> Result<Received, LibraryError> {
        if let Some(Taken { sha256, bytes, songs }) = &self.taken
            && *sha256 == piece.sha256
            && *bytes == piece.size
        {
            return Ok(Received::Before { bytes: *bytes, songs: *songs });
        }
        let part = self.folder.join(format!("{}{}{}", PART.0, piece.sha256, PART.1));
        let disk = |source| LibraryError::Disk { path: part.clone(), source };
        let mut upload = match self.upload.take().filter(|upload| upload.sha256 == piece.sha256) {
            Some(upload) => upload,
            None => self.begin(&part, piece).map_err(disk)?,
        };
        if piece.offset == upload.received {
            let written = upload.file.write_all(piece.text.as_bytes());
            if let Err(source) = written {
                let _ = fs::remove_file(&part);
                return Err(disk(source));
            }
            upload.hash.update(&piece.text);
            upload.received += piece.text.len() as u64;
        }
        if upload.received < piece.size {
            let bytes = upload.received;
            self.upload = Some(upload);
            return Ok(Received::Part(bytes));
        }
        let bytes = upload.received;
        let whole = self.finish(&part, upload, piece);
        if whole.is_err() {
            let _ = fs::remove_file(&part);
        }
        let catalogue = whole?;
        self.taken = Some(Taken { sha256: piece.sha256.clone(), bytes, songs: catalogue.tracks().len() });
        Ok(Received::Whole { bytes, catalogue })
    }

    /// Goes on with the pieces that are there, or starts anew; those of other catalogues are given up.
    fn begin(&self, part: &Path, piece: &Piece) -> io::Result<Upload> {
        fs::create_dir_all(&self.folder)?;
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with(PART.0) && name.ends_with(PART.1) && path != part {
                fs::remove_file(&path)?;
            }
        }
        let file = OpenOptions::new().create(true).append(true).open(part)?;
        // A power cut may have torn the last line, and a line that is too many is of something else.
        let mut there = fs::read(part)?;
        let whole = there.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        there.truncate(if whole as u64 > piece.size { 0 } else { whole });
        file.set_len(there.len() as u64)?;
        let (received, hash) = (there.len() as u64, Sha256::new_with_prefix(&there));
        Ok(Upload { sha256: piece.sha256.clone(), file, received, hash })
    }

    fn finish(&self, part: &Path, upload: Upload, piece: &Piece) -> Result<Catalogue, LibraryError> {
        let disk = |source| LibraryError::Disk { path: part.to_owned(), source };
        if upload.received != piece.size || format!("{:x}", upload.hash.finalize()) != piece.sha256 {
            return Err(LibraryError::Checksum);
        }
        let catalogue = Catalogue::from_file(&fs::read(part).map_err(disk)?)?;
        upload.file.sync_all().map_err(disk)?;
        fs::rename(part, self.folder.join(FILE)).map_err(disk)?;
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(disk)?;
        Ok(catalogue)
    }
}

#[cfg(test)]
mod tests {
    use moodbox_core::music::Track;

    use super::*;

    fn file(songs: usize) -> Vec<u8> {
        let track = |n| Track { uri: format!("u:{n}"), title: format!("Song {n}"), ..Track::default() };
        Catalogue::to_file(&(0..songs).map(track).collect::<Vec<_>>()).unwrap()
    }

    fn pieces(file: &[u8], length: usize) -> Vec<Piece> {
        let sha256 = format!("{:x}", Sha256::digest(file));
        let cut = |(n, text): (usize, &[u8])| Piece {
            sha256: sha256.clone(),
            size: file.len() as u64,
            offset: (n * length) as u64,
            text: String::from_utf8(text.to_vec()).unwrap(),
        };
        file.chunks(length).enumerate().map(cut).collect()
    }

    fn bytes(received: Received) -> u64 {
        match received {
            Received::Part(bytes) => bytes,
            whole => panic!("{whole:?}"),
        }
    }

    fn songs(folder: &Path) -> Option<usize> {
        Library::new(folder).catalogue().unwrap().map(|catalogue| catalogue.tracks().len())
    }

    /// The names of what is in a folder.
    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_catalogue_comes_in_pieces() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().join("not/yet/there");
        assert_eq!(songs(&here), None);
        let mut library = Library::new(&here);
        let all = pieces(&file(20), 100);
        let (last, first) = all.split_last().unwrap();
        for piece in first {
            assert_eq!(bytes(library.take(piece).unwrap()), piece.offset + 100);
            assert_eq!(songs(&here), None);
        }
        let whole = library.take(last).unwrap();
        assert!(matches!(whole, Received::Whole { catalogue, .. } if catalogue.tracks().len() == 20));
        // Whoever had no answer sends it again, and whoever begins anew need not go on.
        for piece in [last, &first[0], &first[1]] {
            let again = library.take(piece).unwrap();
            assert!(matches!(again, Received::Before { bytes, songs: 20 } if bytes == last.size), "{again:?}");
        }
        assert_eq!(songs(&here), Some(20));
        assert_eq!(names(&here), [FILE]);
    }

    #[test]
    fn a_piece_out_of_order_or_twice_is_answered_with_where_to_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let all = pieces(&file(20), 100);
        let mut library = Library::new(folder.path());
        assert_eq!(bytes(library.take(&all[3]).unwrap()), 0);
        assert_eq!(bytes(library.take(&all[0]).unwrap()), 100);
        assert_eq!(bytes(library.take(&all[0]).unwrap()), 100);
        // After a restart it goes on with what the disk has.
        let mut library = Library::new(folder.path());
        let whole_lines = String::from_utf8_lossy(&file(20)[..100]).rfind('\n').map_or(0, |at| at + 1);
        assert_eq!(bytes(library.take(&all[3]).unwrap()), whole_lines as u64);
        let text = String::from_utf8(file(20)).unwrap();
        library
            .take(&Piece { offset: whole_lines as u64, text: text[whole_lines..].to_owned(), ..all[0].clone() })
            .unwrap();
        assert_eq!(songs(folder.path()), Some(20));
    }

    #[test]
    fn what_is_cut_damaged_or_no_catalogue_does_not_take_the_last_good_one_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut library = Library::new(folder.path());
        for piece in pieces(&file(3), 1000) {
            library.take(&piece).unwrap();
        }
        let mut damaged = pieces(&file(4), 100);
        damaged[1].text = damaged[1].text.replace(':', ";");
        let told = damaged.iter().map(|piece| library.take(piece)).find_map(Result::err).unwrap().to_string();
        assert_eq!(told, "the checksum of what came is wrong; send it again");
        let told = library.take(&pieces(b"uri,title\n", 100)[0]).unwrap_err().to_string();
        assert_eq!(told, "this is no catalogue of moodbox: its first line does not say so");
        assert_eq!(songs(folder.path()), Some(3));
        assert_eq!(names(folder.path()), [FILE]);
        // One that is given up for another leaves nothing behind.
        library.take(&pieces(&file(5), 100)[0]).unwrap();
        for piece in pieces(&file(6), 100) {
            library.take(&piece).unwrap();
        }
        assert_eq!((songs(folder.path()), names(folder.path())), (Some(6), vec![FILE.to_owned()]));
    }

    #[test]
    fn pieces_that_a_power_cut_left_torn_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let all = pieces(&file(20), 100);
        Library::new(folder.path()).take(&all[0]).unwrap();
        let part = folder.path().join(&names(folder.path())[0]);
        let mut torn = [0; 150];
        torn[99] = b'\n';
        fs::write(&part, torn).unwrap();
        let mut library = Library::new(folder.path());
        assert_eq!(bytes(library.take(&all[0]).unwrap()), 100);
        let told = all[1..].iter().map(|piece| library.take(piece)).find_map(Result::err).unwrap();
        assert!(matches!(told, LibraryError::Checksum));
        // The next attempt starts from nothing.
        assert_eq!(bytes(library.take(&all[0]).unwrap()), 100);
    }
}
