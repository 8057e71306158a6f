//! How many boxes one Mosquitto carries on this machine: `cargo run --release -p moodbox-tests --example boxes -- 10 50`.
//!
//! Each box has the real rules and the real MQTT client; its camera and its person are simulated. One observer subscribes
//! to everything, as Home Assistant does, and notes how long every message took from the box to it.

#![expect(clippy::print_stdout, reason = "it is what it is for")]
#![expect(clippy::expect_used, reason = "a measurement that cannot be set up ends")]

use std::collections::{HashMap, VecDeque};
use std::error::Error;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{env, fs, thread};

use moodbox_core::config::Config;
use moodbox_core::topics::{Publication, Topics};
use moodbox_tests::mosquitto::Mosquitto;
use moodbox_tests::simulated_box::live;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{Client, Event as ClientEvent, MqttOptions};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

/// By default Mosquitto drops what waits for a subscriber beyond 1,000 messages: too few when 1,000 boxes come at once.
const BROKER: &str = "allow_anonymous true\nmax_queued_messages 100000\n";

/// How long updates are watched once every box is known.
const WATCHED: Duration = Duration::from_secs(60);

/// Longest time until every box is known.
const PATIENCE: Duration = Duration::from_secs(120);

/// Time in which the messages under way arrive.
const SETTLED: Duration = Duration::from_secs(2);

/// What was asked for: 95 of 100 updates arrive within this.
const GOAL: Duration = Duration::from_secs(1);

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let counts = env::args().skip(1).map(|count| count.parse()).collect::<Result<Vec<usize>, _>>()?;
    println!("boxes | all known after | updates a second | p50, p95, max in ms | lost | broker: MB, share of a core");
    let mut good = true;
    for count in counts {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        good &= runtime.block_on(measure(count))?;
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints a line, and says whether the goal was reached.
async fn measure(count: usize) -> Result<bool, Box<dyn Error>> {
    let broker = Mosquitto::with(BROKER, |_| {});
    let mqtt = Config::parse(&format!("[mqtt]\nbroker = \"mqtt://127.0.0.1:{}\"\n", broker.port()))?.mqtt;
    let under_way = Arc::new(UnderWay::default());
    observe(broker.port(), Arc::clone(&under_way));
    let (end, ended) = watch::channel(());
    let start = Instant::now();
    let mut tasks = Vec::new();
    for number in 0..count {
        let seed = number as u64;
        let topics = Topics::new("moodbox", "homeassistant", &format!("box{number}"));
        let under_way = Arc::clone(&under_way);
        let sends = move |publication: &Publication| under_way.send(publication);
        tasks.push(tokio::spawn(live(topics, seed, mqtt.clone(), sends, ended.clone())));
    }
    let known = timeout(PATIENCE, async {
        while under_way.known() < count {
            sleep(Duration::from_millis(10)).await;
        }
    });
    let all_known = known.await.is_ok();
    let known_after = start.elapsed();
    under_way.begin();
    let processor = processor_time(broker.pid())?;
    sleep(WATCHED).await;
    let busy = processor_time(broker.pid())?.saturating_sub(processor).as_secs_f32() / WATCHED.as_secs_f32();
    let memory = resident_mb(broker.pid())?;
    end.send_replace(());
    for task in tasks {
        task.await?;
    }
    sleep(SETTLED).await;
    let (mut delays, sent) = under_way.end();
    delays.sort_unstable();
    let at = |share: f32| delays.get((share * (delays.len().max(1) - 1) as f32) as usize).copied().unwrap_or_default();
    let lost = sent - delays.len();
    println!(
        "{count:5} | {:13.1} s | {:16.1} | {:6.1} {:6.1} {:7.1} | {lost:4} | {memory:6.1} {:5.1} %",
        known_after.as_secs_f32(),
        delays.len() as f32 / WATCHED.as_secs_f32(),
        at(0.5).as_secs_f32() * 1e3,
        at(0.95).as_secs_f32() * 1e3,
        at(1.0).as_secs_f32() * 1e3,
        busy * 100.0,
    );
    Ok(all_known && lost == 0 && at(0.95) <= GOAL)
}

/// When each message was sent that has not arrived yet. Those of one topic arrive in order.
#[derive(Default)]
struct UnderWay(Mutex<Messages>);

#[derive(Default)]
struct Messages {
    sent: HashMap<String, VecDeque<Instant>>,
    known: usize,
    /// How long each took, and how many were sent, since somebody wants to know.
    delays: Vec<Duration>,
    watched: usize,
    since: Option<Instant>,
}

impl UnderWay {
    fn send(&self, publication: &Publication) {
        let mut messages = self.0.lock().expect("no panic while it is locked");
        messages.watched += usize::from(messages.since.is_some());
        messages.sent.entry(publication.topic.clone()).or_default().push_back(Instant::now());
    }

    fn arrive(&self, topic: &str) {
        let mut messages = self.0.lock().expect("no panic while it is locked");
        messages.known += usize::from(topic.ends_with("/config"));
        // The first availability is the client's own.
        let Some(sent) = messages.sent.get_mut(topic).and_then(VecDeque::pop_front) else { return };
        if messages.since.is_some_and(|since| since <= sent) {
            messages.delays.push(sent.elapsed());
        }
    }

    fn known(&self) -> usize {
        self.0.lock().expect("no panic while it is locked").known
    }

    fn begin(&self) {
        self.0.lock().expect("no panic while it is locked").since = Some(Instant::now());
    }

    /// How long each took that has arrived, and how many were sent.
    fn end(&self) -> (Vec<Duration>, usize) {
        let mut messages = self.0.lock().expect("no panic while it is locked");
        (std::mem::take(&mut messages.delays), messages.watched)
    }
}

/// Subscribes to everything, on a thread of its own that ends with the broker.
fn observe(port: u16, under_way: Arc<UnderWay>) {
    let mut options = MqttOptions::new("observer", "127.0.0.1", port);
    options.set_max_packet_size(Some(1 << 20));
    let (client, mut connection) = Client::new(options, 300);
    client.subscribe("#", QoS::AtLeastOnce).expect("room for a request");
    let (ready, subscribed) = std::sync::mpsc::channel();
    thread::spawn(move || {
        // Without it the connection would end.
        let _client = client;
        for event in connection.iter().map_while(Result::ok) {
            match event {
                ClientEvent::Incoming(Packet::SubAck(_)) => drop(ready.send(())),
                ClientEvent::Incoming(Packet::Publish(publish)) => {
                    under_way.arrive(&String::from_utf8_lossy(&publish.topic));
                }
                _ => {}
            }
        }
    });
    subscribed.recv().expect("a subscription");
}

fn resident_mb(pid: u32) -> Result<f32, Box<dyn Error>> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    let kib: f32 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1024.0)
}

/// What a process has used, from its 14th and 15th field, which count hundredths of a second.
fn processor_time(pid: u32) -> Result<Duration, Box<dyn Error>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(") ").ok_or("no name")?;
    let ticks = fields.split(' ').skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 10))
}
