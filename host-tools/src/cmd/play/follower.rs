//! The rules by which a player follows a box: what happens goes in as an [`Event`], what shall be done comes out as
//! [`Action`]s. No clock and no network.
//!
//! The songs of the box's list wait at the end of the player's queue, behind what people put there themselves. What plays
//! is left alone unless somebody asks the box for another song; a new list changes what comes after it.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::time::Duration;

use super::lines::{How, Line};
use crate::mpd::{Doing, Entry, Snapshot};
use crate::song::Song;

/// A song that was heard for less was not wanted. The box counts the same.
const EARLY: Duration = Duration::from_secs(30);

/// A song that ends so long before its end was played to the end: what a player has sent to the loudspeakers counts as heard.
const TAIL: Duration = Duration::from_secs(3);

/// Longest time in which the box says what it makes of what it was told.
const ANSWER: Duration = Duration::from_secs(5);

/// Something that happened.
#[derive(Debug, Clone)]
pub(super) enum Event {
    /// The box is there.
    BoxUp,
    /// The box is not there, or cannot be reached.
    BoxDown,
    /// The box recommends these songs, in this order.
    List(Vec<Song>),
    /// The box says that this song plays; nothing where it knows of none.
    Now(Option<Song>),
    /// The box refuses this command, and says why.
    Refused(String, String),
    /// The player is so.
    Player(Snapshot),
    /// The player cannot be reached.
    PlayerDown,
    /// A song that was to be added is in the queue under this number.
    Added(String, u64),
    /// The player does not have a song that was to be added.
    Missing(String),
    /// The player knows other songs than before.
    OtherSongs,
}

/// Something to do, in the order given. Events that come of it come before any other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// Add a song at the end of the queue.
    Add(String),
    /// Add a song behind the one that plays.
    AddNext(String),
    /// Take a song out of the queue.
    Remove(u64),
    /// Play a song of the queue.
    Play(u64),
    /// Tell the box that the player has gone on to a song.
    Tell(&'static str, String),
    /// Tell the person.
    Say(Line),
}

impl Action {
    /// Whether it is to be seen at the player afterwards.
    pub(super) const fn is_for_the_player(&self) -> bool {
        !matches!(self, Self::Tell(..) | Self::Say(_))
    }
}

/// What the box knows of what plays.
#[derive(Debug, Default)]
enum Told {
    /// It was not heard since it came.
    #[default]
    Unheard,
    Heard(Option<Song>),
}

/// Whether we know which songs of the player's queue are ours.
#[derive(Debug, Default, PartialEq, Eq)]
enum Acquaintance {
    /// We never saw it.
    #[default]
    New,
    /// Its connection was lost when its queue was so.
    Lost(Vec<Entry>),
    Known,
}

/// A song of the list for one that somebody asked for and that the player lacks.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum StandIn {
    #[default]
    None,
    /// It is one of the next list, which has more like the one that was asked for.
    OfTheNextList,
    /// That list is there.
    OfThisList,
}

/// What the person was told.
#[derive(Debug, Default)]
struct Said {
    /// Songs that the player does not have or cannot play: at most those that the box knows.
    named: BTreeSet<String>,
    /// That the player has none of the lists that the box makes.
    none: bool,
    /// Songs that it lacks and of which that is to be said.
    lacking: Vec<Song>,
    /// The song in the queue that plays.
    plays: Option<u64>,
}

/// The state of following.
#[derive(Debug, Default)]
pub(super) struct Follower {
    box_up: bool,
    list: Option<Vec<Song>>,
    told: Told,
    /// Whether box and player were compared since both are there.
    agreed: bool,
    player: Option<(Snapshot, Duration)>,
    /// Songs that we put into the queue, by number, under the box's names for them.
    ours: BTreeMap<u64, String>,
    acquaintance: Acquaintance,
    /// Songs that the player does not have, until it knows others.
    missing: BTreeSet<String>,
    /// What the box was told and has not confirmed, and until when that is waited for.
    report: Option<(String, Duration)>,
    /// A song that somebody asked the box for, on its way into the queue.
    wanted: Option<String>,
    stand_in: StandIn,
    /// Songs that we took out of the queue since the player was looked at.
    leaving: BTreeSet<u64>,
    /// The song that we made the player go to.
    led_to: Option<u64>,
    /// Whether the player shall be started once there is a song.
    start: bool,
    said: Said,
}

impl Follower {
    pub(super) fn new() -> Self {
        Self { start: true, ..Self::default() }
    }

    pub(super) fn on(&mut self, event: Event, now: Duration) -> Vec<Action> {
        let mut actions = Vec::new();
        let follows_an_action = matches!(event, Event::Added(..) | Event::Missing(_));
        self.report = self.report.take().filter(|(_, until)| now < *until);
        match event {
            Event::BoxUp => self.box_up = true,
            Event::BoxDown => {
                (self.box_up, self.agreed) = (false, false);
                (self.told, self.report) = (Told::Unheard, None);
            }
            Event::List(list) => {
                self.list = Some(list);
                self.stand_in = match self.stand_in {
                    StandIn::OfTheNextList => StandIn::OfThisList,
                    StandIn::None | StandIn::OfThisList => StandIn::None,
                };
            }
            Event::Now(song) => self.hear_now(song, &mut actions),
            Event::Refused(command, reason) => self.hear_refusal(&command, reason, &mut actions),
            Event::Player(snapshot) => self.see(&snapshot, now, &mut actions),
            Event::PlayerDown => {
                self.agreed = false;
                self.start |= self.led_to.is_some();
                if let Some((before, _)) = self.player.take() {
                    self.start |= before.doing == Doing::Playing;
                    if self.acquaintance == Acquaintance::Known {
                        self.acquaintance = Acquaintance::Lost(before.queue().cloned().collect());
                    }
                }
                (self.wanted, self.stand_in) = (None, StandIn::None);
                (self.led_to, self.said.plays) = (None, None);
                self.missing.clear();
            }
            Event::Added(uri, id) => {
                let wanted = self.wanted.take_if(|wanted| *wanted == uri).is_some();
                self.ours.insert(id, uri.clone());
                if let Some((player, _)) = &mut self.player {
                    let at = if wanted { 0 } else { player.upcoming.len() };
                    player.upcoming.insert(at, Entry { id, uri });
                }
                if wanted {
                    self.lead_to(id, &mut actions);
                }
            }
            Event::Missing(uri) => self.lack(uri, &mut actions),
            Event::OtherSongs => self.missing.clear(),
        }
        // What the queue has become is known only once the player was looked at again.
        if !follows_an_action && !actions.iter().any(Action::is_for_the_player) {
            self.settle(now, &mut actions);
        }
        self.leaving.extend(actions.iter().filter_map(|action| match action {
            Action::Remove(id) => Some(*id),
            _ => None,
        }));
        actions
    }

    fn hear_now(&mut self, song: Option<Song>, actions: &mut Vec<Action>) {
        let uri = song.as_ref().map(|song| song.uri.clone());
        let before = match mem::replace(&mut self.told, Told::Heard(song)) {
            Told::Unheard => return,
            Told::Heard(before) => before.map(|song| song.uri),
        };
        if let Some((reported, _)) = &self.report {
            // What it said before it heard us does not matter any more.
            if uri.as_ref() == Some(reported) {
                self.report = None;
            }
        } else if let Some(uri) = uri
            && before.as_ref() != Some(&uri)
            && self.agreed
        {
            self.want(uri, actions);
        }
    }

    fn hear_refusal(&mut self, command: &str, reason: String, actions: &mut Vec<Action>) {
        let Some((uri, _)) = self.report.take() else { return };
        let line =
            if command == "choose" { Line::Unknown { uri } } else { Line::Refused { command: command.into(), reason } };
        actions.push(Action::Say(line));
    }

    /// Somebody asked the box for a song.
    fn want(&mut self, uri: String, actions: &mut Vec<Action>) {
        let Some((player, _)) = &self.player else { return };
        if let Some(current) = &player.current
            && self.name_of(current) == uri
        {
            if player.doing != Doing::Playing {
                self.lead_to(current.id, actions);
            }
            return;
        }
        let waiting = self.waiting(player);
        if let Some(at) = waiting.iter().position(|entry| self.name_of(entry) == uri) {
            // What was before it in the list is passed over.
            actions.extend(waiting[..at].iter().map(|entry| Action::Remove(entry.id)));
            self.lead_to(waiting[at].id, actions);
        } else if self.missing.contains(&uri) {
            self.wanted = Some(uri.clone());
            self.lack(uri, actions);
        } else {
            actions.push(Action::AddNext(uri.clone()));
            self.wanted = Some(uri);
        }
    }

    /// The player lacks a song. Where somebody asked for it, one of the list that the box makes for it stands in.
    fn lack(&mut self, uri: String, actions: &mut Vec<Action>) {
        let new = self.said.named.insert(uri.clone());
        if self.wanted.as_ref() == Some(&uri) {
            (self.wanted, self.stand_in) = (None, StandIn::OfTheNextList);
            actions.extend(new.then(|| Action::Say(Line::NotThere { song: self.song(&uri) })));
        } else if new {
            self.said.lacking.push(self.song(&uri));
        }
        self.missing.insert(uri);
    }

    /// Names the songs that are passed over, or says at once that there is none of the list at all.
    fn say_what_lacks(&mut self, waits: bool, actions: &mut Vec<Action>) {
        let lacking = mem::take(&mut self.said.lacking);
        let list = self.list.iter().flatten();
        match list.clone().next().filter(|_| list.clone().all(|song| self.missing.contains(&song.uri))) {
            Some(first) if !mem::replace(&mut self.said.none, true) => {
                actions.push(Action::Say(Line::NothingThere { uri: first.uri.clone() }));
            }
            Some(_) => {}
            None => {
                self.said.none &= !waits;
                actions.extend(lacking.into_iter().map(|song| Action::Say(Line::NotThere { song })));
            }
        }
    }

    fn lead_to(&mut self, id: u64, actions: &mut Vec<Action>) {
        actions.push(Action::Play(id));
        (self.led_to, self.start, self.stand_in) = (Some(id), false, StandIn::None);
    }

    fn see(&mut self, snapshot: &Snapshot, now: Duration, actions: &mut Vec<Action>) {
        let before = self.player.replace((snapshot.clone(), now));
        let leaving = mem::take(&mut self.leaving);
        let Some((mut before, at)) = before else {
            if snapshot.doing == Doing::Paused {
                actions.push(Action::Say(Line::Paused));
            }
            self.start &= snapshot.doing == Doing::Stopped;
            return;
        };
        // Somebody may have gone on at the player before it was looked at again: what came next there is what we made it.
        before.upcoming.retain(|entry| !leaving.contains(&entry.id));
        let failed = self.see_failure(&before, snapshot, actions);
        let began = before.current.as_ref().map(|entry| entry.id) != snapshot.current.as_ref().map(|entry| entry.id)
            || before.doing == Doing::Stopped;
        if began && snapshot.doing != Doing::Stopped {
            self.start = false;
            if let Some(current) = &snapshot.current {
                let since = if failed { None } else { Some(now.saturating_sub(at)) };
                self.begun(&before, since, current, now, actions);
            }
        }
        // A player that was stopped stays at its song; one that has come to its end is at none, and so is one that was emptied.
        // It may come there while its queue is changed: then the song that played is still in it.
        let kept = || before.current.as_ref().is_some_and(|played| snapshot.upcoming.contains(played));
        self.start |= before.doing == Doing::Playing
            && snapshot.doing == Doing::Stopped
            && snapshot.current.is_none()
            && (before.upcoming.is_empty() || kept());
        let there: BTreeSet<u64> = snapshot.queue().map(|entry| entry.id).collect();
        self.ours.retain(|id, _| there.contains(id));
    }

    /// Whether the player could not play a song. That is not tried again until it knows other songs.
    fn see_failure(&mut self, before: &Snapshot, snapshot: &Snapshot, actions: &mut Vec<Action>) -> bool {
        let Some(reason) = snapshot.error.as_ref().filter(|error| before.error.as_ref() != Some(*error)) else {
            return false;
        };
        let led_to = self.led_to.and_then(|id| self.ours.get(&id).cloned());
        let Some(uri) = led_to.or_else(|| before.current.as_ref().map(|entry| self.name_of(entry))) else {
            return false;
        };
        if self.said.named.insert(uri.clone()) {
            actions.push(Action::Say(Line::Unplayable { song: self.song(&uri), reason: reason.clone() }));
        }
        self.missing.insert(uri);
        self.led_to = None;
        self.start |= snapshot.doing == Doing::Stopped;
        true
    }

    /// A song began to play, `since` after the player was seen as it was `before`; nothing where the one before failed.
    fn begun(
        &mut self,
        before: &Snapshot,
        since: Option<Duration>,
        current: &Entry,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        let uri = self.name_of(current);
        let last = before.current.as_ref().map(|entry| self.name_of(entry));
        let playing = before.doing == Doing::Playing;
        let heard = before.elapsed + since.filter(|_| playing).unwrap_or_default();
        let to_the_end = before.length.is_some_and(|length| playing && heard + TAIL + before.crossfade >= length);
        let ended = to_the_end || since.is_none();
        let in_order = before.upcoming.first().is_some_and(|entry| entry.id == current.id);
        let led = self.led_to.take() == Some(current.id);
        let known = self.box_plays();
        let how = if known.as_ref() == Some(&uri) {
            How::Asked
        } else if self.ours.contains_key(&current.id) && (in_order || led || ended) {
            let moved_on = before.doing != Doing::Stopped && !led && !ended;
            if moved_on && heard < EARLY && known == last { How::Skipped } else { How::Next }
        } else {
            How::Chosen
        };
        self.announce(current.id, uri, how, now, actions);
    }

    /// Says what plays, to the person and to the box.
    fn announce(&mut self, id: u64, uri: String, how: How, now: Duration, actions: &mut Vec<Action>) {
        if self.said.plays.replace(id) != Some(id) {
            actions.push(Action::Say(Line::Plays { song: self.song(&uri), how }));
        }
        let command = match how {
            How::Asked => return,
            How::Next => "next",
            How::Skipped => "skip",
            How::Chosen => "choose",
        };
        if self.box_up {
            self.report = Some((uri.clone(), now + ANSWER));
            actions.push(Action::Tell(command, uri));
        }
    }

    /// Brings the queue in line with the list.
    fn settle(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let Some((player, _)) = self.player.clone() else { return };
        self.recognise(&player);
        self.agree(&player, now, actions);
        let waiting = self.waiting(&player);
        self.say_what_lacks(!waiting.is_empty(), actions);
        let Some(list) = &self.list else { return };
        // The list changes once the box has heard of the song that began.
        if self.report.is_some() || self.wanted.is_some() {
            return;
        }
        // A player that is at no song counts those that it has played among what follows.
        let theirs =
            player.upcoming.iter().filter(|entry| player.current.is_some() && !self.ours.contains_key(&entry.id));
        let others: BTreeSet<String> = theirs.chain(&player.current).map(|entry| self.name_of(entry)).collect();
        let fitting = |song: &&Song| !self.missing.contains(&song.uri) && !others.contains(&song.uri);
        // A list of which a song plays goes on from there, and then around.
        let current = player.current.as_ref().map(|entry| self.name_of(entry));
        let at = list.iter().position(|song| Some(&song.uri) == current.as_ref()).unwrap_or(0);
        let due: Vec<&String> = list[at..].iter().chain(&list[..at]).filter(fitting).map(|song| &song.uri).collect();
        let same = waiting.iter().zip(&due).take_while(|(entry, uri)| self.ours.get(&entry.id) == Some(**uri)).count();
        actions.extend(waiting[same..].iter().map(|entry| Action::Remove(entry.id)));
        actions.extend(due[same..].iter().map(|uri| Action::Add((*uri).clone())));
        let first = waiting.first().filter(|_| same == waiting.len() && same == due.len());
        let starts = self.stand_in == StandIn::OfThisList || (self.start && player.doing == Doing::Stopped);
        if let Some(first) = first.filter(|_| starts) {
            self.lead_to(first.id, actions);
        }
    }

    /// Finds our songs in the queue of a player that has come: by number where only the connection was lost. One that was
    /// started anew has other numbers, and before us there may have been another of us: then they are the last ones, as far
    /// as they stand in the list.
    fn recognise(&mut self, player: &Snapshot) {
        let Some(list) = self.list.as_ref().filter(|_| self.acquaintance != Acquaintance::Known) else { return };
        let ours = mem::take(&mut self.ours);
        let numbered_anew = match mem::replace(&mut self.acquaintance, Acquaintance::Known) {
            Acquaintance::Lost(queue) => {
                let had_some = !ours.is_empty();
                let same: BTreeSet<u64> =
                    player.queue().filter(|entry| queue.contains(entry)).map(|entry| entry.id).collect();
                self.ours = ours.into_iter().filter(|(id, _)| same.contains(id)).collect();
                had_some && same.is_empty()
            }
            Acquaintance::New | Acquaintance::Known => true,
        };
        if numbered_anew {
            let listed = |entry: &&Entry| list.iter().any(|song| song.uri == entry.uri);
            let ours = player.upcoming.iter().rev().take_while(listed);
            self.ours = ours.map(|entry| (entry.id, entry.uri.clone())).collect();
        }
    }

    /// When box and player have both come, the box is told what plays. What either did alone is over.
    fn agree(&mut self, player: &Snapshot, now: Duration, actions: &mut Vec<Action>) {
        let Told::Heard(song) = &self.told else { return };
        // A box that knows of a song has a list.
        if self.agreed || !self.box_up || (song.is_some() && self.list.is_none()) {
            return;
        }
        self.agreed = true;
        let Some(current) = player.current.as_ref().filter(|_| player.doing != Doing::Stopped) else { return };
        let uri = self.name_of(current);
        let reported = self.report.as_ref().map(|(reported, _)| reported);
        if reported == Some(&uri) || self.box_plays().as_ref() == Some(&uri) {
            return;
        }
        let listed = self.list.iter().flatten().any(|song| song.uri == uri);
        let how = if listed || self.ours.contains_key(&current.id) { How::Next } else { How::Chosen };
        self.announce(current.id, uri, how, now, actions);
    }

    /// Our songs that come after the one that plays.
    fn waiting(&self, player: &Snapshot) -> Vec<Entry> {
        player.upcoming.iter().filter(|entry| self.ours.contains_key(&entry.id)).cloned().collect()
    }

    fn box_plays(&self) -> Option<String> {
        match &self.told {
            Told::Heard(Some(song)) => Some(song.uri.clone()),
            Told::Heard(None) | Told::Unheard => None,
        }
    }

    /// The box's name for a song of the queue; the player may have another for a file.
    fn name_of(&self, entry: &Entry) -> String {
        self.ours.get(&entry.id).unwrap_or(&entry.uri).clone()
    }

    /// All that is known of a song.
    fn song(&self, uri: &str) -> Song {
        let told = match &self.told {
            Told::Heard(song) => song.as_ref(),
            Told::Unheard => None,
        };
        let known = self.list.iter().flatten().chain(told).find(|song| song.uri == uri);
        known.cloned().unwrap_or_else(|| Song { uri: uri.to_owned(), ..Song::default() })
    }
}
