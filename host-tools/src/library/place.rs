//! Where a song lies on the valence-arousal plane, from the best that is known of it.

use std::collections::BTreeMap;

use moodbox_core::affect::Affect;
use moodbox_core::music::{Catalogue, Genre, Source, Track};

/// How far words for moods can be trusted: somebody has listened and decided, but words are coarse.
const TAGS: f32 = 0.7;

/// How far a song's genre can be trusted. Within a genre songs differ nearly as much as between genres.
const GENRE: f32 = 0.2;

/// Words for the mood of music, as taggers use them, and where they lie: our own placing, with the circumplex of Russell
/// (1980) for its corners.
const MOODS: [(&str, f32, f32); 64] = [
    ("aggressive", -0.5, 0.8),
    ("angry", -0.6, 0.7),
    ("anxious", -0.5, 0.5),
    ("bittersweet", 0.0, -0.2),
    ("bright", 0.6, 0.3),
    ("brooding", -0.4, -0.1),
    ("calm", 0.4, -0.7),
    ("carefree", 0.7, 0.1),
    ("cheerful", 0.8, 0.4),
    ("chill", 0.4, -0.6),
    ("chilled", 0.4, -0.6),
    ("cold", -0.3, -0.2),
    ("confident", 0.5, 0.4),
    ("cool", 0.3, -0.1),
    ("dark", -0.5, 0.0),
    ("depressing", -0.8, -0.4),
    ("depressive", -0.8, -0.4),
    ("dramatic", -0.1, 0.5),
    ("dreamy", 0.3, -0.5),
    ("driving", 0.2, 0.7),
    ("eerie", -0.5, 0.1),
    ("elegant", 0.4, -0.2),
    ("energetic", 0.5, 0.8),
    ("epic", 0.3, 0.7),
    ("euphoric", 0.8, 0.8),
    ("exciting", 0.6, 0.8),
    ("fun", 0.8, 0.5),
    ("gentle", 0.4, -0.5),
    ("gloomy", -0.6, -0.3),
    ("groovy", 0.6, 0.4),
    ("happy", 0.8, 0.4),
    ("hopeful", 0.5, 0.1),
    ("intense", -0.1, 0.7),
    ("intimate", 0.3, -0.4),
    ("joyful", 0.8, 0.5),
    ("lively", 0.6, 0.6),
    ("lonely", -0.6, -0.4),
    ("melancholic", -0.4, -0.4),
    ("melancholy", -0.4, -0.4),
    ("mellow", 0.4, -0.5),
    ("mournful", -0.7, -0.4),
    ("nostalgic", 0.1, -0.3),
    ("ominous", -0.6, 0.3),
    ("optimistic", 0.6, 0.2),
    ("party", 0.7, 0.7),
    ("passionate", 0.4, 0.5),
    ("peaceful", 0.5, -0.7),
    ("playful", 0.7, 0.3),
    ("powerful", 0.2, 0.7),
    ("quiet", 0.2, -0.7),
    ("quirky", 0.4, 0.2),
    ("rebellious", -0.2, 0.7),
    ("relaxed", 0.5, -0.6),
    ("relaxing", 0.5, -0.6),
    ("romantic", 0.5, -0.2),
    ("sad", -0.7, -0.4),
    ("sentimental", 0.0, -0.3),
    ("serene", 0.5, -0.7),
    ("soothing", 0.5, -0.6),
    ("tense", -0.5, 0.5),
    ("upbeat", 0.7, 0.5),
    ("uplifting", 0.7, 0.4),
    ("warm", 0.5, -0.3),
    ("wistful", -0.2, -0.3),
];

/// What songs of a genre are like, learnt from the demo catalogue.
pub(crate) struct Places {
    /// By name: the genre, and where each of its songs lies.
    genres: BTreeMap<String, (Genre, Vec<Affect>)>,
}

impl Places {
    pub(crate) fn new() -> Self {
        let demo = Catalogue::demo();
        let mut genres: BTreeMap<String, (Genre, Vec<Affect>)> = BTreeMap::new();
        for track in demo.tracks() {
            for genre in track.genres.iter().map(|text| Genre::read(text)) {
                genres.entry(genre.name.clone()).or_insert_with(|| (genre, Vec::new())).1.push(track.affect);
            }
        }
        Self { genres }
    }

    /// Puts a track whose place is not known where its tags or genres say. What is known already stays, but words that a
    /// person chose go before what a program heard.
    pub(crate) fn put(&self, track: &mut Track) {
        let words = mean(&track.tags.iter().filter_map(|tag| of_mood(tag)).collect::<Vec<_>>());
        if let Some(affect) = words.filter(|_| matches!(track.source, Source::Sound | Source::Unknown)) {
            (track.affect, track.source, track.confidence) = (affect, Source::Tags, TAGS);
        } else if track.source == Source::Unknown {
            let places: Vec<Affect> = track.genres.iter().filter_map(|genre| self.of_genre(genre)).collect();
            if let Some(affect) = mean(&places) {
                (track.affect, track.source, track.confidence) = (affect, Source::Genre, GENRE);
            }
        }
    }

    /// A genre says what it is in its last words: "dutch indie rock" is read as "indie rock" and then as "rock". Where the
    /// demo catalogue has none of these, it is like those near it.
    fn of_genre(&self, genre: &str) -> Option<Affect> {
        let genre = Genre::read(genre);
        let endings = std::iter::successors(Some(genre.name.as_str()), |rest| Some(rest.split_once(' ')?.1));
        // The last word of "rhythm and blues" is another genre.
        let is_read = genre.is_close_to(&genre);
        let mut named = endings.filter_map(|name| self.genres.get(name));
        let named = named.find(|(named, _)| !is_read || named.is_close_to(&genre));
        let near = |is_near: fn(&Genre, &Genre) -> bool| {
            let songs = self.genres.values().filter(|(other, _)| is_near(other, &genre)).flat_map(|(_, songs)| songs);
            mean(&songs.copied().collect::<Vec<_>>())
        };
        named
            .and_then(|(_, songs)| mean(songs))
            .or_else(|| near(Genre::is_close_to))
            .or_else(|| near(Genre::is_of_same_family))
    }
}

fn of_mood(word: &str) -> Option<Affect> {
    let word = word.to_lowercase();
    let at = MOODS.binary_search_by(|(mood, ..)| (*mood).cmp(&word)).ok()?;
    let (_, valence, arousal) = MOODS[at];
    Some(Affect::new(valence, arousal))
}

fn mean(places: &[Affect]) -> Option<Affect> {
    let number = places.len() as f32;
    let sum = |part: fn(&Affect) -> f32| places.iter().map(part).sum::<f32>() / number;
    (!places.is_empty()).then(|| Affect::new(sum(|place| place.valence), sum(|place| place.arousal)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demo_mean(genre: &str) -> Option<Affect> {
        let demo = Catalogue::demo();
        let songs = demo.tracks().iter().filter(|track| track.genres.iter().any(|own| own == genre));
        mean(&songs.map(|track| track.affect).collect::<Vec<_>>())
    }

    #[test]
    fn genres_are_known_however_they_are_written() {
        let places = Places::new();
        for (written, demo) in [
            ("Hip-Hop", "hip hop"),
            ("Old School Hip-Hop", "hip hop"),
            ("Trip-Hop", "trip hop"),
            ("Synth Pop", "synth-pop"),
            ("Rock & Roll", "rock and roll"),
            ("Rhythm & Blues", "rhythm and blues"),
            ("Dutch Indie-Rock", "indie rock"),
            ("Malian Mande Music", "mande music"),
        ] {
            assert_eq!(places.of_genre(written), demo_mean(demo), "{written}");
        }
    }

    #[test]
    fn a_genre_that_no_demo_song_has_is_like_those_near_it() {
        let places = Places::new();
        for (genre, near) in
            [("Rap", "hip hop"), ("Synthpop", "pop"), ("Drum & Bass", "electronic"), ("Quiet Storm", "soul")]
        {
            let (place, near) = (places.of_genre(genre).unwrap(), demo_mean(near).unwrap());
            assert!(place.distance(near) < 0.3, "{genre}: {place:?}, {near:?}");
        }
        // Neither its own name nor a word of it is blues.
        assert_ne!(places.of_genre("Chicago Rhythm & Blues"), demo_mean("blues"));
        assert_eq!(places.of_genre("humppa"), None);
    }
}
