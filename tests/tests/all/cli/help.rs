//! Every command explains itself on one screen, and what is made of the same definitions is there.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use super::{moodbox, typed};

/// A terminal that nobody has made larger.
const SCREEN: (usize, usize) = (80, 24);

/// Lines of the list of all commands, which are too many for that.
const OVERVIEW: usize = 40;

/// The help of each command, with the words that lead to it.
fn every_help() -> Vec<(Vec<String>, String)> {
    let mut helps = Vec::new();
    let mut open = vec![Vec::new()];
    while let Some(words) = open.pop() {
        let help = moodbox(&[&words[..], &["--help".to_owned()]].concat()).well();
        open.extend(commands(&help).into_iter().map(|name| [&words[..], &[name]].concat()));
        helps.push((words, help));
    }
    helps
}

/// The commands that a help lists.
fn commands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // What is further in goes on with the line before.
    let names = listed.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(ToOwned::to_owned).collect()
}

#[test]
fn each_command_explains_itself_on_one_screen_with_an_example() {
    let helps = every_help();
    assert!(helps.len() > 20, "{helps:#?}");
    for (words, help) in helps {
        let (width, screen) = SCREEN;
        let height = if words.is_empty() { OVERVIEW } else { screen };
        assert!(help.lines().count() <= height, "{words:?} takes {} lines:\n{help}", help.lines().count());
        let wide = help.lines().find(|line| line.chars().count() > width);
        // An example is there to be copied, and a broken line cannot be.
        assert!(wide.is_none_or(|line| line.starts_with("  moodbox ")), "{words:?}: {wide:?}");
        let example = help.split_once("Example:\n  moodbox ").unwrap_or_else(|| panic!("{words:?}:\n{help}")).1;
        assert!(words.len() < 2 || example.starts_with(&words.join(" ")), "{words:?}: {example}");
        let is_group = !commands(&help).is_empty();
        for option in example.split_whitespace().filter(|word| word.starts_with("--")) {
            assert!(is_group || help.contains(option), "{words:?} has no {option}");
        }
    }
}

#[test]
fn shells_take_the_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = typed(&format!("completions {shell}")).well();
        assert!(script.contains("recommend") && script.contains("policy"), "{shell}");
    }
    let script = typed("completions bash").well();
    let ask = r#"COMP_WORDS=(moodbox conf); COMP_CWORD=1; _moodbox moodbox conf moodbox; echo "${COMPREPLY[@]}""#;
    let answer = Command::new("bash").args(["-c", &format!("{script}\n{ask}")]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&answer.stdout), "config\n", "{}", String::from_utf8_lossy(&answer.stderr));
    assert!(typed("completions tcsh").refused(2).contains("possible values: bash, elvish, fish, powershell, zsh"));
}

#[test]
fn each_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("man1");
    assert_eq!(moodbox(&["man", "--out", out.to_str().unwrap()]).well(), "");
    let pages: BTreeSet<_> = fs::read_dir(&out).unwrap().map(|page| page.unwrap().file_name()).collect();
    for (words, _) in every_help() {
        let name = [&["moodbox".to_owned()], &words[..]].concat().join("-") + ".1";
        assert!(pages.contains(name.as_ref() as &std::ffi::OsStr), "{name} is not among {pages:?}");
    }
    let daemon = fs::read_to_string(out.join("moodboxd.1")).unwrap();
    assert!(daemon.contains("check\\-config") && daemon.contains("/etc/moodbox/moodbox.toml"), "{daemon}");
    let missing = fs::read_to_string(out.join("moodbox-config-check.1")).unwrap();
    assert!(missing.contains(".SH NAME") && missing.contains("moodbox config check moodbox.toml"), "{missing}");
    let line = moodbox(&["man", "--out", "/dev/null/x"]).refused(2);
    assert_eq!(line, "moodbox: cannot write manual pages to /dev/null/x: Not a directory (os error 20)");
}
