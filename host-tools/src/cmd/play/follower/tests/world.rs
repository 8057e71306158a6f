//! A box and a player that are as simple as they can be, and what happens to them.

use std::collections::VecDeque;

use super::*;

/// Songs that the box knows; of these the player lacks the last two, and has two more of its own.
pub(super) const KNOWN: usize = 10;
pub(super) const LACKING: usize = 2;

pub(super) fn uri(number: usize) -> String {
    format!("{number}.flac")
}

pub(super) fn songs(numbers: &[usize]) -> Vec<Song> {
    numbers.iter().map(|n| Song { uri: uri(*n), title: format!("Song {n}"), ..Song::default() }).collect()
}

/// Whether the player has it.
pub(super) fn has(uri: &str) -> bool {
    (0..KNOWN - LACKING).chain(KNOWN..KNOWN + 2).any(|n| self::uri(n) == uri)
}

/// A player as MPD behaves, and a box that does what it is told.
pub(super) struct World {
    pub(super) follower: Follower,
    pub(super) now: Duration,
    pub(super) queue: Vec<Entry>,
    /// Where in the queue it is.
    pub(super) at: Option<usize>,
    pub(super) doing: Doing,
    pub(super) elapsed: Duration,
    pub(super) ids: u64,
    /// What people put into the queue.
    pub(super) own: BTreeSet<u64>,
    /// What was played or passed over; to go back there is to hear it again.
    pub(super) passed: BTreeSet<u64>,
    pub(super) box_up: bool,
    pub(super) box_now: Option<usize>,
    pub(super) list: Vec<usize>,
    /// Whether the player lacked the song that was last asked for, and all that was to stand in for it.
    pub(super) nothing_fitted: bool,
    /// What the box answers, once the player has come to rest.
    pub(super) answers: VecDeque<Event>,
    pub(super) told: Vec<(&'static str, String)>,
    pub(super) said: Vec<Line>,
    /// Times that a song was started by us.
    pub(super) started: usize,
    /// What befalls the player while we act on it, after so many actions.
    pub(super) amid: Option<(usize, Mishap)>,
    /// The song in the queue that played when the player was last looked at.
    pub(super) seen: Option<u64>,
    /// Whether a person wants no music.
    pub(super) silenced: bool,
}

/// What happens between two things that we do to the player.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mishap {
    SongEnds,
    PlayerGoes,
}

/// Something that people, the box or time do.
#[derive(Debug, Clone)]
pub(super) enum Deed {
    Recommend(Vec<usize>),
    Choose(usize),
    BoxGoes,
    BoxComes,
    Add(usize),
    PlayAt(usize),
    Next,
    Pause,
    Stop,
    Clear,
    SongEnds,
    /// So many songs end before the player is looked at.
    SongsEndUnseen(usize),
    Amid(usize, Mishap),
    PlayerGoes,
    Wait(u64),
}

pub(super) const LENGTH: Duration = Duration::from_secs(200);

impl World {
    pub(super) fn new(list: &[usize]) -> Self {
        let mut world = Self {
            follower: Follower::new(),
            now: Duration::ZERO,
            queue: Vec::new(),
            at: None,
            doing: Doing::Stopped,
            elapsed: Duration::ZERO,
            ids: 0,
            own: BTreeSet::new(),
            passed: BTreeSet::new(),
            box_up: true,
            box_now: None,
            list: list.to_vec(),
            nothing_fitted: false,
            answers: VecDeque::new(),
            told: Vec::new(),
            said: Vec::new(),
            started: 0,
            amid: None,
            seen: None,
            silenced: false,
        };
        world.introduce();
        world.look();
        world
    }

    pub(super) fn introduce(&mut self) {
        self.happens(Event::BoxUp);
        self.happens(Event::List(songs(&self.list)));
        self.happens(Event::Now(self.box_now.map(|n| songs(&[n]).remove(0))));
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            doing: self.doing,
            current: self.at.map(|at| self.queue[at].clone()),
            elapsed: self.elapsed,
            length: self.at.map(|_| LENGTH),
            crossfade: Duration::ZERO,
            upcoming: self.queue[self.at.map_or(0, |at| at + 1)..].to_vec(),
            error: None,
        }
    }

    pub(super) fn look(&mut self) {
        self.happens(Event::Player(self.snapshot()));
    }

    pub(super) fn song_ends(&mut self) {
        if let (Some(at), Doing::Playing) = (self.at, self.doing) {
            self.now += LENGTH.saturating_sub(self.elapsed);
            self.go_to(Some(at + 1).filter(|at| *at < self.queue.len()));
        }
    }

    pub(super) fn insert(&mut self, at: usize, uri: &str) -> u64 {
        self.ids += 1;
        self.queue.insert(at, Entry { id: self.ids, uri: uri.to_owned() });
        self.ids
    }

    pub(super) fn go_to(&mut self, at: Option<usize>) {
        (self.at, self.elapsed) = (at, Duration::ZERO);
        self.passed.extend(at.iter().flat_map(|at| &self.queue[..=*at]).map(|entry| entry.id));
        self.doing = if at.is_some() { Doing::Playing } else { Doing::Stopped };
    }

    /// What happens, and all that comes of it. It comes to an end.
    pub(super) fn happens(&mut self, event: Event) {
        let mut events = VecDeque::from([event]);
        let mut touched = false;
        for _ in 0..100 {
            let Some(event) = events.pop_front().or_else(|| self.answers.pop_front()) else { return };
            if let Event::Player(snapshot) = &event {
                self.seen = snapshot.current.as_ref().map(|entry| entry.id);
            }
            let gone = events.iter().any(|event| matches!(event, Event::PlayerDown));
            for action in self.follower.on(event, self.now) {
                if action.is_for_the_player() {
                    if gone {
                        continue;
                    }
                    touched = true;
                    match self.befalls() {
                        Some(Mishap::SongEnds) => self.song_ends(),
                        Some(Mishap::PlayerGoes) => {
                            touched = false;
                            events.extend([Event::PlayerDown, Event::Player(self.snapshot())]);
                            break;
                        }
                        None => {}
                    }
                }
                self.act(action, &mut events);
            }
            if touched && events.is_empty() {
                touched = false;
                events.push_back(Event::Player(self.snapshot()));
            }
        }
        panic!("rules and player do not come to rest");
    }

    pub(super) fn befalls(&mut self) -> Option<Mishap> {
        let (after, mishap) = self.amid.take()?;
        if after > 0 {
            self.amid = Some((after - 1, mishap));
            return None;
        }
        Some(mishap)
    }

    pub(super) fn act(&mut self, action: Action, events: &mut VecDeque<Event>) {
        match action {
            Action::Say(line) => self.said.push(line),
            Action::Add(uri) | Action::AddNext(uri) if !has(&uri) => events.push_back(Event::Missing(uri)),
            Action::Add(uri) => {
                let id = self.insert(self.queue.len(), &uri);
                events.push_back(Event::Added(uri, id));
            }
            Action::AddNext(uri) => {
                let id = self.insert(self.at.map_or(self.queue.len(), |at| at + 1), &uri);
                events.push_back(Event::Added(uri, id));
            }
            Action::Remove(id) => {
                assert!(!self.own.contains(&id), "a song of somebody else was taken away");
                let at = self.queue.iter().position(|entry| entry.id == id).expect("it is there");
                assert!(self.at != Some(at) || self.seen != Some(id), "the song that plays was taken away");
                self.queue.remove(at);
                if self.at == Some(at) {
                    self.go_to(Some(at).filter(|at| *at < self.queue.len()));
                }
                self.at = self.at.map(|current| if at < current { current - 1 } else { current });
            }
            Action::Play(id) => {
                self.started += 1;
                let at = self.queue.iter().position(|entry| entry.id == id);
                self.go_to(at);
            }
            Action::Tell(command, uri) => {
                self.told.push((command, uri.clone()));
                match (0..KNOWN).find(|n| self::uri(*n) == uri).filter(|_| self.box_up) {
                    Some(number) => {
                        let answers = self.box_plays(number);
                        self.answers.extend(answers);
                    }
                    None if self.box_up => {
                        self.answers.push_back(Event::Refused(command.to_owned(), "no track".to_owned()));
                    }
                    None => {}
                }
            }
        }
    }

    /// The box goes on to a song, and says so with its next list.
    pub(super) fn box_plays(&mut self, number: usize) -> [Event; 2] {
        self.box_now = Some(number);
        self.list = (1..6).map(|step| (number + step) % KNOWN).collect();
        [Event::Now(Some(songs(&[number]).remove(0))), Event::List(songs(&self.list))]
    }

    pub(super) fn does(&mut self, deed: &Deed) {
        self.now += Duration::from_secs(1);
        if self.doing == Doing::Playing {
            self.elapsed += Duration::from_secs(1);
        }
        match *deed {
            Deed::Recommend(ref list) => {
                self.list.clone_from(list);
                if self.box_up {
                    self.happens(Event::List(songs(list)));
                }
            }
            Deed::Choose(number) if self.box_up => {
                self.box_plays(number).into_iter().for_each(|e| self.happens(e));
                self.nothing_fitted = !has(&uri(number)) && self.upcoming().1.is_empty();
            }
            Deed::BoxGoes => {
                self.box_up = false;
                self.happens(Event::BoxDown);
            }
            Deed::BoxComes => {
                self.box_up = true;
                self.introduce();
            }
            Deed::Add(number) => {
                let id = self.insert(self.queue.len(), &uri(number));
                self.own.insert(id);
                self.look();
            }
            Deed::PlayAt(at) if at < self.queue.len() => {
                self.silenced = false;
                self.go_to(Some(at));
                self.look();
            }
            Deed::Next => {
                if let Some(at) = self.at {
                    self.go_to(Some(at + 1).filter(|at| *at < self.queue.len()));
                    self.look();
                }
            }
            Deed::SongEnds => {
                self.song_ends();
                self.look();
            }
            Deed::SongsEndUnseen(songs) => (0..songs).for_each(|_| self.song_ends()),
            Deed::Amid(after, mishap) => self.amid = Some((after, mishap)),
            Deed::Pause if self.doing == Doing::Playing => {
                (self.doing, self.silenced) = (Doing::Paused, true);
                self.look();
            }
            Deed::Stop => {
                (self.doing, self.elapsed, self.silenced) = (Doing::Stopped, Duration::ZERO, true);
                self.look();
            }
            Deed::Clear => {
                self.silenced = true;
                self.queue.clear();
                self.go_to(None);
                self.look();
            }
            Deed::PlayerGoes => {
                self.happens(Event::PlayerDown);
                self.look();
            }
            Deed::Wait(seconds) => {
                let seconds = Duration::from_secs(seconds);
                self.now += seconds;
                if self.doing == Doing::Playing {
                    self.elapsed = (self.elapsed + seconds).min(LENGTH.saturating_sub(Duration::from_secs(10)));
                }
                self.look();
            }
            Deed::Choose(_) | Deed::PlayAt(_) | Deed::Pause => {}
        }
    }

    pub(super) fn playing(&self) -> Option<String> {
        self.at.filter(|_| self.doing == Doing::Playing).map(|at| self.queue[at].uri.clone())
    }

    /// What comes next: what is none of ours any more, or never was, and ours.
    pub(super) fn upcoming(&self) -> (Vec<String>, Vec<String>) {
        let theirs = |entry: &Entry| self.own.contains(&entry.id) || self.passed.contains(&entry.id);
        let (theirs, ours): (Vec<Entry>, Vec<Entry>) = self.snapshot().upcoming.into_iter().partition(theirs);
        [theirs, ours].map(|entries| entries.into_iter().map(|entry| entry.uri).collect()).into()
    }
}
