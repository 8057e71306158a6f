//! One client of the broker, from its first byte to its last.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mqtt_protocol_core::mqtt::common::Cursor;
use mqtt_protocol_core::mqtt::connection::{ConnectionOptions, Event, TimerKind};
use mqtt_protocol_core::mqtt::packet::{
    AssignedClientIdentifier, GenericPacketTrait, Packet, Property, RetainHandling, SessionExpiryInterval,
    SharedSubscriptionAvailable, SubEntry, SubscriptionIdentifierAvailable, v3_1_1, v5_0,
};
use mqtt_protocol_core::mqtt::result_code::{
    ConnectReasonCode, ConnectReturnCode, DisconnectReasonCode, MqttError, SubackReasonCode, SubackReturnCode,
    UnsubackReasonCode,
};
use mqtt_protocol_core::mqtt::{ArcPayload, Connection, IntoPayload, Version, role};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{debug, warn};

use super::hub::{Delivery, Hub, Kick, Message, Refusal, Seat, Subscription, valid_topic};

/// Largest packet taken: the longest recommendation fits several times.
const MAX_PACKET_BYTES: u32 = 64 * 1024;

/// Unconfirmed messages taken from one client.
const RECEIVE_MAXIMUM: u16 = 20;

/// Time to say who one is.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Time for a client to take what is written to it.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// What ends a session.
enum End {
    /// The client, the network or a rule of the protocol.
    Closed,
    /// The client said goodbye.
    Goodbye,
}

/// Serves a client until it goes.
pub(super) async fn serve(stream: TcpStream, from: SocketAddr, hub: Arc<Mutex<Hub>>) {
    if let Err(error) = Session::new(hub, from).run(stream).await {
        debug!("embedded broker: {from}: {error}");
    }
}

struct Session {
    hub: Arc<Mutex<Hub>>,
    /// The client id of a client that gives none.
    spare_id: String,
    protocol: Connection<role::Server>,
    seat: Option<Seat>,
    /// When the client has been silent for too long.
    deadline: Option<Instant>,
    /// What is to be written.
    out: Vec<u8>,
    end: Option<End>,
}

impl Session {
    fn new(hub: Arc<Mutex<Hub>>, from: SocketAddr) -> Self {
        let options =
            ConnectionOptions::new().maximum_packet_size_recv(MAX_PACKET_BYTES).receive_maximum(RECEIVE_MAXIMUM);
        let mut protocol = Connection::with_options(Version::Undetermined, options);
        protocol.set_auto_pub_response(true);
        protocol.set_auto_ping_response(true);
        let deadline = Some(Instant::now() + CONNECT_TIMEOUT);
        Self { hub, spare_id: format!("from {from}"), protocol, seat: None, deadline, out: Vec::new(), end: None }
    }

    async fn run(mut self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut buffer = vec![0; 4096];
        while self.end.is_none() {
            let deadline = self.deadline;
            tokio::select! {
                read = stream.read(&mut buffer) => match read? {
                    0 => return Ok(()),
                    n => {
                        let mut cursor = Cursor::new(&buffer[..n]);
                        // What one packet is answered with has been read before the next counts.
                        while self.take(&mut cursor) {
                            self.write(&mut stream).await?;
                        }
                    }
                },
                () = async { sleep_until(deadline.unwrap_or_else(Instant::now)).await }, if deadline.is_some() => {
                    self.silence();
                }
                event = wait(&mut self.seat) => match event {
                    Ok(delivery) => self.deliver(&delivery),
                    Err(why) => self.kicked(why),
                },
            }
            self.write(&mut stream).await?;
        }
        stream.shutdown().await
    }

    async fn write(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        if !self.out.is_empty() {
            timeout(WRITE_TIMEOUT, stream.write_all(&self.out)).await??;
            self.out.clear();
        }
        Ok(())
    }

    /// A packet, or the part of one, from bytes of the client; false when there is nothing more in them.
    fn take(&mut self, bytes: &mut Cursor<&[u8]>) -> bool {
        let more = self.end.is_none() && (bytes.position() as usize) < bytes.get_ref().len();
        if more {
            let events = self.protocol.recv(bytes);
            self.handle(events);
        }
        more
    }

    fn silence(&mut self) {
        self.deadline = None;
        if self.seat.is_some() {
            let events = self.protocol.notify_timer_fired(TimerKind::PingreqRecv);
            self.handle(events);
        }
        self.end = Some(End::Closed);
    }

    fn handle(&mut self, events: Vec<Event>) {
        for event in events {
            match event {
                Event::NotifyPacketReceived(packet) => self.receive(packet),
                Event::RequestSendPacket { packet, .. } => self.out.extend(packet.to_continuous_buffer()),
                Event::RequestTimerReset { kind: TimerKind::PingreqRecv, duration_ms } => {
                    self.deadline = Some(Instant::now() + Duration::from_millis(duration_ms));
                }
                Event::RequestTimerCancel(TimerKind::PingreqRecv) => self.deadline = None,
                Event::RequestClose => self.close(),
                Event::NotifyError(error) => debug!("embedded broker: {error}"),
                Event::RequestTimerReset { .. } | Event::RequestTimerCancel(_) | Event::NotifyPacketIdReleased(_) => {}
            }
        }
    }

    fn close(&mut self) {
        self.end.get_or_insert(End::Closed);
    }

    fn send(&mut self, packet: Result<Packet, MqttError>) {
        match packet {
            Ok(packet) => {
                let events = self.protocol.send(packet);
                self.handle(events);
            }
            Err(error) => {
                warn!("embedded broker: cannot answer: {error}");
                self.close();
            }
        }
    }

    fn receive(&mut self, packet: Packet) {
        match packet {
            Packet::V3_1_1Connect(connect) => {
                let will = will(connect.will_topic(), connect.will_payload(), connect.will_retain(), Vec::new());
                if self.enter(connect.client_id(), will, connect.keep_alive()) {
                    let ack =
                        v3_1_1::Connack::builder().session_present(false).return_code(ConnectReturnCode::Accepted);
                    self.send(ack.build().map(Into::into));
                }
            }
            Packet::V5_0Connect(connect) => {
                let props = passed_on(connect.will_props());
                let will = will(connect.will_topic(), connect.will_payload(), connect.will_retain(), props);
                if self.enter(connect.client_id(), will, connect.keep_alive()) {
                    self.accept(connect.client_id().is_empty());
                }
            }
            Packet::V3_1_1Publish(publish) => {
                self.publish(publish.topic_name(), publish.payload().clone(), publish.retain(), Vec::new());
            }
            Packet::V5_0Publish(publish) => {
                let props = passed_on(publish.props());
                self.publish(publish.topic_name(), publish.payload().clone(), publish.retain(), props);
            }
            Packet::V3_1_1Subscribe(subscribe) => {
                let (results, retained) = self.subscribe(subscribe.entries());
                let codes = results.iter().map(|result| match result {
                    Ok(()) => SubackReturnCode::SuccessMaximumQos0,
                    Err(_) => SubackReturnCode::Failure,
                });
                let ack = v3_1_1::Suback::builder().packet_id(subscribe.packet_id()).return_codes(codes.collect());
                self.send(ack.build().map(Into::into));
                for delivery in &retained {
                    self.deliver(delivery);
                }
            }
            Packet::V5_0Subscribe(subscribe) => {
                let (results, retained) = self.subscribe(subscribe.entries());
                let codes = results.iter().map(|result| match result {
                    Ok(()) => SubackReasonCode::GrantedQos0,
                    Err(Refusal::InvalidFilter) => SubackReasonCode::TopicFilterInvalid,
                    Err(Refusal::Shared) => SubackReasonCode::SharedSubscriptionsNotSupported,
                    Err(Refusal::TooMany) => SubackReasonCode::QuotaExceeded,
                });
                let ack = v5_0::Suback::builder().packet_id(subscribe.packet_id()).reason_codes(codes.collect());
                self.send(ack.build().map(Into::into));
                for delivery in &retained {
                    self.deliver(delivery);
                }
            }
            Packet::V3_1_1Unsubscribe(unsubscribe) => {
                for filter in unsubscribe.entries() {
                    self.unsubscribe(filter.as_str());
                }
                let ack = v3_1_1::Unsuback::builder().packet_id(unsubscribe.packet_id());
                self.send(ack.build().map(Into::into));
            }
            Packet::V5_0Unsubscribe(unsubscribe) => {
                let codes = unsubscribe.entries().iter().map(|filter| {
                    if self.unsubscribe(filter.as_str()) {
                        UnsubackReasonCode::Success
                    } else {
                        UnsubackReasonCode::NoSubscriptionExisted
                    }
                });
                let ack = v5_0::Unsuback::builder().packet_id(unsubscribe.packet_id()).reason_codes(codes.collect());
                self.send(ack.build().map(Into::into));
            }
            Packet::V3_1_1Disconnect(_) => self.end = Some(End::Goodbye),
            Packet::V5_0Disconnect(disconnect) => {
                let with_will = disconnect.reason_code() == Some(DisconnectReasonCode::DisconnectWithWillMessage);
                self.end = Some(if with_will { End::Closed } else { End::Goodbye });
            }
            Packet::V5_0Auth(_) => self.close(),
            // Confirmations and pings, which the protocol layer has dealt with, and what only a broker sends.
            _ => {}
        }
    }

    /// Gives the client its seat, and tells whether it did.
    fn enter(&mut self, client: &str, will: Option<Message>, keep_alive: u16) -> bool {
        if self.seat.is_some() || will.as_ref().is_some_and(|will| !valid_topic(&will.topic)) {
            self.close();
            return false;
        }
        if keep_alive == 0 {
            self.deadline = None;
        }
        let client = if client.is_empty() { &self.spare_id } else { client };
        self.seat = Some(lock(&self.hub).enter(client, will));
        true
    }

    fn accept(&mut self, nameless: bool) {
        let spare_id = &self.spare_id;
        let props = || -> Result<Vec<Property>, MqttError> {
            let mut props = vec![
                SessionExpiryInterval::new(0)?.into(),
                SharedSubscriptionAvailable::new(0)?.into(),
                SubscriptionIdentifierAvailable::new(0)?.into(),
            ];
            if nameless {
                props.push(AssignedClientIdentifier::new(spare_id)?.into());
            }
            Ok(props)
        };
        let ack = props().and_then(|props| {
            let code = ConnectReasonCode::Success;
            v5_0::Connack::builder().session_present(false).reason_code(code).props(props).build()
        });
        self.send(ack.map(Into::into));
    }

    fn publish(&mut self, topic: &str, payload: ArcPayload, retain: bool, props: Vec<Property>) {
        match &self.seat {
            Some(seat) if valid_topic(topic) => {
                let message = Message { topic: topic.to_owned(), payload, retain, props };
                lock(&self.hub).publish(Some(seat.id), message);
            }
            _ => self.close(),
        }
    }

    /// The result of each, and what is kept for any of them, once.
    fn subscribe(&mut self, entries: &[SubEntry]) -> (Vec<Result<(), Refusal>>, Vec<Delivery>) {
        let mut retained = BTreeMap::new();
        let Some(seat) = &self.seat else { return (Vec::new(), Vec::new()) };
        let mut hub = lock(&self.hub);
        let results = entries.iter().map(|entry| {
            let options = entry.sub_opts();
            let subscription = Subscription {
                filter: entry.topic_filter().to_owned(),
                no_local: options.nl(),
                retain_as_published: options.rap(),
            };
            let new = hub.subscribe(seat.id, subscription)?;
            let wants_retained = match options.rh() {
                RetainHandling::SendRetained => true,
                RetainHandling::SendRetainedIfNotExists => new,
                RetainHandling::DoNotSendRetained => false,
            };
            if wants_retained {
                let kept = hub.retained(entry.topic_filter());
                retained.extend(kept.into_iter().map(|delivery| (delivery.message.topic.clone(), delivery)));
            }
            Ok(())
        });
        (results.collect(), retained.into_values().collect())
    }

    fn unsubscribe(&self, filter: &str) -> bool {
        self.seat.as_ref().is_some_and(|seat| lock(&self.hub).unsubscribe(seat.id, filter))
    }

    /// Passes a message on at quality of service 0, which is what was granted: on one machine nothing gets lost on the
    /// way, and who does not read is put out.
    fn deliver(&mut self, Delivery { message, retain }: &Delivery) {
        let packet = if self.protocol.get_protocol_version() == Version::V5_0 {
            v5_0::Publish::builder()
                .topic_name(&message.topic)
                .and_then(|p| p.payload(message.payload.clone()).retain(*retain).props(message.props.clone()).build())
                .map(Into::into)
        } else {
            v3_1_1::Publish::builder()
                .topic_name(&message.topic)
                .and_then(|p| p.payload(message.payload.clone()).retain(*retain).build())
                .map(Into::into)
        };
        self.send(packet);
    }

    fn kicked(&mut self, why: Kick) {
        if self.protocol.get_protocol_version() == Version::V5_0 {
            let code = match why {
                Kick::TakenOver => DisconnectReasonCode::SessionTakenOver,
                Kick::Stuck => DisconnectReasonCode::QuotaExceeded,
            };
            // Without the properties some clients cannot read the code.
            self.send(v5_0::Disconnect::builder().reason_code(code).props(Vec::new()).build().map(Into::into));
        }
        self.close();
    }
}

impl Drop for Session {
    /// Whatever the way out, the hub learns of it.
    fn drop(&mut self) {
        let Some(seat) = &self.seat else { return };
        let mut hub = lock(&self.hub);
        match self.end {
            Some(End::Goodbye) => hub.leave(seat.id),
            Some(End::Closed) | None => hub.lose(seat.id),
        }
    }
}

/// The next message for the client, or why it must go; never when it has no seat yet.
async fn wait(seat: &mut Option<Seat>) -> Result<Delivery, Kick> {
    let Some(seat) = seat else { return std::future::pending().await };
    tokio::select! {
        biased;
        why = &mut seat.kicked => Err(why.unwrap_or(Kick::Stuck)),
        Some(delivery) = seat.inbox.recv() => Ok(delivery),
    }
}

/// The hub stays whole even if a thread panicked while it held it: it changes one thing at a time.
fn lock(hub: &Mutex<Hub>) -> MutexGuard<'_, Hub> {
    hub.lock().unwrap_or_else(PoisonError::into_inner)
}

fn will(topic: Option<&str>, payload: Option<&[u8]>, retain: bool, props: Vec<Property>) -> Option<Message> {
    let payload = payload.unwrap_or_default().into_payload();
    topic.map(|topic| Message { topic: topic.to_owned(), payload, retain, props })
}

/// The properties that belong to the message, not to its way.
fn passed_on(props: &[Property]) -> Vec<Property> {
    let belongs = |property: &&Property| {
        matches!(
            property,
            Property::PayloadFormatIndicator(_)
                | Property::ContentType(_)
                | Property::ResponseTopic(_)
                | Property::CorrelationData(_)
                | Property::UserProperty(_)
        )
    };
    props.iter().filter(belongs).cloned().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CONNECT: &[u8] = b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01c";

    /// Packets as clients send them: subscribe, publish at each quality of service, release, unsubscribe, ping, disconnect.
    const PACKETS: [&[u8]; 8] = [
        b"\x82\x09\x00\x01\x00\x00\x03t/#\x01",
        b"\x30\x06\x00\x01t\x00hi",
        b"\x33\x08\x00\x01t\x00\x02\x00hi",
        b"\x34\x08\x00\x01t\x00\x03\x00hi",
        b"\x62\x02\x00\x03",
        b"\xa2\x08\x00\x04\x00\x00\x03t/#",
        b"\xc0\x00",
        b"\xe0\x00",
    ];

    fn session() -> Session {
        Session::new(Arc::default(), SocketAddr::from(([127, 0, 0, 1], 1)))
    }

    fn take(session: &mut Session, bytes: &[u8]) {
        let mut cursor = Cursor::new(bytes);
        while session.take(&mut cursor) {}
    }

    #[test]
    fn a_whole_visit_is_answered() {
        let mut session = session();
        take(&mut session, CONNECT);
        // CONNACK, accepted.
        assert_eq!((session.out[0], session.out[3]), (0x20, 0));
        for (packet, answer) in
            PACKETS.iter().zip([Some(0x90), None, Some(0x40), Some(0x50), Some(0x70), Some(0xb0), Some(0xd0), None])
        {
            session.out.clear();
            take(&mut session, packet);
            assert_eq!(session.out.first().copied(), answer, "{packet:x?}");
        }
        assert!(matches!(session.end, Some(End::Goodbye)));
    }

    #[test]
    fn what_is_kept_is_sent_once_for_all_filters_of_a_packet() {
        let mut session = session();
        take(&mut session, CONNECT);
        // Retained, with 1,000 bytes.
        take(&mut session, &[b"\x31\xec\x07\x00\x01t\x00".as_slice(), &[b'x'; 1000]].concat());
        session.out.clear();
        // As many filters as a packet can hold.
        let filters = b"\x00\x01#\x01".repeat(16_000);
        take(&mut session, &[b"\x82\x83\xf4\x03\x00\x01\x00".as_slice(), &filters].concat());
        let answers = 16_000 + 1_000;
        assert!((answers..answers + 40).contains(&session.out.len()), "{} bytes", session.out.len());
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_broker(
            connect in any::<bool>(),
            picks in prop::collection::vec(0..PACKETS.len(), 0..12),
            noise in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            tail in prop::collection::vec(any::<u8>(), 0..40),
            piece in 1usize..20,
        ) {
            let mut bytes = if connect { CONNECT.to_vec() } else { Vec::new() };
            bytes.extend(picks.into_iter().flat_map(|n| PACKETS[n]));
            for (at, value) in noise {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] = value;
                }
            }
            bytes.extend(tail);
            let mut session = session();
            for piece in bytes.chunks(piece) {
                take(&mut session, piece);
            }
            session.silence();
            prop_assert!(session.end.is_some());
        }
    }
}
