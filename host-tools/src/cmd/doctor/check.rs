//! What comes of one look at one thing.

use serde_json::{Value, json};

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// It works, or is not known.
    Ok,
    /// It works, and could be better, or is no fault: at night a room is dark.
    Warn,
    Fail,
}

/// One thing that was looked at.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) mark: Mark,
    /// In words for the person whose box it is; may hold names and addresses.
    pub(super) said: String,
    /// What a person does about it.
    pub(super) mend: Option<&'static str>,
    /// Numbers, switches and words of ours, which may stand in a report that others read.
    pub(super) facts: Value,
}

impl Check {
    pub(super) fn ok(name: &'static str, said: String) -> Self {
        Self { name, mark: Mark::Ok, said, mend: None, facts: json!({}) }
    }

    pub(super) fn warn(name: &'static str, said: String, mend: &'static str) -> Self {
        Self { mark: Mark::Warn, mend: Some(mend), ..Self::ok(name, said) }
    }

    pub(super) fn fail(name: &'static str, said: String, mend: &'static str) -> Self {
        Self { mark: Mark::Fail, mend: Some(mend), ..Self::ok(name, said) }
    }

    /// With what may stand in a report.
    pub(super) fn with(self, facts: Value) -> Self {
        Self { facts, ..self }
    }

    pub(super) fn is_wrong(&self) -> bool {
        self.mark == Mark::Fail
    }
}

impl Mark {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}
