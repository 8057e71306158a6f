//! A USB webcam in user space, plugged into the running kernel over USB/IP, so that the real `uvcvideo` driver binds to it.
//!
//! `vcam CONTROL [FILE.jpg...]` plugs the camera in and obeys the commands that come through the FIFO `CONTROL`, one a
//! line; see [`Command`]. It shows the files, or test pictures where there are none, and prints the sha256 of each.

mod camera;
mod descriptors;
mod picture;
mod usbip;

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader};
use std::str::FromStr;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use camera::Camera;
use descriptors::Offer;
use usbip::{Connection, Request};

/// What the rig may ask of the camera.
#[derive(Debug, Clone, Copy)]
enum Command {
    /// `show N`: picture N, over and over.
    Show(usize),
    /// `freeze`: stays plugged in, but sends no frame.
    Freeze,
    /// `stall`: does not even answer on the bus any more.
    Stall,
    /// `break`: fails whatever is asked of it.
    Break,
    /// `thaw`: is as before `freeze`, `stall` or `break`.
    Thaw,
    /// `damage N`: marks the next N frames as faulty, as a camera does that lost data.
    Damage(u32),
    /// `cut N`: ends each of the next N frames half way.
    Cut(u32),
    /// `garble N`: the next N frames begin and end as JPEGs do, with rubbish in between.
    Garble(u32),
    /// `offer all`, `offer raw` or `offer odd`: what it can send, from the next time that it is plugged in.
    Offer(Offer),
    /// `unplug`: leaves the bus.
    Unplug,
    /// `plug`: comes back.
    Plug,
}

impl FromStr for Command {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let mut words = line.split_whitespace();
        let word = words.next().unwrap_or_default();
        let mut number = || words.next().and_then(|n| n.parse().ok()).ok_or(format!("{line:?} lacks a number"));
        Ok(match word {
            "show" => Self::Show(number()? as usize),
            "freeze" => Self::Freeze,
            "stall" => Self::Stall,
            "break" => Self::Break,
            "thaw" => Self::Thaw,
            "damage" => Self::Damage(number()?),
            "cut" => Self::Cut(number()?),
            "garble" => Self::Garble(number()?),
            "offer" => Self::Offer(words.next().and_then(Offer::named).ok_or(format!("{line:?} offers nothing"))?),
            "unplug" => Self::Unplug,
            "plug" => Self::Plug,
            _ => return Err(format!("{line:?} is no command")),
        })
    }
}

/// What the main thread wakes up for.
enum Event {
    Command(Command),
    /// From the kernel, on the connection with this number.
    Request(u32, Request),
    /// The kernel closed the connection with this number.
    Closed(u32),
}

/// The camera while it is plugged in.
struct Plugged {
    number: u32,
    connection: Connection,
}

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let control = arguments.next().ok_or_else(|| io::Error::other("usage: vcam CONTROL [FILE.jpg...]"))?;
    let files = arguments.map(fs::read).collect::<io::Result<Vec<_>>>()?;
    let pictures = if files.is_empty() { picture::test_pictures() } else { files };
    for (number, picture) in pictures.iter().enumerate() {
        println!("picture {number} {}", picture::sha256(picture));
    }

    let (events, inbox) = mpsc::channel();
    // Open for writing too, so that it does not end when the first who writes is done.
    let control = OpenOptions::new().read(true).write(true).open(control)?;
    listen(control, events.clone());

    let mut camera = Camera::new(pictures);
    let mut number = 1;
    let mut plugged = Some(plug(number, &events)?);
    loop {
        let event = match inbox.recv_timeout(camera.time_to_next(Duration::from_secs(1))) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        };
        let current = plugged.as_ref().map(|plugged| plugged.number);
        match event {
            Some(Event::Command(Command::Unplug)) => plugged = None,
            Some(Event::Command(Command::Plug)) if plugged.is_none() => {
                camera.reset();
                number += 1;
                plugged = Some(plug(number, &events)?);
            }
            Some(Event::Command(command)) => camera.obey(command),
            Some(Event::Closed(number)) if current == Some(number) => plugged = None,
            Some(Event::Request(number, request)) if current == Some(number) => {
                if let Some(plugged) = &mut plugged {
                    camera.answer(request, &mut plugged.connection)?;
                }
            }
            // What is left over from a connection that is gone.
            Some(Event::Closed(_) | Event::Request(..)) | None => {}
        }
        if let Some(plugged) = &mut plugged {
            camera.send_due(&mut plugged.connection)?;
        }
    }
}

/// Reads commands in a thread of its own.
fn listen(control: File, events: Sender<Event>) {
    thread::spawn(move || {
        for line in BufReader::new(control).lines().map_while(Result::ok) {
            match line.parse() {
                Ok(command) => _ = events.send(Event::Command(command)),
                Err(reason) => println!("{reason}"),
            }
        }
    });
}

/// Plugs the camera in and reads the kernel's requests in a thread of its own.
fn plug(number: u32, events: &Sender<Event>) -> io::Result<Plugged> {
    let (connection, mut requests) = usbip::attach()?;
    let events = events.clone();
    thread::spawn(move || {
        while let Ok(request) = requests.read() {
            if events.send(Event::Request(number, request)).is_err() {
                return;
            }
        }
        let _ = events.send(Event::Closed(number));
    });
    println!("plugged in");
    Ok(Plugged { number, connection })
}
