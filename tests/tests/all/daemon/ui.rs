//! `moodbox ui` over HTTP, as programs speak it; `tests/ui` looks at the page in a browser.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;

use moodbox_tests::listener::{Listener, PATIENCE};
use moodbox_tests::mosquitto::{Mosquitto, free_port};
use moodbox_tests::programs::program;
use serde_json::{Value, json};

use super::Home;

/// A running `moodbox ui`; it ends with this.
struct Page {
    process: Child,
    stdout: BufReader<ChildStdout>,
    port: u16,
    key: String,
}

impl Page {
    fn of(broker: &Mosquitto) -> Self {
        let (process, mut stdout) = start(broker.port(), &["--json"]);
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let (port, key) =
            said["url"].as_str().unwrap().strip_prefix("http://127.0.0.1:").unwrap().split_once("/#").unwrap();
        Self { process, stdout, port: port.parse().unwrap(), key: key.to_owned() }
    }

    /// Sends a request with these lines after the first; what is answered is read to its end by whoever wants it.
    fn send(&self, first: &str, lines: &[String], body: &str) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = format!("content-length: {}", body.len());
        let head = [&[first.to_owned() + " HTTP/1.1"], lines, &[length, "connection: close".to_owned()]].concat();
        write!(stream, "{}\r\n\r\n{body}", head.join("\r\n")).unwrap();
        BufReader::new(stream)
    }

    /// Status, head in lower case and body of an answer.
    fn answer(&self, first: &str, lines: &[String], body: &str) -> (u16, String, String) {
        let mut text = String::new();
        self.send(first, lines, body).read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_lowercase(), body.to_owned())
    }

    /// As the page asks.
    fn ask(&self, first: &str, body: &str) -> (u16, String) {
        let (status, _, body) = self.answer(first, &[self.host(), self.authorization()], body);
        (status, body)
    }

    fn host(&self) -> String {
        format!("host: 127.0.0.1:{}", self.port)
    }

    fn authorization(&self) -> String {
        format!("authorization: Bearer {}", self.key)
    }

    /// What is said of a box, event by event.
    fn events(&self, id: &str) -> impl Iterator<Item = (String, Value)> {
        let stream = self.send(&format!("GET /api/boxes/{id}/events"), &[self.host(), self.authorization()], "");
        let mut name = String::new();
        stream.lines().map_while(Result::ok).filter_map(move |line| {
            if let Some(event) = line.strip_prefix("event: ") {
                event.clone_into(&mut name);
            }
            Some((name.clone(), serde_json::from_str(line.strip_prefix("data: ")?).unwrap()))
        })
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn start(broker: u16, more: &[&str]) -> (Child, BufReader<ChildStdout>) {
    let mut process = Command::new(program("moodbox"))
        .args(["ui", "--no-open", "--broker", &format!("mqtt://127.0.0.1:{broker}")])
        .args(more)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = BufReader::new(process.stdout.take().unwrap());
    (process, stdout)
}

#[test]
fn only_the_page_is_answered() {
    let broker = Mosquitto::start();
    let page = Page::of(&broker);
    let (host, key) = (page.host(), page.authorization());
    let own = format!("origin: http://127.0.0.1:{}", page.port);
    let line = ToOwned::to_owned;
    for (first, lines, status) in [
        ("GET /", vec![host.clone()], 200),
        ("GET /", vec![format!("host: localhost:{}", page.port)], 200),
        ("GET /", vec![line("host: evil.example")], 421),
        ("GET /", vec![line("host: 127.0.0.1")], 421),
        ("GET /", vec![], 421),
        ("GET /secrets", vec![host.clone()], 404),
        ("POST /key", vec![host.clone(), key.clone(), own.clone()], 200),
        ("POST /key", vec![host.clone(), line("authorization: Bearer 0")], 401),
        ("POST /key", vec![host.clone()], 401),
        ("GET /key", vec![host.clone(), key.clone()], 405),
        ("POST /api/boxes/a/commands/next", vec![host.clone()], 401),
        ("POST /api/boxes/a/commands/next", vec![host.clone(), line("authorization: Bearer 0")], 401),
        ("POST /api/boxes/a/commands/next", vec![host.clone(), key.clone(), line("origin: http://evil.example")], 403),
        ("POST /api/boxes/a/commands/next", vec![host.clone(), key.clone(), line("origin: null")], 403),
        ("POST /api/boxes/a/commands/next", vec![line("host: evil.example"), key.clone()], 421),
        ("OPTIONS /api/boxes/a/commands/next", vec![host.clone(), line("origin: http://evil.example")], 403),
        ("GET /api/events", vec![host.clone()], 401),
        ("GET /api/../api/events", vec![host.clone()], 401),
        ("POST /api/boxes/a/commands/next", vec![host.clone(), key.clone(), own.clone()], 503),
        ("POST /api/boxes/a/commands/restart", vec![host.clone(), key.clone(), own.clone()], 404),
        ("POST /api/boxes/a/requests/restart", vec![host.clone(), key.clone(), own.clone()], 404),
    ] {
        assert_eq!(page.answer(first, &lines, "\"PRESS\"").0, status, "{first} with {lines:?}");
    }
    let long = "x".repeat(17 * 1024);
    assert_eq!(page.ask("POST /api/boxes/a/commands/next", &long).0, 413);
}

#[test]
fn the_browser_is_told_to_ask_nobody_else() {
    let broker = Mosquitto::start();
    let page = Page::of(&broker);
    for path in ["/", "/main.js", "/style.css", "/nothing"] {
        let (_, head, body) = page.answer(&format!("GET {path}"), &[page.host()], "");
        for line in [
            "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
            "cross-origin-resource-policy: same-origin",
        ] {
            assert!(head.contains(line), "{path}: {line} in {head}");
        }
        assert!(!body.contains("https://") && !head.contains("access-control-allow"), "{path}");
    }
}

#[test]
fn the_events_follow_the_box() {
    let home = Home::with_a_smile();
    let page = Page::of(&home.broker);
    let mut events = page.events("test");
    let mut until = |wanted: &dyn Fn(&str, &Value) -> bool| events.find(|(name, data)| wanted(name, data)).unwrap().1;
    until(&|name, data| name == "state" && data["mood"] == "happy" && data["policy"] == "match");
    assert_eq!(page.ask("POST /api/boxes/test/commands/policy", "\"lift\""), (204, String::new()));
    // The list comes before the state that names the policy.
    let tracks = until(&|name, data| name == "recommendation" && data["policy"] == "lift")["tracks"].clone();
    until(&|name, data| name == "state" && data["policy"] == "lift");
    let choice = json!({ "uri": tracks[2]["uri"] }).to_string();
    assert_eq!(page.ask("POST /api/boxes/test/commands/choose", &choice), (204, String::new()));
    until(&|name, data| name == "now" && data["uri"] == tracks[2]["uri"]);
    let limits = page.events("test").find(|(name, _)| name == "limits").unwrap().1;
    assert_eq!(limits["min_face"], json!({ "min": 24.0, "max": 400.0, "step": 1.0 }));
}

#[test]
fn what_the_box_refuses_is_answered_with_its_reason() {
    let mut home = Home::with_a_smile();
    home.listener.until("/state", |message| message.json()["presence"] == true);
    let page = Page::of(&home.broker);
    page.events("test").find(|(name, _)| name == "limits").unwrap();
    let set = |text: &str| page.ask("POST /api/boxes/test/requests/config.set", text);
    let (status, answer) = set(r#"{"set":{"leds.brightness":0.25}}"#);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(
        (status, &answer["set"], &answer["after_restart"]),
        (200, &json!({ "leds.brightness": 0.25 }), &json!([]))
    );
    let refused = "leds.brightness: must be from 0 to 1, not 25";
    assert_eq!(set(r#"{"set":{"leds.brightness":25}}"#), (409, refused.to_owned()));
    let (status, reason) = page.ask("POST /api/boxes/test/commands/choose", r#"{"uri":"no:such:song"}"#);
    assert_eq!(status, 409);
    assert!(reason.contains("no:such:song"), "{reason}");
    for unreadable in ["", "{", "7", "[]"] {
        assert_eq!(page.ask("POST /api/boxes/test/commands/choose", unreadable).0, 400, "{unreadable}");
    }
    home.daemon.signal("KILL");
    home.listener.until("/availability", |message| message.text == "offline");
    page.events("test").find(|(name, data)| name == "boxes" && data[0]["online"] == false).unwrap();
    assert_eq!(page.ask("POST /api/boxes/test/commands/next", "\"PRESS\""), (503, "the box is not there".to_owned()));
}

#[test]
fn a_command_is_done_when_the_box_has_had_it() {
    let broker = Mosquitto::start();
    let mut test = Listener::on(broker.port());
    test.publish("moodbox/test/availability", "online", true);
    let page = Page::of(&broker);
    // How it is configured.
    test.next("/request/config.get");
    let refused = r#"{"transaction":null,"status":"error","error":"no song was chosen"}"#;
    for (refusal, answer) in [(Some(refused), (409, "no song was chosen")), (None, (204, ""))] {
        let said = thread::scope(|scope| {
            let asked = scope.spawn(|| page.ask("POST /api/boxes/test/commands/like", "\"PRESS\""));
            test.next("/cmd/like");
            // Only a box that is asked something after the command can be known to have had it.
            let transaction = test.next("/request/config.get").json()["transaction"].clone();
            if let Some(refusal) = refusal {
                test.publish("moodbox/test/response/like", refusal, false);
            }
            let response = json!({ "transaction": transaction, "status": "ok", "data": {} });
            test.publish("moodbox/test/response/config.get", response.to_string(), false);
            asked.join().unwrap()
        });
        assert_eq!(said, (answer.0, answer.1.to_owned()));
    }
}

#[test]
fn what_others_set_is_shown() {
    let home = Home::with_a_smile();
    let page = Page::of(&home.broker);
    let mut events = page.events("test");
    let mut until = |wanted: &dyn Fn(&str, &Value) -> bool| events.any(|(name, data)| wanted(&name, &data));
    assert!(until(&|name, data| name == "limits" && data["hold_time"]["max"] != 19.9));
    let set = json!({ "transaction": "1", "set": { "device.name": "Attic", "mood.absent_s": 20 } });
    home.listener.publish("moodbox/test/request/config.set", set.to_string(), false);
    assert!(until(&|name, data| name == "boxes" && data[0]["name"] == "Attic"));
    assert!(until(&|name, data| name == "limits" && data["hold_time"]["max"] == 19.9));
}

#[test]
fn pages_without_end_are_refused() {
    let broker = Mosquitto::start();
    let page = Page::of(&broker);
    let open = || {
        let mut stream = page.send("GET /api/events", &[page.host(), page.authorization()], "");
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        (line, stream)
    };
    let pages: Vec<_> = (0..32).map(|_| open()).collect();
    assert!(pages.iter().all(|(line, _)| line.starts_with("HTTP/1.1 200")));
    assert!(open().0.starts_with("HTTP/1.1 503"));
}

#[test]
fn it_ends_when_it_is_asked_to_and_when_it_cannot_begin() {
    let broker = Mosquitto::start();
    let mut page = Page::of(&broker);
    assert!(Command::new("kill").args(["-INT", &page.process.id().to_string()]).status().unwrap().success());
    assert_eq!(page.process.wait().unwrap().code(), Some(0));
    let mut rest = String::new();
    page.stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let (nobody, port) = (free_port(), held.local_addr().unwrap().port().to_string());
    for (broker, more, code, reason) in [
        (
            broker.port(),
            vec!["--port", &port],
            2,
            format!("moodbox: cannot listen on 127.0.0.1:{port}; choose another with --port: "),
        ),
        (nobody, vec![], 3, format!("moodbox: nothing listens at mqtt://127.0.0.1:{nobody}; ")),
    ] {
        let output = start(broker, &more).0.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), said.lines().count()), (Some(code), 1), "{said}");
        assert!(said.starts_with(&reason), "{said}");
    }
    drop(held);
}
