//! `moodbox fleet config push`: one file for all boxes.

use std::path::PathBuf;
use std::sync::Arc;

use moodbox_core::config::Config;
use tokio::runtime::Builder;

use super::hosts::Host;
use super::{Boxes, Limits, round};
use crate::cmd::config::{Change, change, read, wanted};
use crate::failure::Failure;
use crate::mqtt::Many;

/// The file, and which boxes.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox fleet config push moodbox.toml --broker mqtt://broker.local")]
pub(crate) struct Arguments {
    /// The file; keys that it does not name are left alone.
    file: PathBuf,
    #[command(flatten)]
    boxes: Boxes,
    #[command(flatten)]
    limits: Limits,
}

pub(super) fn run(arguments: &Arguments, as_json: bool) -> Result<(), Failure> {
    let file = Arc::new((arguments.file.clone(), read(&arguments.file)?));
    let hosts = arguments.boxes.hosts()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let ends = runtime.block_on(async {
        let many = Many::open(&arguments.boxes.reach).await?;
        let push = |host: Host| push(many.clone(), host, Arc::clone(&file));
        let ends = round::each(hosts, arguments.limits, push).await;
        many.close().await;
        ends
    })?;
    round::show(&ends, as_json)
}

async fn push(many: Many, host: Host, file: Arc<(PathBuf, (String, Config))>) -> Result<String, Failure> {
    let changed = change(&many, host.id.as_str(), |box_has| wanted(&file.0, &file.1, box_has)).await?;
    changed.map_or_else(|| Ok("has all of it already".to_owned()), Change::told)
}
