//! What `broker.sh` makes, keeps, renews and refuses.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::{script, succeeds};

#[test]
fn a_second_call_changes_nothing_and_a_box_can_be_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let all = || {
        let mut files = Vec::new();
        let mut folders = vec![here.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if entry.is_dir() {
                    folders.push(entry);
                } else {
                    files.push((entry.clone(), fs::read(entry).unwrap()));
                }
            }
        }
        files.sort();
        files
    };
    let calls = ["set-up home.local 192.0.2.7", "add-box hall", "add-box hall-2"];
    for call in calls {
        succeeds(here, &format!("--port 8884 {call}"));
    }
    let once = all();
    // Nor the port, where it is not said again.
    for call in calls {
        succeeds(here, call);
    }
    assert_eq!(all(), once);
    succeeds(here, "remove-box hall");
    let acl = fs::read_to_string(here.join("moodbox/acl")).unwrap();
    assert!(!acl.contains("moodbox/hall/") && acl.contains("moodbox/hall-2/cmd/+"), "{acl}");
    let passwords = fs::read_to_string(here.join("moodbox/passwords")).unwrap();
    assert!(!passwords.contains("hall:") && passwords.contains("hall-2:"), "{passwords}");
    // Readable by whom they are for alone; no password is printed, and none stands in a file as it is.
    for (path, content) in all() {
        let text = String::from_utf8_lossy(&content);
        if path.ends_with("admin.password") {
            assert!(!passwords.contains(text.trim()));
        }
    }
}

#[test]
fn a_mosquitto_that_is_in_use_is_left_alone() {
    for (file, lines, told) in [
        (
            "mosquitto.conf",
            "# Ours.\nlistener 1883\nallow_anonymous true\n",
            "line 2 of FOLDER/mosquitto.conf says \"listener 1883\"",
        ),
        (
            "conf.d/home.conf",
            "password_file /etc/mosquitto/passwd\n",
            "line 1 of FOLDER/conf.d/home.conf says \"password_file",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        let conf = here.join("conf.d");
        fs::create_dir(&conf).unwrap();
        fs::write(here.join("mosquitto.conf"), "include_dir conf.d\n# listener 1883\n").unwrap();
        fs::write(here.join(file), lines).unwrap();
        let output = script(here, "set-up localhost");
        let stderr = String::from_utf8(output.stderr).unwrap().replace(here.to_str().unwrap(), "FOLDER");
        assert_eq!((output.status.code(), stderr.lines().count()), (Some(1), 1), "{stderr}");
        assert!(stderr.contains(told) && stderr.ends_with("nothing was changed\n"), "{stderr}");
        assert!(!conf.join("moodbox.conf").exists() && !here.join("moodbox/ca.key").exists());
        fs::write(here.join(file), "# listener 1883\n").unwrap();
        succeeds(here, "set-up localhost");
        // Who has put them beside ours since has done so on purpose.
        fs::write(here.join(file), lines).unwrap();
        succeeds(here, "set-up localhost other");
    }
}

/// Runs openssl beside the certificates; whether it says yes.
fn openssl(folder: &Path, arguments: &str) -> bool {
    let mut command = Command::new("openssl");
    command.args(arguments.split_whitespace()).current_dir(folder.join("moodbox"));
    command.output().unwrap().status.success()
}

#[test]
fn an_authority_that_ends_is_renewed_and_outlives_what_it_signs() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let file = |name: &str| here.join("moodbox").join(name);
    let set_up = |host: &str| {
        let output = script(here, &format!("set-up {host}"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let age = |days: u32| assert!(openssl(here, &format!("x509 -in old-ca.pem -key ca.key -days {days} -out ca.pem")));
    set_up("home.local");
    succeeds(here, "add-box hall");
    for name in ["ca.pem", "server.pem"] {
        fs::copy(file(name), file(&format!("old-{name}"))).unwrap();
    }
    age(300);
    let told = set_up("home.local");
    assert!(told.contains("the authority was renewed") && told.contains(file("ca.pem").to_str().unwrap()), "{told}");
    assert!(openssl(here, "x509 -in ca.pem -noout -checkend 300000000"));
    assert_eq!(fs::read(file("boxes/hall/ca.pem")).unwrap(), fs::read(file("ca.pem")).unwrap());
    assert!(!set_up("other.local").contains("renewed"));
    // Who has the old one goes on, and so does what it signed.
    assert!(
        openssl(here, "verify -CAfile ca.pem old-server.pem") && openssl(here, "verify -CAfile old-ca.pem server.pem")
    );
    age(400);
    assert!(!set_up("home.local").contains("renewed"));
    assert!(!openssl(here, "x509 -in server.pem -noout -checkend 34560000"));
}

#[test]
fn a_set_up_that_was_cut_off_leaves_no_key_without_its_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let public = |arguments: &str| {
        let mut command = Command::new("openssl");
        command.args(arguments.split_whitespace()).current_dir(here.join("moodbox")).output().unwrap().stdout
    };
    succeeds(here, "set-up home.local");
    let key = || fs::read(here.join("moodbox/server.key")).unwrap();
    let before = key();
    // It does not come to the signature any more.
    let cut_off = here.join("openssl");
    fs::write(&cut_off, "#!/bin/sh\ncase $* in *' -req '*) exit 1 ;; esac\nPATH=/usr/bin exec openssl \"$@\"\n")
        .unwrap();
    fs::set_permissions(&cut_off, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(!script(here, "set-up other.local").status.success());
    assert_ne!(key(), before);
    fs::remove_file(cut_off).unwrap();
    succeeds(here, "set-up home.local");
    assert_eq!(public("pkey -in server.key -pubout"), public("x509 -in server.pem -noout -pubkey"));
}

#[test]
fn what_cannot_be_done_is_said_in_a_line() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, code, told) in [
        ("", 2, "broker: usage: "),
        ("add-box hall", 2, "broker: FOLDER/moodbox holds no broker yet; run set-up first"),
        ("set-up", 2, "broker: usage: "),
        ("set-up a;b", 2, "broker: \"a;b\" is no name or address of a host"),
        ("add-box Hall", 2, "broker: \"Hall\" is not the id of a box: "),
        ("add-box ../x", 2, "broker: \"../x\" is not the id of a box: "),
        ("add-box admin", 2, "broker: \"admin\" is a user of the broker; "),
        ("--port x set-up h", 2, "broker: \"x\" is no port"),
        ("sing", 2, "broker: usage: "),
    ] {
        let output = script(folder.path(), arguments);
        let stderr = String::from_utf8(output.stderr).unwrap().replace(folder.path().to_str().unwrap(), "FOLDER");
        assert_eq!((output.status.code(), stderr.lines().count()), (Some(code), 1), "{arguments}: {stderr}");
        assert!(stderr.starts_with(told), "{arguments}: {stderr}");
    }
}
