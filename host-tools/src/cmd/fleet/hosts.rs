//! The list of boxes: one a line, its id and where SSH finds it. What follows a # is for people.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, anyhow};
use moodbox_core::config::DeviceId;

use crate::failure::Failure;
use crate::ssh::destination;

/// A box of the list, or of the broker.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Host {
    pub(super) id: DeviceId,
    /// Where SSH finds it: `USER@HOST`, or a name of the person's own configuration.
    pub(super) ssh: Option<String>,
    /// Whether it is known to be away. One that a person has listed is asked all the same.
    pub(super) away: bool,
}

pub(super) fn read(path: &Path) -> Result<Vec<Host>, Failure> {
    let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(parse(&text).map_err(|reason| anyhow!("{}: {reason}", path.display()))?)
}

fn parse(text: &[u8]) -> Result<Vec<Host>, String> {
    let mut hosts = Vec::new();
    let mut known = BTreeSet::new();
    // As some editors begin a file.
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let at = |reason: String| format!("line {}: {reason}", number + 1);
        let line = std::str::from_utf8(line).map_err(|_| at("id: is no text; write the list in UTF-8".to_owned()))?;
        let Some(host) = host(line).map_err(at)? else { continue };
        if !known.insert(host.id.as_str().to_owned()) {
            return Err(at(format!("id: {:?} stands there twice", host.id.as_str())));
        }
        hosts.push(host);
    }
    if hosts.is_empty() {
        return Err("line 1: id: there is no box in it".to_owned());
    }
    Ok(hosts)
}

/// The box of a line; nothing where the line is empty.
fn host(line: &str) -> Result<Option<Host>, String> {
    let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
    let Some(id) = words.next() else { return Ok(None) };
    let id = DeviceId::try_from(id.to_owned()).map_err(|error| format!("id: {error}"))?;
    let ssh =
        words.next().map(|name| destination(name).map_err(|reason| format!("ssh: {name:?} {reason}"))).transpose()?;
    match words.next() {
        Some(more) => Err(format!("ssh: {more:?} is one word too many; a line is an id and where SSH finds the box")),
        None => Ok(Some(Host { id, ssh, away: false })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read() {
        let hosts = parse(b"\xEF\xBB\xBF# ours\r\nkitchen pi@192.0.2.5 # by the door\r\n\r\nattic\n").unwrap();
        let told: Vec<_> = hosts.iter().map(|host| (host.id.as_str(), host.ssh.as_deref())).collect();
        assert_eq!(told, [("kitchen", Some("pi@192.0.2.5")), ("attic", None)]);
    }

    #[test]
    fn a_wrong_list_is_refused_with_line_and_field() {
        for (text, reason) in [
            ("", "line 1: id: there is no box in it"),
            ("a\nKitchen\n", "line 2: id: \"Kitchen\" must be 1 to 32 of a-z, 0-9, _ and -"),
            ("a\n\na\n", "line 3: id: \"a\" stands there twice"),
            ("a b c\n", "line 1: ssh: \"c\" is one word too many; a line is an id and where SSH finds the box"),
            (
                "a\nb -oProxyCommand=x\n",
                "line 2: ssh: \"-oProxyCommand=x\" is not the name of a machine; write USER@HOST or ssh://USER@HOST:PORT",
            ),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(reason.to_owned()), "{text}");
        }
        assert_eq!(parse(b"a\n\xFF\n"), Err("line 2: id: is no text; write the list in UTF-8".to_owned()));
    }
}
