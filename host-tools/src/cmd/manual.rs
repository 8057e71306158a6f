//! `moodbox completions` and `moodbox man`: what other programs make of the definitions of the commands.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Command, CommandFactory};
use clap_complete::Shell;

use crate::failure::Failure;

/// For which shell.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox completions bash > ~/.local/share/bash-completion/completions/moodbox")]
pub(crate) struct CompletionsArguments {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Where to.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox man --out /usr/share/man/man1")]
pub(crate) struct ManArguments {
    /// The folder, which is made where it is missing.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

pub(crate) fn completions(mut tool: Command, arguments: &CompletionsArguments) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut tool, "moodbox", &mut script);
    Ok(io::stdout().write_all(&script)?)
}

pub(crate) fn man(tool: Command, arguments: &ManArguments) -> Result<(), Failure> {
    let folder = &arguments.out;
    let write = || {
        fs::create_dir_all(folder)?;
        pages(tool, folder)?;
        pages(moodboxd::usage::Arguments::command(), folder)
    };
    write().with_context(|| format!("cannot write manual pages to {}", folder.display()))?;
    Ok(())
}

/// A page for a program and one for each of its commands, such as `moodbox-config-check.1`.
fn pages(program: Command, folder: &Path) -> io::Result<()> {
    clap_mangen::generate_to(program.disable_help_subcommand(true), folder)
}
