//! The embedded broker, for a box on a machine without one: MQTT 5 and 3.1.1, on the loopback interface only.
//!
//! It keeps nothing over a restart and no sessions, delivers at quality of service 0, and knows no passwords: who is on
//! this machine is trusted. A home with more machines has a broker of its own.

mod hub;
mod session;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tracing::warn;

use hub::Hub;

/// Clients at a time.
const MAX_CLIENTS: usize = 32;

/// Wait after a connection could not be accepted, which is mostly for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// The broker does not start.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// Another program has the port.
    #[error(
        "mqtt.embedded_port: port {0} of this machine is taken, perhaps by another broker; use that one with mqtt.broker = \"mqtt://127.0.0.1:{0}\", or another port"
    )]
    PortTaken(u16),
    /// Something else is wrong with the port.
    #[error("mqtt.embedded_port: cannot listen on port {port} of this machine: {source}")]
    Listen {
        /// The port.
        port: u16,
        /// Why.
        source: io::Error,
    },
}

/// A running broker. It and all its connections end when this is dropped.
#[derive(Debug)]
pub struct Embedded {
    address: SocketAddr,
    tasks: JoinSet<()>,
}

impl Embedded {
    /// Starts a broker on a port of the loopback interface; 0 takes a free one.
    ///
    /// # Errors
    /// When the port is taken or may not be used.
    pub async fn start(port: u16) -> Result<Self, BrokerError> {
        let refuse = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => BrokerError::PortTaken(port),
            _ => BrokerError::Listen { port, source },
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(refuse)?;
        let address = listener.local_addr().map_err(refuse)?;
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener));
        Ok(Self { address, tasks })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends the broker and waits until its port is free.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

/// Takes clients in, as many as there is room for; ends with all of them when it is dropped.
async fn accept(listener: TcpListener) {
    let hub = Arc::new(Mutex::new(Hub::default()));
    let room = Arc::new(Semaphore::new(MAX_CLIENTS));
    let mut sessions = JoinSet::new();
    loop {
        while sessions.try_join_next().is_some() {}
        let (stream, from) = match listener.accept().await {
            Ok(client) => client,
            Err(error) => {
                warn!("embedded broker: cannot accept a connection: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
            warn!("embedded broker: has no room for {from}: {MAX_CLIENTS} clients are connected");
            continue;
        };
        let hub = Arc::clone(&hub);
        sessions.spawn(async move {
            session::serve(stream, from, hub).await;
            drop(place);
        });
    }
}
