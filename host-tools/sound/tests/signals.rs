//! Signals whose truth is known because they were made for it.

#![expect(clippy::unwrap_used, reason = "a test that is surprised fails")]

use std::f32::consts::TAU;

use proptest::prelude::*;

use moodbox_sound::*;

const SECONDS: usize = 20;

fn time() -> impl Iterator<Item = f32> {
    (0..SECONDS * RATE as usize).map(|i| i as f32 / RATE as f32)
}

fn chord(frequencies: &[f32]) -> Vec<f32> {
    let level = 0.9 / frequencies.len() as f32;
    time().map(|t| frequencies.iter().map(|f| level * (TAU * f * t).sin()).sum()).collect()
}

/// Numbers of -1..1 that follow no rule (`SplitMix64`).
fn noise() -> Vec<f32> {
    let mut state = 7u64;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..SECONDS * RATE as usize).map(|_| 0.5 * next()).collect()
}

/// Short high blips, so many a minute.
fn clicks(beats_a_minute: f32) -> Vec<f32> {
    let since_beat = |t: f32| t % (60.0 / beats_a_minute);
    time().map(|t| 0.8 * (TAU * 1000.0 * t).sin() * (-since_beat(t) / 0.02).exp()).collect()
}

fn heard(samples: &[f32]) -> Sound {
    listen(samples, RATE).unwrap()
}

/// A note by its semitones above the A of 440 Hz.
fn note(semitones: i32) -> f32 {
    440.0 * (semitones as f32 / 12.0).exp2()
}

#[test]
fn a_full_scale_sine_has_the_loudness_of_the_standard() {
    // BS.1770-4: 0 dBFS at 997 Hz in one channel reads -3.01 LKFS.
    for rate in [RATE, 48_000, 44_100] {
        let sine: Vec<f32> = (0..10 * rate).map(|i| (TAU * 997.0 * i as f32 / rate as f32).sin()).collect();
        let loudness = listen(&sine, rate).unwrap().loudness;
        assert!((loudness + 3.01).abs() < 0.1, "{loudness} at {rate} Hz");
        let quiet: Vec<f32> = sine.iter().map(|s| s / 10.0).collect();
        assert!((listen(&quiet, rate).unwrap().loudness - loudness + 20.0).abs() < 0.01);
    }
}

#[test]
fn pauses_do_not_make_music_quieter() {
    let mut sine = chord(&[997.0]);
    let alone = heard(&sine).loudness;
    sine.extend(vec![0.0; 20 * RATE as usize]);
    assert!((heard(&sine).loudness - alone).abs() < 0.2);
}

#[test]
fn clicks_have_their_tempo_and_rate() {
    for tempo in [120.0, 90.0, 100.0, 75.0, 140.0] {
        let sound = heard(&clicks(tempo));
        let found = sound.tempo.unwrap();
        assert!((found - tempo).abs() < 0.02 * tempo, "{found} instead of {tempo}");
        assert!((sound.onset_rate - tempo / 60.0).abs() < 0.15, "{} onsets at {tempo}", sound.onset_rate);
    }
}

#[test]
fn very_slow_and_very_fast_clicks_have_an_octave_of_their_tempo() {
    for tempo in [50f32, 200.0] {
        let found = heard(&clicks(tempo)).tempo.unwrap();
        let octaves = (found / tempo).log2();
        assert!((octaves - octaves.round()).abs() < 0.03, "{found} instead of {tempo}");
        assert!((40.0..=220.0).contains(&found));
    }
}

#[test]
fn a_sine_is_where_it_is_and_has_no_beat() {
    let sound = heard(&chord(&[1500.0]));
    assert!((sound.centroid - 1500.0).abs() < 15.0, "{}", sound.centroid);
    assert!(sound.spread < 60.0, "{}", sound.spread);
    assert!(sound.onset_rate < 0.2, "{}", sound.onset_rate);
    assert_eq!(sound.tempo, None);
}

#[test]
fn white_noise_is_spread_evenly_and_has_neither_key_nor_beat() {
    let sound = heard(&noise());
    let half = RATE as f32 / 2.0;
    // An even distribution over 0..half has these.
    assert!((sound.centroid - half / 2.0).abs() < 0.02 * half, "{}", sound.centroid);
    assert!((sound.spread - half / 12f32.sqrt()).abs() < 0.02 * half, "{}", sound.spread);
    assert_eq!((sound.tempo, sound.majorness), (None, None));
}

#[test]
fn major_and_minor_triads_are_told_apart_in_every_key() {
    for keynote in -12..0 {
        let major = heard(&chord(&[0, 4, 7].map(|step| note(keynote + step)))).majorness.unwrap();
        assert!(major > 0.0, "{major} for major at {keynote}");
        let minor = heard(&chord(&[0, 3, 7].map(|step| note(keynote + step)))).majorness.unwrap();
        assert!(minor < 0.0, "{minor} for minor at {keynote}");
    }
}

#[test]
fn sounds_that_are_alike_have_like_timbres() {
    let distance =
        |a: &Sound, b: &Sound| a.timbre.iter().zip(b.timbre).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
    let (low, near, hiss) = (heard(&chord(&[220.0, 440.0])), heard(&chord(&[233.0, 466.0])), heard(&noise()));
    assert!(distance(&low, &near) < 0.5 * distance(&low, &hiss));
    // Timbre is colour, not loudness.
    let quiet = heard(&noise().iter().map(|s| s / 8.0).collect::<Vec<_>>());
    assert!(distance(&quiet, &hiss) < 0.01);
}

#[test]
fn loud_dense_and_bright_is_exciting_and_major_is_pleasant() {
    let quiet = chord(&[0, 3, 7].map(|step| note(step - 24))).iter().map(|s| s / 20.0).collect::<Vec<_>>();
    let loud: Vec<f32> = clicks(150.0)
        .iter()
        .zip(chord(&[0, 4, 7].map(note)))
        .zip(noise())
        .map(|((a, b), c)| a + b / 2.0 + c / 10.0)
        .collect();
    let (calm, lively) = (heard(&quiet).affect(), heard(&loud).affect());
    assert!(lively.arousal > calm.arousal + 0.5, "{lively:?} {calm:?}");
    assert!(lively.valence > calm.valence, "{lively:?} {calm:?}");
}

#[test]
fn silence_and_scraps_say_nothing() {
    assert_eq!(listen(&[], RATE), None);
    assert_eq!(listen(&vec![0.0; 10 * RATE as usize], RATE), None);
    assert_eq!(listen(&chord(&[440.0])[..2 * RATE as usize], RATE), None);
    assert_eq!(listen(&[0.1; 100], 0), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_sounds_the_numbers_are_numbers(
        pieces in prop::collection::vec((0f32..1.0, 0f32..1.0, 1..4000usize), 1..40), rate in 4000..96_000u32,
    ) {
        let samples: Vec<f32> = pieces
            .iter()
            .flat_map(|(level, pitch, length)| (0..*length).map(move |i| level * (pitch * 3.0 * i as f32).sin()))
            .collect();
        if let Some(sound) = listen(&samples, rate) {
            let Guess { valence, arousal } = sound.affect();
            prop_assert!([valence, arousal].iter().all(|v| (-1.0..=1.0).contains(v)), "{sound:?}");
            prop_assert!(sound.timbre.iter().all(|c| c.is_finite()), "{sound:?}");
            prop_assert!(sound.tempo.is_none_or(|t| (35.0..=240.0).contains(&t)), "{sound:?}");
            prop_assert!(sound.loudness.is_finite() && sound.onset_rate >= 0.0, "{sound:?}");
        }
    }
}
