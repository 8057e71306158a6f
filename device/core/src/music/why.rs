//! Why a song was recommended, in one sentence that a person understands.

use super::Aim;
use super::catalogue::Catalogue;
use super::ranking::{CALM, Pick, UP};
use crate::affect::{Affect, Policy};

/// Distance from the middle of the plane at which a song has a character.
const CHARACTER: f32 = 0.25;

/// Distance up to which a song is like what was aimed at.
const LIKE: f32 = 0.4;

/// Distance to the goal up to which a person would call it reached.
const REACHED: f32 = 0.25;

/// Of a song of which nothing is known that could be a reason.
const NOT_HEARD: &str = "how it sounds is not known";

/// How a place on the plane sounds.
fn sound(place: Affect) -> &'static str {
    let side = |value: f32| if value.abs() < CHARACTER { 0 } else { value.signum() as i8 };
    match (side(place.valence), side(place.arousal)) {
        (1, 1) => "bright and lively",
        (1, 0) => "bright",
        (1, _) => "warm and calm",
        (0, 1) => "lively",
        (0, 0) => "even and easy",
        (0, _) => "calm",
        (_, 1) => "dark and driving",
        (_, 0) => "wistful",
        (_, _) => "sad and quiet",
    }
}

/// Why `pick` is in a list for `mood`; `last` is the song before it.
pub(super) fn for_mood(catalogue: &Catalogue, aim: &Aim<'_>, pick: Pick, last: Option<Pick>) -> String {
    let Aim { mood, policy, climbed, playing, keeps_kind } = *aim;
    let place = |pick: Pick| catalogue.features()[pick.index].expected();
    let here = place(pick);
    let shared = || {
        let playing = playing.filter(|_| keeps_kind).and_then(|uri| catalogue.index_of(uri))?;
        shared_genre(catalogue, playing, pick.index)
    };
    let Some(heard) = catalogue.features()[pick.index].place else {
        return match shared() {
            _ if pick.explored => "something else to try".to_owned(),
            Some(genre) => format!("{genre} like what plays"),
            None => NOT_HEARD.to_owned(),
        };
    };
    // Words for how it sounds and for what that is like must not contradict each other, however little it is trusted.
    let is_like = |aim: Affect| heard.distance(aim) <= LIKE || sound(heard) == sound(aim);
    let sound = sound(heard);
    if pick.explored {
        return format!("something else to try: {sound}");
    }
    match policy {
        Policy::Match if is_like(mood) => format!("{sound}, like the mood"),
        Policy::Match => match shared() {
            Some(genre) => format!("{sound}, and {genre} like what plays"),
            None => format!("{sound}, among the nearest to the mood in this library"),
        },
        Policy::Soothe if is_like(CALM) => format!("{sound}, to settle down"),
        Policy::Soothe => format!("{sound}, among the most soothing in this library"),
        Policy::Lift => match last.map(|last| here.distance(UP) < place(last).distance(UP)) {
            _ if here.distance(UP) <= REACHED => format!("{sound}, where the way up ends"),
            None if climbed == 0 => format!("{sound}, where the mood is now"),
            None | Some(true) => format!("a step up from the last one: {sound}"),
            Some(false) => format!("{sound}, on the way up"),
        },
    }
}

/// Why `pick` follows the track `chosen`.
pub(super) fn after(catalogue: &Catalogue, chosen: usize, pick: Pick) -> String {
    let (track, song) = (&catalogue.tracks()[pick.index], &catalogue.features()[pick.index]);
    let (like, liked) = (&catalogue.tracks()[chosen], &catalogue.features()[chosen]);
    let title = &like.title;
    if let Some(genre) = shared_genre(catalogue, chosen, pick.index) {
        return format!("same kind as «{title}»: {genre}");
    }
    match track.genres.first() {
        Some(genre) if song.families & liked.families != 0 => {
            format!("close kin of «{title}»: {}", genre.to_lowercase())
        }
        _ if song.artist == liked.artist => format!("also by {}", like.artist),
        _ => match (song.place, liked.place) {
            (Some(place), Some(like)) if place.distance(like) <= LIKE => format!("{}, like «{title}»", sound(place)),
            (Some(place), _) => format!("{}, among the nearest to «{title}» in this library", sound(place)),
            (None, _) => NOT_HEARD.to_owned(),
        },
    }
}

/// A genre that both songs are said to be. Lists go from broad to narrow, so the last one says most.
fn shared_genre(catalogue: &Catalogue, one: usize, other: usize) -> Option<String> {
    let genres = &catalogue.features()[other].genres;
    let mut named = catalogue.tracks()[one].genres.iter().zip(&catalogue.features()[one].genres);
    named.rfind(|(_, genre)| genres.contains(genre)).map(|(name, _)| name.to_lowercase())
}
