//! `moodbox play`: a Music Player Daemon plays what a box recommends.

mod follower;
mod lines;

use std::collections::VecDeque;
use std::mem;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use moodboxd::mqtt::{MqttEvent, exposure, password};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime::Builder;
use tokio::time::{Instant, sleep_until};

use crate::ending::Ending;
use crate::failure::{Failure, tell};
use crate::mpd::{self, Change, Lost, Player};
use crate::mqtt::{self, Feed};
use crate::song::Song;
use follower::{Action, Event, Follower};
use lines::Line;

/// What is heard of the box.
const HEARS: [&str; 6] = ["availability", "recommendation", "now", "response/next", "response/skip", "response/choose"];

/// How often the player is looked at when it says nothing, so that one that hangs is noticed.
const LOOK: Duration = Duration::from_secs(15);

/// Time after which a box that was never heard is no late one.
const LATE: Duration = Duration::from_secs(5);

/// Longest time between two attempts to reach the player again.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Which box, and which player.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox play --mpd localhost --broker mqtt://broker.local --id livingroom")]
pub(crate) struct Arguments {
    /// MPD: HOST, HOST:PORT or a socket's path.
    #[arg(long, value_name = "HOST")]
    mpd: mpd::Address,
    /// File with the player's password.
    #[arg(long, value_name = "FILE")]
    mpd_password_file: Option<PathBuf>,
    #[command(flatten)]
    address: mqtt::Address,
}

pub(crate) fn run(arguments: &Arguments, json: bool) -> Result<(), Failure> {
    const PASSWORD_FILE: &str = "--mpd-password-file";
    let read = |path: &PathBuf| password(PASSWORD_FILE, path).map_err(|error| Failure::Input(error.into()));
    let password = arguments.mpd_password_file.as_ref().map(read).transpose()?;
    if let Some(warning) = arguments.mpd_password_file.as_deref().and_then(|path| exposure(PASSWORD_FILE, path)) {
        tell(format_args!("moodbox: {warning}"));
    }
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let player = Player::connect(&arguments.mpd, password.as_deref()).await;
        let player = player.map_err(|Lost(reason)| Failure::NoAnswer(anyhow!(reason)))?;
        let feed = Feed::open(&arguments.address, &HEARS).await?;
        let start = Instant::now();
        let mut session = Session {
            address: &arguments.mpd,
            password,
            json,
            follower: Follower::new(),
            feed,
            player: Some(player),
            start,
            failures: 0,
            look_at: start,
            late_at: Some(start + LATE),
            lost: false,
            away: false,
        };
        let ended = session.follow().await;
        session.feed.close().await;
        ended
    })
}

/// The two connections, and the rules between them.
struct Session<'a> {
    address: &'a mpd::Address,
    password: Option<String>,
    json: bool,
    follower: Follower,
    feed: Feed,
    /// Nothing while there is no connection.
    player: Option<Player>,
    start: Instant,
    /// Attempts in a row to reach the player that failed.
    failures: u32,
    /// When the player is looked at, or looked for.
    look_at: Instant,
    /// When it is said that nothing was heard of the box.
    late_at: Option<Instant>,
    /// Whether it was said that the broker is away.
    lost: bool,
    /// Whether it was said that the box is away.
    away: bool,
}

/// What woke us.
enum Woken {
    End,
    Mqtt(MqttEvent),
    Changed(Result<Change, Lost>),
    Look,
    Late,
}

impl Session<'_> {
    /// Until somebody ends it; the player goes on with what is in its queue.
    async fn follow(&mut self) -> Result<(), Failure> {
        let mut end = Ending::new()?;
        loop {
            let player = &mut self.player;
            let changed = async {
                match player {
                    Some(player) => player.changed().await,
                    None => std::future::pending().await,
                }
            };
            let late_at = self.late_at;
            let late = async {
                match late_at {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let woken = tokio::select! {
                () = end.asked() => Woken::End,
                event = self.feed.next() => Woken::Mqtt(event),
                change = changed => Woken::Changed(change),
                () = sleep_until(self.look_at) => Woken::Look,
                () = late => Woken::Late,
            };
            match woken {
                Woken::End => return Ok(()),
                Woken::Mqtt(event) => self.hear(event).await?,
                Woken::Changed(Ok(change)) => {
                    if change == Change::Database {
                        self.handle(Event::OtherSongs).await?;
                    }
                    self.look().await?;
                }
                Woken::Changed(Err(Lost(reason))) => {
                    let event = self.drop_player(&reason)?;
                    self.handle(event).await?;
                }
                Woken::Look => self.look().await?,
                Woken::Late => {
                    self.late_at = None;
                    let (id, broker) = (self.feed.id(), self.feed.broker());
                    let reason = format!("box {id} is not heard on {broker}; is it running, and is this its id?");
                    self.say(&Line::Problem { reason })?;
                }
            }
        }
    }

    async fn hear(&mut self, event: MqttEvent) -> Result<(), Failure> {
        match event {
            MqttEvent::Connected => {
                if self.lost {
                    self.say(&Line::Mended { what: "the broker" })?;
                }
                self.lost = false;
                Ok(())
            }
            MqttEvent::Lost { reason, .. } => {
                if !self.lost {
                    self.say(&Line::Problem { reason: format!("{reason}; trying again") })?;
                }
                self.lost = true;
                self.handle(Event::BoxDown).await
            }
            MqttEvent::Message { topic, payload } => match self.understand(&topic, &payload)? {
                Some(event) => self.handle(event).await,
                None => Ok(()),
            },
            // Only a box is told so.
            MqttEvent::Retained { .. } => Ok(()),
        }
    }

    /// What a message of the box means; nothing where it is of no use here.
    fn understand(&mut self, topic: &str, payload: &[u8]) -> Result<Option<Event>, Failure> {
        #[derive(Deserialize)]
        struct Recommendation {
            tracks: Vec<Song>,
        }
        let Some(part) = self.feed.last_part(topic) else { return Ok(None) };
        Ok(match part {
            "availability" => {
                self.late_at = None;
                let there = payload == b"online";
                match (there, mem::replace(&mut self.away, !there)) {
                    (false, false) => {
                        let reason = format!("box {} is away; MPD goes on with its last list", self.feed.id());
                        self.say(&Line::Problem { reason })?;
                    }
                    (true, true) => self.say(&Line::Mended { what: "the box" })?,
                    _ => {}
                }
                Some(if there { Event::BoxUp } else { Event::BoxDown })
            }
            "recommendation" => {
                let list: Option<Recommendation> = serde_json::from_slice(payload).ok();
                list.map(|list| Event::List(list.tracks))
            }
            "now" if payload == b"{}" => Some(Event::Now(None)),
            "now" => serde_json::from_slice(payload).ok().map(|song| Event::Now(Some(song))),
            response => {
                let answer: Value = serde_json::from_slice(payload).unwrap_or_default();
                let command = response.trim_start_matches("response/").to_owned();
                answer["error"].as_str().map(|reason| Event::Refused(command, reason.to_owned()))
            }
        })
    }

    /// Tells the rules what happened, and does what they say, until there is nothing left to do.
    async fn handle(&mut self, event: Event) -> Result<(), Failure> {
        let mut events = VecDeque::from([event]);
        let mut touched = false;
        while let Some(event) = events.pop_front() {
            let actions = self.follower.on(event, self.start.elapsed());
            let acted = self.act(actions, &mut events).await?;
            touched |= matches!(acted, Ok(true));
            let seen = match (acted, &self.player) {
                (Err(lost), _) => Err(lost),
                (Ok(_), Some(player)) if touched && events.is_empty() => {
                    touched = false;
                    player.look().await.map(|snapshot| events.push_back(Event::Player(snapshot)))
                }
                (Ok(_), _) => Ok(()),
            };
            if let Err(Lost(reason)) = seen {
                touched = false;
                events.push_back(self.drop_player(&reason)?);
            }
        }
        Ok(())
    }

    /// Looks at the player, or for it.
    async fn look(&mut self) -> Result<(), Failure> {
        if self.player.is_none() {
            let Ok(player) = Player::connect(self.address, self.password.as_deref()).await else {
                self.failures += 1;
                self.look_at = Instant::now() + LONGEST_WAIT.min(Duration::from_secs(1 << self.failures.min(5)));
                return Ok(());
            };
            self.player = Some(player);
            self.failures = 0;
            self.say(&Line::Mended { what: "MPD" })?;
        }
        let Some(player) = &self.player else { return Ok(()) };
        self.look_at = Instant::now() + LOOK;
        let event = match player.look().await {
            Ok(snapshot) => Event::Player(snapshot),
            Err(Lost(reason)) => self.drop_player(&reason)?,
        };
        self.handle(event).await
    }

    /// There is no player any more; it is looked for from now on.
    fn drop_player(&mut self, reason: &str) -> Result<Event, Failure> {
        self.player = None;
        self.look_at = Instant::now() + Duration::from_secs(1);
        self.say(&Line::Problem { reason: format!("{reason}; trying again") })?;
        Ok(Event::PlayerDown)
    }

    fn say(&self, line: &Line) -> Result<(), Failure> {
        Ok(line.print(self.json)?)
    }

    /// Whether something was done to the player.
    async fn act(&mut self, actions: Vec<Action>, events: &mut VecDeque<Event>) -> Result<Result<bool, Lost>, Failure> {
        let mut done = false;
        for action in actions {
            let acted = match (action, &self.player) {
                (Action::Say(line), _) => {
                    self.say(&line)?;
                    continue;
                }
                (Action::Tell(command, uri), _) => {
                    self.feed.command(command, &json!({ "uri": uri }));
                    continue;
                }
                (_, None) => continue,
                (Action::Add(uri), Some(player)) => player.add(&uri).await.map(|id| events.push_back(added(uri, id))),
                (Action::AddNext(uri), Some(player)) => {
                    player.add_next(&uri).await.map(|id| events.push_back(added(uri, id)))
                }
                (Action::Remove(id), Some(player)) => player.remove(id).await,
                (Action::Play(id), Some(player)) => player.play(id).await,
            };
            if let Err(lost) = acted {
                return Ok(Err(lost));
            }
            done = true;
        }
        Ok(Ok(done))
    }
}

fn added(uri: String, id: Option<u64>) -> Event {
    match id {
        Some(id) => Event::Added(uri, id),
        None => Event::Missing(uri),
    }
}
