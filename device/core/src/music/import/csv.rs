//! Tracks from comma-separated values (RFC 4180).

use std::borrow::Cow;

use csv::{ByteRecord, Reader, ReaderBuilder};

use super::row::{COLUMNS, track};
use super::{Entries, ImportError, MAX_RESTARTS, line_breaks};
use crate::music::catalogue::Track;

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
fn columns(names: &ByteRecord) -> Result<[Option<usize>; COLUMNS.len()], ImportError> {
    let names: Result<Vec<&str>, _> = names.iter().map(str::from_utf8).collect();
    let names = names.map_err(|_| ImportError::NotText)?;
    if names.iter().any(|name| name.contains('\0')) {
        return Err(ImportError::NotText);
    }
    let at = COLUMNS.map(|(column, _)| names.iter().position(|name| name.trim().eq_ignore_ascii_case(column)));
    let missing: Vec<_> = COLUMNS
        .iter()
        .zip(at)
        .filter(|((_, needed), at)| *needed && at.is_none())
        .map(|((name, _), _)| *name)
        .collect();
    if missing.is_empty() { Ok(at) } else { Err(ImportError::MissingColumns(missing)) }
}

fn read_row(record: &ByteRecord, columns: &[Option<usize>; COLUMNS.len()]) -> Result<Track, String> {
    track(|name| {
        let column = COLUMNS.iter().position(|(column, _)| *column == name).and_then(|i| columns[i]);
        let bytes = column.and_then(|at| record.get(at)).unwrap_or_default();
        str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| format!("{name} is not UTF-8"))
    })
}

/// The rows of a text, and where they stand in it.
struct Rows<'a> {
    text: &'a [u8],
    reader: Reader<&'a [u8]>,
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
        Self { text, reader: reader(text), first_line: 1 }
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
        self.reader = reader(self.text);
        self.first_line = row.line + 1;
    }
}

fn reader(text: &[u8]) -> Reader<&[u8]> {
    ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text)
}
