//! `moodbox`: what a person does with the box from their own computer.

mod cmd;
mod document;
mod ending;
#[cfg(feature = "vision")]
mod eval;
mod failure;
mod library;
mod light;
mod mdns;
mod mpd;
mod mqtt;
#[cfg(feature = "vision")]
mod picture;
mod plain;
mod song;
mod ssh;
mod tui;
mod web;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// Set up, look into and try out a moodbox.
#[derive(Parser)]
#[command(version, arg_required_else_help = true, max_term_width = 80, after_help = "Example:\n  moodbox demo")]
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
    #[cfg(feature = "vision")]
    Analyze(cmd::analyze::Arguments),
    /// Measure how fast pictures are analysed on this computer.
    #[cfg(feature = "vision")]
    Bench(cmd::bench::Arguments),
    /// Measure how well it finds, reads and recommends, on data of your own.
    #[cfg(feature = "vision")]
    #[command(subcommand)]
    Eval(cmd::eval::Command),
    /// Rank songs for a mood, or for more of the same kind.
    Recommend(cmd::recommend::Arguments),
    /// Keep the songs that the box shall know.
    Library(cmd::library::Arguments),
    /// Play what a box recommends on a Music Player Daemon.
    Play(cmd::play::Arguments),
    /// Show the boxes of a broker on a page in the browser.
    Ui(cmd::ui::Arguments),
    /// Watch a box: faces as outlines, the mood, the light, the songs and why.
    Watch(cmd::watch::Arguments),
    /// Run the whole box on this computer, on a recording or a webcam.
    #[cfg(feature = "vision")]
    Demo(cmd::demo::Arguments),
    /// Make a box of a machine with a camera, over SSH or on its SD card.
    Setup(Box<cmd::setup::Arguments>),
    /// Say what is wrong with a box, and what mends it.
    Doctor(cmd::doctor::Arguments),
    /// Show what a box has written to its journal.
    Logs(cmd::logs::Arguments),
    /// Find the boxes of the network and of a broker.
    Discover(cmd::discover::Arguments),
    /// Teach a box how one face shows what it shows, in a guided minute.
    Calibrate(cmd::calibrate::Arguments),
    /// Show what the mood of a room was, day by day.
    History(cmd::history::Arguments),
    /// Show what a box sees, to mount it: a page here, for two minutes.
    Aim(cmd::aim::Arguments),
    /// Take a box that is gone from its broker and from Home Assistant.
    Remove(cmd::remove::Arguments),
    /// Read, check and change configurations: of files, and of boxes.
    #[command(subcommand)]
    Config(cmd::config::Command),
    /// Look after many boxes at once.
    #[command(subcommand)]
    Fleet(cmd::fleet::Command),
    /// Print what lets a shell complete commands and options.
    Completions(cmd::manual::CompletionsArguments),
    /// Write the manual pages of moodbox and moodboxd.
    #[command(hide = true)]
    Man(cmd::manual::ManArguments),
}

fn main() -> ExitCode {
    let Arguments { json, command } = match moodboxd::usage::arguments() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let done = match command {
        #[cfg(feature = "vision")]
        Command::Analyze(arguments) => cmd::analyze::run(&arguments, json),
        #[cfg(feature = "vision")]
        Command::Bench(arguments) => cmd::bench::run(&arguments, json),
        #[cfg(feature = "vision")]
        Command::Eval(command) => cmd::eval::run(&command, json),
        Command::Recommend(arguments) => cmd::recommend::run(&arguments, json),
        Command::Library(arguments) => cmd::library::run(&arguments, json),
        Command::Play(arguments) => cmd::play::run(&arguments, json),
        Command::Ui(arguments) => cmd::ui::run(&arguments, json),
        Command::Watch(arguments) => cmd::watch::run(&arguments, json),
        #[cfg(feature = "vision")]
        Command::Demo(arguments) => cmd::demo::run(&arguments, json),
        Command::Setup(arguments) => cmd::setup::run(&arguments, json),
        Command::Doctor(arguments) => cmd::doctor::run(&arguments, json),
        Command::Logs(arguments) => cmd::logs::run(&arguments, json),
        Command::Discover(arguments) => cmd::discover::run(&arguments, json),
        Command::Calibrate(arguments) => cmd::calibrate::run(&arguments, json),
        Command::History(arguments) => cmd::history::run(&arguments, json),
        Command::Aim(arguments) => cmd::aim::run(&arguments, json),
        Command::Remove(arguments) => cmd::remove::run(&arguments, json),
        Command::Config(command) => cmd::config::run(&command, json),
        Command::Fleet(command) => cmd::fleet::run(&command, json),
        Command::Completions(arguments) => cmd::manual::completions(Arguments::command(), &arguments),
        Command::Man(arguments) => cmd::manual::man(Arguments::command(), &arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
