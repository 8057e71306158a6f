//! What is done, step by step, for a person who watches or a program that reads.

use std::io::{self, IsTerminal, Write};

use serde_json::{Value, json};

/// The steps so far.
pub(super) struct Steps {
    as_json: bool,
    done: Vec<(String, String)>,
}

/// A line of `box.sh`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said<'a> {
    Begin {
        step: &'a str,
        text: &'a str,
    },
    Done {
        step: &'a str,
        text: &'a str,
    },
    Failed {
        step: &'a str,
        text: &'a str,
    },
    /// The service is about to start; whether anything about it was changed.
    Ready {
        changed: bool,
    },
}

impl<'a> Said<'a> {
    /// Nothing for a line that is none of ours.
    pub(super) fn read(line: &'a str) -> Option<Self> {
        let mut parts = line.splitn(4, '\t');
        let (kind, step, what, text) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        match (kind, what) {
            ("step", "begin") => Some(Self::Begin { step, text }),
            ("step", "done") => Some(Self::Done { step, text }),
            ("step", "failed") => Some(Self::Failed { step, text }),
            ("ask", what) => Some(Self::Ready { changed: what == "changed" }),
            _ => None,
        }
    }
}

impl Steps {
    pub(super) const fn new(as_json: bool) -> Self {
        Self { as_json, done: Vec::new() }
    }

    /// Says what is there or will be done.
    pub(super) fn tell(&self, title: &str, lines: &[String]) -> io::Result<()> {
        if self.as_json {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        writeln!(out, "{title}:")?;
        lines.iter().try_for_each(|line| writeln!(out, "  {line}"))
    }

    /// Shows what is being done until it is done, where somebody watches.
    pub(super) fn begin(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.as_json || !out.is_terminal() {
            return Ok(());
        }
        write!(out, "\r\x1b[K.. {text}")?;
        out.flush()
    }

    pub(super) fn done(&mut self, step: &str, text: &str) -> io::Result<()> {
        self.done.push((step.to_owned(), text.to_owned()));
        if self.as_json {
            return Ok(());
        }
        self.clear()?;
        writeln!(io::stdout(), "ok {text}")
    }

    /// Takes away what is shown of a step that was not done.
    pub(super) fn clear(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.as_json || !out.is_terminal() {
            return Ok(());
        }
        write!(out, "\r\x1b[K")?;
        out.flush()
    }

    /// All that was done and what came of it, for a program.
    pub(super) fn report(&self, mut more: Value) -> io::Result<()> {
        if !self.as_json {
            return Ok(());
        }
        let steps = self.done.iter().map(|(step, text)| json!({ "step": step, "said": text }));
        more["steps"] = steps.collect();
        writeln!(io::stdout(), "{more}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_box_are_read() {
        let done = Said::Done { step: "package", text: "a\tb" };
        assert_eq!(Said::read("step\tpackage\tdone\ta\tb"), Some(done));
        assert_eq!(Said::read("ask\tgo\tunchanged\t"), Some(Said::Ready { changed: false }));
        for other in ["", "Reading package lists...", "step\tpackage", "step\tpackage\tsung\t"] {
            assert_eq!(Said::read(other), None, "{other}");
        }
    }
}
