//! `moodbox`: what a person does with the box from their own computer.

mod cmd;
mod eval;
mod failure;
mod library;
mod mpd;
mod mqtt;
mod picture;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Set up, look into and try out a moodbox.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    /// Print JSON, for other programs.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Find the faces in pictures and read their expressions.
    Analyze(cmd::analyze::Arguments),
    /// Measure how fast pictures are analysed on this computer.
    Bench(cmd::bench::Arguments),
    /// Measure how well faces are found, expressions read and songs recommended, on data of your own.
    #[command(subcommand)]
    Eval(cmd::eval::Command),
    /// Rank songs for a mood, or for more of the same kind.
    Recommend(cmd::recommend::Arguments),
    /// Keep the songs that the box shall know.
    Library(cmd::library::Arguments),
    /// Play what a box recommends on a Music Player Daemon.
    Play(cmd::play::Arguments),
    /// Run the whole box on this computer, on a recording or a webcam.
    Demo(cmd::demo::Arguments),
    /// Teach a box how the face before it shows what it shows, in a guided minute.
    Calibrate(cmd::calibrate::Arguments),
    /// Take a box that is gone from its broker and from Home Assistant.
    Remove(cmd::remove::Arguments),
    /// Work with configuration files.
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Say whether a configuration file is valid, and if not, what is wrong on which line.
    Check {
        /// The file.
        file: PathBuf,
    },
}

fn main() -> ExitCode {
    let Arguments { json, command } = match moodboxd::usage::arguments() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let done = match command {
        Command::Analyze(arguments) => cmd::analyze::run(&arguments, json),
        Command::Bench(arguments) => cmd::bench::run(&arguments, json),
        Command::Eval(command) => cmd::eval::run(&command, json),
        Command::Recommend(arguments) => cmd::recommend::run(&arguments, json),
        Command::Library(arguments) => cmd::library::run(&arguments, json),
        Command::Play(arguments) => cmd::play::run(&arguments, json),
        Command::Demo(arguments) => cmd::demo::run(&arguments, json),
        Command::Calibrate(arguments) => cmd::calibrate::run(&arguments, json),
        Command::Remove(arguments) => cmd::remove::run(&arguments, json),
        Command::Config(ConfigCommand::Check { file }) => cmd::config::check(&file, json),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
