use super::*;

fn offer(id: Option<&str>, host: &str) -> Offer {
    let properties = id.iter().map(|id| ("id".to_owned(), (*id).to_owned())).collect();
    Offer {
        kind: mdns::BOX.to_owned(),
        host: host.to_owned(),
        port: 22,
        addresses: vec!["192.0.2.7".parse().unwrap(), "2001:db8::7".parse().unwrap()],
        properties,
    }
}

fn kept() -> BTreeMap<String, Vec<u8>> {
    let announced = |id: &str, name: &str| {
        json!({ "dev": { "name": name, "mdl": "Raspberry Pi 4", "sw": "0.2.0" },
                "availability_topic": format!("moodbox/{id}/availability") })
    };
    // Its base topic is moodbox/upstairs.
    let others = json!({ "dev": { "name": "Attic" }, "availability_topic": "moodbox/upstairs/attic/availability" });
    let lamp = json!({ "dev": { "name": "Lamp" }, "availability_topic": "lamps/1/availability" });
    [
        ("moodbox/attic/availability", "offline".to_owned()),
        ("moodbox/hall/availability", "online".to_owned()),
        ("homeassistant/device/moodbox_hall/config", announced("hall", "Hall\u{1b}[31m").to_string()),
        ("homeassistant/device/lamp/config", lamp.to_string()),
        ("homeassistant/device/moodbox_attic/config", others.to_string()),
        ("moodbox//availability", "online".to_owned()),
        ("homeassistant/device/broken/config", "{".to_owned()),
    ]
    .map(|(topic, text)| (topic.to_owned(), text.into_bytes()))
    .into()
}

#[test]
fn what_the_broker_and_the_network_say_of_a_box_is_one_line() {
    let mut boxes = Boxes::default();
    boxes.add_kept("moodbox", &kept());
    boxes.add_offers(&[offer(Some("hall"), "hall.local"), offer(None, "cellar.local"), offer(Some(""), "loft.local")]);
    let broker = Offer { kind: mdns::SAFE_BROKER.to_owned(), port: 8883, ..offer(None, "home.local") };
    insta::assert_snapshot!(table::text(&boxes, &brokers(&[broker])));
}

#[test]
fn where_nothing_is_found_nothing_is_printed() {
    assert_eq!(table::text(&Boxes::default(), &[]), "");
}
