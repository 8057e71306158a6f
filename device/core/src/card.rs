//! The mood card: the mood on the valence-arousal plane and the songs beside it, drawn as SVG, which Home Assistant shows
//! with the fonts of whoever looks. No picture of the camera is in it.

use std::fmt::Write as _;

use crate::affect::Affect;
use crate::emotion::Emotion;
use crate::led;
use crate::mood::{Room, RoomMood};
use crate::topics::Recommendation;

/// Songs that are listed.
const SONGS: usize = 10;

/// Characters of a song that fit into its line.
const LINE: usize = 42;

/// Middle and half of the side of the plane, in pixels of the card.
const MIDDLE: f32 = 200.0;
const HALF: f32 = 160.0;

/// What a card shows, coarse enough that a still room has one card.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Card {
    mood: RoomMood,
    /// Whether an empty room may only be one that is not seen.
    unknown: bool,
    /// Tenths of the valence-arousal plane.
    at: (i8, i8),
    /// The id of the list.
    list: Option<String>,
}

impl Card {
    pub(crate) fn of(room: &Room, sure: bool, recommendation: Option<&Recommendation>) -> Self {
        let tenths = |value: f32| (value * 10.0).round() as i8;
        let Affect { valence, arousal } = if room.presence { room.affect } else { Affect::new(0.0, 0.0) };
        Self {
            mood: room.mood,
            unknown: !sure,
            at: (tenths(valence), tenths(arousal)),
            list: recommendation.map(|recommendation| recommendation.id.clone()),
        }
    }
}

/// The card as an SVG document.
pub(crate) fn draw(card: &Card, recommendation: Option<&Recommendation>) -> String {
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"800\" height=\"400\" viewBox=\"0 0 800 400\" \
         font-family=\"sans-serif\" font-size=\"15\">\
         <rect width=\"800\" height=\"400\" fill=\"#1c1f24\"/>\
         <g stroke=\"#5b626d\"><rect x=\"40\" y=\"40\" width=\"320\" height=\"320\" fill=\"none\"/>\
         <path d=\"M200 40V360M40 200H360\"/></g>\
         <g fill=\"#9aa3b0\" font-size=\"12\"><g text-anchor=\"end\"><text x=\"35\" y=\"50\">lively</text>\
         <text x=\"35\" y=\"360\">calm</text><text x=\"360\" y=\"378\">pleasant</text></g>\
         <text x=\"40\" y=\"378\">unpleasant</text>",
    );
    for emotion in Emotion::ALL {
        let (x, y) = on_plane(Affect::of(emotion));
        // Fear and anger lie close together: the leftmost have their names on the left.
        let (anchor, at) = if Affect::of(emotion).valence < -0.55 { ("end", x - 6.0) } else { ("start", x + 6.0) };
        let _ = write!(
            svg,
            "<circle cx=\"{x:.0}\" cy=\"{y:.0}\" r=\"2\"/>\
             <text x=\"{at:.0}\" y=\"{:.0}\" text-anchor=\"{anchor}\">{emotion}</text>",
            y + 4.0
        );
    }
    svg.push_str("</g>");
    if card.mood != RoomMood::Absent {
        let (valence, arousal) = card.at;
        let (x, y) = on_plane(Affect::new(f32::from(valence) / 10.0, f32::from(arousal) / 10.0));
        let colour = colour(card.mood);
        let _ = write!(
            svg,
            "<circle cx=\"{x:.0}\" cy=\"{y:.0}\" r=\"14\" fill=\"{colour}\" fill-opacity=\"0.85\" stroke=\"#fff\" stroke-width=\"2\"/>"
        );
    }
    let title = match card.mood {
        RoomMood::Absent if card.unknown => "nobody is seen".to_owned(),
        RoomMood::Absent => "nobody is there".to_owned(),
        mood => mood.to_string(),
    };
    let _ = write!(svg, "<g fill=\"#e8ebf0\"><text x=\"420\" y=\"60\" font-size=\"24\">{title}</text>");
    for (n, track) in recommendation.iter().flat_map(|list| &list.tracks).take(SONGS).enumerate() {
        let line = shortened(&format!("{}. {} \u{2013} {}", n + 1, track.title, track.artist));
        let _ = write!(svg, "<text x=\"420\" y=\"{}\">{line}</text>", 98 + 29 * n);
    }
    svg.push_str("</g></svg>");
    svg
}

fn on_plane(Affect { valence, arousal }: Affect) -> (f32, f32) {
    (MIDDLE + HALF * valence, MIDDLE - HALF * arousal)
}

/// The colour of the mood light, from power to what a screen takes (sRGB, by its usual exponent of 2.2).
fn colour(mood: RoomMood) -> String {
    let [red, green, blue] = led::colour(mood).map(|power| (255.0 * power.powf(1.0 / 2.2)).round() as u8);
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Text that fits into a line and means nothing to XML.
fn shortened(text: &str) -> String {
    const ELLIPSIS: char = '\u{2026}';
    let is_long = text.chars().nth(LINE).is_some();
    let kept = text.chars().take(if is_long { LINE - 1 } else { LINE }).chain(is_long.then_some(ELLIPSIS));
    let mut escaped = String::new();
    for c in kept {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // Characters that no XML document may hold.
            c if c.is_control() || ('\u{fffe}'..='\u{ffff}').contains(&c) => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::affect::Policy;
    use crate::topics::TrackPayload;

    /// Longest card in bytes, as `deploy/mqtt.md` promises.
    const MAX_BYTES: usize = 16 * 1024;

    fn room(mood: RoomMood, affect: Affect) -> Room {
        Room { mood, unsure: false, confidence: 0.8, affect, presence: mood != RoomMood::Absent, faces: 1 }
    }

    fn list(title: &str, artist: &str) -> Recommendation {
        let track = TrackPayload {
            uri: "u".to_owned(),
            title: title.to_owned(),
            artist: artist.to_owned(),
            album: String::new(),
            genre: String::new(),
            valence: 0.0,
            arousal: 0.0,
            score: 1.0,
            why: String::new(),
        };
        Recommendation {
            id: "3".to_owned(),
            mood: "happy",
            policy: Policy::Match,
            reason: String::new(),
            tracks: vec![track; 12],
        }
    }

    #[test]
    fn the_card_of_a_happy_room() {
        let list = list("Here Comes the Sun & <more> of what nobody reads to its end", "The Beatles");
        let card = Card::of(&room(RoomMood::Emotion(Emotion::Happy), Affect::new(0.71, 0.38)), true, Some(&list));
        insta::assert_snapshot!(draw(&card, Some(&list)).replace("><", ">\n<"));
    }

    #[test]
    fn an_empty_room_has_no_point_and_no_songs() {
        for (sure, title) in [(true, "nobody is there"), (false, "nobody is seen")] {
            let svg = draw(&Card::of(&room(RoomMood::Absent, Affect::new(0.7, 0.4)), sure, None), None);
            assert!(svg.contains(title) && !svg.contains("r=\"14\"") && !svg.contains("1. "), "{svg}");
        }
    }

    #[test]
    fn a_still_room_has_one_card() {
        let card = |valence| Card::of(&room(RoomMood::Mixed, Affect::new(valence, 0.0)), true, None);
        assert_eq!(card(0.31), card(0.34));
        assert_ne!(card(0.31), card(0.38));
    }

    proptest! {
        #[test]
        fn whatever_a_song_is_called_the_card_is_short_and_xml(title in any::<String>(), artist in any::<String>()) {
            let list = list(&title, &artist);
            let card = Card::of(&room(RoomMood::Mixed, Affect::new(f32::NAN, 9.0)), true, Some(&list));
            let svg = draw(&card, Some(&list));
            prop_assert!(svg.len() <= MAX_BYTES, "{}", svg.len());
            prop_assert!(!svg.contains(char::is_control));
            // No song opens or closes an element: there are as many as without any.
            prop_assert_eq!(svg.matches('<').count(), svg.matches('>').count());
            prop_assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
            prop_assert_eq!(svg.matches("<text").count(), 4 + 7 + 1 + SONGS);
        }
    }
}
