//! The broker as it is shipped: a real Mosquitto with the files that `deploy/broker/broker.sh` makes, and who may do what.

mod set_up;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

use moodbox_core::config::{Config, Mqtt};
use moodbox_core::topics::{Command as BoxCommand, RequestKind, Topics};
use moodbox_tests::listener::PATIENCE;
use moodbox_tests::mosquitto::{Mosquitto, free_port};
use moodbox_tests::programs::{program, repository};
use moodboxd::mqtt::Settings;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, PubAckReason};
use rumqttc::v5::{Client, Event};
use serde_json::Value;

use crate::daemon::{Daemon, smile};

fn script(folder: &Path, arguments: &str) -> Output {
    // What lies in the folder itself comes before the system's programs.
    let path = format!("{}:{}:/usr/sbin", folder.display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new(repository().join("deploy/broker/broker.sh"));
    command.arg("--folder").arg(folder.join("moodbox")).arg("--conf").arg(folder.join("conf.d")).env("PATH", path);
    command.args(arguments.split_whitespace()).output().unwrap()
}

fn succeeds(folder: &Path, arguments: &str) {
    let output = script(folder, arguments);
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A broker with two boxes, `hall` and `attic`.
pub(crate) struct Safe {
    broker: Mosquitto,
    port: u16,
}

impl Safe {
    pub(crate) fn start() -> Self {
        let port = free_port();
        let broker = Mosquitto::with("include_dir FOLDER/conf.d", |folder| {
            succeeds(folder, &format!("--port {port} set-up localhost 127.0.0.1"));
            succeeds(folder, "add-box hall");
            succeeds(folder, "add-box attic");
        });
        Self { broker, port }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.broker.folder().join("moodbox").join(name)
    }

    pub(crate) fn password_of(&self, user: &str) -> PathBuf {
        let person = self.file(&format!("people/{user}.password"));
        if person.exists() { person } else { self.file(&format!("boxes/{user}/password")) }
    }

    /// `[mqtt]` for a user.
    fn settings(&self, user: &str, password_file: &Path) -> Mqtt {
        let (port, ca, password) = (self.port, self.file("ca.pem"), password_file.display());
        let text = format!(
            "[mqtt]\nbroker = \"mqtts://localhost:{port}\"\nca_file = \"{}\"\nusername = \"{user}\"\n\
             password_file = \"{password}\"",
            ca.display()
        );
        Config::parse(&text).unwrap().mqtt
    }

    fn connect(&self, user: &str, password_file: &Path) -> Result<Person, String> {
        Person::connect(&self.settings(user, password_file))
    }

    pub(crate) fn person(&self, user: &str) -> Person {
        self.connect(user, &self.password_of(user)).unwrap()
    }
}

/// Somebody who is connected.
pub(crate) struct Person {
    client: Client,
    packets: Receiver<Packet>,
}

impl Person {
    fn connect(settings: &Mqtt) -> Result<Self, String> {
        static PEOPLE: AtomicU32 = AtomicU32::new(0);
        let name = format!("person-{}", PEOPLE.fetch_add(1, Ordering::Relaxed));
        let topics = Topics::new("moodbox", "homeassistant", "any");
        let settings = Settings::of_guest(settings, name, topics, &[]).unwrap();
        let (client, mut connection) = Client::new(settings.options(), 20);
        let (sender, packets) = mpsc::channel();
        let (answer, answered) = mpsc::channel();
        thread::spawn(move || {
            for event in connection.iter() {
                match event {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => drop(answer.send(Ok(()))),
                    // Of no interest; who waits in vain shall not be kept waiting by them.
                    Ok(Event::Incoming(Packet::PingResp(_)) | Event::Outgoing(_)) => {}
                    Ok(Event::Incoming(packet)) => drop(sender.send(packet)),
                    Err(error) => {
                        drop(answer.send(Err(settings.explain(&error))));
                        break;
                    }
                }
            }
        });
        answered.recv_timeout(PATIENCE).unwrap().map(|()| Self { client, packets })
    }

    fn next(&self) -> Packet {
        self.packets.recv_timeout(PATIENCE).unwrap()
    }

    /// Publishes, and says whether the broker takes it.
    pub(crate) fn writes(&self, topic: &str, text: &str, retain: bool) -> bool {
        self.client.publish(topic, QoS::AtLeastOnce, retain, text.to_owned()).unwrap();
        loop {
            if let Packet::PubAck(ack) = self.next() {
                return matches!(ack.reason, PubAckReason::Success | PubAckReason::NoMatchingSubscribers);
            }
        }
    }

    pub(crate) fn subscribe(&self, filter: &str) {
        self.client.subscribe(filter, QoS::AtLeastOnce).unwrap();
        while !matches!(self.next(), Packet::SubAck(_)) {}
    }

    /// Waits for a message on this topic that is as wanted.
    pub(crate) fn until(&self, topic: &str, mut wanted: impl FnMut(&str) -> bool) {
        loop {
            if let Packet::Publish(publish) = self.next()
                && publish.topic == topic
                && wanted(&String::from_utf8_lossy(&publish.payload))
            {
                return;
            }
        }
    }

    /// Topics of the messages up to one that says `end`.
    pub(crate) fn hears(&self) -> Vec<String> {
        let mut topics = Vec::new();
        loop {
            if let Packet::Publish(publish) = self.next() {
                if publish.payload == "end" {
                    return topics;
                }
                topics.push(String::from_utf8(publish.topic.to_vec()).unwrap());
            }
        }
    }
}

/// Every topic that there is, and some that there are not, with who writes and who reads it: h the box `hall` whose topics
/// they are, n its neighbour `attic`, H Home Assistant, a the admin.
fn rights() -> Vec<(String, &'static str, &'static str)> {
    let of_hall = |last: &str| format!("moodbox/hall/{last}");
    let mut rights: Vec<_> = Topics::KEPT.map(|last| (of_hall(last), "ha", "Ha")).into();
    rights.push((of_hall("event"), "ha", "Ha"));
    // What a camera sees, and where faces are.
    rights.extend(["preview", "faces"].map(|last| (of_hall(last), "ha", "a")));
    for name in BoxCommand::NAMES.into_iter().chain(["nobody-knows"]) {
        rights.push((of_hall(&format!("cmd/{name}")), "Ha", "hHa"));
        rights.push((of_hall(&format!("response/{name}")), "ha", "Ha"));
    }
    for name in RequestKind::NAMES.into_iter().chain(["nobody-knows"]) {
        let of_the_admin = name.starts_with("preview.") || name == "watch.start";
        let (writers, readers) = if of_the_admin { ("a", "ha") } else { ("Ha", "hHa") };
        rights.push((of_hall(&format!("request/{name}")), writers, readers));
        rights.push((of_hall(&format!("response/{name}")), "ha", "Ha"));
    }
    let others = [
        ("homeassistant/device/moodbox_hall/config", "hHa", "Ha"),
        ("homeassistant/status", "Ha", "hnHa"),
        ("homeassistant/sensor/other/config", "Ha", "Ha"),
        ("moodbox/hall/state/deeper", "a", "Ha"),
        ("moodbox", "a", "Ha"),
        ("elsewhere/hall", "", ""),
        ("$SYS/broker/uptime", "", ""),
    ];
    rights.extend(others.map(|(topic, writers, readers)| (topic.to_owned(), writers, readers)));
    rights
}

/// A person, their letter, and a topic that they can read in any case.
const PEOPLE: [(&str, char, &str); 4] = [
    ("hall", 'h', "moodbox/hall/cmd/end"),
    ("attic", 'n', "moodbox/attic/cmd/end"),
    ("homeassistant", 'H', "moodbox/hall/end"),
    ("admin", 'a', "moodbox/hall/end"),
];

#[test]
fn each_writes_what_is_theirs_and_nothing_else() {
    let safe = Safe::start();
    let admin = safe.person("admin");
    admin.subscribe("#");
    let other = safe.person("admin");
    for (user, letter, _) in PEOPLE {
        let person = safe.person(user);
        for (topic, writers, _) in rights() {
            let allowed = writers.contains(letter);
            assert_eq!(person.writes(&topic, user, false), allowed, "{user} writes {topic}");
            other.writes("moodbox/end", "end", false);
            let arrived = admin.hears().contains(&topic);
            assert_eq!(arrived, allowed, "{topic} of {user}");
        }
    }
}

#[test]
fn each_reads_what_is_theirs_and_nothing_else() {
    let safe = Safe::start();
    let admin = safe.person("admin");
    for (user, letter, end) in PEOPLE {
        let person = safe.person(user);
        // A filter may be asked for; what comes is what counts.
        person.subscribe("#");
        for (topic, _, readers) in rights() {
            admin.writes(&topic, "news", false);
            admin.writes(end, "end", false);
            let heard = person.hears();
            assert_eq!(heard.contains(&topic), readers.contains(letter), "{user} reads {topic}: {heard:?}");
        }
    }
}

#[test]
fn what_is_kept_of_one_box_is_not_told_to_another() {
    let safe = Safe::start();
    let admin = safe.person("admin");
    for topic in Topics::KEPT.map(|last| format!("moodbox/hall/{last}")) {
        assert!(admin.writes(&topic, "kept", true));
    }
    let neighbour = safe.person("attic");
    neighbour.subscribe("moodbox/#");
    admin.writes("moodbox/attic/cmd/end", "end", false);
    assert_eq!(neighbour.hears(), [""; 0]);
}

/// By default a Mosquitto gives a newcomer 1,020 messages and drops the rest.
#[test]
fn who_comes_to_many_boxes_hears_what_each_has_said() {
    const KEPT: usize = 1_100;
    let safe = Safe::start();
    let admin = safe.person("admin");
    for number in 0..KEPT {
        admin.client.publish(format!("moodbox/{number}/state"), QoS::AtLeastOnce, true, "{}").unwrap();
    }
    for _ in 0..KEPT {
        while !matches!(admin.next(), Packet::PubAck(_)) {}
    }
    let home_assistant = safe.person("homeassistant");
    home_assistant.client.subscribe("moodbox/#", QoS::AtLeastOnce).unwrap();
    home_assistant.client.publish("moodbox/hall/cmd/end", QoS::AtLeastOnce, false, "end").unwrap();
    assert_eq!(home_assistant.hears().len(), KEPT);
}

#[test]
fn a_box_obeys_home_assistant_and_not_its_neighbour() {
    let safe = Safe::start();
    let folder = tempfile::tempdir().unwrap();
    let (port, ca, password) = (safe.port, safe.file("boxes/hall/ca.pem"), safe.password_of("hall"));
    let config = format!(
        "[device]\nid = \"hall\"\n[store]\nfolder = \"{}/store\"\n[camera]\nsource = \"{}\"\n\
         [mqtt]\nbroker = \"mqtts://localhost:{port}\"\nca_file = {ca:?}\nusername = \"hall\"\npassword_file = {password:?}",
        folder.path().display(),
        smile()
    );
    let home_assistant = safe.person("homeassistant");
    home_assistant.subscribe("moodbox/#");
    home_assistant.subscribe("homeassistant/#");
    let daemon = Daemon::start(folder.path(), &config);
    let has = |key: &'static str, value: &'static str| {
        move |text: &str| serde_json::from_str::<Value>(text).unwrap()[key] == value
    };
    home_assistant.until("homeassistant/device/moodbox_hall/config", |_| true);
    home_assistant.until("moodbox/hall/state", has("camera", "on"));
    assert!(!safe.person("attic").writes("moodbox/hall/cmd/camera", "OFF", false));
    assert!(home_assistant.writes("moodbox/hall/cmd/leds", "OFF", false));
    home_assistant.until("moodbox/hall/state", |text| has("leds", "off")(text) && has("camera", "on")(text));
    assert!(home_assistant.writes("moodbox/hall/request/diagnose", "{\"transaction\":\"1\"}", false));
    home_assistant.until("moodbox/hall/response/diagnose", has("status", "ok"));
    // The will is the box's too.
    daemon.signal("KILL");
    home_assistant.until("moodbox/hall/availability", |text| text == "offline");
}

#[test]
fn a_box_can_be_added_and_taken_away_while_the_broker_runs() {
    let safe = Safe::start();
    let here = safe.broker.folder();
    succeeds(here, "add-box cellar");
    safe.broker.reload();
    let password = safe.password_of("cellar");
    let is_in = || safe.connect("cellar", &password);
    let deadline = Instant::now() + PATIENCE;
    let cellar = loop {
        match is_in() {
            Ok(cellar) => break cellar,
            Err(told) => assert!(Instant::now() < deadline, "{told}"),
        }
    };
    assert!(cellar.writes("moodbox/cellar/state", "{}", true) && !cellar.writes("moodbox/hall/state", "{}", true));
    let copy = here.join("copy");
    fs::copy(&password, &copy).unwrap();
    succeeds(here, "remove-box cellar");
    safe.broker.reload();
    while safe.connect("cellar", &copy).is_ok() {
        assert!(Instant::now() < deadline);
    }
}

/// `moodbox remove hall` by a user: exit code, stdout and stderr.
fn remove(safe: &Safe, user: &str) -> (Option<i32>, String, String) {
    let output = assert_cmd::Command::new(program("moodbox"))
        .args(["remove", "hall", "--yes", "--username", user, "--broker"])
        .arg(format!("mqtts://localhost:{}", safe.port))
        .arg("--password-file")
        .arg(safe.password_of(user))
        .arg("--ca-file")
        .arg(safe.file("ca.pem"))
        .timeout(PATIENCE)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_box_is_removed_by_the_admin_alone() {
    let safe = Safe::start();
    let hall = safe.person("hall");
    assert!(hall.writes("moodbox/hall/availability", "offline", true) && hall.writes("moodbox/hall/state", "{}", true));
    let (code, _, told) = remove(&safe, "attic");
    assert!(code == Some(1) && told.contains("has kept nothing of a box hall"), "{told}");
    let (code, _, told) = remove(&safe, "homeassistant");
    let reason = "does not let us write moodbox/hall/availability; use its admin's user\n";
    assert!(code == Some(3) && told.ends_with(reason), "{told}");
    let (code, done, _) = remove(&safe, "admin");
    assert!(code == Some(0) && done.ends_with("has forgotten box hall: 2 topics\n"), "{done}");
}

#[test]
fn an_outsider_is_not_let_in() {
    let safe = Safe::start();
    let wrong = safe.file("wrong");
    fs::write(&wrong, "guess\n").unwrap();
    for user in ["hall", "admin", "homeassistant", "nobody"] {
        let told = safe.connect(user, &wrong).err().unwrap();
        assert!(told.contains("refuses user"), "{told}");
    }
    let mut nobody = safe.settings("x", &wrong);
    (nobody.username, nobody.password_file) = (None, None);
    let told = Person::connect(&nobody).err().unwrap();
    assert!(told.contains("refuses a connection without --username"), "{told}");
    // A box that trusts another authority does not give its password away.
    nobody.ca_file = None;
    let told = Person::connect(&nobody).err().unwrap();
    assert!(told.contains("certificate"), "{told}");
}
