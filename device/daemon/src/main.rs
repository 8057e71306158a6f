//! `moodboxd`: the daemon. Arguments, log, configuration, exit code; everything else is the library's.

use std::fmt::Display;
use std::fs;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use moodbox_core::config::Config;
use moodboxd::run;
use moodboxd::usage::{self, Arguments};
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Exit codes that others rely on: the configuration is wrong, a required part cannot start, a mistake of ours.
const BAD_CONFIG: u8 = 2;
const CANNOT_START: u8 = 3;
const INTERNAL: u8 = 70;

fn main() -> ExitCode {
    let arguments: Arguments = match usage::arguments() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let filter = EnvFilter::try_from_env("MOODBOX_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_target(false).with_writer(std::io::stderr);
    // It would tell of a line that cannot be written by a line to stderr, and end in a panic.
    let log = log.log_internal_errors(false);
    log.with_ansi(std::io::stderr().is_terminal()).without_time().init();

    let config = match read(&arguments.config) {
        Ok(config) => config,
        // A disk that fails once may not the next time; the service is started again then.
        Err(error) if is_passing(&error) => return fail(CANNOT_START, format_args!("{error:#}")),
        Err(error) => return fail(BAD_CONFIG, format_args!("{error:#}")),
    };
    if arguments.check_config {
        // Whether anybody reads it changes nothing; the exit code says it too.
        let _ = writeln!(std::io::stdout(), "{}: ok", arguments.config.display());
        return ExitCode::SUCCESS;
    }
    let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(INTERNAL, error),
    };
    let live = || runtime.block_on(run::run(config, asked_to_stop(), None));
    let ended = panic::catch_unwind(AssertUnwindSafe(live));
    // A name that is being looked up is not waited for.
    runtime.shutdown_background();
    match ended {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => fail(CANNOT_START, error),
        // The line above says where.
        Err(_) => fail(INTERNAL, "a mistake of the program's own; please report the line above"),
    }
}

/// Whether a configuration may be read another time though it could not be read now.
fn is_passing(error: &anyhow::Error) -> bool {
    use ErrorKind::{InvalidData, IsADirectory, NotFound, PermissionDenied};
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|error| !matches!(error.kind(), NotFound | PermissionDenied | InvalidData | IsADirectory))
}

fn read(path: &Path) -> anyhow::Result<Config> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Config::parse(&text).with_context(|| path.display().to_string())
}

fn fail(code: u8, reason: impl Display) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "moodboxd: {reason}");
    ExitCode::from(code)
}

/// Ready when the process is asked to end.
async fn asked_to_stop() {
    let signals = signal(SignalKind::terminate()).and_then(|t| Ok((t, signal(SignalKind::interrupt())?)));
    match signals {
        Ok((mut terminate, mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        // Without handlers a signal ends the process by itself.
        Err(_) => std::future::pending().await,
    }
}
