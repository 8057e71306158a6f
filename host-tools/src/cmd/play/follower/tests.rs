//! The rules beside a box and a player that are as simple as they can be and are driven by whoever comes along.

mod world;

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use world::*;

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let there: Vec<usize> = (0..KNOWN + 2).filter(|n| has(&uri(*n))).collect();
    let deed = prop_oneof![
        4 => prop::sample::subsequence((0..KNOWN).collect::<Vec<_>>(), 0..6).prop_shuffle().prop_map(Deed::Recommend),
        3 => (0..KNOWN).prop_map(Deed::Choose),
        1 => Just(Deed::BoxGoes),
        2 => Just(Deed::BoxComes),
        2 => prop::sample::select(there).prop_map(Deed::Add),
        2 => (0..12usize).prop_map(Deed::PlayAt),
        3 => Just(Deed::Next),
        1 => Just(Deed::Pause),
        1 => Just(Deed::Stop),
        1 => Just(Deed::Clear),
        4 => Just(Deed::SongEnds),
        2 => (1..6usize).prop_map(Deed::SongsEndUnseen),
        2 => (0..8usize).prop_map(|after| Deed::Amid(after, Mishap::SongEnds)),
        1 => (0..8usize).prop_map(|after| Deed::Amid(after, Mishap::PlayerGoes)),
        1 => Just(Deed::PlayerGoes),
        3 => (0..60u64).prop_map(Deed::Wait),
    ];
    prop::collection::vec(deed, 1..40)
}

proptest! {
    /// Nobody's songs are taken away, what plays is not torn down, and it always comes to rest (in `World`). Then the
    /// queue is the list, box and player agree, and no song was named twice.
    #[test]
    fn whatever_people_do_the_player_follows(deeds in deeds()) {
        let mut world = World::new(&[1, 2, 3]);
        for deed in &deeds {
            world.does(deed);
        }
        world.does(&Deed::BoxComes);
        world.does(&Deed::Wait(6));
        let fits = world.list.iter().any(|n| has(&uri(*n)));
        prop_assert!(world.playing().is_some() || world.silenced || !fits, "no music, and nobody wanted that");
        if let Some(playing) = world.playing() {
            let known = (0..KNOWN).find(|n| uri(*n) == playing);
            let (theirs, ours) = world.upcoming();
            let mut list: Vec<String> = world.list.iter().map(|n| uri(*n)).collect();
            let at = list.iter().position(|uri| *uri == playing).unwrap_or(0);
            list.rotate_left(at);
            let due = list.into_iter().filter(|uri| has(uri) && *uri != playing);
            // There may be no song left to stand in for one that is not there; a later list starts none.
            let lacks = world.box_now.is_some_and(|n| !has(&uri(n)));
            let alone = lacks && (ours.is_empty() || world.nothing_fitted);
            let agree = known.is_none() || world.box_now == known || alone;
            prop_assert!(agree, "{playing} plays, the box says {:?}", world.box_now);
            prop_assert_eq!(ours, due.filter(|uri| !theirs.contains(uri)).collect::<Vec<_>>());
        }
        for number in 0..KNOWN {
            let named = |line: &&Line| matches!(line, Line::NotThere { song } if song.uri == uri(number));
            prop_assert!(world.said.iter().filter(named).count() <= 1);
        }
    }

    #[test]
    fn a_new_list_starts_no_song(lists in prop::collection::vec(prop::sample::subsequence((0..KNOWN).collect::<Vec<_>>(), 1..6), 1..8)) {
        let mut world = World::new(&[1, 2, 3]);
        let (playing, started) = (world.at.map(|at| world.queue[at].id), world.started);
        for list in lists {
            world.does(&Deed::Recommend(list));
        }
        prop_assert_eq!((world.at.map(|at| world.queue[at].id), world.started), (playing, started));
    }
}

#[test]
fn a_skip_is_one_only_within_thirty_seconds_of_a_song_that_the_box_knows_to_play() {
    for (seconds, expected) in [(5, "skip"), (27, "skip"), (31, "next"), (120, "next")] {
        let mut world = World::new(&[1, 2, 3]);
        assert_eq!(world.told, [("next", uri(1))]);
        world.does(&Deed::Wait(seconds));
        world.does(&Deed::Next);
        assert_eq!(world.told[1..], [(expected, uri(2))], "{seconds}");
    }
}

#[test]
fn who_goes_on_before_the_queue_was_looked_at_again_has_skipped() {
    let mut world = World::new(&[1, 2, 3]);
    let mut events = VecDeque::new();
    for action in world.follower.on(Event::List(songs(&[7, 0])), world.now) {
        world.act(action, &mut events);
    }
    for event in events {
        assert_eq!(world.follower.on(event, world.now), []);
    }
    world.does(&Deed::Next);
    assert_eq!(world.told[1..], [("skip", uri(7))]);
}

#[test]
fn a_song_that_ends_while_the_queue_is_changed_is_followed_by_another() {
    let mut world = World::new(&[1, 2, 3]);
    let mut events = VecDeque::new();
    for action in world.follower.on(Event::List(songs(&[7, 0])), world.now) {
        if matches!(action, Action::Add(_)) && world.at.is_some() {
            world.go_to(None);
        }
        world.act(action, &mut events);
    }
    assert_eq!((world.playing(), events.len()), (None, 2));
    for event in events {
        assert_eq!(world.follower.on(event, world.now), []);
    }
    world.look();
    assert_eq!(world.playing(), Some(uri(7)));
}

#[test]
fn a_player_that_came_to_its_end_unseen_plays_songs_that_it_has_played_before() {
    let mut world = World::new(&[1, 2, 3]);
    (0..3).for_each(|_| world.does(&Deed::SongEnds));
    world.go_to(None);
    world.does(&Deed::Recommend(vec![2, 1]));
    world.look();
    assert_eq!(world.playing(), Some(uri(2)));
}

#[test]
fn a_player_that_goes_before_it_was_seen_to_play_is_started_when_it_comes() {
    let mut follower = Follower::new();
    let world = World::new(&[]);
    let at = Duration::ZERO;
    for event in [Event::BoxUp, Event::List(songs(&[1])), Event::Now(None), Event::Player(world.snapshot())] {
        follower.on(event, at);
    }
    follower.on(Event::Added(uri(1), 1), at);
    let there = Snapshot { upcoming: vec![Entry { id: 1, uri: uri(1) }], ..world.snapshot() };
    assert_eq!(follower.on(Event::Player(there.clone()), at), [Action::Play(1)]);
    assert_eq!(follower.on(Event::PlayerDown, at), []);
    assert_eq!(follower.on(Event::Player(there), at), [Action::Play(1)]);
}

#[test]
fn a_queue_that_somebody_empties_stays_silent() {
    let mut world = World::new(&[1, 2, 3]);
    world.does(&Deed::Clear);
    world.does(&Deed::Recommend(vec![4, 5]));
    assert_eq!((world.playing(), world.upcoming().1), (None, vec![uri(4), uri(5)]));
}

#[test]
fn a_song_that_ends_was_neither_skipped_nor_is_the_next_one_chosen() {
    let mut world = World::new(&[1, 2, 3]);
    (0..3).for_each(|_| world.does(&Deed::SongEnds));
    assert!(world.told.len() == 4 && world.told.iter().all(|(command, _)| *command == "next"), "{:?}", world.told);
}

#[test]
fn a_song_that_somebody_picks_is_chosen() {
    let mut world = World::new(&[1, 2, 3]);
    world.does(&Deed::PlayAt(2));
    world.does(&Deed::Add(KNOWN));
    world.does(&Deed::PlayAt(world.queue.len() - 1));
    assert_eq!(world.told[1..], [("choose", world.queue[2].uri.clone()), ("choose", uri(KNOWN))]);
    assert_eq!(world.said.last(), Some(&Line::Unknown { uri: uri(KNOWN) }));
}

#[test]
fn what_was_stopped_stays_so_until_somebody_asks_for_a_song() {
    let mut world = World::new(&[1, 2, 3]);
    world.does(&Deed::Stop);
    world.does(&Deed::Recommend(vec![4, 5]));
    world.does(&Deed::BoxComes);
    assert_eq!(world.playing(), None);
    world.does(&Deed::Choose(6));
    assert_eq!(world.playing(), Some(uri(6)));
}

#[test]
fn where_nothing_stands_in_for_a_song_a_later_list_starts_none_either() {
    let mut world = World::new(&[]);
    for number in [4, 0, 1, 2, 3] {
        world.does(&Deed::Add(number));
    }
    world.does(&Deed::PlayAt(0));
    // Of the list for it, the player has only what waits already.
    world.does(&Deed::Choose(KNOWN - 2));
    assert_eq!((world.playing(), world.upcoming().1), (Some(uri(4)), vec![]));
    world.does(&Deed::Recommend(vec![7]));
    assert_eq!((world.playing(), world.upcoming().1), (Some(uri(4)), vec![uri(7)]));
}

#[test]
fn while_the_box_is_away_its_last_list_goes_around() {
    let mut world = World::new(&[1]);
    let list = world.list.clone();
    world.does(&Deed::BoxGoes);
    let mut heard = Vec::new();
    for _ in 0..2 * list.len() {
        world.does(&Deed::SongEnds);
        heard.extend(world.playing());
    }
    let there = |n: &usize| Some(uri(*n)).filter(|uri| has(uri));
    assert_eq!(heard, list.iter().chain(&list).filter_map(there).collect::<Vec<_>>());
}

#[test]
fn a_queue_that_ran_out_goes_on_with_the_next_list() {
    let mut world = World::new(&[1]);
    world.does(&Deed::Recommend(vec![KNOWN - 1]));
    world.does(&Deed::SongEnds);
    assert_eq!((world.playing(), world.said.last()), (None, Some(&Line::NothingThere { uri: uri(KNOWN - 1) })));
    world.does(&Deed::Recommend(vec![2, 3]));
    assert_eq!(world.playing(), Some(uri(2)));
}

#[test]
fn a_player_that_plays_already_is_not_interrupted_and_its_song_is_told() {
    let mut world = World::new(&[]);
    world.does(&Deed::Add(4));
    world.does(&Deed::PlayAt(0));
    let mut follower = Follower::new();
    let song = |snapshot: Snapshot| follower.on(Event::Player(snapshot), Duration::ZERO);
    assert_eq!([world.snapshot()].map(song), [vec![]]);
    let mut actions = Vec::new();
    for event in [Event::BoxUp, Event::Now(None), Event::List(songs(&[1, 4]))] {
        actions.extend(follower.on(event, Duration::ZERO));
    }
    let told = actions.iter().filter(|action| matches!(action, Action::Tell(..))).collect::<Vec<_>>();
    assert_eq!(told, [&Action::Tell("choose", uri(4))]);
    assert!(!actions.iter().any(|action| matches!(action, Action::Play(_))), "{actions:?}");
}

#[test]
fn songs_that_cannot_be_played_are_named_and_do_not_go_around() {
    let mut world = World::new(&[1, 2]);
    world.queue.clear();
    world.go_to(None);
    let stopped = |error: &str| Snapshot { error: Some(error.to_owned()), ..world.snapshot() };
    let said = world.follower.on(Event::Player(stopped("no decoder")), Duration::from_secs(1));
    assert!(matches!(&said[0], Action::Say(Line::Unplayable { song, .. }) if song.uri == uri(1)), "{said:?}");
    assert!(said.contains(&Action::Add(uri(2))) && !said.contains(&Action::Add(uri(1))), "{said:?}");
}

#[test]
fn a_player_that_has_none_of_the_songs_is_said_once() {
    let mut world = World::new(&[8]);
    for list in [vec![9], vec![8, 9], vec![9]] {
        world.does(&Deed::Recommend(list));
    }
    assert_eq!(world.said, [Line::NothingThere { uri: uri(8) }]);
    world.does(&Deed::Recommend(vec![1, 8]));
    world.does(&Deed::Recommend(vec![8]));
    assert_eq!(world.said.last(), Some(&Line::NothingThere { uri: uri(8) }));
}
