//! Genres as people write them, and how near one is to another.
//!
//! Nobody agrees on a list of genres, so free text is read by its words: "dutch indie", "Deep House" and "folk-rock" end
//! in the word that says what they are, and the words before it say what they are close to.

use Family::{
    Blues, Classical, Country, Electronic, Folk, HipHop, Jazz, Latin, Metal, Pop, Reggae, Rock, Sacred, Soul, Vocal,
    World,
};

/// The broad kinds of music.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Rock,
    Metal,
    Pop,
    Electronic,
    HipHop,
    /// With funk, disco, rhythm and blues.
    Soul,
    Jazz,
    Blues,
    Folk,
    Country,
    /// With ska and dub.
    Reggae,
    Latin,
    /// With film music.
    Classical,
    /// Where the singer and the words come first: standards, chanson, schlager, cabaret.
    Vocal,
    World,
    Sacred,
}

/// Families whose listeners overlap.
const KIN: [(Family, Family); 20] = [
    (Rock, Metal),
    (Rock, Pop),
    (Rock, Blues),
    (Rock, Folk),
    (Pop, Electronic),
    (Pop, Soul),
    (Pop, Vocal),
    (Electronic, HipHop),
    (Electronic, Soul),
    (HipHop, Soul),
    (Soul, Jazz),
    (Soul, Blues),
    (Soul, Sacred),
    (Soul, Reggae),
    (Jazz, Blues),
    (Jazz, Vocal),
    (Folk, Country),
    (Folk, World),
    (Latin, World),
    (Classical, Sacred),
];

/// Words that mean something else together than alone.
const PHRASES: [(&str, Family); 28] = [
    ("adult standards", Vocal),
    ("big band", Jazz),
    ("big beat", Electronic),
    ("big room", Electronic),
    ("bossa nova", Latin),
    ("boy band", Pop),
    ("british invasion", Rock),
    ("drum and bass", Electronic),
    ("easy listening", Vocal),
    ("g funk", HipHop),
    ("garage rock", Rock),
    ("girl group", Pop),
    ("happy hardcore", Electronic),
    ("hip hop", HipHop),
    ("j core", Electronic),
    ("mellow gold", Rock),
    ("neo mellow", Pop),
    ("new age", Classical),
    ("new jack swing", Soul),
    ("new wave", Rock),
    ("permanent wave", Rock),
    ("quiet storm", Soul),
    ("r and b", Soul),
    ("rhythm and blues", Soul),
    ("rock and roll", Rock),
    ("singer songwriter", Folk),
    ("stomp and holler", Folk),
    ("trip hop", Electronic),
];

/// What one word says.
const WORDS: [(Family, &[&str]); 16] = [
    (
        Rock,
        &["rock", "alternative", "emo", "grunge", "indie", "prog", "psych", "punk", "rockabilly", "shoegaze", "surf"],
    ),
    (Metal, &["metal", "djent", "thrash"]),
    (Pop, &["pop", "metropopolis"]),
    (
        Electronic,
        &[
            "ambient",
            "breakbeat",
            "chillout",
            "dance",
            "dnb",
            "downtempo",
            "edm",
            "electro",
            "electronic",
            "electronica",
            "eurodance",
            "gabba",
            "gabber",
            "garage",
            "hardstyle",
            "idm",
            "industrial",
            "jungle",
            "techno",
            "trance",
        ],
    ),
    (HipHop, &["drill", "grime", "rap", "trap"]),
    (Soul, &["disco", "funk", "motown", "rnb", "soul"]),
    (Jazz, &["jazz", "bebop", "bop", "dixieland", "swing"]),
    (Blues, &["blues"]),
    (Folk, &["folk", "acoustic", "celtic", "troubadour"]),
    (Country, &["country", "americana", "honky"]),
    (Reggae, &["reggae", "dancehall", "dub", "rocksteady", "ska"]),
    (
        Latin,
        &[
            "latin",
            "bachata",
            "bolero",
            "cumbia",
            "flamenco",
            "mariachi",
            "merengue",
            "mpb",
            "reggaeton",
            "salsa",
            "samba",
            "tango",
        ],
    ),
    (
        Classical,
        &[
            "classical",
            "baroque",
            "chamber",
            "choral",
            "minimalism",
            "opera",
            "operatic",
            "orchestral",
            "romantic",
            "score",
            "soundtrack",
            "symphony",
        ],
    ),
    (
        Vocal,
        &[
            "cabaret",
            "carnaval",
            "chanson",
            "crooner",
            "fado",
            "kleinkunst",
            "levenslied",
            "lounge",
            "musical",
            "schlager",
            "standards",
            "streektaal",
            "vocal",
        ],
    ),
    (World, &["world", "afrobeat", "balkan", "bollywood", "highlife", "klezmer", "qawwali", "rai", "raga"]),
    (Sacred, &["ccm", "christelijk", "christian", "gospel", "worship"]),
];

/// How words end that were grown together: krautrock, europop, bluegrass, dubstep.
const ENDINGS: [(&str, Family); 11] = [
    ("rock", Rock),
    ("punk", Rock),
    ("billy", Rock),
    ("metal", Metal),
    ("core", Metal),
    ("pop", Pop),
    ("house", Electronic),
    ("step", Electronic),
    ("wave", Electronic),
    ("hop", HipHop),
    ("grass", Country),
];

/// Share of the families in [`Genre::nearness`]; the rest is for the words.
const FAMILY_SHARE: f32 = 0.5;

/// A genre, read from free text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Genre {
    /// In lower case, words parted by one space.
    pub(super) name: String,
    /// What it is, if a rule knows.
    main: Option<Family>,
    families: u16,
    /// Each word once.
    words: Vec<String>,
}

impl Genre {
    /// Reads free text; any text is a genre, if perhaps of no known family.
    pub(super) fn read(text: &str) -> Self {
        let mut words: Vec<String> = text
            .to_lowercase()
            .replace('&', " and ")
            .replace("'n'", " and ")
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        let name = words.join(" ");
        let mut main = None;
        let mut families = 0;
        let mut rest = words.as_slice();
        while let Some((word, after)) = rest.split_first() {
            let (family, read) = phrase(rest).map_or_else(|| (family_of(word), after), |(f, read)| (Some(f), read));
            // The last word that says something is what the genre is.
            if let Some(family) = family {
                main = Some(family);
                families |= bit(family);
            }
            rest = read;
        }
        words.sort_unstable();
        words.dedup();
        Self { name, main, families, words }
    }

    /// All families that its words name, one bit each.
    pub(super) const fn families(&self) -> u16 {
        self.families
    }

    /// How near two genres are: 1 the same, at least .5 of the same family, 0 nothing in common.
    pub(super) fn nearness(&self, other: &Self) -> f32 {
        if self.name == other.name {
            return 1.0;
        }
        let shared = self.words.iter().filter(|word| other.words.contains(word)).count();
        let words = shared as f32 / (self.words.len() + other.words.len() - shared).max(1) as f32;
        let (Some(main), Some(others)) = (self.main, other.main) else {
            return FAMILY_SHARE * words;
        };
        let family = if main == others {
            1.0
        } else if self.families & bit(others) != 0 || other.families & bit(main) != 0 {
            0.7
        } else if self.families & other.families != 0 {
            0.5
        } else if KIN.contains(&(main, others)) || KIN.contains(&(others, main)) {
            0.35
        } else {
            0.0
        };
        FAMILY_SHARE * family + (1.0 - FAMILY_SHARE) * words
    }
}

const fn bit(family: Family) -> u16 {
    1 << family as u16
}

/// The phrase that `words` begin with: its family, and the words after it.
fn phrase(words: &[String]) -> Option<(Family, &[String])> {
    PHRASES.iter().find_map(|&(phrase, family)| {
        let count = phrase.split(' ').count();
        let read = words.get(..count)?;
        read.iter().map(String::as_str).eq(phrase.split(' ')).then(|| (family, &words[count..]))
    })
}

fn family_of(word: &str) -> Option<Family> {
    let whole = WORDS.iter().find(|(_, words)| words.contains(&word)).map(|&(family, _)| family);
    whole.or_else(|| ENDINGS.iter().find(|(ending, _)| word.ends_with(ending)).map(|&(_, family)| family))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn free_text_lands_in_its_family() {
        for (text, family) in [
            ("dutch indie", Rock),
            ("Classic Rock", Rock),
            ("folk-rock", Rock),
            ("Rock & Roll", Rock),
            ("Rock 'n' Roll", Rock),
            ("krautrock", Rock),
            ("british invasion", Rock),
            ("new wave", Rock),
            ("garage rock", Rock),
            ("nu-metal", Metal),
            ("metalcore", Metal),
            ("dance pop", Pop),
            ("K-Pop", Pop),
            ("nederpop", Pop),
            ("new wave pop", Pop),
            ("deep house", Electronic),
            ("UK garage", Electronic),
            ("happy hardcore", Electronic),
            ("trip-hop", Electronic),
            ("east coast hip hop", HipHop),
            ("gangster rap", HipHop),
            ("R&B", Soul),
            ("british soul", Soul),
            ("latin jazz", Jazz),
            ("blues", Blues),
            ("scottish singer-songwriter", Folk),
            ("alternative country", Country),
            ("bluegrass", Country),
            ("ska", Reggae),
            ("bossa nova", Latin),
            ("classic soundtrack", Classical),
            ("adult standards", Vocal),
            ("chanson", Vocal),
            ("gospel", Sacred),
        ] {
            assert_eq!(Genre::read(text).main, Some(family), "{text}");
        }
        assert_eq!(Genre::read("laboratorio").main, None);
        assert_eq!(Genre::read("").main, None);
    }

    #[test]
    fn nearer_genres_come_first() {
        for (genre, from_near_to_far) in [
            ("folk rock", ["Folk-Rock", "celtic rock", "hard rock", "folk", "country", "techno"]),
            ("deep house", ["deep house", "tropical house", "techno", "dance pop", "pop", "baroque"]),
            ("west coast rap", ["west coast rap", "east coast rap", "trap", "soul", "opera", "polka"]),
        ] {
            let near: Vec<f32> =
                from_near_to_far.iter().map(|other| Genre::read(genre).nearness(&Genre::read(other))).collect();
            assert!(near.is_sorted_by(|a, b| a >= b), "{genre}: {near:?}");
            assert!(near[0] > near[2] && near[2] > near[5], "{genre}: {near:?}");
        }
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "these are exact")]
    fn unknown_genres_meet_in_their_words() {
        let near = |a, b| Genre::read(a).nearness(&Genre::read(b));
        assert!(near("suomi humppa", "humppa") >= 0.25);
        assert_eq!(near("humppa", "Humppa"), 1.0);
        assert_eq!(near("humppa", "rock"), 0.0);
    }

    proptest! {
        #[test]
        fn nearness_is_symmetric_and_in_range(a in "[a-z& -]{0,16}|rock|dance pop", b in "\\PC{0,12}|deep house|folk rock") {
            let (a, b) = (Genre::read(&a), Genre::read(&b));
            let near = a.nearness(&b);
            prop_assert!((0.0..=1.0).contains(&near));
            prop_assert_eq!(near.to_bits(), b.nearness(&a).to_bits());
            prop_assert_eq!(a.nearness(&a).to_bits(), 1_f32.to_bits());
        }
    }
}
