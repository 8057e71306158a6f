//! The page of topics says what the code does.

use std::collections::BTreeSet;
use std::fs;

use moodbox_core::config::reference;
use moodbox_core::topics::{Command, Event, Request, RequestKind, Topics};
use moodbox_tests::programs::repository;

/// First two cells of each row of the page whose first one starts so, without their quotes.
fn rows(page: &str, start: &str) -> Vec<(String, String)> {
    let quoted = |cell: &str| cell.trim().trim_matches('`').to_owned();
    let rows = page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split('|');
        Some((quoted(cells.next()?), quoted(cells.next()?)))
    });
    rows.filter_map(|(first, second)| Some((first.strip_prefix(start)?.to_owned(), second))).collect()
}

fn sorted<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    items.into_iter().collect()
}

#[test]
fn every_topic_command_and_request_is_on_the_page_and_works_as_it_says() {
    let page = fs::read_to_string(repository().join("deploy/mqtt.md")).unwrap();
    let said = rows(&page, "moodbox/ID/");
    let known = Topics::KEPT.into_iter().chain(["event", "faces", "preview", "response/NAME"]).map(str::to_owned);
    assert_eq!(sorted(said.iter().map(|(topic, _)| topic.clone())), sorted(known));
    for (topic, retained) in said {
        assert_eq!(retained.starts_with("yes"), Topics::KEPT.contains(&topic.as_str()), "{topic}");
    }
    assert_eq!(rows(&page, "homeassistant/").len(), 1);
    assert!(Event::TYPES.iter().all(|kind| page.contains(&format!("`{kind}`"))));

    let commands = rows(&page, "cmd/");
    assert_eq!(sorted(commands.iter().map(|(name, _)| name.as_str())), sorted(Command::NAMES));
    for (name, example) in commands {
        assert!(Command::parse(&name, example.as_bytes()).is_ok(), "{name} {example}");
    }
    let requests = rows(&page, "request/");
    assert_eq!(sorted(requests.iter().map(|(name, _)| name.as_str())), sorted(RequestKind::NAMES));
    for (name, example) in requests {
        let read = Request::parse(&name, example.as_bytes());
        assert!(read.is_ok(), "{name} {example}: {read:?}");
    }
}

#[test]
fn the_page_of_keys_is_what_the_code_says() {
    let page = fs::read_to_string(repository().join("deploy/configuration.md")).unwrap();
    assert!(page == reference::page(), "run: cargo run -p moodbox -- config reference > deploy/configuration.md");
    // The shipped file names no key that is not there, and its values are the defaults.
    let shipped = fs::read_to_string(repository().join("deploy/moodbox.toml")).unwrap();
    assert_eq!(moodbox_core::config::Config::parse(&shipped), Ok(moodbox_core::config::Config::default()));
}
