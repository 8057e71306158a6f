//! Where cameras lie in the file system.

use std::path::{Path, PathBuf};

/// All video nodes below `dev`, best first: by the names that udev keeps the same over a replug and a reboot, then in
/// the order of their numbers. A node is named once.
pub(super) fn video_nodes(dev: &Path) -> Vec<PathBuf> {
    let mut numbered = entries(dev);
    numbered.retain(|path| number(path).is_some());
    numbered.sort_by_key(|path| number(path));

    let mut nodes: Vec<PathBuf> = Vec::new();
    let mut targets: Vec<PathBuf> = Vec::new();
    for path in entries(&dev.join("v4l/by-id")).into_iter().chain(entries(&dev.join("v4l/by-path"))).chain(numbered) {
        // A name that leads nowhere is left over from a camera that has just gone.
        let Ok(target) = path.canonicalize() else { continue };
        if !targets.contains(&target) {
            targets.push(target);
            nodes.push(path);
        }
    }
    nodes
}

/// The N of `videoN`.
fn number(path: &Path) -> Option<u32> {
    path.file_name()?.to_str()?.strip_prefix("video")?.parse().ok()
}

/// What lies in a folder, sorted by name; nothing where there is no such folder.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = folder.read_dir() else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(dev: &Path) -> Vec<String> {
        video_nodes(dev).iter().map(|p| p.strip_prefix(dev).unwrap().display().to_string()).collect()
    }

    #[test]
    fn numbers_count_as_numbers() {
        let dev = tempfile::tempdir().unwrap();
        for name in ["video10", "video2", "video0", "videodev", "null"] {
            File::create(dev.path().join(name)).unwrap();
        }
        assert_eq!(names(dev.path()), ["video0", "video2", "video10"]);
    }

    #[test]
    fn lasting_names_come_first_and_hide_the_numbers_they_stand_for() {
        let dev = tempfile::tempdir().unwrap();
        let link = |folder: &str, name: &str, target: &str| {
            let folder = dev.path().join(folder);
            fs::create_dir_all(&folder).unwrap();
            symlink(Path::new("../..").join(target), folder.join(name)).unwrap();
        };
        for name in ["video0", "video1", "video2"] {
            File::create(dev.path().join(name)).unwrap();
        }
        link("v4l/by-id", "usb-Logitech_C270-video-index0", "video1");
        link("v4l/by-path", "pci-0000:00:14.0-usb-0:2:1.0-video-index0", "video1");
        link("v4l/by-path", "platform-fe00b840.codec-video-index0", "video0");
        link("v4l/by-id", "usb-Gone-video-index0", "video7");
        assert_eq!(
            names(dev.path()),
            ["v4l/by-id/usb-Logitech_C270-video-index0", "v4l/by-path/platform-fe00b840.codec-video-index0", "video2"]
        );
    }

    #[test]
    fn no_folder_is_no_camera() {
        assert!(video_nodes(Path::new("/nonexistent")).is_empty());
    }
}
