//! `moodbox config edit`: a person's editor on a copy, which takes the file's place once it is right.

use std::env;
use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, anyhow};
use moodbox_core::config::{Config, reference};
use serde_json::json;
use signal_hook::consts::SIGINT;
use tempfile::NamedTempFile;

use super::{file, report};
use crate::failure::Failure;

/// Where a person has named none.
const EDITOR: &str = if cfg!(windows) { "notepad" } else { "vi" };

pub(super) fn run(path: &Path, as_json: bool) -> Result<(), Failure> {
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Err(anyhow!(
            "there is nobody to edit {}; `moodbox config set --file` needs no terminal",
            path.display()
        )
        .into());
    }
    let old = if path.exists() { Some(file::text(path)?) } else { None };
    let begin = old.clone().unwrap_or_else(reference::template);
    let copy = tempfile::Builder::new().prefix("moodbox-").suffix(".toml").tempfile()?;
    fs::write(copy.path(), &begin)?;
    // Ctrl-C is the editor's while that is open, and ends us else.
    let may_end = Arc::new(AtomicBool::new(true));
    signal_hook::flag::register_conditional_shutdown(SIGINT, 130, Arc::clone(&may_end))?;
    let new = match edited(path, copy.path(), &may_end) {
        Ok(new) => new,
        Err(failure) if fs::read(copy.path()).is_ok_and(|text| text == begin.as_bytes()) => return Err(failure),
        Err(failure) => return Err(failure.and(&keep(copy))),
    };
    if old.as_ref() == Some(&new) {
        let text = format!("{}: not changed", path.display());
        return report(&json!({ "file": path, "changed": false }), &text, as_json);
    }
    file::replace(path, old.as_deref(), &new).map_err(|failure| failure.and(&keep(copy)))?;
    report(&json!({ "file": path, "changed": true }), &format!("{}: ok", path.display()), as_json)
}

/// Lets the person edit the copy of a file until it is right; what is in it then.
fn edited(path: &Path, copy: &Path, may_end: &AtomicBool) -> Result<String, Failure> {
    loop {
        may_end.store(false, Ordering::Relaxed);
        edit(copy)?;
        may_end.store(true, Ordering::Relaxed);
        let wrong = match String::from_utf8(fs::read(copy)?) {
            Err(_) => "not in UTF-8, in which the editor should save it".to_owned(),
            Ok(new) => match Config::parse(&new) {
                Ok(_) => return Ok(new),
                Err(error) => error.to_string(),
            },
        };
        if !ask(&format!("{}: {wrong}", path.display()))? {
            return Err(Failure::Finding(anyhow!("{} is as it was: {wrong}", path.display())));
        }
    }
}

/// Leaves the copy to the person whose work it is, and says so.
fn keep(copy: NamedTempFile) -> String {
    match copy.keep() {
        Ok((_, path)) => format!("what you wrote is in {}", path.display()),
        Err(error) => format!("what you wrote cannot be kept: {error}"),
    }
}

/// Opens the person's editor and waits until it is closed.
fn edit(copy: &Path) -> Result<(), Failure> {
    let set = |name| env::var(name).ok().filter(|text| !text.trim().is_empty());
    let editor = set("VISUAL").or_else(|| set("EDITOR")).unwrap_or_else(|| EDITOR.to_owned());
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or(EDITOR);
    let status = Command::new(program).args(words).arg(copy).status();
    let status = status.with_context(|| format!("cannot start the editor {program}; set EDITOR to yours"))?;
    if status.success() {
        return Ok(());
    }
    Err(anyhow!("the editor {program} ended with {status}; nothing was changed").into())
}

/// Says what is wrong and whether to go on with it.
fn ask(wrong: &str) -> io::Result<bool> {
    let mut err = io::stderr().lock();
    write!(err, "{wrong}\nEdit it again? [Y/n] ")?;
    err.flush()?;
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer)?;
    Ok(read > 0 && !answer.trim().eq_ignore_ascii_case("n"))
}
