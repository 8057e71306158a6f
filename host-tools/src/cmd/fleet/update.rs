//! `moodbox fleet update`: a package for all boxes, over the person's own SSH.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use serde_json::Map;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::runtime::Builder;
use tokio::time::{sleep, timeout};

use super::hosts::Host;
use super::{Boxes, Limits, round};
use crate::failure::Failure;
use crate::mqtt::Many;
use crate::ssh::{SSH_FAILED, explain, last_line};

/// What is done on each box.
const SCRIPT: &str = include_str!("update.sh");

/// Time between two looks at a box that restarts.
const PAUSE: Duration = Duration::from_secs(1);

/// Longest time until a box that was updated is back on the broker.
const BACK: Duration = Duration::from_secs(60);

/// Longest time that copying, installing and the package's own trial may take.
const WORK: Duration = Duration::from_secs(600);

/// The package, and which boxes.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox fleet update moodbox.deb --hosts boxes.txt --broker mqtt://broker.local")]
pub(crate) struct Arguments {
    /// The Debian package.
    #[arg(value_name = "DEB")]
    package: PathBuf,
    #[command(flatten)]
    boxes: Boxes,
    #[command(flatten)]
    limits: Limits,
    /// A configuration of ssh other than the person's own.
    #[arg(long, value_name = "FILE", hide = true)]
    ssh_config: Option<PathBuf>,
}

/// What goes to every box, and how.
struct Delivery {
    package: Vec<u8>,
    /// The command that a box runs.
    command: String,
    ssh_config: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, as_json: bool) -> Result<(), Failure> {
    let delivery = Arc::new(delivery(&arguments.package, arguments.ssh_config.clone())?);
    let Some(list) = &arguments.boxes.hosts else {
        return Err(anyhow!("--hosts must name a file that says where SSH finds each box").into());
    };
    let hosts = arguments.boxes.hosts()?;
    if let Some(host) = hosts.iter().find(|host| host.ssh.is_none()) {
        let (list, id) = (list.display(), host.id.as_str());
        return Err(anyhow!("{list}: {id}: ssh: is missing; write where SSH finds the box behind its id").into());
    }
    // What a bad package does to the first box it does to no other.
    let limits = Limits { one_first: true, ..arguments.limits };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let ends = runtime.block_on(async {
        let many = Many::open(&arguments.boxes.reach).await?;
        let update = |host: Host| update(many.clone(), host, Arc::clone(&delivery));
        let ends = round::each(hosts, limits, update).await;
        many.close().await;
        ends
    })?;
    round::show(&ends, as_json)
}

fn delivery(path: &Path, ssh_config: Option<PathBuf>) -> Result<Delivery, Failure> {
    let package = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    // An archive as `ar` makes it, which a Debian package is.
    if !package.starts_with(b"!<arch>\n") {
        return Err(anyhow!("{} is no Debian package", path.display()).into());
    }
    let command = format!("SUM={:x}\n{SCRIPT}", Sha256::digest(&package));
    Ok(Delivery { package, command, ssh_config })
}

async fn update(many: Many, host: Host, delivery: Arc<Delivery>) -> Result<String, Failure> {
    let id = host.id.as_str();
    let before = version(&many, id).await?;
    let installed = delivery.bring(host.ssh.as_deref().unwrap_or_default()).await?;
    // A package's version has a revision of the package behind it, and ~ where a program's has a dash.
    let wanted = installed.rsplit_once('-').map_or(&*installed, |(version, _)| version).replace('~', "-");
    let back = async {
        loop {
            if let Ok(found) = version(&many, id).await {
                return found;
            }
            sleep(PAUSE).await;
        }
    };
    match timeout(BACK, back).await {
        Ok(found) if found == wanted => Ok(format!("{before} -> {installed}")),
        Ok(found) => Err(Failure::Finding(anyhow!("{installed} was installed, and the box runs {found}"))),
        Err(_) => {
            let reason = anyhow!("{installed} was installed over {before}, and the box is not on the broker since");
            Err(Failure::NoAnswer(reason))
        }
    }
}

/// The version that a box runs.
async fn version(many: &Many, id: &str) -> Result<String, Failure> {
    let told = many.ask(id, "diagnose", Map::new()).await?;
    let version = told["diagnostics"]["version"].as_str().map(ToOwned::to_owned);
    version.ok_or_else(|| Failure::NoAnswer(anyhow!("it does not say its version yet")))
}

impl Delivery {
    /// Installs the package on a box without asking anybody for anything; its version.
    async fn bring(&self, host: &str) -> Result<String, Failure> {
        let mut ssh = Command::new("ssh");
        if let Some(config) = &self.ssh_config {
            ssh.arg("-F").arg(config);
        }
        ssh.args(["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=15"]);
        ssh.arg(host).arg(&self.command);
        ssh.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        // Ctrl-C is for us, who let it come to its end.
        #[cfg(unix)]
        ssh.process_group(0);
        let mut ssh = ssh.spawn().context("cannot start ssh; install OpenSSH's client")?;
        let stdin = ssh.stdin.take();
        let send = async {
            if let Some(mut stdin) = stdin {
                // Where the box takes no more of it, it says why.
                let _ = stdin.write_all(&self.package).await;
            }
        };
        let done = async { tokio::join!(send, ssh.wait_with_output()).1 };
        let minutes = WORK.as_secs() / 60;
        let late = || Failure::NoAnswer(anyhow!("it has not come to an end after {minutes} min; look there with ssh"));
        let output = timeout(WORK, done).await.map_err(|_| late())??;
        let [told, complaints] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
        match output.status.code() {
            Some(0) => Ok(last_line(&told).to_owned()),
            Some(SSH_FAILED) | None => Err(Failure::NoAnswer(anyhow!(explain(host, &complaints)))),
            Some(_) => Err(Failure::Finding(anyhow!("{}", last_line(&complaints)))),
        }
    }
}
