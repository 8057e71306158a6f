//! From the configuration to what the MQTT client needs, with the files it names read and checked.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use moodbox_core::config::{Broker, Mqtt};
use moodbox_core::topics::Topics;
use rumqttc::tokio_native_tls::native_tls::{self, Certificate, Protocol, TlsConnector};
use rumqttc::v5::mqttbytes::v5::LastWill;
use rumqttc::v5::{ConnectionError, MqttOptions};
use rumqttc::{TlsConfiguration, Transport};
use tracing::warn;

use super::quality;
use super::trouble::{self, Before};

/// Largest message taken from the broker. More than the longest piece of a catalogue, so that one that is somewhat too long
/// is still refused with a reason; the broker keeps longer ones away.
const MAX_PACKET_BYTES: u32 = 64 * 1024;

/// Messages that may wait for the broker's confirmation, in each direction. The client keeps a slot for each.
const MAX_INFLIGHT: u16 = 20;

/// Longest time a connection may take to come about. The name has to be looked up within it, and a first name server that
/// does not answer costs 5 s.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(12);

/// What is needed for a connection.
#[derive(Clone)]
pub struct Settings {
    pub(super) options: MqttOptions,
    pub(super) topics: Topics,
    pub(super) role: Role,
    /// The broker as a person wrote it, for messages.
    pub(super) broker: String,
    /// The file with the certificate authorities, for messages.
    pub(super) ca_file: Option<PathBuf>,
}

/// Who connects.
#[derive(Clone)]
pub(super) enum Role {
    /// The box of these topics: it says that it is there, and hears what it is told.
    Box,
    /// Somebody who speaks with the box, and hears what is said on these topics, by their last parts.
    Guest(Vec<&'static str>),
}

/// What a person calls the settings of a connection.
pub(super) struct Names {
    pub(super) username: &'static str,
    pub(super) password_file: &'static str,
    pub(super) ca_file: &'static str,
}

impl Role {
    /// The keys of a box's configuration, or the options of `moodbox`.
    pub(super) const fn names(&self) -> Names {
        match self {
            Self::Box => {
                Names { username: "mqtt.username", password_file: "mqtt.password_file", ca_file: "mqtt.ca_file" }
            }
            Self::Guest(_) => Names { username: "--username", password_file: "--password-file", ca_file: "--ca-file" },
        }
    }
}

/// Why there can be no connection with this configuration.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file cannot be read.
    #[error("{name}: cannot read {}: {source}", path.display())]
    File {
        /// The setting, as a person calls it.
        name: &'static str,
        /// The file it names.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The password file has an empty first line.
    #[error("{name}: the first line of {} is empty; write the password there", path.display())]
    EmptyPassword {
        /// The setting, as a person calls it.
        name: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// The file with the certificate authorities holds none.
    #[error("{name}: {} holds no certificate in PEM form", path.display())]
    NoCertificate {
        /// The setting, as a person calls it.
        name: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// One of the certificates in the file with the certificate authorities cannot be read.
    #[error("{name}: {} holds a certificate that cannot be read: {source}", path.display())]
    Certificate {
        /// The setting, as a person calls it.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: native_tls::Error,
    },
    /// The system's TLS library does not work.
    #[error("cannot set up encryption: {0}")]
    Tls(#[from] native_tls::Error),
}

impl Settings {
    /// Reads the password and the certificate authorities. `embedded_port` is where the embedded broker listens, should
    /// the configuration want that one.
    ///
    /// # Errors
    /// When a file cannot be read or does not hold what it should.
    pub fn new(config: &Mqtt, topics: Topics, embedded_port: u16) -> Result<Self, SettingsError> {
        let mut settings = Self::as_client(config, topics.device(), topics, embedded_port, Role::Box)?;
        let options = &mut settings.options;
        options.set_receive_maximum(Some(MAX_INFLIGHT));
        let will = settings.topics.availability(false);
        options.set_last_will(LastWill::new(will.topic, will.payload, quality(will.qos), will.retain, None));
        Ok(settings)
    }

    /// For somebody who speaks with the box of these topics: a connection under a name of its own and without a will.
    /// [`super::spawn`] hears what is said on the topics with the last parts `hears`, retained or not.
    ///
    /// # Errors
    /// When a file cannot be read or does not hold what it should.
    pub fn of_guest(
        config: &Mqtt,
        name: String,
        topics: Topics,
        hears: &[&'static str],
    ) -> Result<Self, SettingsError> {
        Self::as_client(config, name, topics, config.embedded_port.0 as u16, Role::Guest(hears.to_vec()))
    }

    fn as_client(
        config: &Mqtt,
        name: String,
        topics: Topics,
        embedded_port: u16,
        role: Role,
    ) -> Result<Self, SettingsError> {
        let (tls, host, port) = match &config.broker {
            Broker::Embedded => (false, "127.0.0.1", embedded_port),
            Broker::Remote { tls, host, port } => (*tls, host.as_str(), *port),
        };
        let broker = Broker::Remote { tls, host: host.to_owned(), port }.to_string();
        // Without the brackets of an IPv6 address: with them it counts as a name, which no certificate is made for.
        let mut options = MqttOptions::new(name, host, port);
        options
            .set_keep_alive(Duration::from_secs(config.keep_alive_s.0.into()))
            .set_max_packet_size(Some(MAX_PACKET_BYTES))
            .set_connection_timeout(CONNECT_LIMIT.as_secs())
            .set_outgoing_inflight_upper_limit(MAX_INFLIGHT);
        let mut network = options.network_options();
        network.set_tcp_nodelay(true);
        options.set_network_options(network);
        if let Some(username) = &config.username {
            let name = role.names().password_file;
            let password = config.password_file.as_deref().map(|path| password(name, path)).transpose()?;
            options.set_credentials(username, password.unwrap_or_default());
        }
        if tls {
            let connector = connector(role.names().ca_file, config.ca_file.as_deref())?;
            options.set_transport(Transport::tls_with_config(TlsConfiguration::NativeConnector(connector)));
        }
        Ok(Self { options, topics, role, broker, ca_file: config.ca_file.clone() })
    }

    /// What the client needs to connect.
    #[must_use]
    pub fn options(&self) -> MqttOptions {
        self.options.clone()
    }

    /// The broker as a person writes it.
    #[must_use]
    pub fn broker(&self) -> &str {
        &self.broker
    }

    /// The topics of the box.
    #[must_use]
    pub const fn topics(&self) -> &Topics {
        &self.topics
    }

    /// One line for a person: why there is no connection, and what to do.
    #[must_use]
    pub fn explain(&self, error: &ConnectionError) -> String {
        trouble::explain(self, error, Before::default()).reason
    }
}

fn read(name: &'static str, path: &Path) -> Result<String, SettingsError> {
    fs::read_to_string(path).map_err(|source| SettingsError::File { name, path: path.to_owned(), source })
}

/// The password in a file, for a setting that a person knows by this name. It is the first line: an editor ends it with a
/// line break that is no part of the password.
///
/// # Errors
/// When the file cannot be read or its first line is empty.
pub fn password(name: &'static str, path: &Path) -> Result<String, SettingsError> {
    let text = read(name, path)?;
    if let Some(warning) = exposure(name, path) {
        warn!("{warning}");
    }
    match text.lines().next() {
        None | Some("") => Err(SettingsError::EmptyPassword { name, path: path.to_owned() }),
        Some(line) => Ok(line.to_owned()),
    }
}

/// One line for a person whose password file others can read.
#[must_use]
pub fn exposure(name: &str, path: &Path) -> Option<String> {
    let exposed = is_open_to_all(path);
    exposed.then(|| format!("{name}: everybody on this machine can read {0}; chmod 600 {0}", path.display()))
}

#[cfg(unix)]
fn is_open_to_all(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o007 != 0)
}

/// Elsewhere a person's files are their own by default, and lists of rights are no business of ours.
#[cfg(not(unix))]
fn is_open_to_all(_: &Path) -> bool {
    false
}

/// A person who names authorities trusts these, not every one that the system knows. A file may hold several: the old one beside
/// the new while one is renewed, or a whole chain.
fn connector(name: &'static str, ca_file: Option<&Path>) -> Result<TlsConnector, SettingsError> {
    let mut builder = TlsConnector::builder();
    builder.min_protocol_version(Some(Protocol::Tlsv12));
    if let Some(path) = ca_file {
        let pem = read(name, path)?;
        let refuse = |source| SettingsError::Certificate { name, path: path.to_owned(), source };
        let certificates = Certificate::stack_from_pem(pem.as_bytes()).map_err(refuse)?;
        if certificates.is_empty() {
            return Err(SettingsError::NoCertificate { name, path: path.to_owned() });
        }
        builder.disable_built_in_roots(true);
        for certificate in certificates {
            builder.add_root_certificate(certificate);
        }
    }
    Ok(builder.build()?)
}

#[cfg(test)]
mod tests {
    use moodbox_core::config::Config;

    use super::*;

    fn settings(toml: &str) -> Result<Settings, SettingsError> {
        let config = Config::parse(&format!("[mqtt]\n{toml}")).unwrap();
        Settings::new(&config.mqtt, Topics::new("moodbox", "homeassistant", "b827eb01"), 4321)
    }

    fn refusal(toml: &str) -> String {
        settings(toml).err().unwrap().to_string()
    }

    #[test]
    fn the_embedded_broker_is_reached_at_its_port() {
        assert_eq!(settings("").unwrap().broker, "mqtt://127.0.0.1:4321");
    }

    #[test]
    fn an_ipv6_address_has_brackets_for_people_alone() {
        let settings = settings("broker = \"mqtt://[fd00::7]\"").unwrap();
        assert_eq!(settings.broker, "mqtt://[fd00::7]:1883");
        assert_eq!(settings.options.broker_address(), ("fd00::7".to_owned(), 1883));
    }

    #[test]
    fn the_first_line_is_the_password() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        let toml = format!("username = \"box\"\npassword_file = {file:?}");
        fs::write(&file, "pass word \r\nsecond").unwrap();
        assert_eq!(settings(&toml).unwrap().options.credentials().unwrap().password, "pass word ");
        fs::write(&file, "\nsecond").unwrap();
        let empty =
            format!("mqtt.password_file: the first line of {} is empty; write the password there", file.display());
        assert_eq!(refusal(&toml), empty);
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let missing = "username = \"box\"\npassword_file = \"/no/such/password\"";
        assert_eq!(
            refusal(missing),
            "mqtt.password_file: cannot read /no/such/password: No such file or directory (os error 2)"
        );
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let refused = |text: &str| {
            fs::write(&file, text).unwrap();
            refusal(&format!("broker = \"mqtts://home\"\nca_file = {file:?}"))
        };
        for text in ["", "hello", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            let told = format!("mqtt.ca_file: {} holds no certificate in PEM form", file.display());
            assert_eq!(refused(text), told);
        }
        let reason = refused("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        let start = format!("mqtt.ca_file: {} holds a certificate that cannot be read: ", file.display());
        assert!(reason.starts_with(&start) && !reason.contains('\n'), "{reason}");
    }
}
