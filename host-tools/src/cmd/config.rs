//! `moodbox config`: configuration files on this computer.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, anyhow};
use moodbox_core::config::Config;
use serde_json::json;

use crate::failure::Failure;

pub(crate) fn check(file: &Path, as_json: bool) -> Result<(), Failure> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let checked = Config::parse(&text);
    if as_json {
        let report = match &checked {
            Ok(_) => json!({ "file": file, "ok": true }),
            Err(e) => json!({ "file": file, "ok": false, "line": e.line, "key": e.key, "reason": e.reason }),
        };
        writeln!(io::stdout(), "{report}")?;
    } else if checked.is_ok() {
        writeln!(io::stdout(), "{}: ok", file.display())?;
    }
    match checked {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::Finding(anyhow!(error).context(file.display().to_string()))),
    }
}
