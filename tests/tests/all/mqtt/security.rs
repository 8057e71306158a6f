//! Passwords and certificates, right and wrong.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use moodbox_tests::mosquitto::Mosquitto;
use moodbox_tests::rights;
use moodboxd::mqtt::MqttEvent;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::{PATIENCE, TestBox};

const CERTIFICATE: &str = "allow_anonymous true\ncertfile FOLDER/server.pem\nkeyfile FOLDER/server.key";

fn run(program: &str, folder: &Path, arguments: &str) {
    let path = format!("{}:/usr/sbin", env::var("PATH").unwrap_or_default());
    let status = Command::new(program)
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .env("PATH", path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap_or_else(|error| panic!("cannot run {program} ({error}); install the package of this name"));
    assert!(status.success(), "{program} {arguments}");
}

pub(crate) fn broker_with_password() -> Mosquitto {
    broker_that_knows("secret", false)
}

/// A broker for user `box` with this password, and for others without one if they are let in.
pub(crate) fn broker_that_knows(password: &str, others: bool) -> Mosquitto {
    Mosquitto::with(&format!("allow_anonymous {others}\npassword_file FOLDER/passwords"), |folder| {
        run("mosquitto_passwd", folder, &format!("-b -c passwords box {password}"));
    })
}

/// An authority `NAME.pem` that is trusted for ten years.
fn authority(folder: &Path, name: &str) {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    run("openssl", folder, &format!("req -x509 {key} -keyout {name}.key -out {name}.pem -days 3650 -subj /CN={name}"));
}

/// A broker whose certificate is for `name`, signed by an authority `ca.pem`, with more words for openssl.
pub(crate) fn broker_with_certificate(name: &str, validity: &str) -> Mosquitto {
    broker_with_certificate_at("127.0.0.1", name, validity)
}

/// The same at this address.
fn broker_with_certificate_at(address: &str, name: &str, validity: &str) -> Mosquitto {
    Mosquitto::at(address, CERTIFICATE, |folder| {
        authority(folder, "ca");
        authority(folder, "other");
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        run("openssl", folder, &format!("req -new {key} -keyout server.key -out server.csr -subj /CN=broker"));
        fs::write(folder.join("names"), format!("subjectAltName={name}")).unwrap();
        let sign = "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -extfile names";
        run("openssl", folder, &format!("{sign} {validity}"));
    })
}

/// What becomes of a box that trusts `authority`.
async fn encrypted(broker: &Mosquitto, authority: &str) -> MqttEvent {
    encrypted_box("127.0.0.1", broker, authority).next().await
}

/// A box that trusts `authority` and looks for its broker at this address.
fn encrypted_box(address: &str, broker: &Mosquitto, authority: &str) -> TestBox {
    let file = broker.folder().join(authority);
    let lines = format!("broker = \"mqtts://{address}:{}\"\nca_file = \"{}\"", broker.port(), file.display());
    TestBox::with(&lines, 64)
}

async fn with_password(broker: &Mosquitto, password: &str) -> MqttEvent {
    let file = broker.folder().join("password");
    fs::write(&file, password).unwrap();
    let login = format!("username = \"box\"\npassword_file = \"{}\"", file.display());
    let lines = format!("broker = \"mqtt://127.0.0.1:{}\"\n{login}", broker.port());
    TestBox::with(&lines, 64).next().await
}

/// Why the box is refused, or refuses.
fn refusal(event: MqttEvent) -> String {
    match event {
        MqttEvent::Lost { reason, refused: true } => reason,
        other => panic!("not refused but {other:?}"),
    }
}

#[tokio::test]
async fn the_right_password_is_taken() {
    let broker = broker_with_password();
    assert_eq!(with_password(&broker, "secret\n").await, MqttEvent::Connected);
}

#[tokio::test]
async fn a_wrong_password_is_said_so() {
    let broker = broker_with_password();
    assert_eq!(
        refusal(with_password(&broker, "wrong").await),
        format!("mqtt://127.0.0.1:{} refuses user \"box\" or the password in mqtt.password_file", broker.port())
    );
}

#[tokio::test]
async fn a_missing_password_is_said_so() {
    let broker = broker_with_password();
    assert_eq!(
        TestBox::start(broker.port()).lost().await,
        format!("mqtt://127.0.0.1:{} refuses a connection without mqtt.username and mqtt.password_file", broker.port())
    );
}

#[tokio::test]
async fn a_certificate_of_the_named_authority_is_trusted() {
    let broker = broker_with_certificate("IP:127.0.0.1", "-days 30");
    assert_eq!(encrypted(&broker, "ca.pem").await, MqttEvent::Connected);
}

#[tokio::test]
async fn each_authority_in_the_file_is_trusted() {
    let broker = broker_with_certificate("IP:127.0.0.1", "-days 30");
    let [other, own] = ["other.pem", "ca.pem"].map(|name| fs::read_to_string(broker.folder().join(name)).unwrap());
    fs::write(broker.folder().join("both.pem"), other + &own).unwrap();
    assert_eq!(encrypted(&broker, "both.pem").await, MqttEvent::Connected);
}

#[tokio::test]
async fn a_certificate_for_an_ipv6_address_is_trusted() {
    if !rights::has_ipv6() {
        return;
    }
    let broker = broker_with_certificate_at("::1", "IP:::1", "-days 30");
    assert_eq!(encrypted_box("[::1]", &broker, "ca.pem").next().await, MqttEvent::Connected);
    let elsewhere = broker_with_certificate_at("::1", "IP:::2", "-days 30");
    let reason = refusal(encrypted_box("[::1]", &elsewhere, "ca.pem").next().await);
    let expected = format!("the certificate of mqtts://[::1]:{} is for another name", elsewhere.port());
    assert!(reason.starts_with(&expected), "{reason}");
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let broker = broker_with_certificate("IP:127.0.0.1", "-days 30");
    let expected = format!(
        "the certificate of mqtts://127.0.0.1:{} is not signed by an authority in {}",
        broker.port(),
        broker.folder().join("other.pem").display()
    );
    let reason = refusal(encrypted(&broker, "other.pem").await);
    assert!(reason.starts_with(&expected) && !reason.contains('\n'), "{reason}");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let broker = broker_with_certificate("DNS:elsewhere.example", "-days 30");
    let expected = format!("the certificate of mqtts://127.0.0.1:{} is for another name", broker.port());
    let reason = refusal(encrypted(&broker, "ca.pem").await);
    assert!(reason.starts_with(&expected), "{reason}");
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    let broker = broker_with_certificate("IP:127.0.0.1", "-days -1");
    let expected = format!("the certificate of mqtts://127.0.0.1:{} is out of date", broker.port());
    let reason = refusal(encrypted(&broker, "ca.pem").await);
    assert!(reason.starts_with(&expected), "{reason}");
}

#[tokio::test]
async fn a_port_without_encryption_is_said_so() {
    let broker = Mosquitto::with("allow_anonymous true", |folder| authority(folder, "ca"));
    let MqttEvent::Lost { reason, .. } = encrypted(&broker, "ca.pem").await else { panic!("a connection") };
    assert!(reason.contains("encrypt") || reason.contains("broke the connection"), "{reason}");
}

#[tokio::test]
async fn a_broker_that_ends_while_a_connection_is_encrypted_is_found_when_it_returns() {
    let mut broker = broker_with_certificate("IP:127.0.0.1", "-days 30");
    let mut this = encrypted_box("127.0.0.1", &broker, "ca.pem");
    assert_eq!(this.next().await, MqttEvent::Connected);
    broker.kill();
    assert!(this.lost().await.ends_with(" closed the connection"));
    let ending = TcpListener::bind(("127.0.0.1", broker.port())).await.unwrap();
    // It ends after the box's first words, and then before it has read them, which resets the connection.
    let (mut heard, _) = timeout(PATIENCE, ending.accept()).await.unwrap().unwrap();
    assert!(heard.read(&mut [0; 4096]).await.unwrap() > 0);
    drop(heard);
    let told = loop {
        match this.next().await {
            // It may have come back in between.
            MqttEvent::Lost { reason, refused: false } if reason.starts_with("nothing listens") => {}
            told => break told,
        }
    };
    let broke = format!("the connection to mqtts://127.0.0.1:{} broke before it was encrypted (", broker.port());
    assert!(
        matches!(&told, MqttEvent::Lost { reason, refused: false } if reason.starts_with(&broke) && !reason.contains('\n')),
        "{told:?}"
    );
    drop(timeout(PATIENCE, ending.accept()).await.unwrap().unwrap());
    drop(ending);
    broker.restart();
    let back = async {
        loop {
            match this.next().await {
                MqttEvent::Connected => break,
                told => assert!(matches!(told, MqttEvent::Lost { refused: false, .. }), "{told:?}"),
            }
        }
    };
    // Once the broker is back, the box must be within this time.
    timeout(Duration::from_secs(5), back).await.unwrap();
}
