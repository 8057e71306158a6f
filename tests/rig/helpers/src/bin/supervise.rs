//! `supervise WATCHDOG_S RESTART_S COMMAND...`: runs a service of `Type=notify` as systemd does, for the guest has none. Kills
//! it when it does not feed the watchdog, starts it again whenever it ends, and says what happens, between the service's lines.

use std::env;
use std::io::{self, BufRead, BufReader, ErrorKind, PipeReader};
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
        let (said, says) = io::pipe()?;
        let mut child = Command::new(program)
            .args(rest)
            .stdout(says.try_clone()?)
            .stderr(says)
            .env("NOTIFY_SOCKET", SOCKET)
            .env("WATCHDOG_USEC", watchdog.as_micros().to_string())
            .spawn()?;
        println!("service: started {}", child.id());
        let relay = thread::spawn(|| relay(said));
        watch(&socket, &mut child, watchdog)?;
        let status = child.wait()?;
        relay.join().map_err(|_| io::Error::other("the service's lines cannot be read"))??;
        println!("service: ended with {status}");
        thread::sleep(pause);
    }
}

/// Prints what the service says in whole lines: it writes some in parts, and a line of ours could come between.
fn relay(said: PipeReader) -> io::Result<()> {
    for line in BufReader::new(said).split(b'\n') {
        println!("{}", String::from_utf8_lossy(&line?));
    }
    Ok(())
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
