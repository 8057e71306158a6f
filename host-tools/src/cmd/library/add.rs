//! `moodbox library scan` and `import`: more songs for the library.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, anyhow};
use indicatif::{ProgressBar, ProgressStyle};
use moodbox_core::music::{Catalogue, ImportError};
use serde_json::json;
use signal_hook::consts::SIGINT;

use super::counted;
use crate::failure::{Failure, tell};
use crate::library::Library;
use crate::library::names::{Names, absolute};
use crate::library::place::Places;
use crate::library::scan::{Scan, Scanned};

/// What to scan.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox library scan ~/Music --listen")]
pub(super) struct ScanArguments {
    /// The folder, with all folders below it.
    folder: PathBuf,
    /// Listen to the files too; takes about a second for each.
    #[arg(long)]
    listen: bool,
    /// How players call the songs: by URI, by path below the folder, or as theirs do.
    #[arg(long, value_enum, default_value = "file", value_name = "PLAYER")]
    names: Names,
}

/// What to import.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox library import liked_songs.csv evening.m3u8")]
pub(super) struct ImportArguments {
    /// The files; what is in them decides how they are read.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(super) fn scan(library: &Library, arguments: &ScanArguments, json: bool) -> Result<(), Failure> {
    let folder = absolute(&arguments.folder).with_context(|| format!("cannot read {}", arguments.folder.display()))?;
    if !folder.is_dir() {
        return Err(anyhow!("{} is no folder; import reads single files", arguments.folder.display()).into());
    }
    let stop = Arc::new(AtomicBool::new(false));
    // The second Ctrl-C ends at once, as ever.
    signal_hook::flag::register_conditional_shutdown(SIGINT, 130, Arc::clone(&stop))?;
    signal_hook::flag::register(SIGINT, Arc::clone(&stop))?;
    let bar = ProgressBar::new(0).with_style(style());
    let progress = |done: usize, all: Option<usize>| {
        if let Some(all) = all {
            bar.set_length(all as u64);
        }
        bar.set_position(done as u64);
    };
    let scan = Scan { folder: &folder, listen: arguments.listen, names: arguments.names, stop: &stop };
    let scanned = scan.run(progress);
    bar.finish_and_clear();
    let Scanned { tracks, complaints, gone, renames, read, stopped } = scanned?;
    let (found, useless) = (tracks.len(), complaints.len());
    // A scan may take hours, in which songs were imported and forgotten elsewhere.
    let mut library = Library::open(Some(library.path()))?;
    let lost = library.add_scanned(tracks, gone, renames);
    library.keep()?;

    for complaint in &complaints {
        tell(format_args!("moodbox: {}: {}", complaint.path.display(), complaint.reason));
    }
    let mut out = io::stdout().lock();
    if json {
        let complaints: Vec<_> = complaints
            .iter()
            .map(|complaint| json!({ "path": complaint.path.to_string_lossy(), "reason": complaint.reason }))
            .collect();
        let report = json!({
            "folder": folder.to_string_lossy(), "found": found, "read": read, "gone": lost, "stopped": stopped,
            "complaints": complaints, "library": library.path().to_string_lossy(), "tracks": library.tracks().len(),
        });
        writeln!(out, "{report}")?;
    } else {
        let lost = if lost == 0 { String::new() } else { format!(", {lost} gone") };
        let (found, read) = (counted(found, "song"), counted(read, "file"));
        writeln!(out, "{}: {found}, {read} read{lost}", folder.display())?;
        writeln!(out, "{}: {}", library.path().display(), counted(library.tracks().len(), "song"))?;
    }
    if stopped {
        return Err(Failure::Finding(anyhow!("stopped; what was read is kept, scan again to go on")));
    }
    match (useless, found) {
        (0, 0) => Err(Failure::Finding(anyhow!("there are no sound files in {}", folder.display()))),
        (0, _) => Ok(()),
        _ => Err(Failure::Finding(anyhow!("{}, named above", counted(useless, "problem")))),
    }
}

fn style() -> ProgressStyle {
    let template = "{bar:30} {pos} of {len} files, {per_sec}, {eta} left";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

pub(super) fn import(library: &mut Library, arguments: &ImportArguments, json: bool) -> Result<(), Failure> {
    let places = Places::new();
    let (mut problems, mut reports) = (0, Vec::new());
    for path in &arguments.files {
        let complain = |reason: &str| tell(format_args!("moodbox: {}: {reason}", path.display()));
        let imported = match fs::read(path).map_err(|error| format!("cannot be read: {error}")) {
            Ok(bytes) => Catalogue::import(&bytes).or_else(|error| match error {
                // Each of its rows is named below.
                ImportError::NoTrack(rejected) if !rejected.is_empty() => {
                    Ok(moodbox_core::music::Import { catalogue: Catalogue::default(), rejected })
                }
                error => Err(error.to_string()),
            }),
            Err(reason) => Err(reason),
        };
        match imported {
            Ok(import) => {
                import.rejected.iter().for_each(|rejected| complain(&rejected.to_string()));
                problems += import.rejected.len();
                let mut tracks = import.catalogue.tracks().to_vec();
                for track in &mut tracks {
                    places.put(track);
                }
                let rejected: Vec<_> =
                    import.rejected.iter().map(|entry| json!({ "line": entry.line, "reason": entry.reason })).collect();
                reports.push((path, tracks.len(), json!({ "rejected": rejected })));
                library.add_listed(tracks);
            }
            Err(reason) => {
                complain(&reason);
                problems += 1;
                reports.push((path, 0, json!({ "error": reason })));
            }
        }
    }
    if reports.iter().any(|(_, tracks, _)| *tracks > 0) {
        library.keep()?;
    }
    let mut out = io::stdout().lock();
    for (path, tracks, mut more) in reports {
        if json {
            more["file"] = path.to_string_lossy().into();
            more["tracks"] = tracks.into();
            writeln!(out, "{more}")?;
        } else {
            writeln!(out, "{}: {}", path.display(), counted(tracks, "song"))?;
        }
    }
    if !json {
        writeln!(out, "{}: {}", library.path().display(), counted(library.tracks().len(), "song"))?;
    }
    match problems {
        0 => Ok(()),
        _ => Err(Failure::Finding(anyhow!("{}, named above", counted(problems, "problem")))),
    }
}
