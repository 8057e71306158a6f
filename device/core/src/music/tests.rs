mod chains;

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::*;

const START: Duration = Duration::ZERO;
const DAY: Duration = Duration::from_secs(24 * 3600);

fn track(number: usize, artist: &str, genre: &str, valence: f32, arousal: f32) -> Track {
    Track {
        uri: format!("u:{number}"),
        title: format!("Song {number}"),
        artist: artist.to_owned(),
        genres: vec![genre.to_owned()],
        affect: Affect::new(valence, arousal),
        confidence: 1.0,
        ..Track::default()
    }
}

/// 121 songs by as many artists, evenly over the plane, of four unrelated genres.
fn grid() -> Catalogue {
    let genres = ["reggae", "metal", "opera", "cabaret"];
    let place = |step: usize| step as f32 / 5.0 - 1.0;
    let tracks = (0..121).map(|n| track(n, &format!("Artist {n}"), genres[n % 4], place(n % 11), place(n / 11)));
    Catalogue::new(tracks.collect())
}

fn any_catalogue(most: usize) -> impl Strategy<Value = Catalogue> {
    let genre = prop::sample::select(vec!["rock", "folk rock", "deep house", "polka", ""]);
    let one = (0..8u8, genre, -1f32..=1.0, -1f32..=1.0, prop::option::of(40f32..200.0), 1..4usize);
    prop::collection::vec(one, 1..most).prop_map(|songs| {
        let tracks = songs.into_iter().enumerate().flat_map(|(n, (artist, genre, valence, arousal, tempo, copies))| {
            let song = Track { tempo, ..track(n, &format!("Artist {artist}"), genre, valence, arousal) };
            (0..copies).map(move |copy| Track { uri: format!("{}-{copy}", song.uri), ..song.clone() })
        });
        Catalogue::new(tracks.collect())
    })
}

fn any_policy() -> impl Strategy<Value = Policy> {
    prop::sample::select(Policy::ALL.to_vec())
}

fn uris(list: &[Recommended]) -> Vec<&str> {
    list.iter().map(|r| r.track.uri.as_str()).collect()
}

/// Distance of a song of [`grid`], whose places are their ranks.
fn away(song: &Recommended, from: Affect) -> f32 {
    song.track.affect.distance(from)
}

#[test]
fn a_match_is_near_the_mood_and_says_so() {
    let mood = Affect::of(Emotion::Happy);
    let list = Recommender::new(grid(), 7).for_mood(mood, Policy::Match, 10, START);
    assert_eq!(list.len(), 10);
    assert!(away(&list[0], mood) < 0.15, "{:?}", list[0]);
    assert_eq!(list[0].why, "bright and lively, like the mood");
    let near = list.iter().filter(|song| away(song, mood) < 0.6).count();
    assert!(near >= 8, "only {near} of 10 are near");
}

#[test]
fn soothing_songs_are_calm_whatever_the_mood() {
    let recommender = Recommender::new(grid(), 7);
    let list = recommender.for_mood(Affect::of(Emotion::Fear), Policy::Soothe, 5, START);
    assert!(away(&list[0], Affect::new(0.4, -0.4)) < 0.15);
    assert_eq!(list[0].why, "warm and calm, to settle down");
    assert_eq!(list[0].track, recommender.for_mood(Affect::of(Emotion::Happy), Policy::Soothe, 5, START)[0].track);
}

#[test]
fn a_lift_starts_at_the_mood_and_goes_up_step_by_step() {
    let (mood, goal) = (Affect::of(Emotion::Sad), Affect::new(0.6, 0.3));
    let list = Recommender::new(grid(), 7).for_mood(mood, Policy::Lift, 8, START);
    assert!(away(&list[0], mood) < 0.25, "{:?}", list[0]);
    assert_eq!(list[0].why, "sad and quiet, where the mood is now");
    assert!(away(&list[7], goal) < 0.35, "{:?}", list[7]);
    assert!(list.iter().any(|song| song.why.starts_with("a step up from the last one: ")));
    // Each song may lie a little beside its step, so the way up is checked over two steps.
    assert!(list[..7].windows(3).all(|three| away(&three[2], goal) < away(&three[0], goal)));
}

#[test]
fn a_way_takes_small_steps_and_at_least_four_songs() {
    let goal = Affect::new(0.6, 0.3);
    for emotion in Emotion::ALL {
        let mood = Affect::of(emotion);
        let way = ranking::way(Policy::Lift, mood, 0, 10);
        assert_eq!(way[0], mood);
        assert!(way.windows(2).all(|two| two[0].distance(two[1]) <= 0.25 + 1e-6), "{emotion}");
        assert!(way[2].distance(goal) > 0.01, "{emotion} arrives too soon");
        assert!(way[6].distance(goal) < 0.01, "{emotion} does not arrive");
    }
}

#[test]
fn after_a_song_come_others_of_its_kind() {
    let mut tracks: Vec<Track> = grid().tracks().to_vec();
    tracks[60].tempo = Some(80.0);
    for (number, genre, tempo) in
        [(200, "roots reggae", None), (201, "reggae", Some(160.0)), (202, "reggae", Some(113.0))]
    {
        tracks.push(Track { tempo, ..track(number, &format!("Artist {number}"), genre, 0.0, 0.0) });
    }
    let recommender = Recommender::new(Catalogue::new(tracks), 7);
    assert_eq!(recommender.catalogue().get("u:60").unwrap().genres, ["reggae"]);
    let list = recommender.after("u:60", 10, START).unwrap();
    // Twice the tempo is the same beat; the farthest tempo comes after an unknown one.
    let place = |uri: &str| uris(&list).iter().position(|found| *found == uri);
    assert_eq!(place("u:201"), Some(0));
    assert!(place("u:202") > Some(0));
    assert!(list.iter().all(|song| song.track.genres[0].contains("reggae")), "{list:?}");
    assert_eq!(list[0].why, "same kind as «Song 60»: reggae");
    assert_eq!(list[place("u:200").unwrap()].why, "close kin of «Song 60»: roots reggae");
}

#[test]
fn the_chosen_artist_steps_back() {
    let tracks = vec![
        track(0, "Ann", "folk", 0.0, 0.0),
        track(1, "ANN", "folk", 0.0, 0.0),
        track(2, "Bob", "folk", 0.0, 0.0),
        track(3, "Cat", "opera", 0.9, 0.9),
    ];
    let list = Recommender::new(Catalogue::new(tracks), 0).after("u:0", 3, START).unwrap();
    assert_eq!(uris(&list), ["u:2", "u:1", "u:3"]);
}

#[test]
fn nobody_knows_whether_unknown_artists_are_one() {
    let tracks = (0..6).map(|n| Track { title: "Track 01".to_owned(), ..track(n, "Unknown Artist", "folk", 0.0, 0.0) });
    let mut recommender = Recommender::new(Catalogue::new(tracks.collect()), 0);
    let all = |recommender: &Recommender| recommender.for_mood(Affect::default(), Policy::Match, 10, START);
    assert_eq!(all(&recommender).len(), 6);
    assert!(recommender.after("u:0", 5, START).unwrap().iter().all(|song| song.why == "same kind as «Track 01»: folk"));
    recommender.skipped("u:0", START).unwrap();
    let by_artist = |song: &Recommended| song.parts.iter().any(|part| part.name == "votes for the artist");
    assert_eq!(all(&recommender).iter().filter(|song| by_artist(song)).count(), 1);
}

#[test]
fn the_same_recording_under_another_uri_is_not_listed_twice() {
    let mut tracks = vec![track(0, "Ann", "folk", 0.0, 0.0), track(1, "Ann", "folk", 0.0, 0.0)];
    tracks[1].title = tracks[0].title.to_uppercase();
    let recommender = Recommender::new(Catalogue::new(tracks), 0);
    assert_eq!(recommender.for_mood(Affect::default(), Policy::Match, 5, START).len(), 1);
    assert_eq!(recommender.after("u:0", 5, START).unwrap(), []);
}

#[test]
fn copies_of_a_recording_share_what_people_did() {
    let mut tracks = vec![track(0, "Ann", "folk", 0.0, 0.0), track(1, "Ann", "folk", 0.0, 0.0)];
    tracks[0].isrc = Some("USABC1234567".to_owned());
    tracks[1].isrc = tracks[0].isrc.clone();
    let mut recommender = Recommender::new(Catalogue::new(tracks), 0);
    recommender.liked("u:1", START).unwrap();
    let list = recommender.for_mood(Affect::default(), Policy::Match, 5, START);
    assert_eq!(uris(&list), ["u:0"]);
    assert!(list[0].why.ends_with("; liked before"), "{}", list[0].why);
}

#[test]
fn a_lift_goes_on_where_it_was() {
    let recommender = Recommender::new(grid(), 7);
    let (mood, goal) = (Affect::of(Emotion::Sad), Affect::new(0.6, 0.3));
    let first = |climbed| {
        let aim = Aim { mood, policy: Policy::Lift, climbed, playing: None, keeps_kind: false };
        recommender.toward(&aim, 1, START).remove(0)
    };
    assert_eq!(first(0).why, "sad and quiet, where the mood is now");
    let left: Vec<f32> = (0..7).map(|climbed| away(&first(climbed), goal)).collect();
    assert!(left.windows(3).all(|three| three[2] < three[0]), "{left:?}");
    assert!(left[6] < 0.15, "{left:?}");
}

#[test]
fn what_plays_keeps_the_next_ones_near_its_kind() {
    let recommender = Recommender::new(grid(), 7);
    let near = |playing| {
        let aim =
            Aim { mood: Affect::of(Emotion::Happy), policy: Policy::Match, climbed: 0, playing, keeps_kind: true };
        let list = recommender.toward(&aim, 10, START);
        assert!(!uris(&list).contains(&"u:60"));
        list.iter().filter(|song| song.track.genres == ["reggae"]).count()
    };
    assert_eq!(recommender.catalogue().get("u:60").unwrap().genres, ["reggae"]);
    assert!(near(Some("u:60")) > near(None), "{} against {}", near(Some("u:60")), near(None));
}

#[test]
fn what_plays_is_in_no_list() {
    let recommender = Recommender::new(grid(), 7);
    for policy in [Policy::Match, Policy::Lift, Policy::Soothe] {
        let aim = Aim { mood: Affect::of(Emotion::Happy), policy, climbed: 0, playing: None, keeps_kind: false };
        let best = recommender.toward(&aim, 10, START);
        for playing in uris(&best) {
            let list = recommender.toward(&Aim { playing: Some(playing), ..aim }, 10, START);
            assert_eq!((list.len(), uris(&list).contains(&playing)), (10, false), "{policy} with {playing}");
        }
    }
}

#[test]
fn a_guess_counts_for_less_than_knowledge() {
    let at = |trust, valence| {
        let mut tracks: Vec<Track> = grid().tracks().to_vec();
        for track in &mut tracks {
            track.confidence = trust;
        }
        let catalogue = Catalogue::new(tracks);
        let there = |track: &Track| track.affect.distance(Affect::new(valence, 0.0)) < 0.01;
        let song = &catalogue.features()[catalogue.tracks().iter().position(there).unwrap()];
        ranking::nearness(song, Affect::new(0.4, 0.0))
    };
    // Ranks of the grid lie a little nearer to the middle than its values.
    assert!(at(1.0, 0.4) > 0.99);
    // A song said to lie at .8 is expected at .4 where half is trusted; the one said to lie there is expected at .2.
    assert!(at(0.5, 0.8) > at(0.5, 0.4) && at(0.5, 0.4) > at(0.5, -0.4));
    // Nothing known: all songs are alike.
    assert!((at(0.0, 0.8) - at(0.0, -1.0)).abs() < 1e-6);
}

#[test]
fn songs_of_which_nothing_is_known_move_no_others_and_are_said_to_be_like_none() {
    let known = grid().tracks().to_vec();
    let unknown = (200..400).map(|n| Track {
        source: Source::Unknown,
        confidence: 0.0,
        ..track(n, &format!("Artist {n}"), "reggae", 0.0, 0.0)
    });
    let catalogue = Catalogue::new(known.iter().cloned().chain(unknown).collect());
    for track in &known {
        assert_eq!(catalogue.place(&track.uri), grid().place(&track.uri));
    }
    assert_eq!(catalogue.place("u:200"), Some(Affect::default()));
    let recommender = Recommender::new(catalogue, 7);
    // u:60 lies in the middle, where nobody knows whether the others do.
    let list = recommender.after("u:60", 100, START).unwrap();
    let part = |song: &Recommended| song.parts.iter().find(|part| part.name == "place").map_or(0.0, |part| part.value);
    for song in &list {
        let is_unknown = song.track.source == Source::Unknown;
        assert!(!is_unknown || part(song) < 0.1, "{song:?}");
        assert!(!is_unknown || song.why == "same kind as «Song 60»: reggae", "{song:?}");
    }
    assert!(part(&list[0]) > 0.2, "{:?}", list[0]);
    for (playing, why) in [(None, "how it sounds is not known"), (Some("u:60"), "reggae like what plays")] {
        let aim = Aim { mood: Affect::default(), policy: Policy::Match, climbed: 0, playing, keeps_kind: true };
        for song in recommender.toward(&aim, 321, START) {
            let explored = song.why == "something else to try";
            assert!(song.track.source != Source::Unknown || explored || song.why == why, "{song:?}");
        }
    }
}

#[test]
fn a_correction_takes_back_what_was_skipped_for_the_wrong_mood() {
    let mut recommender = Recommender::new(grid(), 7);
    let list = |recommender: &Recommender| recommender.for_mood(Affect::default(), Policy::Match, 20, START);
    let before = list(&recommender);
    recommender.skipped("u:60", START).unwrap();
    assert_ne!(list(&recommender), before);
    recommender.corrected(Duration::from_secs(60));
    assert_eq!(list(&recommender), before);
}

#[test]
fn what_was_learnt_outlives_a_restart() {
    let mut recommender = Recommender::new(grid(), 7);
    let log: String = [
        recommender.chosen("u:60", START).unwrap(),
        recommender.liked("u:61", START).unwrap(),
        recommender.skipped("u:62", START).unwrap().unwrap(),
    ]
    .iter()
    .map(Feedback::line)
    .collect();
    let restarted = Recommender::new(grid(), 7).remembering(Memory::read(log.as_bytes()).0);
    let list = |recommender: &Recommender| recommender.for_mood(Affect::default(), Policy::Match, 121, DAY);
    assert_eq!(list(&restarted), list(&recommender));
}

#[test]
fn a_played_song_rests_and_comes_back() {
    let mut recommender = Recommender::new(grid(), 7);
    let mood = Affect::of(Emotion::Happy);
    let first = recommender.for_mood(mood, Policy::Match, 1, START)[0].track.uri.clone();
    recommender.played(&first, START).unwrap();
    assert_ne!(recommender.for_mood(mood, Policy::Match, 1, DAY)[0].track.uri, first);
    assert_eq!(recommender.for_mood(mood, Policy::Match, 1, 60 * DAY)[0].track.uri, first);
}

#[test]
fn votes_move_a_song_and_its_genre() {
    let mood = Affect::of(Emotion::Happy);
    let score = |recommender: &Recommender, uri: &str| {
        let list = recommender.for_mood(mood, Policy::Match, 121, START);
        list.iter().find(|song| song.track.uri == uri).unwrap().score
    };
    let fresh = Recommender::new(grid(), 7);
    let mut liked = fresh.clone();
    liked.liked("u:60", START).unwrap();
    let mut skipped = fresh.clone();
    skipped.skipped("u:60", START).unwrap();
    // One vote: a third of .3 for the song, a seventh for its artist, an eleventh for its genre.
    for (recommender, sign) in [(&liked, 1.0), (&skipped, -1.0)] {
        for (uri, moved) in [("u:60", 0.1 + 0.3 / 7.0 + 0.3 / 11.0), ("u:64", 0.3 / 11.0), ("u:61", 0.0)] {
            let difference = score(recommender, uri) - score(&fresh, uri);
            assert!((difference - sign * moved).abs() < 1e-5, "{uri} moved by {difference}");
        }
    }
    let list = liked.for_mood(mood, Policy::Match, 121, START);
    let why = &list.iter().find(|song| song.track.uri == "u:60").unwrap().why;
    assert!(why.ends_with("; liked before"), "{why}");
}

#[test]
fn a_clock_that_was_ahead_makes_no_dislikes() {
    let mut recommender = Recommender::new(grid(), 7);
    recommender.played("u:60", 400 * DAY).unwrap();
    assert_eq!(recommender.skipped("u:60", START).unwrap(), None);
    let list = |recommender: &Recommender| recommender.for_mood(Affect::default(), Policy::Match, 20, START);
    assert_eq!(list(&recommender), list(&Recommender::new(grid(), 7)));
}

#[test]
fn songs_rest_by_a_clock_that_fell_back() {
    for ahead in [DAY / 48, 400 * DAY] {
        let mut recommender = Recommender::new(grid(), 7);
        for uri in ["u:60", "u:61"] {
            recommender.played(uri, ahead).unwrap();
        }
        // What was played so far ahead was not played just now.
        let mut played = if ahead < DAY { vec!["u:60".to_owned(), "u:61".to_owned()] } else { Vec::new() };
        for minute in 0..10 {
            let now = Duration::from_secs(60 * minute);
            let next = recommender.for_mood(Affect::default(), Policy::Match, 1, now).remove(0).track.uri;
            assert!(!played.contains(&next), "{next} after {played:?}");
            recommender.played(&next, now).unwrap();
            played.push(next);
        }
        assert!(recommender.skipped(played.last().unwrap(), Duration::from_secs(600 - 50)).unwrap().is_some());
    }
}

#[test]
fn a_late_skip_says_nothing() {
    let fresh = Recommender::new(grid(), 7);
    let mut listened = fresh.clone();
    listened.played("u:60", START).unwrap();
    let mut skipped = listened.clone();
    let later = Duration::from_secs(30);
    skipped.skipped("u:60", later).unwrap();
    let list = |recommender: &Recommender| recommender.for_mood(Affect::default(), Policy::Match, 20, later);
    assert_eq!(list(&skipped), list(&listened));
    skipped.skipped("u:60", Duration::from_millis(29_999)).unwrap();
    assert_ne!(list(&skipped), list(&listened));
}

#[test]
fn one_song_in_ten_is_an_experiment() {
    let recommender = Recommender::new(grid(), 7);
    let lists: Vec<_> = (0..200)
        .map(|second| recommender.for_mood(Affect::default(), Policy::Match, 10, Duration::from_secs(second)))
        .collect();
    let experiments = |song: usize| lists.iter().filter(|list| list[song].why.starts_with("something else")).count();
    assert_eq!(experiments(0), 0);
    let all: usize = (0..10).map(experiments).sum();
    // 1800 draws of one in ten: 180, give or take four standard deviations of 12.7.
    assert!((129..=231).contains(&all), "{all} experiments");
}

#[test]
fn one_song_in_ten_that_plays_is_an_experiment_but_none_after_a_choice() {
    let recommender = Recommender::new(Catalogue::demo(), 7);
    let chosen = recommender.catalogue().tracks()[0].uri.clone();
    let aim =
        Aim { mood: Affect::default(), policy: Policy::Match, climbed: 0, playing: Some(&chosen), keeps_kind: true };
    let tried = |list: &[Recommended]| list[0].why.starts_with("something else");
    let seconds = || (0..400).map(Duration::from_secs);
    let going_on = seconds().filter(|now| tried(&recommender.toward(&aim, 1, *now))).count();
    // 400 draws: 40, give or take four standard deviations of 6.
    assert!((16..=64).contains(&going_on), "{going_on} experiments");
    assert!(!seconds().take(50).any(|now| tried(&recommender.after(&chosen, 1, now).unwrap())));
    let lifted = Aim { policy: Policy::Lift, ..aim };
    assert!(!seconds().take(50).any(|now| tried(&recommender.toward(&lifted, 1, now))));
}

#[test]
fn unknown_tracks_and_empty_catalogues_are_answered() {
    let mut recommender = Recommender::new(Catalogue::default(), 0);
    assert_eq!(recommender.for_mood(Affect::default(), Policy::Lift, 10, START), []);
    assert_eq!(recommender.after("u:1", 10, START), Err(UnknownTrack("u:1".to_owned())));
    assert_eq!(recommender.chosen("u:1", START), Err(UnknownTrack("u:1".to_owned())));
    assert_eq!(recommender.skipped("", START).unwrap_err().to_string(), "no track of the catalogue has the uri \"\"");
}

#[test]
fn angry_and_fearful_rooms_are_soothed() {
    let soothed: Vec<_> = Emotion::ALL.into_iter().filter(|e| default_policy(*e) == Policy::Soothe).collect();
    assert_eq!(soothed, [Emotion::Angry, Emotion::Fear]);
}

proptest! {
    #[test]
    fn no_song_comes_twice_and_no_artist_three_times(
        catalogue in any_catalogue(60), policy in any_policy(), valence in -1f32..=1.0, arousal in -1f32..=1.0,
        n in 0..25usize, seed: u64,
    ) {
        let first = catalogue.tracks()[0].uri.clone();
        let songs = catalogue.tracks().len();
        let mut by_artist: HashMap<String, HashSet<String>> = HashMap::new();
        for track in catalogue.tracks() {
            by_artist.entry(track.artist.clone()).or_default().insert(track.title.clone());
        }
        let possible: usize = by_artist.values().map(|songs| songs.len().min(2)).sum();
        let mut recommender = Recommender::new(catalogue, seed);
        recommender.liked(&first, START).unwrap();
        let for_mood = recommender.for_mood(Affect::new(valence, arousal), policy, n, START);
        prop_assert_eq!(for_mood.len(), n.min(possible));
        let after = recommender.after(&first, n, START).unwrap();
        prop_assert!(after.len() < songs && !uris(&after).contains(&first.as_str()));
        for list in [&for_mood, &after] {
            let songs: HashSet<_> = list.iter().map(|song| &song.track.title).collect();
            prop_assert_eq!(songs.len(), list.len());
            for song in list {
                prop_assert!(list.iter().filter(|other| other.track.artist == song.track.artist).count() <= 2);
                prop_assert!(song.score.is_finite() && !song.why.is_empty());
                let sum: f32 = song.parts.iter().map(|part| part.value).sum();
                prop_assert!((sum - song.score).abs() < 1e-5, "{:?}", song);
            }
        }
        prop_assert_eq!(&for_mood, &recommender.for_mood(Affect::new(valence, arousal), policy, n, START));
    }

    #[test]
    fn songs_that_share_nothing_come_by_score(places in prop::collection::vec((-1f32..=1.0, -1f32..=1.0), 1..40)) {
        // Every song has its own artist and its own unknown genre: variety has nothing to say.
        let tracks = places.iter().enumerate().map(|(n, (v, a))| track(n, &format!("A{n}"), &format!("x{n}"), *v, *a));
        let recommender = Recommender::new(Catalogue::new(tracks.collect()), 1);
        let list = recommender.after("u:0", 40, START).unwrap();
        prop_assert!(list.is_sorted_by(|a, b| a.score >= b.score));
        let list = recommender.for_mood(Affect::default(), Policy::Match, 40, START);
        let chosen: Vec<_> = list.iter().filter(|song| !song.why.starts_with("something else")).collect();
        prop_assert!(chosen.is_sorted_by(|a, b| a.score >= b.score));
    }
}

#[test]
fn what_is_said_to_be_like_the_mood_lies_near_it() {
    let recommender = Recommender::new(Catalogue::demo(), 1);
    let place = |song: &Recommended| recommender.catalogue().place(&song.track.uri).unwrap();
    for emotion in Emotion::ALL {
        let mood = Affect::of(emotion);
        for song in recommender.for_mood(mood, Policy::Match, 50, Duration::ZERO) {
            let like = song.why.ends_with("like the mood");
            let place = place(&song);
            let beyond = place.valence * mood.valence > 0.0 && place.arousal * mood.arousal > 0.0;
            assert!(!like || beyond || place.distance(mood) <= 0.4, "{emotion}: {place:?}: {}", song.why);
        }
    }
}
