//! Why there is no connection, in words for a person, and how long to wait before the next attempt.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io::{self, ErrorKind};
use std::time::Duration;

use rumqttc::TlsError;
use rumqttc::v5::mqttbytes::Error as PacketError;
use rumqttc::v5::mqttbytes::v5::{ConnectReturnCode, DisconnectReasonCode, Packet, SubscribeReasonCode};
use rumqttc::v5::{ConnectionError, StateError};

use super::Settings;
use super::settings::{Names, Role};

/// Longest piece of a library's text in a message, in characters.
const LONGEST_QUOTE: usize = 160;

/// Why there is no connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// One line: what is wrong and what to do.
    pub(super) reason: String,
    pub(super) patience: Patience,
}

/// What the connections before have shown.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Before {
    /// The broker has accepted one: its address and port are the right ones.
    pub(super) accepted: bool,
    /// Too many in a row did not hold.
    pub(super) short_lived: bool,
}

/// How soon it is worth trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// The broker is not there. Asking costs nothing, and it is to be found within 5 s of its return.
    Short,
    /// The broker is there but something goes wrong.
    Growing,
    /// Only a person can mend it, and a broker may lock out who tries too often.
    Long,
}

/// The wait before the next attempt, which grows with each failure.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Between half of and the whole of a time that doubles with each failure, by chance: boxes that lost the same broker
    /// shall not all come back in the same moment.
    pub(super) fn next(&mut self, patience: Patience) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let doubling = Duration::from_secs(1 << self.failures.min(6));
        let longest = match patience {
            Patience::Short => doubling.min(Duration::from_secs(3)),
            Patience::Growing => doubling.min(Duration::from_secs(60)),
            Patience::Long => Duration::from_secs(60),
        };
        // A fresh hasher's keys are random: all the chance that is needed here.
        let chance = RandomState::new().build_hasher().finish() as f64 / u64::MAX as f64;
        longest.mul_f64(0.5 + 0.5 * chance)
    }

    /// A connection held.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// The broker accepts our packets but does not answer.
pub(super) fn silence(settings: &Settings, limit: Duration) -> Trouble {
    let reason = format!("{} has been silent for {:.1} s", settings.broker, limit.as_secs_f32());
    Trouble { reason, patience: Patience::Short }
}

/// The broker lets a guest read nothing of what it came for. A box that is told nothing has still something to say.
pub(super) fn deaf(settings: &Settings, packet: &Packet) -> Option<Trouble> {
    let (Role::Guest(hears), Packet::SubAck(ack)) = (&settings.role, packet) else { return None };
    if ack.return_codes.iter().any(|code| matches!(code, SubscribeReasonCode::Success(_))) {
        return None;
    }
    let filters: Vec<_> = hears.iter().map(|last| settings.topics.topic(last)).collect();
    let reason = format!("{} does not let us read {}; see its ACL", settings.broker, filters.join(" and "));
    Some(Trouble { reason, patience: Patience::Long })
}

/// What an error of the client means.
pub(super) fn explain(settings: &Settings, error: &ConnectionError, before: Before) -> Trouble {
    use Patience::{Growing, Short};
    let broker = &settings.broker;
    if let Some(io) = io_error(error)
        && is_close(io)
    {
        return closed(settings, before.short_lived);
    }
    let (reason, patience) = match error {
        ConnectionError::ConnectionRefused(code) => refused(settings, *code),
        ConnectionError::Tls(TlsError::NativeTls(error)) => unencrypted(settings, &error.to_string(), before),
        ConnectionError::Tls(TlsError::Io(error)) | ConnectionError::Io(error) => (unreachable(broker, error), Short),
        ConnectionError::Timeout(_) => (format!("{broker} does not answer"), Short),
        ConnectionError::MqttState(StateError::ConnectionAborted) => return closed(settings, before.short_lived),
        ConnectionError::MqttState(error) => state(settings, error),
        ConnectionError::NotConnAck(_) => (format!("{broker} does not speak MQTT 5"), Growing),
        other => (format!("{broker}: {}", excerpt(&other.to_string())), Growing),
    };
    Trouble { reason, patience }
}

fn refused(settings: &Settings, code: ConnectReturnCode) -> (String, Patience) {
    use ConnectReturnCode as Code;
    let broker = &settings.broker;
    match code {
        Code::BadUserNamePassword | Code::NotAuthorized | Code::BadAuthenticationMethod => {
            let Names { username, password_file, .. } = settings.role.names();
            let what = match settings.options.credentials() {
                Some(login) => format!("user {:?} or the password in {password_file}", login.username),
                None => format!("a connection without {username} and {password_file}"),
            };
            (format!("{broker} refuses {what}"), Patience::Long)
        }
        Code::Banned => (format!("{broker} has banned this box; see the broker's settings"), Patience::Long),
        Code::RefusedProtocolVersion | Code::UnsupportedProtocolVersion => {
            (format!("{broker} does not speak MQTT 5; use a broker that does"), Patience::Long)
        }
        code => (format!("{broker} refuses the connection: {code:?}"), Patience::Growing),
    }
}

fn unencrypted(settings: &Settings, error: &str, before: Before) -> (String, Patience) {
    let broker = &settings.broker;
    if error.contains("certificate verify failed") {
        return (untrusted(settings, error), Patience::Long);
    }
    let what = excerpt(error);
    if before.accepted {
        // A broker that ends just then, most likely: the library does not tell what is cut from what is wrong.
        return (format!("the connection to {broker} broke before it was encrypted ({what})"), Patience::Short);
    }
    (format!("{broker} makes no encrypted connection; is this the port for mqtts? ({what})"), Patience::Long)
}

/// OpenSSL puts the reason that matters into the last brackets of a long line.
fn untrusted(settings: &Settings, error: &str) -> String {
    let broker = &settings.broker;
    let why = error.rsplit_once('(').map_or(error, |(_, why)| why.trim_end_matches(')'));
    let why = excerpt(why);
    if why.contains("expired") || why.contains("not yet valid") {
        return format!("the certificate of {broker} is out of date; renew it, or set this box's clock ({why})");
    }
    if why.contains("mismatch") {
        return format!("the certificate of {broker} is for another name; use the name it was made for ({why})");
    }
    let what = match &settings.ca_file {
        Some(file) => format!("not signed by an authority in {}", file.display()),
        None => format!("not trusted; name its authority in {}", settings.role.names().ca_file),
    };
    format!("the certificate of {broker} is {what} ({why})")
}

fn io_error(error: &ConnectionError) -> Option<&io::Error> {
    match error {
        ConnectionError::Tls(TlsError::Io(error))
        | ConnectionError::Io(error)
        | ConnectionError::MqttState(StateError::Io(error) | StateError::Deserialization(PacketError::Io(error))) => {
            Some(error)
        }
        _ => None,
    }
}

fn is_close(error: &io::Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), ConnectionReset | ConnectionAborted | BrokenPipe | UnexpectedEof)
}

/// The client does not read the reason that Mosquitto gives, a DISCONNECT packet without properties: rumqttc 0.25 takes
/// it for an incomplete one. The most likely cause of a repetition is another box with the same id; a guest's name is its own.
fn closed(settings: &Settings, again: bool) -> Trouble {
    let broker = &settings.broker;
    if !again {
        return Trouble { reason: format!("{broker} closed the connection"), patience: Patience::Short };
    }
    let (ask, patience) = match settings.role {
        Role::Box => {
            let id = settings.topics.id();
            (format!("does another box have the id {id:?} (device.id)?"), Patience::Long)
        }
        Role::Guest(_) => ("its log may say why".to_owned(), Patience::Growing),
    };
    Trouble { reason: format!("{broker} keeps closing the connection; {ask}"), patience }
}

fn unreachable(broker: &str, error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => format!("nothing listens at {broker}; is the broker running?"),
        _ => format!("cannot reach {broker}: {}", excerpt(&error.to_string())),
    }
}

fn state(settings: &Settings, error: &StateError) -> (String, Patience) {
    let broker = &settings.broker;
    match error {
        StateError::Io(error) | StateError::Deserialization(PacketError::Io(error)) => {
            (unreachable(broker, error), Patience::Short)
        }
        StateError::AwaitPingResp | StateError::CollisionTimeout => {
            (format!("{broker} has stopped answering"), Patience::Short)
        }
        StateError::ServerDisconnect { reason_code: DisconnectReasonCode::SessionTakenOver, .. } => {
            let id = settings.topics.id();
            let reason =
                format!("another box has connected to {broker} with the id {id:?}; give each its own device.id");
            (reason, Patience::Long)
        }
        StateError::ServerDisconnect { reason_code: DisconnectReasonCode::ServerShuttingDown, .. } => {
            (format!("{broker} shuts down"), Patience::Short)
        }
        StateError::ServerDisconnect { reason_code, .. } => {
            (format!("{broker} ended the connection: {reason_code:?}"), Patience::Growing)
        }
        StateError::OutgoingPacketTooLarge { pkt_size, max }
        | StateError::Deserialization(PacketError::OutgoingPacketTooLarge { pkt_size, max }) => {
            (format!("{broker} takes messages of {max} bytes, one has {pkt_size}; raise its limit"), Patience::Growing)
        }
        other => (format!("{broker} does not speak MQTT 5: {}", excerpt(&other.to_string())), Patience::Growing),
    }
}

fn excerpt(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_QUOTE).collect()
}

#[cfg(test)]
mod tests {
    use moodbox_core::config::Mqtt;
    use moodbox_core::topics::Topics;

    use super::*;

    fn waits(patience: Patience) -> Vec<f32> {
        let mut backoff = Backoff::default();
        (0..50).map(|_| backoff.next(patience).as_secs_f32()).collect()
    }

    #[test]
    fn a_guest_is_not_asked_for_another_box() {
        let (config, topics) = (Mqtt::default(), Topics::new("moodbox", "homeassistant", "+"));
        let guest = Settings::of_guest(&config, "tool".to_owned(), topics, &[]).unwrap();
        let Trouble { reason, patience } = closed(&guest, true);
        assert_eq!(reason, "mqtt://127.0.0.1:1883 keeps closing the connection; its log may say why");
        assert_eq!(patience, Patience::Growing);
    }

    #[test]
    fn a_broker_that_returns_is_found_within_five_seconds() {
        assert!(waits(Patience::Short).iter().all(|s| (1.0..=3.0).contains(s)));
    }

    #[test]
    fn waits_grow_to_a_minute() {
        let waits = waits(Patience::Growing);
        assert!((1.0..=2.0).contains(&waits[0]));
        assert!(waits.iter().all(|s| (1.0..=60.0).contains(s)));
        assert!(waits[10..].iter().all(|s| *s >= 30.0));
    }

    #[test]
    fn what_a_person_must_mend_is_not_tried_often() {
        assert!(waits(Patience::Long).iter().all(|s| (30.0..=60.0).contains(s)));
    }

    #[test]
    fn waits_differ() {
        let waits = waits(Patience::Long);
        assert!(waits.iter().any(|s| (s - waits[0]).abs() > 0.1));
    }

    #[test]
    fn a_connection_that_held_starts_over() {
        let mut backoff = Backoff::default();
        for _ in 0..10 {
            backoff.next(Patience::Growing);
        }
        backoff.reset();
        assert!(backoff.next(Patience::Growing) <= Duration::from_secs(2));
    }
}
