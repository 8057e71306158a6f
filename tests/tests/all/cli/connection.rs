//! `moodbox` on a broker that is far away.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use moodbox_tests::mosquitto::Mosquitto;

use super::typed;

/// A way to the broker that is open only after this time; its port.
fn slow_way_to(broker: u16, time: Duration) -> u16 {
    let way = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = way.local_addr().unwrap().port();
    thread::spawn(move || {
        let (near, _) = way.accept().unwrap();
        thread::sleep(time);
        let far = TcpStream::connect(("127.0.0.1", broker)).unwrap();
        carry(near.try_clone().unwrap(), far.try_clone().unwrap());
        carry(far, near);
    });
    port
}

fn carry(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
}

#[test]
fn a_connection_may_take_longer_to_come_about_than_an_answer() {
    let broker = Mosquitto::start();
    // A first name server that is dead costs 5 s, and then come the way and the answers.
    let port = slow_way_to(broker.port(), Duration::from_secs(6));
    let told = typed(&format!("remove hall --broker mqtt://127.0.0.1:{port}")).refused(1);
    assert_eq!(told, format!("moodbox: mqtt://127.0.0.1:{port} has kept nothing of a box hall; is this its id?"));
}
