//! Tracks from values parted by commas, semicolons or tabs (RFC 4180), as spreadsheets and Exportify write them.

use std::borrow::Cow;

use csv::{ByteRecord, Reader, ReaderBuilder};

use super::row::{COLUMNS, track};
use super::{Entries, ImportError, MAX_RESTARTS, line_breaks};
use crate::music::catalogue::Track;

/// What others call the columns of [`COLUMNS`]; the first that is there counts.
const OTHER_NAMES: [(&str, &[&str]); 12] = [
    ("uri", &["track uri", "spotify uri", "url", "location", "path", "file"]),
    ("title", &["track name", "name", "track"]),
    ("artist", &["artist name(s)", "artist name", "artists"]),
    ("album", &["album name"]),
    ("year", &["album release date", "release date", "date"]),
    ("genres", &["artist genres", "genre", "top genre"]),
    ("tags", &["moods", "mood"]),
    ("mbid", &["musicbrainz id", "musicbrainz_trackid", "recording mbid"]),
    ("arousal", &["energy"]),
    ("tempo", &["bpm"]),
    ("source", &[]),
    ("confidence", &[]),
];

/// Columns that a table may lack where it lacks both.
const PLACE: [&str; 2] = ["valence", "arousal"];

/// A column of the file.
#[derive(Clone, Copy)]
struct Column {
    at: usize,
    /// Whether it has its own name, not one of [`OTHER_NAMES`].
    ours: bool,
}

type Columns = [Option<Column>; COLUMNS.len()];

/// Reads every row of `text` but the first, which names the columns.
pub(super) fn read(text: &[u8], entries: &mut Entries) -> Result<(), ImportError> {
    let mut rows = Rows::new(text);
    let names = rows.next().ok_or(ImportError::Empty)?.record;
    let columns = columns(&names)?;
    let mut restarts = 0;
    while let Some(row) = rows.next().filter(|_| entries.has_room()) {
        if row.record.len() == names.len() {
            entries.add(row.line, read_row(&row.record, &columns));
        } else if row.last_line > row.line && restarts < MAX_RESTARTS {
            entries.add(row.line, Err("a quote is opened and not closed".to_owned()));
            rows.restart_after_line(&row);
            restarts += 1;
        } else {
            let reason = format!("has {} columns, the first line has {}", row.record.len(), names.len());
            entries.add(row.line, Err(reason));
        }
    }
    Ok(())
}

/// Where each of [`COLUMNS`] stands.
fn columns(names: &ByteRecord) -> Result<Columns, ImportError> {
    let names: Result<Vec<&str>, _> = names.iter().map(str::from_utf8).collect();
    let names = names.map_err(|_| ImportError::NotText)?;
    if names.iter().any(|name| name.contains('\0')) {
        return Err(ImportError::NotText);
    }
    let find = |wanted: &str| {
        let mut places = names.iter().enumerate().filter(|(_, name)| name.trim().eq_ignore_ascii_case(wanted));
        let first = places.next().map(|(at, _)| at);
        if places.next().is_some() { Err(ImportError::DoubledColumn(wanted.to_owned())) } else { Ok(first) }
    };
    let mut columns: Columns = [None; COLUMNS.len()];
    for (column, (name, _)) in columns.iter_mut().zip(COLUMNS) {
        let others = OTHER_NAMES.iter().find(|(ours, _)| *ours == name).map_or(&[][..], |(_, others)| others);
        for (index, wanted) in std::iter::once(&name).chain(others).enumerate() {
            if let Some(at) = find(wanted)? {
                *column = Some(Column { at, ours: index == 0 });
                break;
            }
        }
    }
    let has =
        |wanted: &str| COLUMNS.iter().zip(&columns).any(|((name, _), column)| *name == wanted && column.is_some());
    let placed = PLACE.into_iter().any(has);
    let needed = COLUMNS.iter().filter(|(name, needed)| *needed || placed && PLACE.contains(name));
    let missing: Vec<_> = needed.map(|(name, _)| *name).filter(|name| !has(name)).collect();
    if missing.is_empty() { Ok(columns) } else { Err(ImportError::MissingColumns(missing)) }
}

fn read_row(record: &ByteRecord, columns: &Columns) -> Result<Track, String> {
    let column = |name: &str| COLUMNS.iter().position(|(column, _)| *column == name).and_then(|i| columns[i]);
    // Others may call a column as we do, and part with commas what stands in it.
    let our_table = column("uri").is_some_and(|column| column.ours);
    // Services give energy, and valence with it, as 0..1.
    let zero_to_one = column("arousal").is_some_and(|column| !column.ours);
    track(|name| {
        let Some(Column { at, ours }) = column(name) else { return Ok(Cow::Borrowed("")) };
        let text = str::from_utf8(record.get(at).unwrap_or_default()).map_err(|_| format!("{name} is not UTF-8"))?;
        Ok(match name {
            "valence" | "arousal" if zero_to_one => centred(name, text)?,
            "genres" | "tags" if !(ours && our_table) => Cow::Owned(text.replace(',', ";")),
            "year" if !ours => Cow::Borrowed(text.trim().get(..4).unwrap_or(text)),
            _ => Cow::Borrowed(text),
        })
    })
}

/// From 0..1 to -1..1.
fn centred<'a>(name: &str, text: &'a str) -> Result<Cow<'a, str>, String> {
    match text.trim().parse::<f32>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(Cow::Owned((2.0 * value - 1.0).to_string())),
        Ok(value) => Err(format!("{} {value} is outside 0..1", if name == "arousal" { "energy" } else { name })),
        // What is no number is told where the numbers are read.
        Err(_) => Ok(Cow::Borrowed(text)),
    }
}

/// The rows of a text, and where they stand in it.
struct Rows<'a> {
    text: &'a [u8],
    reader: Reader<&'a [u8]>,
    delimiter: u8,
    /// Line of the start of `text`.
    first_line: usize,
}

struct Row {
    record: ByteRecord,
    /// Byte at which it starts.
    start: usize,
    line: usize,
    last_line: usize,
}

impl<'a> Rows<'a> {
    fn new(text: &'a [u8]) -> Self {
        let delimiter = delimiter(text);
        Self { text, reader: reader(text, delimiter), delimiter, first_line: 1 }
    }

    /// The next row that is not blank.
    fn next(&mut self) -> Option<Row> {
        let before = self.reader.position().clone();
        let mut record = ByteRecord::new();
        // Reading from memory cannot fail, and rows may have any length.
        if !self.reader.read_byte_record(&mut record).unwrap_or(false) {
            return None;
        }
        // The reader counts blank lines to the row behind them.
        let start = before.byte() as usize;
        let blank = self.text[start..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let (start, end) = (start + blank, self.reader.position().byte() as usize);
        let line = self.first_line + before.line() as usize - 1 + line_breaks(&self.text[start - blank..start]);
        let inside = self.text[start..end.max(start)].trim_ascii_end();
        Some(Row { record, start, line, last_line: line + line_breaks(inside) })
    }

    /// Goes back to the line behind the one on which `row` starts.
    fn restart_after_line(&mut self, row: &Row) {
        let rest = &self.text[row.start..];
        let end_of_line = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        self.text = &rest[end_of_line..];
        self.reader = reader(self.text, self.delimiter);
        self.first_line = row.line + 1;
    }
}

fn reader(text: &[u8], delimiter: u8) -> Reader<&[u8]> {
    ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(text)
}

/// What parts the names on the first line: the most frequent of those that programs use.
fn delimiter(text: &[u8]) -> u8 {
    let first = text.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: &u8| first.split(|byte| byte == delimiter).count();
    // Of equals the last is taken.
    [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}
