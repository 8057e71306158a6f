//! `supervise WATCHDOG_S RESTART_S COMMAND...`: runs a service of `Type=notify` as systemd does, for the guest has none. Kills
//! it when it does not feed the watchdog, starts it again whenever it ends, and says what happens.

use std::env;
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const SOCKET: &str = "/tmp/notify";

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let mut seconds = || arguments.next()?.parse().ok().map(Duration::from_secs);
    let usage = || io::Error::other("usage: supervise WATCHDOG_S RESTART_S COMMAND...");
    let (watchdog, pause) = (seconds().ok_or_else(usage)?, seconds().ok_or_else(usage)?);
    let command: Vec<String> = arguments.collect();
    let (program, rest) = command.split_first().ok_or_else(usage)?;
    let socket = UnixDatagram::bind(SOCKET)?;
    std::fs::set_permissions(SOCKET, PermissionsExt::from_mode(0o777))?;
    socket.set_read_timeout(Some(Duration::from_millis(100)))?;
    loop {
        let mut child = Command::new(program)
            .args(rest)
            .env("NOTIFY_SOCKET", SOCKET)
            .env("WATCHDOG_USEC", watchdog.as_micros().to_string())
            .spawn()?;
        println!("service: started {}", child.id());
        watch(&socket, &mut child, watchdog)?;
        println!("service: ended with {}", child.wait()?);
        thread::sleep(pause);
    }
}

/// Until the service has ended, or was killed for its silence, which counts from when it is ready.
fn watch(socket: &UnixDatagram, child: &mut Child, watchdog: Duration) -> io::Result<()> {
    let mut fed = None;
    let mut message = [0; 4096];
    while child.try_wait()?.is_none() {
        match socket.recv(&mut message) {
            Ok(length) => {
                let text = String::from_utf8_lossy(&message[..length]);
                for state in text.lines() {
                    match state {
                        "WATCHDOG=1" => fed = Some(Instant::now()),
                        other => {
                            println!("service: says {other}");
                            if other == "READY=1" {
                                fed = Some(Instant::now());
                            }
                        }
                    }
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
        if fed.is_some_and(|fed| fed.elapsed() > watchdog) {
            println!("service: the watchdog was not fed");
            return Ok(kill(Pid::from_raw(child.id() as i32), Signal::SIGABRT)?);
        }
    }
    Ok(())
}
