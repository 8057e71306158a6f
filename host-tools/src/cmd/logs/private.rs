//! A line of the journal without names and addresses, so that it can be shown to others.

use super::LEVELS;

/// A line as others may see it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) time: String,
    /// The place of its level among [`LEVELS`].
    pub(super) level: usize,
    pub(super) message: String,
}

impl Line {
    /// From `TIME HOST moodboxd[PID]: LEVEL MESSAGE`; the name of the machine is left out. What systemd says has no level of its
    /// own. Nothing for what is no line of a journal.
    pub(super) fn read(line: &str) -> Option<Self> {
        let (time, rest) = line.split_once(' ')?;
        let (_, rest) = rest.split_once(' ')?;
        let (_, said) = rest.split_once(": ")?;
        let said = said.trim_start();
        let first = said.split(' ').next().unwrap_or_default();
        let known = LEVELS.iter().position(|level| first.eq_ignore_ascii_case(level));
        let message = if known.is_some() { said[first.len()..].trim_start() } else { said };
        let failed = || usize::from(!(said.starts_with("moodboxd: ") || said.contains("Failed"))) * 2;
        Some(Self { time: time.to_owned(), level: known.unwrap_or_else(failed), message: without_names(message) })
    }
}

/// Words that name a place or somebody become what they are.
fn without_names(message: &str) -> String {
    // What stands in quotes is somebody's word for something, with spaces or without.
    let quoted = message.split('"').enumerate();
    let message = quoted.map(|(i, part)| if i % 2 == 0 { part } else { "<name>" }).collect::<Vec<_>>().join("\"");
    let (mut after_name, mut in_path) = ("", false);
    let words = message.split(' ').filter_map(|word| {
        let before = std::mem::replace(&mut after_name, word);
        let core = word.trim_matches(|c: char| "\"'(),;".contains(c)).trim_end_matches([':', '.']);
        // A path may have spaces; it ends where the sentence goes on.
        let ends = word.ends_with([':', ';', ',']);
        if std::mem::replace(&mut in_path, false) {
            in_path = !ends;
            return None;
        }
        let hidden = if before == "box" && !core.is_empty() {
            "<id>"
        } else if before == "user" {
            "<name>"
        } else if let Some((scheme, _)) = core.split_once("://") {
            return Some(word.replace(core, &format!("{scheme}://<host>")));
        } else if is_address(core) {
            "<address>"
        } else if core.contains('@') {
            "<name>"
        } else if core.starts_with('/')
            && !["/etc/moodbox", "/var/lib/moodbox", "/dev/", "/usr/"].iter().any(|p| core.starts_with(p))
        {
            in_path = !ends;
            "<path>"
        } else {
            return Some(word.to_owned());
        };
        Some(word.replace(core, hidden))
    });
    words.collect::<Vec<_>>().join(" ")
}

/// An IP address, perhaps with a port, or that of a network card.
fn is_address(word: &str) -> bool {
    let is_card = word.len() == 17 && word.split(':').filter(|pair| u8::from_str_radix(pair, 16).is_ok()).count() == 6;
    word.parse::<std::net::IpAddr>().is_ok() || word.parse::<std::net::SocketAddr>().is_ok() || is_card
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(said: &str) -> (usize, String) {
        let line = Line::read(&format!("2026-11-25T12:00:00+00:00 annas-pi moodboxd[7]: {said}")).unwrap();
        assert_eq!(line.time, "2026-11-25T12:00:00+00:00");
        (line.level, line.message)
    }

    #[test]
    fn names_and_addresses_are_left_out() {
        for (said, level, expected) in [
            (
                " INFO box 10000000a1b2 with models 12ab, broker mqtts://anna.local:8883",
                2,
                "box <id> with models 12ab, broker mqtts://<host>",
            ),
            (
                " WARN mqtts://anna.local:8883 refuses user \"anna\" or the password in mqtt.password_file",
                1,
                "mqtts://<host> refuses user \"<name>\" or the password in mqtt.password_file",
            ),
            (
                "ERROR 192.0.2.7:8883 and 2001:db8::7 and dc:a6:32:01:02:03, seen by anna@example.org",
                0,
                "<address> and <address> and <address>, seen by <name>",
            ),
            (
                " WARN camera: cannot open /home/anna/film.mjpeg: No such file",
                1,
                "camera: cannot open <path>: No such file",
            ),
            (
                " WARN camera: cannot open /home/anna/My Films/a.mjpeg: No such file",
                1,
                "camera: cannot open <path> No such file",
            ),
            (
                " WARN command choose: no track of the catalogue has the uri \"Anna Meier/Wedding 2019/x.mp3\"",
                1,
                "command choose: no track of the catalogue has the uri \"<name>\"",
            ),
            (" INFO camera: /dev/video0, MJPEG 640x480", 2, "camera: /dev/video0, MJPEG 640x480"),
            (
                "moodboxd: /etc/moodbox/moodbox.toml: line 2: fps: must be",
                0,
                "moodboxd: /etc/moodbox/moodbox.toml: line 2: fps: must be",
            ),
        ] {
            assert_eq!(shown(said), (level, expected.to_owned()), "{said}");
        }
    }

    #[test]
    fn what_is_no_line_is_left_out() {
        assert_eq!(Line::read("-- Boot 12 --"), None);
        assert_eq!(Line::read(""), None);
    }
}
