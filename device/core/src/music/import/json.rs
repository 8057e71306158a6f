//! Tracks from a JSON list of objects.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::row::track;
use super::{Entries, MAX_RESTARTS, line_breaks};
use crate::music::catalogue::Track;

/// Reads every entry of the list that `text` starts with.
///
/// The list is cut into entries first, so that one that is no JSON (`NaN` for a number, say) costs only itself.
pub(super) fn read(text: &[u8], entries: &mut Entries) {
    let mut cursor = Cursor { rest: text, line: 1 };
    cursor.skip_blanks();
    cursor.skip(1);
    let mut restarts = 0;
    loop {
        cursor.skip_blanks();
        let Some(first) = cursor.rest.first() else {
            return entries.add(cursor.line, Err("the list is not closed with ]".to_owned()));
        };
        match first {
            b']' => break,
            b',' => {
                cursor.skip(1);
                continue;
            }
            _ if !entries.has_room() => return,
            _ => {}
        }
        let line = cursor.line;
        let length = entry_length(cursor.rest);
        let entry = &cursor.rest[..length];
        let read = read_entry(entry);
        // Tracks hold no objects, so a line that starts with { inside a broken entry is the next track.
        let next = if read.is_err() && restarts < MAX_RESTARTS { next_object_line(entry) } else { None };
        restarts += usize::from(next.is_some());
        entries.add(line, read);
        cursor.skip(next.unwrap_or(length));
    }
    cursor.skip(1);
    cursor.skip_blanks();
    if !cursor.rest.is_empty() {
        entries.add(cursor.line, Err("there is something behind the end of the list".to_owned()));
    }
}

struct Cursor<'a> {
    rest: &'a [u8],
    line: usize,
}

impl Cursor<'_> {
    fn skip(&mut self, count: usize) {
        let (skipped, rest) = self.rest.split_at(count);
        self.line += line_breaks(skipped);
        self.rest = rest;
    }

    fn skip_blanks(&mut self) {
        self.skip(self.rest.len() - self.rest.trim_ascii_start().len());
    }
}

/// Bytes up to the comma or bracket that ends the entry at the start of `text`, or to the end of the text.
fn entry_length(text: &[u8]) -> usize {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            // No JSON string holds a line break: a quote that was left open ends here.
            b'\n' => (quoted, escaped) = (false, false),
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth > 0 => depth -= 1,
            b',' | b']' if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

/// Where the first line of `entry` after its own starts whose first character is `{`.
fn next_object_line(entry: &[u8]) -> Option<usize> {
    let mut start = 0;
    for line in entry.split_inclusive(|byte| *byte == b'\n') {
        if start > 0 && line.trim_ascii_start().first() == Some(&b'{') {
            return Some(start);
        }
        start += line.len();
    }
    None
}

fn read_entry(entry: &[u8]) -> Result<Track, String> {
    let object: Map<String, Value> = serde_json::from_slice(entry).map_err(|error| {
        let message = error.to_string();
        // The place within the entry would be taken for the place in the file.
        let what = message.rsplit_once(" at line ").map_or(message.as_str(), |(what, _)| what);
        format!("is not a JSON object: {what}")
    })?;
    track(|name| match object.get(name) {
        None | Some(Value::Null) => Ok(Cow::Borrowed("")),
        Some(Value::String(text)) => Ok(Cow::Borrowed(text)),
        Some(Value::Number(number)) => Ok(Cow::Owned(number.to_string())),
        Some(Value::Array(list)) if matches!(name, "genres" | "tags") => {
            let words: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
            words.map(|words| Cow::Owned(words.join(";"))).ok_or_else(|| format!("{name} must be a list of strings"))
        }
        Some(_) => Err(format!("{name} must be text or a number")),
    })
}
