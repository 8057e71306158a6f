//! `moodbox watch`: a box, live.

mod keys;
mod lines;
mod panels;
mod state;
#[cfg(test)]
mod tests;
mod view;

use std::env;
use std::io::{self, IsTerminal};
use std::thread;
use std::time::Duration;

use moodboxd::mqtt::MqttEvent;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::ending::Ending;
use crate::failure::{Failure, tell};
use crate::mqtt::{self, Feed};
use keys::{Action, Mode};
use state::State;

/// What is heard of the box.
const HEARS: [&str; 10] = [
    "availability",
    "state",
    "confidence",
    "settings",
    "recommendation",
    "now",
    "diagnostics",
    "event",
    "faces",
    "response/+",
];

/// How often the box is asked to go on; it does for twice as long.
const RENEW: Duration = Duration::from_secs(30);

/// Time after which a box that was never heard is no late one.
const LATE: Duration = Duration::from_secs(5);

/// Time from a change to its picture; what comes meanwhile is in it, too.
const PAUSE: Duration = Duration::from_millis(40);

/// Time between two pictures of a light that breathes or blinks.
const BREATH: Duration = Duration::from_millis(200);

/// Keys that may wait.
const KEYS: usize = 16;

/// How often the thread that reads keys looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(500);

/// Which box.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox watch --broker mqtt://broker.local --id livingroom")]
pub(crate) struct Arguments {
    #[command(flatten)]
    address: mqtt::Address,
}

pub(crate) fn run(arguments: &Arguments, json: bool) -> Result<(), Failure> {
    let draw = !json && io::stdout().is_terminal() && io::stdin().is_terminal();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let feed = Feed::open(&arguments.address, &HEARS).await?;
        let watch = Watch { feed, state: State::default(), outlines: draw || json };
        if draw { watch.draw().await } else { watch.print(json).await }
    })
}

/// A box that is watched.
struct Watch {
    feed: Feed,
    state: State,
    /// Whether the box is asked for outlines of faces.
    outlines: bool,
}

/// What a message from the broker has changed.
enum Heard {
    Broker,
    Box { change: state::Change, part: String, payload: Vec<u8> },
}

impl Watch {
    /// What comes next, once it has changed something.
    fn hear(&mut self, event: MqttEvent) -> Option<Heard> {
        match event {
            MqttEvent::Connected => {
                self.state.connected();
                Some(Heard::Broker)
            }
            MqttEvent::Lost { reason, .. } => {
                self.state.lose(reason);
                Some(Heard::Broker)
            }
            // Only a box is told of those.
            MqttEvent::Retained { .. } => None,
            MqttEvent::Message { topic, payload } => {
                let part = self.feed.last_part(&topic)?.to_owned();
                let change = self.state.hear(&part, &payload);
                // A box that has just come knows of nobody who watches, and one with a problem may have more of them.
                let came = part == "availability" && self.state.listens();
                let mends = change == Some(state::Change::State) && self.state.may_mend();
                if came || mends || change == Some(state::Change::Problems) {
                    self.ask(came);
                }
                change.map(|change| Heard::Box { change, part, payload })
            }
        }
    }

    fn ask(&self, outlines: bool) {
        if outlines && self.outlines {
            self.feed.ask("watch.start");
        }
        self.feed.ask("diagnose");
    }

    fn late(&self) -> String {
        let (id, broker) = (self.feed.id(), self.feed.broker());
        format!("box {id} is not heard on {broker}; is it running, and is this its id?")
    }

    /// Lines until somebody ends it.
    async fn print(mut self, json: bool) -> Result<(), Failure> {
        let mut ending = Ending::new()?;
        let (mut renew, late_at) = (renewal(), Instant::now() + LATE);
        let mut late = false;
        loop {
            tokio::select! {
                () = ending.asked() => break,
                _ = renew.tick() => self.ask(true),
                () = sleep_until(late_at), if !late => {
                    late = true;
                    if self.state.online.is_none() {
                        tell(format_args!("moodbox: {}", self.late()));
                    }
                }
                event = self.feed.next() => match self.hear(event) {
                    Some(Heard::Broker) => lines::print_broker(self.state.lost.as_deref(), json)?,
                    Some(Heard::Box { change, part, payload }) => {
                        lines::print(change, &self.state, &part, &payload, json)?;
                    }
                    None => {}
                },
            }
        }
        self.feed.close().await;
        Ok(())
    }

    /// Pictures until somebody quits; the terminal is then as it was.
    async fn draw(mut self) -> Result<(), Failure> {
        let mut terminal = ratatui::try_init()?;
        let ended = self.follow(&mut terminal).await;
        ratatui::restore();
        self.feed.close().await;
        ended
    }

    async fn follow(&mut self, terminal: &mut DefaultTerminal) -> Result<(), Failure> {
        let mut ending = Ending::new()?;
        let mut keys = keyboard();
        let (mut renew, started) = (renewal(), Instant::now());
        let mut mode = Mode::default();
        let coloured = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        // There is no other way to ask; a terminal that is not known to have them has sixteen.
        let true_colour = env::var_os("COLORTERM").is_some_and(|kind| kind == "truecolor" || kind == "24bit");
        let (mut late, mut draw_at) = (false, Some(started));
        loop {
            let due = draw_at.unwrap_or(started);
            tokio::select! {
                () = ending.asked() => return Ok(()),
                _ = renew.tick() => self.ask(true),
                () = sleep_until(started + LATE), if !late => {
                    late = true;
                    if self.state.online.is_none() {
                        self.state.notice = Some(self.late());
                        draw_at = Some(Instant::now());
                    }
                }
                event = self.feed.next() => {
                    if self.hear(event).is_some() {
                        let soon = Instant::now() + PAUSE;
                        draw_at = Some(draw_at.map_or(soon, |at| at.min(soon)));
                    }
                }
                pressed = keys.recv() => match pressed {
                    // The terminal is gone.
                    None => return Ok(()),
                    Some(Event::Key(key)) if key.kind == KeyEventKind::Press => {
                        match keys::press(key, &mut mode, &mut self.state) {
                            Some(Action::Quit) => return Ok(()),
                            Some(Action::Command(name, payload)) => self.feed.send(&format!("cmd/{name}"), payload),
                            None => {}
                        }
                        draw_at = Some(Instant::now());
                    }
                    Some(_) => draw_at = Some(Instant::now()),
                },
                () = sleep_until(due), if draw_at.is_some() => {
                    let scene = view::Scene {
                        id: self.feed.id(),
                        broker: self.feed.broker(),
                        state: &self.state,
                        mode: &mode,
                        at: started.elapsed(),
                        coloured,
                        true_colour,
                    };
                    terminal.draw(|frame| view::draw(frame, &scene))?;
                    draw_at = (!scene.is_still()).then(|| Instant::now() + BREATH);
                }
            }
        }
    }
}

fn renewal() -> tokio::time::Interval {
    let mut renew = interval(RENEW);
    renew.set_missed_tick_behavior(MissedTickBehavior::Delay);
    renew
}

/// What is pressed, and when the terminal changes its size. Ends when the terminal does, or nobody listens any more.
fn keyboard() -> mpsc::Receiver<Event> {
    let (sender, keys) = mpsc::channel(KEYS);
    thread::spawn(move || {
        while !sender.is_closed() {
            let read = event::poll(LOOK).and_then(|there| if there { event::read().map(Some) } else { Ok(None) });
            match read {
                // The loop ends when nobody takes it.
                Ok(Some(event)) => drop(sender.blocking_send(event)),
                Ok(None) => {}
                Err(_) => return,
            }
        }
    });
    keys
}
