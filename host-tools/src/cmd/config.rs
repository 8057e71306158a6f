//! `moodbox config`: configurations, in files on this computer and on boxes.

mod apply;
mod change;
mod diff;
mod edit;
mod file;
mod target;
mod values;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use moodbox_core::config::reference;
use serde_json::{Value, json};
use tokio::runtime::Builder;

use crate::failure::Failure;
use crate::mqtt::{Address, Connection, Many};
pub(crate) use apply::{change, options};
pub(crate) use change::Change;
use change::Changes;
pub(crate) use diff::wanted;
pub(crate) use file::read;
use target::Target;
use values::Values;

/// What to do with a configuration.
#[derive(clap::Subcommand)]
#[command(after_help = "Example:\n  moodbox config check moodbox.toml")]
pub(crate) enum Command {
    /// Show what is set, in a file or on a box.
    Get(GetArguments),
    /// Set keys, in a file or on a box.
    Set(SetArguments),
    /// Edit a file; what is wrong in it is not left there.
    #[command(after_help = "Example:\n  moodbox config edit moodbox.toml")]
    Edit {
        /// The file, which is made where it is missing.
        file: PathBuf,
    },
    /// Say whether a file is valid, and if not, what is wrong on which line.
    #[command(after_help = "Example:\n  moodbox config check moodbox.toml")]
    Check {
        /// The file.
        file: PathBuf,
    },
    /// Show where a box differs from a file.
    #[command(after_help = "Example:\n  moodbox config diff moodbox.toml --broker mqtt://broker.local --id livingroom")]
    Diff(FileAndBox),
    /// Bring a box in line with a file; it takes back what it does not come up with.
    #[command(after_help = "Example:\n  moodbox config push moodbox.toml --broker mqtt://broker.local --id livingroom")]
    Push(FileAndBox),
    /// Print every key: what it does, default, unit, range and example.
    #[command(after_help = "Example:\n  moodbox config reference | less")]
    Reference,
}

/// What to show, and of what.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox config get mood --file moodbox.toml")]
pub(crate) struct GetArguments {
    /// A key, such as `mood.hold_s`, or a section; everything where it is left out.
    key: Option<String>,
    #[command(flatten)]
    target: Target,
}

/// What to set, and where.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox config set mood.hold_s=20 music.policy=lift --file moodbox.toml")]
pub(crate) struct SetArguments {
    /// Keys with their values; one without a value goes back to what it is without.
    #[arg(required = true, value_name = "KEY=VALUE")]
    settings: Vec<String>,
    #[command(flatten)]
    target: Target,
}

/// A file, and the box that it is compared with.
#[derive(clap::Args)]
pub(crate) struct FileAndBox {
    /// The file; keys that it does not name are left alone.
    file: PathBuf,
    #[command(flatten)]
    address: Address,
}

pub(crate) fn run(command: &Command, as_json: bool) -> Result<(), Failure> {
    match command {
        Command::Get(arguments) => get(arguments, as_json),
        Command::Set(arguments) => set(arguments, as_json),
        Command::Edit { file } => edit::run(file, as_json),
        Command::Check { file } => check(file, as_json),
        Command::Diff(arguments) => diff::run(arguments, as_json),
        Command::Push(arguments) => push(arguments, as_json),
        Command::Reference => reference(as_json),
    }
}

fn get(arguments: &GetArguments, as_json: bool) -> Result<(), Failure> {
    let all = match &arguments.target {
        Target::File(file) => values::of_config(&file::read(file)?.1)?,
        Target::Box(address) => of_box(&mut Connection::open(address)?)?,
    };
    let mut out = io::stdout().lock();
    let shown = values::below(&all, arguments.key.as_deref())?;
    if as_json {
        writeln!(out, "{}", json!(shown))?;
    } else if let Some(value) = arguments.key.as_ref().and_then(|key| all.get(key)) {
        writeln!(out, "{}", values::bare(value))?;
    } else {
        for (key, value) in shown {
            writeln!(out, "{key} = {}", values::toml(value))?;
        }
    }
    Ok(())
}

fn set(arguments: &SetArguments, as_json: bool) -> Result<(), Failure> {
    let changes = values::settings(&arguments.settings)?;
    match &arguments.target {
        Target::File(file) => {
            file::set(file, &changes)?;
            report(&json!({ "file": file, "set": changes }), &format!("{}: set", file.display()), as_json)
        }
        Target::Box(address) => on_box(address, as_json, |box_has| Changes::new(changes, box_has)),
    }
}

fn push(arguments: &FileAndBox, as_json: bool) -> Result<(), Failure> {
    let file = file::read(&arguments.file)?;
    on_box(&arguments.address, as_json, |box_has| wanted(&arguments.file, &file, box_has))
}

/// Sets on a box what `plan` makes of what it has, and says what became of it.
fn on_box(
    address: &Address,
    as_json: bool,
    plan: impl FnOnce(&Values) -> Result<Changes, Failure>,
) -> Result<(), Failure> {
    let id = address.id.as_str();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let changed = runtime.block_on(async {
        let many = Many::open(&address.reach).await?;
        let changed = change(&many, id, plan).await.map_err(|failure| failure.about(&format!("box {id}")));
        many.close().await;
        changed
    })?;
    let Some(changed) = changed else {
        return report(&json!({ "outcome": "same" }), "the box has all of this already", as_json);
    };
    let json = changed.json();
    let told = changed.told();
    if as_json {
        writeln!(io::stdout(), "{json}")?;
        return told.map(drop);
    }
    Ok(writeln!(io::stdout(), "{}", told?)?)
}

fn report(value: &Value, text: &str, as_json: bool) -> Result<(), Failure> {
    let text = if as_json { value.to_string() } else { text.to_owned() };
    Ok(writeln!(io::stdout(), "{text}")?)
}

/// All that a box goes by.
pub(crate) fn of_box(connection: &mut Connection) -> Result<Values, Failure> {
    let config = connection.ask("config.get", serde_json::Map::new())?;
    let config = config.map_err(|reason| Failure::Finding(anyhow!("the box refuses: {reason}")))?;
    Ok(values::flat(&config))
}

fn check(path: &Path, as_json: bool) -> Result<(), Failure> {
    let text = file::text(path)?;
    let checked = moodbox_core::config::Config::parse(&text);
    if as_json {
        let report = match &checked {
            Ok(_) => json!({ "file": path, "ok": true }),
            Err(e) => json!({ "file": path, "ok": false, "line": e.line, "key": e.key, "reason": e.reason }),
        };
        writeln!(io::stdout(), "{report}")?;
    } else if checked.is_ok() {
        writeln!(io::stdout(), "{}: ok", path.display())?;
    }
    match checked {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::Finding(anyhow!(error).context(path.display().to_string()))),
    }
}

fn reference(as_json: bool) -> Result<(), Failure> {
    if !as_json {
        return Ok(write!(io::stdout(), "{}", reference::page())?);
    }
    let keys = reference::keys().into_iter().map(|key| {
        json!({
            "key": key.name, "about": key.about, "default": key.default, "unit": key.unit, "range": key.range,
            "example": key.example, "settable": key.settable, "after_restart": key.after_restart,
        })
    });
    Ok(writeln!(io::stdout(), "{}", keys.collect::<Value>())?)
}
