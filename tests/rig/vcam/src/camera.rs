//! The camera: its answers on the control endpoint, and its frames.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use crate::Command;
use crate::descriptors::{self, FPS_30, Frame, MICROFRAME, Offer};
use crate::picture;
use crate::usbip::{Connection, ECONNRESET, EPIPE, EPROTO, Packet, Request};

/// Length of the probe and commit controls of USB Video Class 1.0.
const PROBE: usize = 26;

/// Bits of the byte that stands before the data in each packet.
const END_OF_HEADER: u8 = 0x80;
const ERROR: u8 = 0x40;
const END_OF_FRAME: u8 = 0x02;

/// How long a packet's turn on the bus is.
const MICROFRAME_TIME: Duration = Duration::from_micros(125);

/// How the camera sends.
#[derive(Clone, Copy)]
struct Setting {
    offer: Offer,
    /// Number of the format, from 1.
    format: u8,
    /// Number of the size, from 1.
    frame: u8,
    /// Time between frames, in units of 100 ns.
    interval: u32,
}

impl Setting {
    /// The nearest to what the kernel asks for that the camera has.
    fn nearest(offer: Offer, format: u8, frame: u8, interval: u32) -> Self {
        let format = format.clamp(1, offer.formats());
        let sizes = offer.sizes(format);
        let frame = frame.clamp(1, sizes.len() as u8);
        let intervals = sizes[usize::from(frame) - 1].intervals;
        let interval = intervals.iter().copied().min_by_key(|has| has.abs_diff(interval)).unwrap_or(FPS_30);
        Self { offer, format, frame, interval }
    }

    fn size(self) -> &'static Frame {
        &self.offer.sizes(self.format)[usize::from(self.frame) - 1]
    }

    fn control(self) -> Vec<u8> {
        let mut control = vec![0; PROBE];
        control[0] = 1;
        control[2] = self.format;
        control[3] = self.frame;
        control[4..8].copy_from_slice(&self.interval.to_le_bytes());
        control[18..22].copy_from_slice(&self.size().bytes().to_le_bytes());
        control[22..26].copy_from_slice(&MICROFRAME.to_le_bytes());
        control
    }
}

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Nothing,
    Frozen,
    Stalled,
    Broken,
}

/// The camera.
pub struct Camera {
    pictures: Vec<Vec<u8>>,
    shown: usize,
    trouble: Trouble,
    damage: u32,
    cut: u32,
    garble: u32,
    /// What it can send, and what it will be able to.
    offer: Offer,
    next_offer: Offer,
    probed: Setting,
    committed: Setting,
    alternate: u8,
    /// Transfers that wait for data, and those that were answered lately.
    waiting: VecDeque<(u32, Vec<Packet>)>,
    answered: VecDeque<u32>,
    /// Requests to take a transfer back, for transfers that did not come yet: (transfer, request).
    too_early: Vec<(u32, u32)>,
    streaming: bool,
    /// The frame that is being sent, and how much of it was.
    frame: Vec<u8>,
    sent: usize,
    /// Changes from frame to frame, so that the kernel can tell them apart.
    toggle: u8,
    flags: u8,
    next_frame: Instant,
    next_transfer: Instant,
}

impl Camera {
    /// A camera that shows these JPEGs.
    pub fn new(pictures: Vec<Vec<u8>>) -> Self {
        let setting = Setting::nearest(Offer::All, 1, 1, FPS_30);
        let now = Instant::now();
        Self {
            pictures,
            shown: 0,
            trouble: Trouble::Nothing,
            damage: 0,
            cut: 0,
            garble: 0,
            offer: Offer::All,
            next_offer: Offer::All,
            probed: setting,
            committed: setting,
            alternate: 0,
            waiting: VecDeque::new(),
            answered: VecDeque::new(),
            too_early: Vec::new(),
            streaming: false,
            frame: Vec::new(),
            sent: 0,
            toggle: 0,
            flags: 0,
            next_frame: now,
            next_transfer: now,
        }
    }

    /// Forgets what was on the bus, as a camera does when it is plugged in.
    pub fn reset(&mut self) {
        self.stream(false);
        self.offer = self.next_offer;
        self.probed = Setting::nearest(self.offer, 1, 1, FPS_30);
        self.committed = self.probed;
        self.waiting.clear();
        self.answered.clear();
        self.too_early.clear();
    }

    /// Does what the rig wants.
    pub fn obey(&mut self, command: Command) {
        match command {
            Command::Show(number) => self.shown = number,
            Command::Freeze => self.trouble = Trouble::Frozen,
            Command::Stall => self.trouble = Trouble::Stalled,
            Command::Break => self.trouble = Trouble::Broken,
            Command::Thaw => self.trouble = Trouble::Nothing,
            Command::Damage(frames) => self.damage = frames,
            Command::Cut(frames) => self.cut = frames,
            Command::Garble(frames) => self.garble = frames,
            Command::Offer(offer) => self.next_offer = offer,
            Command::Plug | Command::Unplug => {}
        }
    }

    /// Time until something is to be sent, at most `longest`.
    pub fn time_to_next(&self, longest: Duration) -> Duration {
        if self.streaming && self.trouble != Trouble::Stalled && !self.waiting.is_empty() {
            self.next_transfer.saturating_duration_since(Instant::now()).min(longest)
        } else {
            longest
        }
    }

    /// Answers the kernel.
    pub fn answer(&mut self, request: Request, connection: &mut Connection) -> io::Result<()> {
        match request {
            Request::Control { id, setup, to_host, data } => {
                self.note_answered(id);
                match self.control(setup, &data) {
                    Some(reply) if to_host => connection.complete(id, 0, 0, &reply),
                    Some(_) => connection.complete(id, 0, data.len(), &[]),
                    None => connection.complete(id, EPIPE, 0, &[]),
                }
            }
            Request::Stream { id, packets } => match self.too_early.iter().position(|&(victim, _)| victim == id) {
                Some(at) => {
                    let (_, unlink) = self.too_early.swap_remove(at);
                    connection.unlinked(unlink, ECONNRESET)
                }
                None => {
                    self.waiting.push_back((id, packets));
                    Ok(())
                }
            },
            Request::Unlink { id, victim } => {
                if let Some(at) = self.waiting.iter().position(|&(waiting, _)| waiting == victim) {
                    self.waiting.remove(at);
                    self.note_answered(victim);
                    connection.unlinked(id, ECONNRESET)
                } else if self.answered.contains(&victim) {
                    connection.unlinked(id, 0)
                } else {
                    // vhci_hcd sends from two queues, so this can overtake the transfer that it is about. An answer now
                    // would leave that transfer here for good, and completing it later breaks the connection.
                    self.too_early.push((victim, id));
                    Ok(())
                }
            }
        }
    }

    fn note_answered(&mut self, id: u32) {
        self.answered.push_back(id);
        if self.answered.len() > 256 {
            self.answered.pop_front();
        }
    }

    /// The reply to a control request, or `None` for one that the camera does not know.
    fn control(&mut self, setup: [u8; 8], data: &[u8]) -> Option<Vec<u8>> {
        let [kind, request, value_low, value_high, index_low, _, length_low, length_high] = setup;
        // What concerns pictures comes with a class request; a broken camera still says who it is.
        if self.trouble == Trouble::Broken && kind & 0x60 == 0x20 {
            return None;
        }
        // In requests to the streaming interface, the selectors 1 and 2 mean probe and commit.
        let commits = value_high == 2;
        let negotiates = index_low == 1 && (value_high == 1 || commits);
        let mut reply = match (kind, request) {
            (0x80, 6) => match value_high {
                1 => descriptors::device(),
                2 => descriptors::configuration(self.offer),
                3 => descriptors::string(value_low)?,
                _ => return None,
            },
            // Set configuration, and clear a halted endpoint.
            (0x00, 9) | (0x02, 1) => Vec::new(),
            (0x01, 11) => {
                if index_low == 1 {
                    self.alternate = value_low;
                    self.stream(value_low != 0);
                }
                Vec::new()
            }
            (0x80..=0x82, 0) => vec![0, 0],
            (0x80, 8) => vec![1],
            (0x81, 10) => vec![if index_low == 1 { self.alternate } else { 0 }],
            (0x21, 1) if negotiates && data.len() >= 8 => {
                let interval = u32::from_le_bytes([data[4], data[5], data[6], data[7]]);
                self.probed = Setting::nearest(self.offer, data[2], data[3], interval);
                if commits {
                    self.committed = self.probed;
                }
                Vec::new()
            }
            (0xA1, 0x81) if negotiates && commits => self.committed.control(),
            (0xA1, 0x81) if negotiates => self.probed.control(),
            // The least, the most and the default.
            (0xA1, 0x82 | 0x83 | 0x87) if negotiates => Setting::nearest(self.offer, 1, 1, FPS_30).control(),
            (0xA1, 0x85) if negotiates => vec![PROBE as u8, 0],
            (0xA1, 0x86) if negotiates => vec![3],
            _ => return None,
        };
        reply.truncate(usize::from(u16::from_le_bytes([length_low, length_high])));
        Some(reply)
    }

    fn stream(&mut self, on: bool) {
        if on != self.streaming {
            println!("stream {}", if on { "on" } else { "off" });
        }
        self.streaming = on;
        self.frame.clear();
        self.sent = 0;
        self.next_frame = Instant::now();
        self.next_transfer = self.next_frame;
    }

    /// Completes the transfers whose turn on the bus has come.
    pub fn send_due(&mut self, connection: &mut Connection) -> io::Result<()> {
        let now = Instant::now();
        if self.trouble == Trouble::Stalled {
            return Ok(());
        }
        while self.streaming && now >= self.next_transfer {
            let Some((id, packets)) = self.waiting.pop_front() else { break };
            self.next_transfer += MICROFRAME_TIME * packets.len() as u32;
            // Far behind, a bus that catches up would only make the guest slower.
            if self.next_transfer + Duration::from_millis(20) < now {
                self.next_transfer = now;
            }
            if self.trouble == Trouble::Broken {
                self.note_answered(id);
                connection.fail_stream(id, EPROTO, &packets)?;
                continue;
            }
            let mut data = Vec::new();
            let used: Vec<u32> = packets.iter().map(|packet| self.fill(packet.room as usize, now, &mut data)).collect();
            self.note_answered(id);
            connection.complete_stream(id, &packets, &used, &data)?;
        }
        Ok(())
    }

    /// Puts the next part of a frame into a packet; how many bytes that takes.
    fn fill(&mut self, room: usize, now: Instant, data: &mut Vec<u8>) -> u32 {
        if self.frame.is_empty() {
            if self.trouble == Trouble::Frozen || now < self.next_frame {
                return 0;
            }
            self.begin_frame(now);
        }
        let part = (self.frame.len() - self.sent).min(room - 2);
        let ends = self.sent + part == self.frame.len();
        let end = if ends { END_OF_FRAME } else { 0 };
        data.extend([2, END_OF_HEADER | self.flags | self.toggle | end]);
        data.extend(&self.frame[self.sent..self.sent + part]);
        self.sent += part;
        if ends {
            self.frame.clear();
            self.toggle ^= 1;
        }
        part as u32 + 2
    }

    fn begin_frame(&mut self, now: Instant) {
        let size = self.committed.size();
        self.frame = if self.offer.is_mjpeg(self.committed.format) {
            self.pictures[self.shown % self.pictures.len()].clone()
        } else {
            picture::raw(size.width, size.height, self.shown)
        };
        self.sent = 0;
        self.flags = if self.damage > 0 { ERROR } else { 0 };
        self.damage = self.damage.saturating_sub(1);
        if self.cut > 0 {
            self.cut -= 1;
            self.frame.truncate(self.frame.len() / 2);
        }
        if self.garble > 0 {
            self.garble -= 1;
            picture::garble(&mut self.frame);
        }
        let interval = Duration::from_nanos(u64::from(self.committed.interval) * 100);
        self.next_frame = (self.next_frame + interval).max(now);
    }
}
