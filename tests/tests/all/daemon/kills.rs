//! A box that is killed at any moment, as the kernel does where memory runs out: what it has answered is kept.

use serde_json::json;

use super::{Home, smile};

const KILLS: usize = 12;
/// Changes that are under way when it is killed; the disk takes a few more at once.
const CHANGES: u32 = 6;

#[test]
fn a_box_that_is_killed_keeps_what_it_has_answered() {
    let mut home = Home::with(&smile(), "");
    home.listens();
    let mut rng = fastrand::Rng::with_seed(1);
    let (mut asked, mut answered) = (10, 10);
    for kill in 0..KILLS {
        for _ in 0..CHANGES {
            asked += 1;
            let set = json!({ "transaction": asked.to_string(), "set": { "mood.hold_s": f64::from(asked) / 10.0 } });
            home.listener.publish("moodbox/test/request/config.set", set.to_string(), false);
            home.command("policy", ["lift", "soothe", "match"][asked as usize % 3]);
        }
        for _ in 0..rng.u32(..CHANGES) {
            let answer = home.listener.next("/response/config.set").json();
            assert_eq!(answer["status"], "ok", "{answer}");
            answered = answer["transaction"].as_str().unwrap().parse().unwrap();
        }
        home.daemon.signal("KILL");
        home.start_again();
        home.listener.until("/availability", |message| message.text == "offline");
        home.listens();
        let hold_s = home.ask("config.get", &json!({}))["data"]["mood"]["hold_s"].as_f64().unwrap();
        let kept = (hold_s * 10.0).round() as u32;
        assert!((answered..=asked).contains(&kept), "kill {kill}: {kept} is kept, {answered} was answered");
        let damage = home.daemon.log.try_iter().find(|line| line.contains(".json") || line.contains("damaged"));
        assert_eq!(damage, None);
        // Answers that were under way say nothing about the next round.
        (asked, answered) = (asked.max(kept), kept);
        home.listener.publish("end", "", false);
        home.listener.all_until(|message| message.topic == "end");
    }
}
