//! How payloads of others are read, and how a refusal quotes them.

use serde::Deserialize;

/// Longest payload of a command or request.
pub const MAX_COMMAND_BYTES: usize = 4096;

/// Why a command was refused; the text says what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CommandError(pub(super) String);

pub(super) fn refuse<T>(reason: String) -> Result<T, CommandError> {
    Err(CommandError(reason))
}

pub(super) fn text(payload: &[u8]) -> Result<&str, CommandError> {
    text_within(payload, MAX_COMMAND_BYTES)
}

pub(super) fn text_within(payload: &[u8], longest: usize) -> Result<&str, CommandError> {
    if payload.len() > longest {
        return refuse(format!("a payload has at most {longest} bytes, not {}", payload.len()));
    }
    match std::str::from_utf8(payload) {
        Ok(text) => Ok(text.trim()),
        Err(error) => refuse(format!("the payload must be UTF-8 text; byte {} is not", error.valid_up_to() + 1)),
    }
}

/// Fields by name. The JSON reader would take a list of them in their order as well.
pub(super) fn from_json<'a, T: Deserialize<'a>>(text: &'a str, form: &str) -> Result<T, CommandError> {
    if text.starts_with('[') {
        return refuse(format!("must be {form}, not a list"));
    }
    serde_json::from_str(text).or_else(|error| refuse(format!("must be {form}: {}", one_line(&error.to_string()))))
}

pub(super) fn within(what: &str, value: String, longest: usize) -> Result<String, CommandError> {
    match value.len() {
        0 => refuse(format!("{what} must not be empty")),
        bytes if bytes > longest => refuse(format!("{what} has at most {longest} bytes, not {bytes}")),
        _ => Ok(value),
    }
}

/// Longest piece of somebody else's text in a message, in characters as they are shown.
const LONGEST_QUOTE: usize = 40;

/// Text of others, short and with nothing that a terminal would act on.
pub(super) fn quoted(text: &str) -> String {
    let whole = format!("{text:?}");
    // Two of them are the quotation marks.
    if whole.chars().nth(LONGEST_QUOTE + 2).is_none() {
        return whole;
    }
    let mut room = LONGEST_QUOTE;
    let fits = |c: &char| {
        let shown = c.escape_debug().count();
        let fits = shown <= room;
        room = room.saturating_sub(shown);
        fits
    };
    format!("{:?}...", text.chars().take_while(fits).collect::<String>())
}

/// The reasons of the JSON reader may quote an unknown field, whatever it holds.
pub(super) fn one_line(reason: &str) -> String {
    let shown = reason.chars().map(|c| if c.is_control() { ' ' } else { c });
    shown.take(4 * LONGEST_QUOTE).collect()
}
