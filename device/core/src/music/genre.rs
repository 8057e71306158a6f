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

/// The tree: families, their branches, and the words that name a kind on each. Kinds on one branch sound alike to most
/// listeners. The branches follow how encyclopaedias and record shops group kinds of music.
const TREE: [(Family, &[&[&str]]); 16] = [
    (
        Rock,
        &[
            &["rock", "rockabilly", "surf"],
            &["prog", "psych"],
            &["punk", "emo", "grunge"],
            &["alternative", "indie", "shoegaze", "britpop", "wave"],
        ],
    ),
    (Metal, &[&["metal", "djent", "thrash"]]),
    (Pop, &[&["pop", "metropopolis"]]),
    (
        Electronic,
        &[
            &["electronic", "electro", "electronica", "dance", "edm", "idm", "industrial"],
            &["house", "garage", "eurodance"],
            &["techno", "trance", "hardstyle", "gabba", "gabber"],
            &["breakbeat", "dnb", "jungle", "dubstep"],
            &["ambient", "chillout", "downtempo"],
        ],
    ),
    (HipHop, &[&["rap", "grime"], &["trap", "drill"]]),
    (Soul, &[&["soul", "motown", "rnb"], &["funk", "disco"]]),
    (Jazz, &[&["jazz", "bebop", "bop"], &["swing", "dixieland"]]),
    (Blues, &[&["blues"]]),
    (Folk, &[&["folk", "acoustic", "troubadour"], &["celtic"]]),
    (Country, &[&["country", "americana", "honky", "bluegrass"]]),
    (Reggae, &[&["reggae", "rocksteady", "dub"], &["dancehall"], &["ska"]]),
    (
        Latin,
        &[
            &["latin", "bachata", "cumbia", "merengue", "reggaeton", "salsa"],
            &["samba", "mpb"],
            &["bolero", "flamenco", "mariachi", "tango"],
        ],
    ),
    (
        Classical,
        &[
            &["classical", "baroque", "chamber", "orchestral", "romantic", "symphony"],
            &["opera", "operatic", "choral"],
            &["soundtrack", "score"],
            &["minimalism"],
        ],
    ),
    (
        Vocal,
        &[
            &["standards", "crooner", "lounge", "vocal", "musical"],
            &["chanson", "cabaret", "fado", "kleinkunst"],
            &["schlager", "levenslied", "carnaval", "streektaal"],
        ],
    ),
    (
        World,
        &[&["world"], &["afrobeat", "highlife"], &["balkan", "klezmer"], &["bollywood", "qawwali", "raga"], &["rai"]],
    ),
    (Sacred, &[&["christian", "ccm", "christelijk", "worship"], &["gospel"]]),
];

/// Words that mean something else together than alone, and the word of the tree that means the same.
const PHRASES: [(&str, &str); 28] = [
    ("adult standards", "standards"),
    ("big band", "swing"),
    ("big beat", "breakbeat"),
    ("big room", "house"),
    ("bossa nova", "samba"),
    ("boy band", "pop"),
    ("british invasion", "rock"),
    ("drum and bass", "dnb"),
    ("easy listening", "standards"),
    ("g funk", "rap"),
    ("garage rock", "rock"),
    ("girl group", "pop"),
    ("happy hardcore", "gabber"),
    ("hip hop", "rap"),
    ("j core", "gabber"),
    ("mellow gold", "rock"),
    ("neo mellow", "pop"),
    ("new age", "minimalism"),
    ("new jack swing", "rnb"),
    ("new wave", "alternative"),
    ("permanent wave", "alternative"),
    ("quiet storm", "rnb"),
    ("r and b", "rnb"),
    ("rhythm and blues", "rnb"),
    ("rock and roll", "rock"),
    ("singer songwriter", "folk"),
    ("stomp and holler", "folk"),
    ("trip hop", "downtempo"),
];

/// How words end that were grown together, and the word of the tree that means the same: krautrock, europop, dubstep.
const ENDINGS: [(&str, &str); 11] = [
    ("rock", "rock"),
    ("punk", "punk"),
    ("billy", "rock"),
    ("metal", "metal"),
    ("core", "metal"),
    ("pop", "pop"),
    ("house", "house"),
    ("step", "dnb"),
    ("wave", "electronic"),
    ("hop", "rap"),
    ("grass", "country"),
];

/// Share of the families in [`Genre::nearness`]; the rest is for the words.
const FAMILY_SHARE: f32 = 0.5;

/// A place in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    family: Family,
    /// Which of the family's branches.
    branch: usize,
}

/// A genre, read from free text.
#[derive(Debug, Clone, PartialEq)]
pub struct Genre {
    /// In lower case, words parted by one space.
    pub name: String,
    /// What it is, if a rule knows.
    main: Option<Kind>,
    families: u16,
    /// Each word once.
    words: Vec<String>,
}

impl Genre {
    /// Reads free text; any text is a genre, if perhaps of no known family.
    #[must_use]
    pub fn read(text: &str) -> Self {
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
            let (kind, read) =
                phrase(rest).map_or_else(|| (kind_of(word), after), |(word, read)| (on_tree(word), read));
            // The last word that says something is what the genre is.
            if let Some(kind) = kind {
                main = Some(kind);
                families |= bit(kind.family);
            }
            rest = read;
        }
        words.sort_unstable();
        words.dedup();
        Self { name, main, families, words }
    }

    /// Whether both are kinds of music that sound alike to most listeners, as far as a rule knows.
    #[must_use]
    pub fn is_close_to(&self, other: &Self) -> bool {
        self.main.is_some() && self.main == other.main
    }

    /// Whether both are of one broad kind of music, as rock and metal are two, as far as a rule knows.
    #[must_use]
    pub fn is_of_same_family(&self, other: &Self) -> bool {
        self.family().is_some() && self.family() == other.family()
    }

    /// The family that it belongs to, if a rule knows.
    pub(super) fn family(&self) -> Option<Family> {
        self.main.map(|kind| kind.family)
    }

    /// All families that its words name, one bit each.
    pub(super) const fn families(&self) -> u16 {
        self.families
    }

    /// How near two genres are: 1 the same, at least .4 of the same family, 0 nothing in common.
    pub(super) fn nearness(&self, other: &Self) -> f32 {
        if self.name == other.name {
            return 1.0;
        }
        let shared = self.words.iter().filter(|word| other.words.contains(word)).count();
        let words = shared as f32 / (self.words.len() + other.words.len() - shared).max(1) as f32;
        let (Some(main), Some(others)) = (self.main, other.main) else {
            return FAMILY_SHARE * words;
        };
        let (family, other_family) = (main.family, others.family);
        let family = if main == others {
            1.0
        } else if family == other_family {
            0.8
        } else if self.families & bit(other_family) != 0 || other.families & bit(family) != 0 {
            0.7
        } else if self.families & other.families != 0 {
            0.5
        } else if KIN.contains(&(family, other_family)) || KIN.contains(&(other_family, family)) {
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

/// The phrase that `words` begin with: the word that means the same, and the words after it.
fn phrase(words: &[String]) -> Option<(&'static str, &[String])> {
    PHRASES.iter().find_map(|&(phrase, meaning)| {
        let count = phrase.split(' ').count();
        let read = words.get(..count)?;
        read.iter().map(String::as_str).eq(phrase.split(' ')).then(|| (meaning, &words[count..]))
    })
}

fn kind_of(word: &str) -> Option<Kind> {
    let grown = || ENDINGS.iter().find(|(ending, _)| word.ends_with(ending)).and_then(|&(_, meaning)| on_tree(meaning));
    on_tree(word).or_else(grown)
}

fn on_tree(word: &str) -> Option<Kind> {
    TREE.iter().find_map(|&(family, branches)| {
        let branch = branches.iter().position(|words| words.contains(&word))?;
        Some(Kind { family, branch })
    })
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
            ("synthwave", Electronic),
            ("dubstep", Electronic),
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
            assert_eq!(Genre::read(text).family(), Some(family), "{text}");
        }
        assert_eq!(Genre::read("laboratorio").family(), None);
        assert_eq!(Genre::read("").family(), None);
    }

    #[test]
    fn phrases_and_endings_mean_words_of_the_tree() {
        for (text, meaning) in PHRASES.iter().chain(&ENDINGS) {
            assert!(on_tree(meaning).is_some(), "{text}");
        }
    }

    #[test]
    fn nearer_genres_come_first() {
        for (genre, from_near_to_far) in [
            ("house", ["deep house", "UK garage", "techno", "dance pop", "pop", "baroque"]),
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
