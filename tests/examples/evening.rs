//! What a box says to its broker in four hours, one JSON object a line: `{"topic", "payload", "retain"}`.
//!
//! `cargo run --release -p moodbox-tests --example evening -- ID`; `tests/ha` has a real Home Assistant record it.

#![expect(clippy::print_stdout, reason = "it is what it is for")]

use std::env;
use std::error::Error;

use moodbox_core::engine::Event;
use moodbox_core::topics::{Publication, Topics};
use moodbox_tests::simulated_box::SimulatedBox;

const SECONDS: u64 = 4 * 3600;

fn main() -> Result<(), Box<dyn Error>> {
    let id = env::args().nth(1).ok_or("needs the id of the box")?;
    let topics = Topics::new("moodbox", "homeassistant", &id);
    let mut simulated = SimulatedBox::new(topics, 1);
    print(simulated.tell(Event::Connected))?;
    for _ in 0..SECONDS {
        print(simulated.next_second())?;
    }
    Ok(())
}

fn print(said: Vec<Publication>) -> Result<(), Box<dyn Error>> {
    for Publication { topic, payload, retain, .. } in said {
        let payload = String::from_utf8(payload)?;
        println!("{}", serde_json::json!({ "topic": topic, "payload": payload, "retain": retain }));
    }
    Ok(())
}
