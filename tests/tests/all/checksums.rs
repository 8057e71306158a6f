//! The checksums of packages, and their signature, with a key that only this test has.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use moodbox_tests::programs::repository;
use tempfile::TempDir;

const KEY: &str = "test@example.org";

/// A folder with a package, and the keys of somebody who signs.
struct Release {
    packages: TempDir,
    keys: TempDir,
}

impl Release {
    fn new() -> Self {
        let release = Self { packages: tempfile::tempdir().unwrap(), keys: tempfile::tempdir().unwrap() };
        fs::write(release.packages.path().join("box_1_arm64.deb"), "a package").unwrap();
        let made = release.run("gpg", &["--batch", "--passphrase", "", "--quick-generate-key", KEY, "ed25519", "sign"]);
        assert!(made.success());
        release
    }

    fn run(&self, program: impl AsRef<Path>, arguments: &[&str]) -> ExitStatus {
        let mut command = Command::new(program.as_ref());
        command
            .args(arguments)
            .current_dir(&self.packages)
            .env("GNUPGHOME", self.keys.path())
            .env_remove("SIGNING_KEY");
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap()
    }

    /// Writes the checksums; the key is none where it is empty, as `make deb` hands it on.
    fn checksums(&self, key: &str) -> ExitStatus {
        let script = repository().canonicalize().unwrap().join("deploy/checksums.sh");
        self.run("env", &[&format!("SIGNING_KEY={key}"), script.to_str().unwrap(), "."])
    }

    /// What the README tells people to do.
    fn is_genuine(&self) -> bool {
        self.run("sh", &["-c", "gpg --verify SHA256SUMS.asc SHA256SUMS && sha256sum --check SHA256SUMS"]).success()
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        // What gpg has started in the folder of the keys.
        self.run("gpgconf", &["--kill", "all"]);
    }
}

#[test]
fn signed_checksums_are_those_of_the_packages_and_no_others() {
    let release = Release::new();
    assert!(release.checksums(KEY).success());
    assert!(release.is_genuine());

    let package = release.packages.path().join("box_1_arm64.deb");
    fs::write(&package, "another package").unwrap();
    assert!(!release.is_genuine(), "of another package");
    release.run("sh", &["-c", "sha256sum -- *.deb >SHA256SUMS"]);
    assert!(!release.is_genuine(), "of another package, with its checksum");

    assert!(release.checksums("").success());
    assert!(!release.packages.path().join("SHA256SUMS.asc").exists(), "nobody has signed these");
    assert!(release.run("sha256sum", &["--check", "SHA256SUMS"]).success());
    assert!(!release.checksums("nobody@example.org").success());
}
