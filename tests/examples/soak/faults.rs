//! A box, its broker and its camera, and what befalls them.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use moodbox_tests::listener::Listener;
use moodbox_tests::mosquitto::Mosquitto;
use moodbox_tests::programs::{program, recording};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A fault, which is mended when this returns: how long the box took to be as before.
type Fault = fn(&mut Home) -> Duration;

/// What fails in turn.
pub(crate) const FAULTS: [(&str, Fault); 6] = [
    ("broker restarted", broker_restarted),
    ("camera switched off and on", camera_switched),
    ("broker silent for 12 s", broker_silent),
    ("recording away and back", recording_away),
    ("flood of 500 messages", flood),
    ("state folder away and back", folder_away),
];

/// Time in which a camera that is off is closed: many frames.
const CLOSED: Duration = Duration::from_secs(1);

/// Questions of which the median time is taken.
const QUESTIONS: u32 = 5;

/// The box and what it needs.
pub(crate) struct Home {
    broker: Mosquitto,
    listener: Listener,
    daemon: Child,
    folder: TempDir,
    requests: u32,
}

impl Home {
    /// A box that has its state in a folder of its own and sees the recording.
    pub(crate) fn start() -> Self {
        let broker = Mosquitto::start();
        let mut listener = Listener::on(broker.port());
        let folder = tempfile::tempdir().expect("a temporary folder");
        let here = folder.path().display();
        std::os::unix::fs::symlink(recording(), folder.path().join("video.mjpeg")).expect("a link to the recording");
        let config = format!(
            "[device]\nid = \"soak\"\n[store]\nfolder = \"{here}/store\"\n\
             [camera]\nsource = \"replay:{here}/video.mjpeg\"\nfps = 60\n[vision]\nfps = 30\n\
             [mqtt]\nbroker = \"mqtt://127.0.0.1:{}\"\nkeep_alive_s = 5\n",
            broker.port()
        );
        fs::write(folder.path().join("moodbox.toml"), config).expect("a configuration file");
        let log = File::create(folder.path().join("log")).expect("a log");
        let daemon = Command::new(program("moodboxd"))
            .arg("--config")
            .arg(folder.path().join("moodbox.toml"))
            .env_remove("MOODBOX_LOG")
            .stderr(Stdio::from(log))
            .spawn()
            .expect("the daemon");
        listener.until("/state", |state| state.json()["camera"] == "on");
        Self { broker, listener, daemon, folder, requests: 0 }
    }

    /// The id of the daemon's process.
    pub(crate) fn pid(&self) -> u32 {
        self.daemon.id()
    }

    /// What people do: every command that leaves something behind.
    pub(crate) fn listen_to_music(&mut self) {
        let seconds = 30 + self.requests % 60;
        for (name, payload) in [
            ("next", String::new()),
            ("like", String::new()),
            ("skip", String::new()),
            ("choose", json!({ "uri": "demo:track:abba-dancing-queen" }).to_string()),
            ("recommend", String::new()),
            ("hold_time", seconds.to_string()),
        ] {
            self.command(name, payload);
        }
    }

    /// The median time in which a question is answered.
    pub(crate) fn answer_time(&mut self) -> Duration {
        let mut times: Vec<_> = (0..QUESTIONS).map(|_| self.ask().1).collect();
        times.sort_unstable();
        times[times.len() / 2]
    }

    /// The 95th percentile of the last frames' times, as the box knows it; it measures once a minute.
    pub(crate) fn frame_ms(&mut self) -> f32 {
        self.ask().0["data"]["diagnostics"]["frame_ms_p95"].as_f64().unwrap_or_default() as f32
    }

    /// Asks the box to stop: the frames that it has analysed, and lines of its log that no fault explains.
    pub(crate) fn end(mut self) -> (u64, Vec<String>) {
        let frames = self.ask().0["data"]["diagnostics"]["inferences"].as_u64().unwrap_or_default();
        let pid = self.daemon.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status().is_ok_and(|status| status.success());
        let ended = self.daemon.wait().is_ok_and(|status| status.success());
        let log = File::open(self.folder.path().join("log")).expect("the log");
        let lines = BufReader::new(log).lines().map_while(Result::ok);
        let mut complaints: Vec<_> = lines.filter(|line| line.contains("panic") || line.contains("failed")).collect();
        if !(asked && ended) {
            complaints.push("(it did not end by itself)".to_owned());
        }
        (frames, complaints)
    }

    fn ask(&mut self) -> (Value, Duration) {
        self.requests += 1;
        let transaction = format!("soak-{}", self.requests);
        let clock = Instant::now();
        let question = json!({ "transaction": transaction }).to_string();
        self.listener.publish("moodbox/soak/request/diagnose", question, false);
        let answer = self.listener.until("/response/diagnose", |answer| answer.json()["transaction"] == transaction);
        (answer.json(), clock.elapsed())
    }

    fn command(&self, name: &str, payload: impl Into<Vec<u8>>) {
        self.listener.publish(&format!("moodbox/soak/cmd/{name}"), payload, false);
    }

    fn camera_is(&mut self, wanted: &str) {
        self.listener.until("/state", |state| state.json()["camera"] == wanted);
    }

    fn video(&self) -> PathBuf {
        self.folder.path().join("video.mjpeg")
    }
}

fn broker_restarted(home: &mut Home) -> Duration {
    home.broker.kill();
    std::thread::sleep(Duration::from_secs(3));
    home.broker.restart();
    let clock = Instant::now();
    home.listener = Listener::on(home.broker.port());
    home.listener.next("/state");
    clock.elapsed()
}

fn broker_silent(home: &mut Home) -> Duration {
    // What was said before is of no interest.
    home.listener.publish("soak", "", false);
    home.listener.all_until(|message| message.topic == "soak");
    home.broker.freeze();
    std::thread::sleep(Duration::from_secs(12));
    home.broker.thaw();
    let clock = Instant::now();
    home.listener.until("/availability", |message| message.text == "online");
    home.listener.next("/state");
    clock.elapsed()
}

fn camera_switched(home: &mut Home) -> Duration {
    home.command("camera", "OFF");
    home.camera_is("off");
    home.command("camera", "ON");
    let clock = Instant::now();
    home.camera_is("on");
    clock.elapsed()
}

fn recording_away(home: &mut Home) -> Duration {
    home.command("camera", "OFF");
    home.camera_is("off");
    // The capture thread closes it with the next frame, and nothing tells that; until then ON would only let it go on.
    std::thread::sleep(CLOSED);
    fs::remove_file(home.video()).expect("a link that can be removed");
    home.command("camera", "ON");
    home.camera_is("unavailable");
    std::os::unix::fs::symlink(recording(), home.video()).expect("a link to the recording");
    let clock = Instant::now();
    home.camera_is("on");
    clock.elapsed()
}

fn flood(home: &mut Home) -> Duration {
    for number in 0..500 {
        match number % 4 {
            0 => home.command("correct", "furious"),
            1 => home.command("choose", vec![0xff; 4000]),
            2 => home.listener.publish("moodbox/soak/request/config.set", vec![b'['; 4000], false),
            _ => home.command("nobody", "knows"),
        }
    }
    // Longer than the box takes; the broker keeps it away.
    home.command("choose", vec![b'x'; 1 << 20]);
    // What came too fast was dropped, perhaps a question too.
    std::thread::sleep(Duration::from_secs(2));
    home.ask().1
}

fn folder_away(home: &mut Home) -> Duration {
    let (store, away) = (home.folder.path().join("store"), home.folder.path().join("away"));
    fs::rename(&store, &away).expect("the state folder");
    fs::write(&store, "a file where a folder should be").expect("a file");
    home.listen_to_music();
    std::thread::sleep(Duration::from_secs(1));
    fs::remove_file(&store).expect("the file");
    fs::rename(&away, &store).expect("the state folder");
    home.ask().1
}
