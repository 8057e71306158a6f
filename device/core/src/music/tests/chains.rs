//! Songs one after the other, as they play.

use std::collections::HashSet;

use super::*;

/// Songs of four minutes, each the first of the list that the one before left behind.
fn chain(
    recommender: &mut Recommender,
    songs: usize,
    next: impl Fn(&Recommender, &str, Duration) -> String,
) -> Vec<String> {
    let mut now = 400 * DAY;
    let mut played: Vec<String> = Vec::new();
    for _ in 0..songs {
        let uri = next(recommender, played.last().map_or("", String::as_str), now);
        recommender.played(&uri, now).unwrap();
        played.push(uri);
        now += Duration::from_secs(240);
    }
    played
}

fn next_for(mood: Affect) -> impl Fn(&Recommender, &str, Duration) -> String {
    move |recommender, playing, now| {
        let aim = Aim { mood, policy: Policy::Match, climbed: 0, playing: Some(playing), keeps_kind: true };
        recommender.toward(&aim, 10, now)[0].track.uri.clone()
    }
}

fn different(played: &[String]) -> usize {
    played.iter().collect::<HashSet<_>>().len()
}

#[test]
fn no_song_is_liked_so_much_that_it_comes_again_and_again() {
    for emotion in Emotion::ALL {
        let mut recommender = Recommender::new(Catalogue::demo(), 7);
        let mood = Affect::of(emotion);
        for liked in recommender.for_mood(mood, Policy::Match, 5, START) {
            (0..10).for_each(|_| drop(recommender.liked(&liked.track.uri, START).unwrap()));
        }
        let played = chain(&mut recommender, 20, next_for(mood));
        assert_eq!(different(&played), 20, "{emotion}: {played:?}");
    }
}

#[test]
fn what_follows_a_choice_does_not_go_around() {
    let catalogue = Catalogue::demo();
    let mut same_family = 0;
    let chosen: Vec<_> = catalogue.tracks().iter().step_by(10).collect();
    for track in &chosen {
        let mut recommender = Recommender::new(catalogue.clone(), 7);
        (0..3).for_each(|_| drop(recommender.chosen(&track.uri, 400 * DAY).unwrap()));
        let played = chain(&mut recommender, 20, |recommender, playing, now| {
            let last = if playing.is_empty() { &track.uri } else { playing };
            recommender.after(last, 10, now).unwrap()[0].track.uri.clone()
        });
        assert_eq!(different(&played), 20, "after {}: {played:?}", track.uri);
        assert!(!played.contains(&track.uri), "{} came back", track.uri);
        let kin = |uri: &&String| catalogue.kinship(&track.uri, uri).is_some_and(|kinship| kinship.same_family);
        same_family += played[..10].iter().filter(kin).count();
    }
    assert!(same_family >= chosen.len() * 8, "{same_family} of {}", chosen.len() * 10);
}

#[test]
fn the_songs_of_a_small_library_take_turns() {
    let tracks = (0..5).map(|n| track(n, &format!("Artist {n}"), "folk", n as f32 / 5.0, 0.0)).collect();
    let mut recommender = Recommender::new(Catalogue::new(tracks), 7);
    (0..100).for_each(|_| drop(recommender.liked("u:4", START).unwrap()));
    let played = chain(&mut recommender, 20, next_for(Affect::new(0.8, 0.0)));
    assert!(played.windows(5).all(|five| different(five) == 5), "{played:?}");
}
