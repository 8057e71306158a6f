//! Who is connected, who wants what, and what is kept: the broker without its network.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use mqtt_protocol_core::mqtt::ArcPayload;
use mqtt_protocol_core::mqtt::packet::Property;
use tokio::sync::{mpsc, oneshot};
use tracing::warn;

/// Messages that may wait for one client before it counts as stuck.
const OUTBOX: usize = 256;

/// Topics with a retained message.
const MAX_RETAINED: usize = 256;

/// Filters of one client.
const MAX_SUBSCRIPTIONS: usize = 64;

/// What was published.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) topic: String,
    pub(super) payload: ArcPayload,
    pub(super) retain: bool,
    /// Those that MQTT 5 wants passed on.
    pub(super) props: Vec<Property>,
}

/// A message on its way to one client.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) message: Arc<Message>,
    /// The flag as this client is to see it.
    pub(super) retain: bool,
}

/// What a client wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subscription {
    pub(super) filter: String,
    /// Not what the client itself publishes.
    pub(super) no_local: bool,
    /// With the retain flag that the publisher set.
    pub(super) retain_as_published: bool,
}

/// Why a subscription is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    InvalidFilter,
    Shared,
    TooMany,
}

/// Why the broker ends a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kick {
    /// Another client came with the same id.
    TakenOver,
    /// The client does not read what it has asked for.
    Stuck,
}

/// Names one session, never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct SessionId(u64);

/// The hub's end of a session.
struct Session {
    client: String,
    will: Option<Message>,
    subscriptions: Vec<Subscription>,
    outbox: mpsc::Sender<Delivery>,
    kick: oneshot::Sender<Kick>,
}

/// The client's end of a session.
pub(super) struct Seat {
    pub(super) id: SessionId,
    pub(super) inbox: mpsc::Receiver<Delivery>,
    pub(super) kicked: oneshot::Receiver<Kick>,
}

/// The state that all connections share.
#[derive(Default)]
pub(super) struct Hub {
    sessions: HashMap<SessionId, Session>,
    retained: BTreeMap<String, Arc<Message>>,
    last_id: u64,
}

impl Hub {
    /// A client has come. Another one with the same id has to go; its will is published before anything of the new one.
    pub(super) fn enter(&mut self, client: &str, will: Option<Message>) -> Seat {
        let same = self.sessions.iter().find(|(_, session)| session.client == client).map(|(id, _)| *id);
        if let Some(id) = same {
            self.kick(id, Kick::TakenOver);
        }
        self.last_id += 1;
        let id = SessionId(self.last_id);
        let (outbox, inbox) = mpsc::channel(OUTBOX);
        let (kick, kicked) = oneshot::channel();
        let session = Session { client: client.to_owned(), will, subscriptions: Vec::new(), outbox, kick };
        self.sessions.insert(id, session);
        Seat { id, inbox, kicked }
    }

    /// The client has said goodbye: its will is void.
    pub(super) fn leave(&mut self, id: SessionId) {
        self.sessions.remove(&id);
    }

    /// The connection has broken: the will is published. Nothing happens when the session has ended before.
    pub(super) fn lose(&mut self, id: SessionId) {
        if let Some(Session { will: Some(will), .. }) = self.sessions.remove(&id) {
            self.publish(None, will);
        }
    }

    fn kick(&mut self, id: SessionId, why: Kick) {
        let Some(Session { will, kick, .. }) = self.sessions.remove(&id) else { return };
        // A client that has gone by itself needs no kick.
        let _ = kick.send(why);
        if let Some(will) = will {
            self.publish(None, will);
        }
    }

    /// Adds or replaces a subscription and tells whether it is new.
    pub(super) fn subscribe(&mut self, id: SessionId, wanted: Subscription) -> Result<bool, Refusal> {
        if wanted.filter.starts_with("$share/") {
            return Err(Refusal::Shared);
        }
        if !valid_filter(&wanted.filter) {
            return Err(Refusal::InvalidFilter);
        }
        let Some(session) = self.sessions.get_mut(&id) else { return Ok(false) };
        if let Some(same) = session.subscriptions.iter_mut().find(|s| s.filter == wanted.filter) {
            *same = wanted;
            return Ok(false);
        }
        if session.subscriptions.len() == MAX_SUBSCRIPTIONS {
            return Err(Refusal::TooMany);
        }
        session.subscriptions.push(wanted);
        Ok(true)
    }

    /// Removes a subscription and tells whether there was one.
    pub(super) fn unsubscribe(&mut self, id: SessionId, filter: &str) -> bool {
        let Some(session) = self.sessions.get_mut(&id) else { return false };
        let before = session.subscriptions.len();
        session.subscriptions.retain(|s| s.filter != filter);
        session.subscriptions.len() < before
    }

    /// What is kept on the topics that match.
    pub(super) fn retained(&self, filter: &str) -> Vec<Delivery> {
        let matching = self.retained.values().filter(|message| matches(filter, &message.topic));
        matching.map(|message| Delivery { message: Arc::clone(message), retain: true }).collect()
    }

    /// Keeps the message if it is to be kept, and passes it on once to each client that wants it.
    pub(super) fn publish(&mut self, from: Option<SessionId>, message: Message) {
        let message = Arc::new(message);
        if message.retain {
            self.keep(&message);
        }
        let mut stuck = Vec::new();
        for (id, session) in &self.sessions {
            let mut wanted = session
                .subscriptions
                .iter()
                .filter(|s| matches(&s.filter, &message.topic) && !(s.no_local && from == Some(*id)))
                .peekable();
            if wanted.peek().is_none() {
                continue;
            }
            let retain = message.retain && wanted.any(|s| s.retain_as_published);
            let delivery = Delivery { message: Arc::clone(&message), retain };
            if session.outbox.try_send(delivery).is_err() {
                stuck.push(*id);
            }
        }
        for id in stuck {
            self.kick(id, Kick::Stuck);
        }
    }

    /// An empty message takes the kept one away.
    fn keep(&mut self, message: &Arc<Message>) {
        if message.payload.is_empty() {
            self.retained.remove(&message.topic);
        } else if self.retained.len() < MAX_RETAINED || self.retained.contains_key(&message.topic) {
            self.retained.insert(message.topic.clone(), Arc::clone(message));
        } else {
            warn!("embedded broker: keeps {MAX_RETAINED} topics, not {:?} too", message.topic);
        }
    }
}

/// Whether a topic may be published on (MQTT 5, 4.7).
pub(super) fn valid_topic(topic: &str) -> bool {
    !topic.is_empty() && !topic.contains(['+', '#', '\0'])
}

/// Whether a filter has its wildcards where they may be: alone on their level, `#` on the last.
fn valid_filter(filter: &str) -> bool {
    let mut levels = filter.split('/').rev();
    let last = levels.next().unwrap_or_default();
    let whole = |level: &str| level == "+" || !level.contains(['+', '#', '\0']);
    !filter.is_empty() && (last == "#" || whole(last)) && levels.all(whole)
}

/// Whether a topic is among those that a filter stands for. A wildcard does not stand for a first level with `$`.
fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut topic = topic.split('/');
    for level in filter.split('/') {
        match (level, topic.next()) {
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (level, Some(name)) if level == name => {}
            _ => return false,
        }
    }
    topic.next().is_none()
}

#[cfg(test)]
mod tests {
    use mqtt_protocol_core::mqtt::IntoPayload;
    use proptest::prelude::*;

    use super::*;

    fn message(topic: &str, payload: &str, retain: bool) -> Message {
        Message { topic: topic.to_owned(), payload: payload.into_payload(), retain, props: Vec::new() }
    }

    fn subscription(filter: &str) -> Subscription {
        Subscription { filter: filter.to_owned(), no_local: false, retain_as_published: false }
    }

    fn received(seat: &mut Seat) -> Vec<(String, bool)> {
        std::iter::from_fn(|| seat.inbox.try_recv().ok()).map(|d| (d.message.topic.clone(), d.retain)).collect()
    }

    /// The examples of MQTT 5, 4.7.1 and 4.7.2.
    #[test]
    fn filters_match_as_the_standard_says() {
        for (filter, topic, expected) in [
            ("sport/tennis/player1/#", "sport/tennis/player1", true),
            ("sport/tennis/player1/#", "sport/tennis/player1/ranking", true),
            ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true),
            ("sport/#", "sport", true),
            ("sport/tennis/+", "sport/tennis/player1", true),
            ("sport/tennis/+", "sport/tennis/player1/ranking", false),
            ("sport/+", "sport", false),
            ("sport/+", "sport/", true),
            ("+/+", "/finance", true),
            ("/+", "/finance", true),
            ("+", "/finance", false),
            ("#", "$SYS/monitor", false),
            ("+/monitor/Clients", "$SYS/monitor/Clients", false),
            ("$SYS/#", "$SYS/monitor", true),
            ("$SYS/monitor/+", "$SYS/monitor/Clients", true),
            ("ACCOUNTS", "Accounts", false),
        ] {
            assert_eq!(matches(filter, topic), expected, "{filter} {topic}");
        }
    }

    #[test]
    fn wildcards_stand_alone_on_their_level() {
        for filter in ["sport/tennis#", "sport/tennis/#/ranking", "sport+", "", "a/+b"] {
            assert!(!valid_filter(filter), "{filter}");
        }
        for filter in ["#", "+", "sport/#", "+/tennis/#", "/", "sport/+/player1"] {
            assert!(valid_filter(filter), "{filter}");
        }
    }

    #[test]
    fn a_kept_message_is_replaced_and_taken_away() {
        let mut hub = Hub::default();
        hub.publish(None, message("a/b", "1", true));
        hub.publish(None, message("a/b", "2", true));
        hub.publish(None, message("a/b", "", false));
        assert_eq!(hub.retained("a/+").len(), 1);
        assert_eq!(hub.retained("a/b")[0].message.payload.as_slice(), b"2");
        hub.publish(None, message("a/b", "", true));
        assert!(hub.retained("#").is_empty());
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let mut hub = Hub::default();
        for n in 0..2 * MAX_RETAINED {
            hub.publish(None, message(&format!("t/{n}"), "1", true));
        }
        assert_eq!(hub.retained("#").len(), MAX_RETAINED);
    }

    #[test]
    fn a_client_gets_a_message_once_and_can_refuse_its_own() {
        let mut hub = Hub::default();
        let mut seat = hub.enter("a", None);
        hub.subscribe(seat.id, subscription("#")).unwrap();
        hub.subscribe(seat.id, subscription("x/+")).unwrap();
        hub.publish(Some(seat.id), message("x/y", "1", true));
        assert_eq!(received(&mut seat), [("x/y".to_owned(), false)]);
        let own = Subscription { no_local: true, retain_as_published: true, ..subscription("#") };
        assert_eq!(hub.subscribe(seat.id, own), Ok(false));
        hub.unsubscribe(seat.id, "x/+");
        hub.publish(Some(seat.id), message("x/y", "1", true));
        hub.publish(None, message("x/z", "1", true));
        assert_eq!(received(&mut seat), [("x/z".to_owned(), true)]);
    }

    #[test]
    fn a_will_is_for_those_who_do_not_say_goodbye() {
        let mut hub = Hub::default();
        let mut listener = hub.enter("listener", None);
        hub.subscribe(listener.id, subscription("will/+")).unwrap();
        let polite = hub.enter("polite", Some(message("will/polite", "1", false)));
        let lost = hub.enter("lost", Some(message("will/lost", "1", false)));
        let mut doubled = hub.enter("doubled", Some(message("will/doubled", "1", false)));
        hub.leave(polite.id);
        hub.lose(lost.id);
        hub.lose(lost.id);
        hub.enter("doubled", None);
        assert_eq!(doubled.kicked.try_recv(), Ok(Kick::TakenOver));
        hub.lose(doubled.id);
        assert_eq!(received(&mut listener), [("will/lost".to_owned(), false), ("will/doubled".to_owned(), false)]);
    }

    #[test]
    fn who_does_not_read_is_put_out_and_the_others_go_on() {
        let mut hub = Hub::default();
        let mut stuck = hub.enter("stuck", None);
        let mut reader = hub.enter("reader", None);
        for id in [stuck.id, reader.id] {
            hub.subscribe(id, subscription("#")).unwrap();
        }
        for _ in 0..=OUTBOX {
            hub.publish(None, message("t", "1", false));
            assert_eq!(received(&mut reader).len(), 1);
        }
        assert_eq!(stuck.kicked.try_recv(), Ok(Kick::Stuck));
    }

    #[test]
    fn there_are_limits_to_what_a_client_may_want() {
        let mut hub = Hub::default();
        let seat = hub.enter("a", None);
        assert_eq!(hub.subscribe(seat.id, subscription("$share/g/t")), Err(Refusal::Shared));
        assert_eq!(hub.subscribe(seat.id, subscription("a#")), Err(Refusal::InvalidFilter));
        for n in 0..MAX_SUBSCRIPTIONS {
            assert_eq!(hub.subscribe(seat.id, subscription(&n.to_string())), Ok(true));
        }
        assert_eq!(hub.subscribe(seat.id, subscription("t")), Err(Refusal::TooMany));
    }

    proptest! {
        #[test]
        fn a_topic_matches_itself_and_its_generalisations(levels in prop::collection::vec("[a-z]{0,3}", 1..5), at in 0usize..5) {
            let topic = levels.join("/");
            prop_assume!(!topic.is_empty());
            let at = at % levels.len();
            let mut plus = levels.clone();
            plus[at] = "+".to_owned();
            let mut hash = levels[..at].to_vec();
            hash.push("#".to_owned());
            for filter in [topic.clone(), plus.join("/"), hash.join("/")] {
                prop_assert!(valid_filter(&filter) && matches(&filter, &topic), "{filter} {topic}");
            }
            let below = format!("{topic}/x");
            prop_assert!(!matches(&below, &topic), "{below}");
        }
    }
}
