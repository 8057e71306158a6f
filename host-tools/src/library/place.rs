//! Where a song lies on the valence-arousal plane, from the best that is known of it.

use std::collections::HashMap;

use moodbox_core::affect::Affect;
use moodbox_core::music::{Catalogue, Source, Track};

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
    genres: HashMap<String, Affect>,
}

impl Places {
    pub(crate) fn new() -> Self {
        let demo = Catalogue::demo();
        let mut by_genre: HashMap<String, Vec<Affect>> = HashMap::new();
        for track in demo.tracks() {
            for genre in &track.genres {
                by_genre.entry(genre.to_lowercase()).or_default().push(track.affect);
            }
        }
        Self { genres: by_genre.into_iter().filter_map(|(genre, places)| Some((genre, mean(&places)?))).collect() }
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

    /// A genre says what it is in its last words: "dutch indie rock" is read as "indie rock" and then as "rock".
    fn of_genre(&self, genre: &str) -> Option<Affect> {
        let genre = genre.to_lowercase();
        let mut rest = genre.as_str();
        loop {
            if let Some(affect) = self.genres.get(rest) {
                return Some(*affect);
            }
            rest = rest.split_once([' ', '-'])?.1;
        }
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
