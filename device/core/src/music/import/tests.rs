use proptest::prelude::*;

use super::*;
use crate::music::{Mode, Source};

const HEADER: &str = "uri,title,artist,album,year,genres,valence,arousal,tempo,mode,source,confidence\n";

/// The rejected entries as a person sees them.
fn rejected(file: impl AsRef<[u8]>) -> Vec<String> {
    let rejected = match Catalogue::import(file.as_ref()) {
        Ok(import) => import.rejected,
        Err(ImportError::NoTrack(rejected)) => rejected,
        Err(error) => panic!("{error}"),
    };
    rejected.iter().map(Rejected::to_string).collect()
}

/// The uris of the good entries.
fn kept(file: impl AsRef<[u8]>) -> Vec<String> {
    let import = Catalogue::import(file.as_ref()).unwrap();
    import.catalogue.tracks().iter().map(|track| track.uri.clone()).collect()
}

#[test]
fn a_full_csv_row_is_read() {
    let file = format!(
        "{HEADER}local:track:a.flac,\"Hello, \"\"You\"\"\",Ada,First,1971,folk rock; Singer-Songwriter,-0.25,0.5,120.5,minor,ours,0.4\n"
    );
    let import = Catalogue::import(file.as_bytes()).unwrap();
    assert_eq!(import.rejected, []);
    let expected = Track {
        uri: "local:track:a.flac".to_owned(),
        title: "Hello, \"You\"".to_owned(),
        artist: "Ada".to_owned(),
        album: "First".to_owned(),
        year: Some(1971),
        genres: vec!["folk rock".to_owned(), "Singer-Songwriter".to_owned()],
        affect: crate::affect::Affect::new(-0.25, 0.5),
        tempo: Some(120.5),
        mode: Some(Mode::Minor),
        confidence: 0.4,
        ..Track::default()
    };
    assert_eq!(import.catalogue.tracks(), [expected]);
}

#[test]
fn a_recording_is_known_by_its_codes() {
    let file = "uri,title,artist,valence,arousal,mbid,isrc,tags,source\n\
        u:1,T,A,0,0,F4A31F0A-51DD-4FA7-986D-3095C40C5ED9,us-rc1-76-07839,calm; late night,Tags\n\
        u:2,T,B,0,0,f4a31f0a,12345,,my ears\n";
    let import = Catalogue::import(file.as_bytes()).unwrap();
    assert_eq!(import.rejected, []);
    let [whole, vague] = import.catalogue.tracks() else { panic!("two tracks") };
    assert_eq!(whole.mbid.as_deref(), Some("f4a31f0a-51dd-4fa7-986d-3095c40c5ed9"));
    assert_eq!(whole.isrc.as_deref(), Some("USRC17607839"));
    assert_eq!((&whole.tags[..], whole.source), (&["calm".to_owned(), "late night".to_owned()][..], Source::Tags));
    assert_eq!((&vague.mbid, &vague.isrc, vague.source), (&None, &None, Source::Table));
}

#[test]
fn columns_may_come_in_any_order_and_others_are_ignored() {
    let file = "\u{feff}Arousal,  Title,stars,URI,artist,Valence\r\n0.1,T,5,u:1,A,0.2\r\n";
    let import = Catalogue::import(file.as_bytes()).unwrap();
    assert_eq!(import.rejected, []);
    let track = &import.catalogue.tracks()[0];
    assert_eq!((track.affect.valence, track.affect.arousal, track.confidence), (0.2, 0.1, 0.5));
    assert_eq!((track.genres.len(), track.year, track.tempo, track.mode), (0, None, None, None));
}

#[test]
fn bad_rows_are_named_by_line_and_cost_no_other() {
    let mut file = HEADER.as_bytes().to_vec();
    file.extend_from_slice(
        b"u:2,T,A,,,,0,0,,,,\n\
        u:3,,A,,,,0,0,,,,\n\
        \n\
        u:5,T,A,,,,1.2,0,,,,\n\
        u:6,T,A,,,,NaN,0,,,,\n\
        u:7,T,A,,,,0,,,,,\n\
        u:8,T,A,,,,0,loud,,,,\n\
        u:9,T,A,,,,0,0,,,\n\
        u:10,T,A,,,,0,0,,,,,\n\
        u:11,\xffT,A,,,,0,0,,,,\n\
        u:2,Other,A,,,,0,0,,,,\n\
        u:13,T,A,,soon,,0,0,,,,\n\
        u:14,T,A,,,,0,0,5,,,\n\
        u:15,T,A,,,,0,0,,dorian,,\n\
        u:16,T,A,,,,0,0,,,,2\n\
        u:17,T,A,,,a;b;c;d;e;f;g;h;i;j;k;l;m;n;o;p;q,0,0,,,,\n\
        u:18,T,A,,,,0,0,,,,\n",
    );
    file.extend_from_slice(format!("u:19,{},A,,,,0,0,,,,\n", "T".repeat(4097)).as_bytes());
    assert_eq!(kept(&file), ["u:2", "u:18"]);
    assert_eq!(
        rejected(&file),
        [
            "line 3: title is missing",
            "line 5: valence 1.2 is outside -1..1",
            "line 6: valence NaN is outside -1..1",
            "line 7: arousal is missing",
            "line 8: arousal \"loud\" is not a number",
            "line 9: has 11 columns, the first line has 12",
            "line 10: has 13 columns, the first line has 12",
            "line 11: title is not UTF-8",
            "line 12: uri \"u:2\" is already on line 2",
            "line 13: year \"soon\" is not a year",
            "line 14: tempo 5 is outside 20..400",
            "line 15: mode \"dorian\" is neither major nor minor",
            "line 16: confidence 2 is outside 0..1",
            "line 17: 17 genres are more than 16",
            "line 19: title is longer than 4096 bytes",
        ]
    );
}

#[test]
fn songs_are_kept_with_genres_that_come_again_and_without_a_year() {
    let many = "rock;Rock;rock;a;b;c;d;e;f;g;h;i;j;k;l;m;n;a;b";
    let import = Catalogue::import(format!("{HEADER}u:2,T,A,,0000,{many},0,0,,,,\n").as_bytes()).unwrap();
    assert_eq!(import.rejected, []);
    let track = &import.catalogue.tracks()[0];
    assert_eq!(track.year, None);
    assert_eq!(track.genres.join(";"), "rock;Rock;a;b;c;d;e;f;g;h;i;j;k;l;m;n");
}

#[test]
fn an_open_quote_costs_one_row() {
    let file = format!("{HEADER}u:2,\"T,A,,,,0,0,,,,\nu:3,T,A,,,,0,0,,,,\nu:4,T,A,,,,9,0,,,,\n");
    assert_eq!(kept(&file), ["u:3"]);
    assert_eq!(rejected(&file), ["line 2: a quote is opened and not closed", "line 4: valence 9 is outside -1..1"]);
}

#[test]
fn a_quoted_line_break_becomes_a_space_and_lines_still_count() {
    let file = format!("{HEADER}\nu:3,\"One\n\nTwo\x1b[31m\",A,,,,0,0,,,,\n\nu:7,,A,,,,0,0,,,,\n");
    let import = Catalogue::import(file.as_bytes()).unwrap();
    assert_eq!(import.catalogue.tracks()[0].title, "One Two [31m");
    assert_eq!(rejected(&file), ["line 7: title is missing"]);
}

#[test]
fn a_list_of_objects_is_read() {
    let file = r#" [
        {"uri": "u:1", "title": 1999, "artist": "A", "genres": ["funk", "pop"], "valence": 0.9, "arousal": 0.7, "mbid": "x"},
        {"uri": "u:2", "title": "T", "artist": "B", "valence": -1, "arousal": 1, "tempo": null, "images": [{"w": 1}]}
    ]"#;
    let import = Catalogue::import(file.as_bytes()).unwrap();
    assert_eq!(import.rejected, []);
    let tracks = import.catalogue.tracks();
    assert_eq!((tracks[0].title.as_str(), tracks[0].genres.len()), ("1999", 2));
    assert_eq!((tracks[1].affect.valence, tracks[1].affect.arousal), (-1.0, 1.0));
}

#[test]
fn bad_objects_are_named_by_line_and_cost_no_other() {
    let file = b"[{\"uri\":\"u:1\",\"title\":\"a, {b}] \\\" c\",\"artist\":\"A\",\"valence\":0,\"arousal\":0},\n\
        {\"uri\":\"u:2\",\"title\":\"T\",\"artist\":\"A\",\"valence\":NaN,\"arousal\":0},\n\
        {\"uri\":\"u:3\",\"title\":\"T\",\"artist\":\"A\",\"valence\":\"high\",\"arousal\":0},\n\
        {\"uri\":\"u:4\",\"title\":\"T\n,\"artist\":\"A\",\"valence\":0,\"arousal\":0},\n\
        {\"uri\":\"u:6\",\"title\":{},\"artist\":\"A\",\"valence\":0,\"arousal\":0},\n\
        {\"uri\":\"u:7\",\"title\":\"\xff\",\"artist\":\"A\",\"valence\":0,\"arousal\":0},\n\
        7,\n\
        {\"uri\":\"u:9\",\"title\":\"T\",\"artist\":\"A\",\"valence\":0,\"arousal\":0,\"genres\":[1]},\n\
        {\"uri\":\"u:10\",\"title\":\"T\",\"artist\":\"A\",\"valence\":0,\"arousal\":0,\n\
        {\"uri\":\"u:11\",\"title\":\"T\",\"artist\":\"A\",\"valence\":0,\"arousal\":0},\n\
        {\"uri\":\"u:1\",\"title\":\"T\",\"artist\":\"A\",\"valence\":0,\"arousal\":0},\n";
    assert_eq!(kept(file), ["u:1", "u:11"]);
    assert_eq!(
        rejected(file),
        [
            "line 2: is not a JSON object: expected value",
            "line 3: valence \"high\" is not a number",
            "line 4: is not a JSON object: control character (\\u0000-\\u001F) found while parsing a string",
            "line 6: title must be text or a number",
            "line 7: is not a JSON object: invalid unicode code point",
            "line 8: is not a JSON object: invalid type: integer `7`, expected a map",
            "line 9: genres must be a list of strings",
            "line 10: is not a JSON object: key must be a string",
            "line 12: uri \"u:1\" is already on line 1",
            "line 13: the list is not closed with ]",
        ]
    );
}

#[test]
fn what_is_no_catalogue_is_refused_in_one_line() {
    let line = |file: &[u8]| Catalogue::import(file).unwrap_err().to_string();
    assert_eq!(line(b""), "the catalogue is empty");
    assert_eq!(line(b"\xef\xbb\xbf \r\n\n"), "the catalogue is empty");
    assert_eq!(line(b"\x89PNG\r\n\x1a\n"), "the catalogue is neither a table, a playlist nor JSON in UTF-8");
    assert_eq!(line(b"\xff\xfeu\0r\0i\0"), "the catalogue is neither a table, a playlist nor JSON in UTF-8");
    assert_eq!(line(b"u\0r\0i\0,\0"), "the catalogue is neither a table, a playlist nor JSON in UTF-8");
    assert_eq!(line(b"{\"tracks\": []}"), "the catalogue is JSON but no list of tracks: it must start with [");
    assert_eq!(line(b"[]"), "the catalogue has no usable track");
    assert_eq!(line(HEADER.as_bytes()), "the catalogue has no usable track");
    let missing = |names: &str| format!("the first line of the catalogue must name its columns; missing: {names}");
    assert_eq!(line(b"a;b\n"), missing("uri, title, artist"));
    assert_eq!(line(b"uri,title,artist,valence\nu,T,A,0\n"), missing("arousal"));
    assert_eq!(line(b"uri,title,artist,energy\nu,T,A,0\n"), missing("valence"));
    assert_eq!(
        line(b"uri,title,artist,Title\nu,T,A,0\n"),
        "the first line of the catalogue names the column title twice"
    );
    assert_eq!(
        line(format!("{HEADER}u:2,T,,,,,0,0,,,,\n").as_bytes()),
        "the catalogue has no usable track; line 2: artist is missing"
    );
}

#[test]
fn a_table_of_exportify_is_read() {
    let file = "\u{feff}\"Track URI\",\"Track Name\",\"Artist URI(s)\",\"Artist Name(s)\",\"Album Name\",\"Album Release Date\",\
        \"ISRC\",\"Artist Genres\",\"Energy\",\"Mode\",\"Valence\",\"Tempo\"\r\n\
        \"spotify:track:1\",\"One, \"\"live\"\"\",\"spotify:artist:1\",\"Ada\",\"First\",\"1971-05-01\",\"USRC17607839\",\
        \"indie folk,dream pop\",\"0.75\",\"1\",\"0.25\",\"118.5\"\r\n\
        \"spotify:track:2\",\"Two\",\"\",\"Bob\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"0\"\r\n\
        \"spotify:track:3\",\"Three\",\"\",\"Bob\",\"\",\"\",\"\",\"\",\"75\",\"\",\"0.5\",\"0\"\r\n\
        \"spotify:track:4\",\"Four\",\"\",\"Bob\",\"\",\"\",\"\",\"\",\"NaN\",\"\",\"0.5\",\"0\"\r\n";
    let import = Catalogue::import(file.as_bytes()).unwrap();
    let [one, two] = import.catalogue.tracks() else { panic!("two tracks") };
    assert_eq!(
        (one.title.as_str(), one.year, one.mode, one.tempo),
        ("One, \"live\"", Some(1971), Some(Mode::Major), Some(118.5))
    );
    assert_eq!((one.affect, one.source), (crate::affect::Affect::new(-0.5, 0.5), Source::Table));
    assert_eq!(
        (&one.genres[..], one.isrc.as_deref()),
        (&["indie folk".to_owned(), "dream pop".to_owned()][..], Some("USRC17607839"))
    );
    assert_eq!((two.affect, two.source, two.confidence), (crate::affect::Affect::default(), Source::Unknown, 0.0));
    assert_eq!((two.tempo, two.mode), (None, None));
    assert_eq!(rejected(file), ["line 4: energy 75 is outside 0..1", "line 5: energy NaN is outside 0..1"]);
}

#[test]
fn commas_part_the_genres_of_others_whatever_their_column_is_called() {
    for (uri, expected) in [("Track URI", &["indie folk", "dream pop"][..]), ("uri", &["indie folk,dream pop"])] {
        let file = format!("{uri},Track Name,Artist Name(s),Genres\nu:1,One,Ada,\"indie folk,dream pop\"\n");
        let import = Catalogue::import(file.as_bytes()).unwrap();
        assert_eq!(import.catalogue.tracks()[0].genres, expected);
    }
}

#[test]
fn semicolons_and_tabs_part_columns_too() {
    for file in [
        "Title;Artist;URI;Valence;Arousal;Mood\n\"a,b;c\";A;u:1;0.5;-0.5;calm,late\n",
        "Title\tArtist\tURI\tValence\tArousal\tMood\na,b;c\tA\tu:1\t0.5\t-0.5\tcalm, late\n",
    ] {
        let import = Catalogue::import(file.as_bytes()).unwrap();
        let track = &import.catalogue.tracks()[0];
        assert_eq!((track.title.as_str(), &track.tags[..]), ("a,b;c", &["calm".to_owned(), "late".to_owned()][..]));
    }
}

#[test]
fn a_playlist_is_read() {
    let file = "\u{feff}#EXTM3U\r\n#EXTINF:211,Ada - First, light\r\n#EXTALB:Album\r\n#EXTGENRE:Folk\r\nAda/01 First.flac\r\n\r\n\
        # a remark\r\nBob - Second.mp3\r\nhttp://radio.example/stream\r\nBob - Second.mp3\r\nBob/03 - Third.mp3\r\n";
    let import = Catalogue::import(file.as_bytes()).unwrap();
    let named: Vec<_> = import
        .catalogue
        .tracks()
        .iter()
        .map(|t| [t.uri.as_str(), &t.artist, &t.title, &t.album].map(str::to_owned))
        .collect();
    assert_eq!(
        named,
        [
            ["Ada/01 First.flac", "Ada", "First, light", "Album"],
            ["Bob - Second.mp3", "Bob", "Second", ""],
            ["http://radio.example/stream", "unknown artist", "stream", ""],
            ["Bob/03 - Third.mp3", "unknown artist", "Third", ""],
        ]
    );
    assert_eq!(import.catalogue.tracks()[0].genres, ["Folk"]);
    assert!(import.catalogue.tracks().iter().all(|track| track.source == Source::Unknown));
    assert_eq!(rejected(file), ["line 10: uri \"Bob - Second.mp3\" is already on line 8"]);
    assert_eq!(kept("a/b.MP3\nc/d.ogg\n"), ["a/b.MP3", "c/d.ogg"]);
    assert_eq!(rejected(b"#EXTM3U\nBj\xf6rk.mp3\nb.mp3"), ["line 2: is not UTF-8; save the playlist as M3U8"]);
}

#[test]
fn a_song_is_not_called_by_the_name_of_one_that_is_not_utf_8() {
    let file =
        b"#EXTM3U\n#EXTINF:1,Ada - First\n#EXTALB:Album\nBj\xf6rk.mp3\n#EXTINF:1,Bj\xf6rk - Second\nBob - Third.mp3\n";
    let import = Catalogue::import(file).unwrap();
    let [track] = import.catalogue.tracks() else { panic!("one track") };
    assert_eq!((track.artist.as_str(), track.title.as_str(), track.album.as_str()), ("Bob", "Third", ""));
    assert_eq!(rejected(file), ["line 4: is not UTF-8; save the playlist as M3U8"]);
}

#[test]
fn a_catalogue_of_ours_is_read() {
    let file = Catalogue::to_file(Catalogue::demo().tracks()).unwrap();
    assert_eq!(Catalogue::import(&file).unwrap().catalogue.tracks(), Catalogue::demo().tracks());
    let cut = Catalogue::import(&file[..file.len() - 1]).unwrap_err().to_string();
    assert_eq!(cut, "the catalogue is damaged: its checksum is wrong; make or send it again");
}

/// Bytes that look like a catalogue here and there.
fn nearly_a_catalogue() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(HEADER.as_bytes().to_vec()),
        Just(b"u:1,T,A,,,pop,0,0,,,,\n".to_vec()),
        Just(b"#EXTM3U\n#EXTINF:1,A - T\na.mp3\n".to_vec()),
        Just(b"Track URI;Track Name;Artist Name(s);Energy;Valence\nu:9;T;A;0.5;0.5\n".to_vec()),
        Just(b"[{\"uri\":\"u:1\",\"title\":\"T\",\"artist\":\"A\",\"valence\":0,\"arousal\":0}".to_vec()),
        prop::sample::select(b"[]{},;\"\\\n\r \xff0-".to_vec()).prop_map(|byte| vec![byte]),
        prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Catalogue::import(&bytes);
    }

    #[test]
    fn rejected_lines_exist(bytes in nearly_a_catalogue()) {
        if let Ok(import) = Catalogue::import(&bytes) {
            let lines = bytes.split(|byte| *byte == b'\n').count();
            prop_assert!(import.rejected.iter().all(|rejected| (1..=lines).contains(&rejected.line)));
            prop_assert!(import.rejected.is_sorted_by_key(|rejected| rejected.line));
            prop_assert!(!import.catalogue.tracks().is_empty());
        }
    }

    #[test]
    fn what_is_written_reads_back(titles in prop::collection::vec("[a-zA-Z\"',;{}\\[\\]\\\\]{1,12}", 1..12)) {
        let mut writer = ::csv::Writer::from_writer(Vec::new());
        writer.write_record(["uri", "title", "artist", "valence", "arousal"]).unwrap();
        for (number, title) in titles.iter().enumerate() {
            writer.write_record([&number.to_string(), title, "A", "0.125", "-0.7"]).unwrap();
        }
        let from_csv = Catalogue::import(&writer.into_inner().unwrap()).unwrap();
        prop_assert_eq!(from_csv.rejected, []);
        let read: Vec<_> = from_csv.catalogue.tracks().iter().map(|track| &track.title).collect();
        prop_assert_eq!(read, titles.iter().collect::<Vec<_>>());

        let json = serde_json::to_vec(from_csv.catalogue.tracks()).unwrap();
        let from_json = Catalogue::import(&json).unwrap();
        prop_assert_eq!(from_json.rejected, []);
        prop_assert_eq!(from_json.catalogue.tracks(), from_csv.catalogue.tracks());
    }
}
