//! What songs are called in a library, and what becomes of them where that changes.

use super::*;

#[test]
fn songs_are_named_as_players_name_them() {
    let person = Person::new();
    let music = person.music();
    fs::create_dir(music.join("Bj\u{f6}rk")).unwrap();
    fs::write(music.join("Bj\u{f6}rk/5 % [live].wav"), wav(&blip())).unwrap();
    let encoded = "Bj%C3%B6rk/5%20%25%20%5Blive%5D.wav";
    for (player, uri) in [
        ("file", format!("file://{}/{encoded}", music.display())),
        ("mpd", "Bj\u{f6}rk/5 % [live].wav".to_owned()),
        ("mopidy", format!("local:track:{encoded}")),
        ("music-assistant", "filesystem_local://track/Bj\u{f6}rk/5 % [live].wav".to_owned()),
    ] {
        let library = person.folder().join(player).display().to_string();
        person.scan(&["--names", player, "--library", &library]);
        assert_eq!(person.types(&["library", "list", "--json", "--library", &library]).json()[0]["uri"], uri);
        // In a library that had another name for it, the song does not stand twice.
        person.scan(&["--names", player]);
        let songs: Vec<_> = person.songs().iter().map(|song| song["uri"].clone()).collect();
        assert_eq!(songs, [json!(uri)]);
    }
}

#[test]
fn a_folder_that_has_moved_is_forgotten() {
    let person = Person::new();
    let music = person.music();
    for folder in ["old", "old 2"] {
        fs::create_dir(music.join(folder)).unwrap();
        fs::write(music.join(folder).join("a.wav"), wav(&blip())).unwrap();
    }
    let playlist = file(person.folder(), "more.m3u", "Bob - Second.mp3\n");
    person.types(&["library", "import", &playlist]).well();
    person.scan(&[]);
    fs::rename(music.join("old"), person.folder().join("new")).unwrap();
    let old = format!("{}/", music.join("old").display());
    let report = &person.types(&["library", "forget", &old, "--json"]).json()[0];
    assert_eq!((&report["forgotten"], &report["tracks"]), (&json!(1), &json!(2)));
    let told = person.types(&["library", "forget", &old]).refused(2);
    let library = person.library().display().to_string();
    assert_eq!(
        told,
        format!("moodbox: no song of {library} has a uri that begins with {old:?}, or a file below such a folder")
    );
    let told = person.types(&["library", "forget", "Bob"]).well();
    assert_eq!(told, format!("1 song forgotten\n{library}: 1 song\n"));
    assert!(person.songs()[0]["uri"].as_str().unwrap().ends_with("/old%202/a.wav"));
    assert_eq!(person.types(&["library", "forget", ""]).code, Some(2));
}

#[test]
fn a_song_takes_what_is_known_of_it_along_to_its_new_name() {
    let person = Person::new();
    let music = person.music();
    let ada = |title: &str| tagged_wav(&blip(), &[("TIT2", title), ("TPE1", "Ada")]);
    fs::write(music.join("01.wav"), ada("Tone")).unwrap();
    fs::write(music.join("02.wav"), ada("Second")).unwrap();
    let ratings = file(person.folder(), "ratings.csv", "uri,title,artist,valence,arousal\n01.wav,tone,ADA,-0.5,0.75\n");
    // A playlist knows no more of a song than the name of its file.
    let playlist = file(person.folder(), "all.m3u", "02.wav\n");
    person.types(&["library", "import", &ratings, &playlist]).well();
    assert_eq!(person.scan(&[]).json()[0]["gone"], 2);
    assert_eq!(person.uris(), ["01", "02"].map(|name| format!("file://{}/{name}.wav", music.display())));
    let rated = person.song("Tone");
    let told = ["source", "valence", "arousal", "confidence"].map(|key| &rated[key]);
    assert_eq!(told, [&json!("table"), &json!(-0.5), &json!(0.75), &json!(0.5)]);
    // The address of a file says which it is, whatever it was called before.
    fs::write(music.join("01.wav"), ada("Corrected")).unwrap();
    person.scan(&["--names", "mpd"]);
    assert_eq!(person.uris(), ["01.wav", "02.wav"]);
    assert_eq!(person.song("Corrected")["source"], "table");
}

#[test]
fn a_song_from_elsewhere_by_the_same_name_stays() {
    let person = Person::new();
    let (music, drive) = (person.music(), person.folder().join("drive"));
    for (folder, title) in [(&music, "Here"), (&drive, "There")] {
        fs::create_dir_all(folder.join("Queen")).unwrap();
        let song = tagged_wav(&blip(), &[("TIT2", title), ("TPE1", "Queen")]);
        fs::write(folder.join("Queen/01.wav"), song).unwrap();
    }
    person.scan(&["--names", "mpd"]);
    let report = &person.types(&["library", "scan", drive.to_str().unwrap(), "--json"]).json()[0];
    assert_eq!((&report["gone"], &report["tracks"]), (&json!(0), &json!(2)));
    assert_eq!(person.song("Here")["uri"], "Queen/01.wav");
    assert!(person.song("There")["uri"].as_str().unwrap().ends_with("/drive/Queen/01.wav"));
}

#[test]
fn songs_of_a_folder_that_a_link_leads_to_stand_once_by_the_folders_own_name() {
    let person = Person::new();
    let music = person.music();
    fs::create_dir(music.join("Rock")).unwrap();
    for name in ["a", "b"] {
        fs::write(music.join(format!("Rock/{name}.wav")), wav(&blip())).unwrap();
    }
    person.scan(&[]);
    let songs = person.songs();
    assert_eq!(person.uris(), ["a", "b"].map(|name| format!("file://{}/Rock/{name}.wav", music.display())));
    symlink("Rock", music.join("0-favourites")).unwrap();
    // As of a scan that had found it by the link.
    let listed = format!("file://{}/0-favourites/a.wav\n", music.display());
    person.types(&["library", "import", &file(person.folder(), "all.m3u", listed)]).well();
    let report = &person.scan(&[]).json()[0];
    let counts = ["found", "read", "gone"].map(|key| &report[key]);
    assert_eq!((person.songs(), counts), (songs, [&json!(2), &json!(0), &json!(1)]));
}

#[test]
fn names_that_begin_with_several_dots_are_music() {
    let person = Person::new();
    let music = person.music();
    for folder in ["...And", ".hidden"] {
        fs::create_dir(music.join(folder)).unwrap();
        for name in ["...Baby.wav", "..a.wav", ".b.wav"] {
            fs::write(music.join(folder).join(name), wav(&blip())).unwrap();
        }
    }
    person.scan(&["--names", "mpd"]);
    assert_eq!(person.uris(), ["...And/...Baby.wav", "...And/..a.wav"]);
}

#[test]
fn a_rating_outlives_a_scan_which_adds_what_it_finds() {
    let person = Person::new();
    let music = person.music();
    fs::write(music.join("01.wav"), tagged_wav(&blip(), &[("TIT2", "Tone"), ("TCON", "Ambient")])).unwrap();
    let ratings =
        file(person.folder(), "ratings.csv", "uri,title,artist,valence,arousal\n01.wav,Rated,Ada,-0.5,0.75\n");
    person.types(&["library", "import", &ratings]).well();
    for more in [&["--names", "mpd"][..], &["--names", "mpd", "--listen"]] {
        person.scan(more);
        let songs = person.songs();
        let told = ["artist", "source", "valence", "arousal", "confidence", "genres"].map(|key| &songs[0][key]);
        let expected = [&json!("Ada"), &json!("table"), &json!(-0.5), &json!(0.75), &json!(0.5), &json!(["Ambient"])];
        assert_eq!((songs.len(), told), (1, expected));
    }
    assert!(person.songs()[0]["timbre"].is_array());
}
