//! USB/IP, as the kernel's `vhci_hcd` speaks it (Documentation/usb/usbip_protocol.rst): requests of the USB core come as
//! messages on a socket, all numbers big-endian.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

const ATTACH: &str = "/sys/devices/platform/vhci_hcd.0/attach";
const PORT: u32 = 0;
const DEVICE_ID: u32 = 0x1_0001;
const HIGH_SPEED: u32 = 3;

const SUBMIT: u32 = 1;
const UNLINK: u32 = 2;
const SUBMITTED: u32 = 3;
const UNLINKED: u32 = 4;

/// The request was taken back.
pub const ECONNRESET: i32 = -104;
/// The device does not understand the request.
pub const EPIPE: i32 = -32;
/// The device broke the rules of the bus.
pub const EPROTO: i32 = -71;

/// One packet of an isochronous transfer.
#[derive(Debug, Clone, Copy)]
pub struct Packet {
    /// Where its room begins in the transfer's buffer.
    pub offset: u32,
    /// Its room.
    pub room: u32,
}

/// What the kernel asks for.
#[derive(Debug)]
pub enum Request {
    /// A transfer on the control endpoint, with the data that goes to the device.
    Control { id: u32, setup: [u8; 8], to_host: bool, data: Vec<u8> },
    /// A transfer of frames to the host.
    Stream { id: u32, packets: Vec<Packet> },
    /// Take `victim` back.
    Unlink { id: u32, victim: u32 },
}

/// The side that answers.
pub struct Connection(UnixStream);

/// The side that asks.
pub struct Requests(UnixStream);

/// Plugs a device into the virtual host controller.
pub fn attach() -> io::Result<(Connection, Requests)> {
    let (ours, kernels) = UnixStream::pair()?;
    let line = format!("{PORT} {} {DEVICE_ID} {HIGH_SPEED}", kernels.as_raw_fd());
    // The port is busy for a moment after the device before was unplugged.
    for _ in 0..100 {
        match fs::write(ATTACH, &line) {
            Err(error) if error.kind() == ErrorKind::ResourceBusy => thread::sleep(Duration::from_millis(50)),
            result => {
                result?;
                return Ok((Connection(ours.try_clone()?), Requests(ours)));
            }
        }
    }
    Err(ErrorKind::ResourceBusy.into())
}

impl Requests {
    /// Waits for the next request.
    pub fn read(&mut self) -> io::Result<Request> {
        let mut header = [0; 48];
        self.0.read_exact(&mut header)?;
        let word = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let (command, id, to_host, endpoint) = (word(0), word(4), word(12) == 1, word(16));
        match command {
            SUBMIT if endpoint == 0 => {
                let mut data = vec![0; if to_host { 0 } else { word(24) as usize }];
                self.0.read_exact(&mut data)?;
                let mut setup = [0; 8];
                setup.copy_from_slice(&header[40..]);
                Ok(Request::Control { id, setup, to_host, data })
            }
            SUBMIT => {
                let mut table = vec![0; 16 * word(32) as usize];
                self.0.read_exact(&mut table)?;
                let number = |bytes: &[u8]| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
                let packets = table
                    .chunks_exact(16)
                    .map(|entry| Packet { offset: number(entry), room: number(&entry[4..]) })
                    .collect();
                Ok(Request::Stream { id, packets })
            }
            UNLINK => Ok(Request::Unlink { id, victim: word(20) }),
            _ => Err(ErrorKind::InvalidData.into()),
        }
    }
}

impl Connection {
    /// Completes a control transfer: `taken` bytes from the host, or `data` to it.
    pub fn complete(&mut self, id: u32, status: i32, taken: usize, data: &[u8]) -> io::Result<()> {
        let mut message = submitted(id, status, taken + data.len(), 0);
        message.extend(data);
        self.0.write_all(&message)
    }

    /// Completes a transfer of frames: `data` holds what lies in the packets, `used` how much of each.
    pub fn complete_stream(&mut self, id: u32, packets: &[Packet], used: &[u32], data: &[u8]) -> io::Result<()> {
        let mut message = submitted(id, 0, data.len(), packets.len());
        message.extend(data);
        for (packet, used) in packets.iter().zip(used) {
            push(&mut message, &[packet.offset, packet.room, *used, 0]);
        }
        self.0.write_all(&message)
    }

    /// Ends a transfer of frames without any.
    pub fn fail_stream(&mut self, id: u32, status: i32, packets: &[Packet]) -> io::Result<()> {
        let mut message = submitted(id, status, 0, packets.len());
        for packet in packets {
            push(&mut message, &[packet.offset, packet.room, 0, status as u32]);
        }
        self.0.write_all(&message)
    }

    /// Says what became of a request to take one back: [`ECONNRESET`] where it was, 0 where it was too late.
    pub fn unlinked(&mut self, id: u32, status: i32) -> io::Result<()> {
        let mut message = Vec::new();
        push(&mut message, &[UNLINKED, id, 0, 0, 0, status as u32]);
        message.extend([0; 24]);
        self.0.write_all(&message)
    }
}

impl Drop for Connection {
    /// Unplugs: the kernel sees the end of the socket.
    fn drop(&mut self) {
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

fn submitted(id: u32, status: i32, length: usize, packets: usize) -> Vec<u8> {
    let mut message = Vec::with_capacity(48 + length + 16 * packets);
    push(&mut message, &[SUBMITTED, id, 0, 0, 0, status as u32, length as u32, 0, packets as u32, 0]);
    message.extend([0; 8]);
    message
}

fn push(message: &mut Vec<u8>, words: &[u32]) {
    for word in words {
        message.extend(word.to_be_bytes());
    }
}
