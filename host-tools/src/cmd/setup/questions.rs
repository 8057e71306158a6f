//! What a person decides: said by options, or asked for on a terminal, beside what was found.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use anyhow::anyhow;
use dialoguer::console::Term;
use dialoguer::theme::{ColorfulTheme, SimpleTheme, Theme};
use dialoguer::{Confirm, Input, Password, Select};
use moodbox_core::config::{Broker, Config, LedDriver, Mqtt, Source};

use super::Wishes;
use super::configuration::Decisions;
use super::credentials::Credentials;
use super::ctrl_c::CtrlC;
use super::found::{Camera, Found};
use crate::cmd::discover::brokers;
use crate::failure::Failure;
use crate::mdns;
use crate::mqtt::{Login, remote};
use crate::plain::plain;

/// Where Home Assistant and the broker beside it are found unless somebody has renamed them.
const USUAL_BROKER: (&str, u16) = ("homeassistant.local", 1883);

/// How long the network is asked for brokers, and one of them for an answer.
const LOOK_AROUND: Duration = Duration::from_secs(2);

/// The drivers that a person may choose, and what they are for.
const DRIVERS: [(LedDriver, &str); 3] = [
    (LedDriver::None, "no LEDs"),
    (LedDriver::Rppal, "LEDs at a Raspberry Pi, with all shades (rppal)"),
    (LedDriver::Gpiochip, "LEDs at another board, on and off (gpiochip)"),
];

/// Somebody who may be asked, or not.
pub(super) struct Person {
    theme: Box<dyn Theme>,
    asks: bool,
    /// Where somebody is asked.
    ctrl_c: Option<CtrlC>,
}

impl Person {
    /// Who sits at the terminal, if there is one and questions are wanted.
    pub(super) fn new(questions: bool) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let theme: Box<dyn Theme> = if plain { Box::new(SimpleTheme) } else { Box::new(ColorfulTheme::default()) };
        let asks = questions && io::IsTerminal::is_terminal(&io::stdin());
        Self { theme, asks, ctrl_c: asks.then(CtrlC::heard_by_questions) }
    }

    /// What is said and asked about a box. `found` is nothing where the box cannot be looked at yet.
    pub(super) fn decide(
        &self,
        wishes: &Wishes,
        found: Option<&Found>,
        credentials: &Credentials,
    ) -> Result<Decisions, Failure> {
        let before = found.and_then(Found::configuration).unwrap_or_default();
        let name = self.or_ask(wishes.name.clone(), "Name", before.device.name.clone())?;
        let room = self.room(wishes, &before)?;
        let id = credentials.id.clone().or_else(|| before.device.id.clone());
        let camera = self.camera(wishes, found, &before)?;
        let leds = self.leds(wishes, found, &before)?;
        let broker = match wishes.broker.clone().or_else(|| credentials.broker.clone()) {
            Some(broker) => broker,
            None => self.broker(&before)?,
        };
        Ok(Decisions {
            name: name.trim().to_owned(),
            room: Some(room.trim().to_owned()).filter(|room| !room.is_empty()),
            id: id.or_else(|| found.and_then(|found| found.id.clone())),
            username: credentials.username.clone(),
            own_authority: credentials.authority.is_some() && matches!(broker, Broker::Remote { tls: true, .. }),
            broker,
            base_topic: base_topic(&wishes.login, &before),
            camera,
            leds,
            pins: wishes.leds.and_then(|leds| leds.pins),
        })
    }

    fn or_ask(&self, said: Option<String>, question: &str, usual: String) -> Result<String, Failure> {
        match said {
            Some(said) => Ok(said),
            None if self.asks => {
                let input = Input::with_theme(&*self.theme).with_prompt(question).allow_empty(true);
                self.answer(|| input.default(usual).interact_text())
            }
            None => Ok(usual),
        }
    }

    /// The one before can be edited, also to nothing.
    fn room(&self, wishes: &Wishes, before: &Config) -> Result<String, Failure> {
        let before = before.device.room.clone().unwrap_or_default();
        match &wishes.room {
            Some(said) => Ok(said.clone()),
            None if self.asks => {
                let input = Input::with_theme(&*self.theme).with_prompt("Room (may be left empty)");
                self.answer(|| input.with_initial_text(before).allow_empty(true).interact_text())
            }
            None => Ok(before),
        }
    }

    fn camera(&self, wishes: &Wishes, found: Option<&Found>, before: &Config) -> Result<Source, Failure> {
        if let Some(source) = &wishes.camera {
            return Ok(source.clone());
        }
        let Some(found) = found else { return Ok(Source::V4l2Auto) };
        // What was chosen once stays, also where it is unplugged now.
        let chosen = Some(&before.camera.source).filter(|source| **source != Source::V4l2Auto);
        match &found.cameras[..] {
            several @ [_, _, ..] if self.asks => {
                let names: Vec<_> = several.iter().map(Camera::to_string).collect();
                let usual = several.iter().position(|camera| chosen.is_some_and(|chosen| camera.is(chosen)));
                Ok(several[self.choose("Camera", &names, usual.unwrap_or(0))?].source())
            }
            [] if chosen.is_none() => Err(Failure::Finding(anyhow!(
                "no camera was found on the box; plug one in, or name a recording with --camera replay:PATH; nothing was \
                 changed"
            ))),
            _ => Ok(chosen.cloned().unwrap_or(Source::V4l2Auto)),
        }
    }

    fn leds(&self, wishes: &Wishes, found: Option<&Found>, before: &Config) -> Result<LedDriver, Failure> {
        let has_pins = found.is_none_or(|found| found.gpio);
        match wishes.leds {
            Some(wiring) => Ok(wiring.driver),
            None if has_pins && self.asks => {
                let usual = DRIVERS.iter().position(|(driver, _)| *driver == before.leds.driver).unwrap_or(0);
                Ok(DRIVERS[self.choose("Mood light", &DRIVERS.map(|(_, text)| text), usual)?].0)
            }
            None => Ok(before.leds.driver),
        }
    }

    /// One that was found, the one before, or another.
    fn broker(&self, before: &Config) -> Result<Broker, Failure> {
        let remembered = Some(&before.mqtt.broker).filter(|broker| matches!(broker, Broker::Remote { .. }));
        if !self.asks {
            let unsaid = || Failure::Input(anyhow!("say which broker with --broker URL; nothing was changed"));
            return remembered.cloned().ok_or_else(unsaid);
        }
        let mut known: Vec<String> = remembered.map(ToString::to_string).into_iter().collect();
        known.extend(usable(brokers(&mdns::browse(&[mdns::BROKER, mdns::SAFE_BROKER], LOOK_AROUND)?)));
        if answers(USUAL_BROKER) {
            known.push(format!("mqtt://{}:{}", USUAL_BROKER.0, USUAL_BROKER.1));
        }
        known.dedup();
        if !known.is_empty() {
            let choices: Vec<_> = known.iter().map(String::as_str).chain(["another"]).collect();
            let chosen = self.choose("Broker", &choices, 0)?;
            if let Some(url) = known.get(chosen) {
                return Ok(remote(url).map_err(|reason| anyhow!(reason))?);
            }
        }
        let input = Input::<String>::with_theme(&*self.theme).with_prompt("Broker, as mqtts://HOST or mqtt://HOST");
        let url = self.answer(|| input.validate_with(|url: &String| remote(url).map(drop)).interact_text())?;
        Ok(remote(&url).map_err(|reason| anyhow!(reason))?)
    }

    fn choose(&self, question: &str, choices: &[impl AsRef<str>], usual: usize) -> Result<usize, Failure> {
        let select = Select::with_theme(&*self.theme)
            .with_prompt(question)
            .items(choices.iter().map(AsRef::as_ref))
            .default(usual);
        self.answer(|| select.interact())
    }

    /// Whether the plan is agreed to.
    pub(super) fn agrees(&self) -> Result<(), Failure> {
        if !self.asks {
            return Err(Failure::Input(anyhow!("there is nobody to ask; say --yes to do it; nothing was changed")));
        }
        let confirm = Confirm::with_theme(&*self.theme).with_prompt("Do it?").default(true);
        if self.answer(|| confirm.interact())? {
            return Ok(());
        }
        Err(Failure::Finding(anyhow!("nothing was changed")))
    }

    /// What is answered. Ctrl-C is no answer; the cursor, which some questions hide, is then shown again.
    fn answer<T>(&self, ask: impl FnOnce() -> dialoguer::Result<T>) -> Result<T, Failure> {
        let answer = {
            let _open = self.ctrl_c.as_ref().map(CtrlC::open_question);
            ask()
        };
        answer.map_err(|error| {
            let terminal = Term::stderr();
            if terminal.is_term() {
                // The question's line is not ended yet.
                let _ = terminal.show_cursor().and_then(|()| terminal.write_line(""));
            }
            unanswered(error)
        })
    }
}

/// The password for `sudo` on the box.
pub(super) fn sudo_password(host: &str) -> Result<String, Failure> {
    if !io::IsTerminal::is_terminal(&io::stdin()) {
        let reason = "sudo wants a password on the box and there is no terminal to ask for it; log in as root, or let the \
                      user use sudo without; nothing was changed";
        return Err(Failure::Input(anyhow!(reason)));
    }
    Password::new().with_prompt(format!("Password for sudo on {host}")).interact().map_err(unanswered)
}

/// Where the box speaks: as it did before, unless somebody has said another.
fn base_topic(said: &Login, before: &Config) -> String {
    let is_said = said.base_topic != Mqtt::default().base_topic;
    if is_said { &said.base_topic } else { &before.mqtt.base_topic }.clone()
}

fn unanswered(_: dialoguer::Error) -> Failure {
    Failure::Input(anyhow!("a question was not answered; nothing was changed"))
}

/// Brokers that can be shown and chosen: anybody in the network can call one anything.
fn usable(urls: Vec<String>) -> impl Iterator<Item = String> {
    urls.into_iter().filter(|url| plain(url) == *url && remote(url).is_ok())
}

fn answers(machine: (&str, u16)) -> bool {
    let Ok(mut addresses) = machine.to_socket_addrs() else { return false };
    addresses.any(|address| TcpStream::connect_timeout(&address, LOOK_AROUND).is_ok())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use clap::Parser;

    use super::super::Arguments;
    use super::super::found::Root;
    use super::*;
    use crate::mdns::Offer;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn nobody() -> Person {
        Person { theme: Box::new(SimpleTheme), asks: false, ctrl_c: None }
    }

    fn wishes(words: &[&str]) -> Wishes {
        Typed::parse_from([&["setup", "--ssh", "box", "--package", "deb"], words].concat()).arguments.wishes
    }

    fn camera(words: &[&str], cameras: &[&str], before: &str) -> Result<String, Failure> {
        let person = nobody();
        let at = |path: &str| Camera { path: path.to_owned(), node: path.to_owned(), name: String::new() };
        let found = Found {
            os: String::new(),
            arch: String::new(),
            board: String::new(),
            free_mb: 0,
            root: Root::Already,
            systemd: true,
            gpio: false,
            id: None,
            installed: None,
            cameras: cameras.iter().copied().map(at).collect(),
            config: None,
            config_is_hidden: false,
        };
        let before = Config::parse(before).unwrap();
        person.camera(&wishes(words), Some(&found), &before).map(|source| source.to_string())
    }

    #[test]
    fn a_camera_that_was_chosen_before_stays_until_another_is_said() {
        let before = "[camera]\nsource = \"v4l2:/dev/video2\"";
        for cameras in [&["/dev/video0", "/dev/video2"][..], &["/dev/video0"], &[]] {
            assert_eq!(camera(&[], cameras, before).unwrap(), "v4l2:/dev/video2", "{cameras:?}");
        }
        assert_eq!(camera(&["--camera", "v4l2:/dev/video0"], &[], before).unwrap(), "v4l2:/dev/video0");
        assert_eq!(camera(&[], &["/dev/video0"], "").unwrap(), "v4l2:auto");
        assert!(camera(&[], &[], "").is_err(), "there is none, and none was chosen");
    }

    #[test]
    fn a_broker_of_an_odd_name_is_not_offered() {
        let offered = |name: &str| {
            let (kind, host) = (mdns::BROKER.to_owned(), format!("{name}.local"));
            brokers(&[Offer { kind, host, port: 1883, addresses: Vec::new(), properties: BTreeMap::new() }])
        };
        assert_eq!(usable(offered("home")).collect::<Vec<_>>(), ["mqtt://home.local:1883"]);
        for odd in
            ["\u{1b}[2J\u{1b}[31mhome", "ho\u{9b}31mme", "my home", "home/x", "me:secret@home", "home\u{7f}", "home:1"]
        {
            assert_eq!(usable(offered(odd)).count(), 0, "{odd:?}");
        }
    }

    #[test]
    fn a_room_stays_until_another_or_none_is_said() {
        let before = Config::parse("[device]\nroom = \"Attic\"").unwrap();
        let room = |words: &[&str]| nobody().room(&wishes(words), &before).unwrap();
        assert_eq!([room(&[]), room(&["--room", "Hall"]), room(&["--room", ""])], ["Attic", "Hall", ""]);
    }

    #[test]
    fn the_box_is_heard_where_it_speaks() {
        let before = Config::parse("[mqtt]\nbase_topic = \"upstairs\"").unwrap();
        let topic = |words: &[&str], before: &Config| base_topic(&wishes(words).login, before);
        assert_eq!(topic(&[], &before), "upstairs");
        assert_eq!(topic(&["--base-topic", "attic"], &before), "attic");
        assert_eq!(topic(&[], &Config::default()), "moodbox");
    }
}
