//! The checks, for a person and for a bug report.

use std::io::{self, Write};

use serde_json::json;

use super::check::Check;
use crate::plain::plain;

/// One line a check. The report for others holds neither what was said, in which names may stand, nor anything else that a
/// person or a machine has called by a name.
pub(super) fn print(checks: &[Check], as_json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if as_json {
        let each = checks.iter().map(|check| {
            json!({ "check": check.name, "result": check.mark.word(), "mend": check.mend, "facts": check.facts })
        });
        return writeln!(out, "{}", json!({ "tool": env!("CARGO_PKG_VERSION"), "checks": each.collect::<Vec<_>>() }));
    }
    for check in checks {
        let said = plain(&check.said);
        let mend = check.mend.map_or_else(String::new, |mend| format!("; {mend}"));
        writeln!(out, "{:4}  {:14} {said}{mend}", check.mark.word(), check.name)?;
    }
    Ok(())
}
