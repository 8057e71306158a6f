//! `moodbox library push`: the library goes to a box.

use std::io::{self, Write};

use anyhow::anyhow;
use indicatif::ProgressBar;
use moodbox_core::topics::{MAX_FILE_BYTES, Piece};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::counted;
use crate::failure::Failure;
use crate::library::Library;
use crate::mqtt::{Address, Connection};

/// Bytes of a piece. Written as JSON it is longer, but hardly half as long again.
const PIECE: usize = 24 * 1024;

/// Attempts in a row that may fail without a piece getting through; the first may only have told where to go on.
const ATTEMPTS: u32 = 3;

/// Which box.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox library push --broker mqtt://broker.local --id livingroom")]
pub(super) struct Arguments {
    #[command(flatten)]
    address: Address,
}

pub(super) fn run(library: &Library, arguments: &Arguments, json: bool) -> Result<(), Failure> {
    let (tracks, bytes) = push(library, &arguments.address)?;
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", json!({ "songs": tracks, "bytes": bytes }))?;
    } else {
        writeln!(out, "the box has {} now", counted(tracks, "song"))?;
    }
    Ok(())
}

/// Sends a library to a box, with a bar that shows how far it is; gives the number of songs that the box then has, and of
/// bytes.
pub(crate) fn push(library: &Library, address: &Address) -> Result<(u64, usize), Failure> {
    library.songs()?;
    let file = String::from_utf8(library.to_file()?).map_err(|error| anyhow!(error))?;
    if file.len() as u64 > MAX_FILE_BYTES {
        return Err(anyhow!("the library has {} bytes, a box takes {MAX_FILE_BYTES}", file.len()).into());
    }
    let bar = ProgressBar::new(file.len() as u64);
    let sent = send(&file, address, |bytes| bar.set_position(bytes));
    bar.finish_and_clear();
    Ok((sent?, file.len()))
}

/// Sends the file, from where the box says, and anew over a new connection where one breaks; gives the number of songs
/// that the box then has.
fn send(file: &str, address: &Address, mut progress: impl FnMut(u64)) -> Result<u64, Failure> {
    let sha256 = format!("{:x}", Sha256::digest(file));
    let mut failed = 0;
    let mut at = 0;
    loop {
        let broken = match Connection::open(address) {
            Ok(mut connection) => loop {
                match ask(&mut connection, file, &sha256, at) {
                    Ok(Answer::Songs(songs)) => return Ok(songs),
                    Ok(Answer::GoOn(next)) => {
                        let forward = next > at;
                        at = next;
                        progress(at as u64);
                        if forward {
                            failed = 0;
                        } else {
                            break anyhow!(
                                "the box does not keep what is sent; does somebody else send a library too?"
                            );
                        }
                    }
                    Err(Failure::NoAnswer(error)) => break error,
                    Err(error) => return Err(error),
                }
            },
            Err(Failure::NoAnswer(error)) => error,
            Err(error) => return Err(error),
        };
        failed += 1;
        if failed == ATTEMPTS {
            return Err(Failure::NoAnswer(broken));
        }
    }
}

enum Answer {
    /// The box has so many bytes.
    GoOn(usize),
    /// The box has all, and these are the songs in it.
    Songs(u64),
}

fn ask(connection: &mut Connection, file: &str, sha256: &str, at: usize) -> Result<Answer, Failure> {
    let end = (at + PIECE).min(file.len());
    let end = (at..=end).rev().find(|end| file.is_char_boundary(*end)).unwrap_or(at);
    let piece =
        Piece { sha256: sha256.to_owned(), size: file.len() as u64, offset: at as u64, text: file[at..end].to_owned() };
    let fields: Map<String, Value> = match serde_json::to_value(&piece).map_err(|error| anyhow!(error))? {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    let answer = connection.ask("library.put", fields)?;
    let data = answer.map_err(|reason| Failure::Finding(anyhow!("the box refuses the library: {reason}")))?;
    if let Some(songs) = data["tracks"].as_u64() {
        return Ok(Answer::Songs(songs));
    }
    let received = data["received"].as_u64().and_then(|bytes| usize::try_from(bytes).ok());
    match received.filter(|bytes| file.is_char_boundary(*bytes)) {
        Some(bytes) => Ok(Answer::GoOn(bytes)),
        None => Err(Failure::NoAnswer(anyhow!("the box answers something else: {data}; is it of the same version?"))),
    }
}
