use super::*;

fn house() -> House {
    let mut house = House::new("mqtt://home:1883");
    house.hear("hall", "availability", b"online", 0);
    house.hear("hall", "state", br#"{"mood":"happy","valence":0.7,"arousal":0.4}"#, 1000);
    house
}

fn names(news: &[News]) -> Vec<&str> {
    news.iter().map(|(name, _)| *name).collect()
}

#[test]
fn a_page_hears_all_at_first_and_then_what_has_changed() {
    let mut house = house();
    assert_eq!(names(&house.news(Some("hall"), 0)), ["broker", "boxes", "trail", "state"]);
    let seen = house.version();
    assert_eq!(names(&house.news(Some("hall"), seen)), [""; 0]);
    house.hear("hall", "now", b"{}", 2000);
    house.hear("hall", "state", br#"{"mood":"happy","valence":0.6,"arousal":0.4}"#, 2000);
    assert_eq!(names(&house.news(Some("hall"), seen)), ["now", "state"]);
    assert_eq!(names(&house.news(None, seen)), [""; 0], "of a box that is not shown");
    house.hear("hall", "state", br#"{"mood":"sad","valence":-0.6,"arousal":-0.3}"#, 3000);
    assert_eq!(names(&house.news(None, seen)), ["boxes"], "the list says the mood");
}

#[test]
fn boxes_come_and_go() {
    let mut house = house();
    house.hear("kitchen", "availability", b"offline", 0);
    let list = |house: &House| house.list().to_string();
    insta::assert_snapshot!(list(&house));
    house.configured("kitchen", &json!({ "device": { "name": "Kitchen" } }));
    assert!(list(&house).contains(r#""name":"Kitchen""#));
    house.hear("kitchen", "availability", b"", 0);
    assert!(!list(&house).contains("Kitchen") && house.is_online("hall") && !house.is_online("kitchen"));
}

#[test]
fn the_broker_is_told_of_once() {
    let mut house = house();
    let seen = house.version();
    house.connection(Some("mqtt://home:1883 is away".to_owned()), 5000);
    assert!(!house.is_connected());
    let news = house.news(None, seen);
    assert_eq!(&*news[0].1, r#"{"broker":"mqtt://home:1883","connected":false,"reason":"mqtt://home:1883 is away"}"#);
    let seen = house.version();
    house.connection(Some("mqtt://home:1883 is away".to_owned()), 5000);
    assert_eq!(house.version(), seen);
    house.connection(None, 6000);
    assert!(house.is_connected() && house.version() > seen);
}

#[test]
fn a_box_is_there_again_when_it_says_so_and_not_with_the_broker() {
    let mut house = house();
    house.connection(Some("mqtt://home:1883 is away".to_owned()), 5000);
    house.connection(None, 6000);
    assert!(!house.is_online("hall"));
    house.hear("hall", "availability", b"online", 0);
    assert!(house.is_online("hall"));
}

#[test]
fn what_a_box_felt_while_it_was_away_is_not_known() {
    let mut house = house();
    let trail = |house: &House| house.boxes["hall"].trail.to_json();
    let seen = house.version();
    house.hear("hall", "availability", b"offline", 2000);
    assert_eq!(names(&house.news(Some("hall"), seen)), ["boxes", "trail"]);
    assert_eq!(trail(&house), json!([[1000, "happy", 0.7, 0.4], [2000, null, 0.0, 0.0]]));
    // As the broker has kept it.
    house.hear("hall", "state", br#"{"mood":"happy","valence":0.7,"arousal":0.4}"#, 3000);
    house.hear("hall", "availability", b"online", 4000);
    let seen = house.version();
    house.hear("hall", "state", br#"{"mood":"sad","valence":-0.6,"arousal":-0.3}"#, 4000);
    assert_eq!(names(&house.news(Some("hall"), seen)), ["boxes", "state"]);
    house.connection(Some("mqtt://home:1883 is away".to_owned()), 5000);
    let expected =
        json!([[1000, "happy", 0.7, 0.4], [2000, null, 0.0, 0.0], [4000, "sad", -0.6, -0.3], [5000, null, 0.0, 0.0]]);
    assert_eq!(trail(&house), expected);
}

#[test]
fn what_a_box_felt_while_this_computer_slept_is_not_known() {
    let mut house = house();
    let seen = house.version();
    for at_ms in (1000..=91_000).step_by(10_000) {
        house.runs(at_ms);
    }
    assert_eq!(house.version(), seen);
    house.runs(28_800_000);
    assert_eq!(names(&house.news(Some("hall"), seen)), ["trail"]);
    assert_eq!(house.boxes["hall"].trail.to_json(), json!([[1000, "happy", 0.7, 0.4], [91_000, null, 0.0, 0.0]]));
}

#[test]
fn the_limits_are_those_of_the_box() {
    let mut house = house();
    let mut config = json!(Config::default());
    config["mood"]["absent_s"] = json!(20);
    house.configured("hall", &config);
    let limits = |house: &House| house.boxes["hall"].parts["limits"].text.to_string();
    insta::assert_snapshot!(limits(&house));
    config["mood"]["of_another_version"] = json!(1);
    house.configured("hall", &config);
    assert_eq!(limits(&house), "null");
}

#[test]
fn what_makes_no_sense_is_passed_over() {
    let mut house = house();
    let seen = house.version();
    for (id, part, payload) in [
        ("hall", "state", &b"{"[..]),
        ("hall", "state", b"\xff"),
        ("hall", "card", b"<svg/>"),
        ("hall", "secret", b"1"),
        ("hall", "state", b"null"),
        ("hall", "state", b"{}"),
        ("hall", "state", br#"{"mood":7,"valence":0.7,"arousal":0.4}"#),
        ("hall", "state", br#"{"mood":"happy","valence":"0.7","arousal":0.4}"#),
        ("hall", "state", br#"{"mood":"happy","valence":0.7}"#),
        ("hall", "confidence", b"null"),
        ("hall", "confidence", b"{}"),
        ("hall", "recommendation", b"{}"),
        ("hall", "recommendation", b"[]"),
        ("hall", "recommendation", br#"{"tracks":{}}"#),
        ("hall", "recommendation", br#"{"tracks":[{"uri":"a"},null]}"#),
        ("hall", "now", b"null"),
        ("hall", "now", b"[]"),
        ("hall", "settings", b"null"),
        ("hall", "settings", b"7"),
        ("../hall", "availability", b"online"),
        ("", "availability", b"online"),
    ] {
        house.hear(id, part, payload, 0);
    }
    assert_eq!(house.version(), seen);
    for n in 0..2 * MAX_BOXES {
        house.hear(&format!("b{n}"), "availability", b"online", 0);
    }
    assert_eq!(house.boxes.len(), MAX_BOXES);
}
