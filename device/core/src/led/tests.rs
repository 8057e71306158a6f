use proptest::prelude::*;

use super::*;

const HAPPY: LedPattern = LedPattern {
    mood: RoomMood::Emotion(Emotion::Happy),
    confidence: 1.0,
    unsure: false,
    fault: None,
    camera: CameraLight::Steady,
    lights_on: true,
    brightness: 1.0,
    test: None,
};

fn moods() -> Vec<RoomMood> {
    Emotion::ALL.into_iter().map(RoomMood::Emotion).chain([RoomMood::Mixed]).collect()
}

fn at(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Björn Ottosson's Oklab (2020) from linear light; its Euclidean distance follows perceived difference.
fn oklab([r, g, b]: [f32; 3]) -> [f32; 3] {
    let l = (0.412_221_5 * r + 0.536_332_55 * g + 0.051_445_995 * b).max(0.0).cbrt();
    let m = (0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b).max(0.0).cbrt();
    let s = (0.088_302_46 * r + 0.281_718_85 * g + 0.629_978_7 * b).max(0.0).cbrt();
    [
        0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
        1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
        0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
    ]
}

/// What a person without colour-vision deficiency, with protanopia and with deuteranopia sees: the matrices for full
/// severity of Machado, Oliveira and Fernandes 2009.
const VISIONS: [[[f32; 3]; 3]; 3] = [
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]],
    [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_82, 0.042_94, 0.968_881]],
];

#[test]
fn every_two_moods_can_be_told_apart_also_without_red_green_vision() {
    for vision in VISIONS {
        let seen: Vec<_> = moods()
            .into_iter()
            .map(|mood| {
                let [r, g, b] = colour(mood);
                (mood, oklab(vision.map(|row| (row[0] * r + row[1] * g + row[2] * b).clamp(0.0, 1.0))))
            })
            .collect();
        for (i, (a, x)) in seen.iter().enumerate() {
            for (b, y) in &seen[..i] {
                let distance = x.iter().zip(y).map(|(p, q)| (p - q).powi(2)).sum::<f32>().sqrt();
                // The just noticeable difference is about .02.
                assert!(distance > 0.15, "{a} {b} {distance}");
            }
        }
    }
}

#[test]
fn lights_without_dimming_have_a_colour_for_each_mood_too() {
    let mut on_off: Vec<_> = moods()
        .into_iter()
        .filter(|mood| *mood != RoomMood::Mixed)
        .map(|mood| {
            let colour = colour(mood);
            let brightest = colour.into_iter().fold(0.0, f32::max);
            colour.map(|c| c >= brightest / 2.0)
        })
        .collect();
    on_off.sort_unstable();
    on_off.dedup();
    assert_eq!(on_off.len(), 7);
}

#[test]
fn brightness_follows_confidence() {
    let red = |confidence| LedPattern { confidence, ..HAPPY }.levels_at(at(0)).red;
    assert!((red(1.0) - 1.0).abs() < 1e-6);
    // Half the confidence is .65 of the perceived brightness, and .65^2.2 = .3876 of the power.
    assert!((red(0.5) - 0.3876).abs() < 1e-3, "{}", red(0.5));
    assert!(red(0.0) > 0.05 && red(0.0) < red(0.5));
}

#[test]
fn a_breath_takes_four_seconds_from_top_to_top() {
    let unsure = LedPattern { unsure: true, ..HAPPY };
    let red = |ms| unsure.levels_at(at(ms)).red;
    assert!((red(0) - red(4000)).abs() < 1e-6);
    assert!((red(0) - 1.0).abs() < 1e-6);
    // Half-way out it is a quarter of the perceived brightness: .25^2.2 = .0474.
    assert!((red(2000) - 0.0474).abs() < 1e-3, "{}", red(2000));
}

#[test]
fn a_fault_blinks_its_number_and_then_shows_the_mood() {
    for fault in Fault::ALL {
        let pattern = LedPattern { fault: Some(fault), ..HAPPY };
        let lit: Vec<bool> = (0..600).map(|i| pattern.levels_at(at(i * 10)).red > 0.0).collect();
        let mood_from = lit.iter().rposition(|on| !on).unwrap();
        let starts = lit[..mood_from].windows(2).filter(|w| !w[0] && w[1]).count();
        assert_eq!(starts as u32, fault.blinks());
        assert_eq!(pattern.levels_at(at(5990)), HAPPY.levels_at(at(0)));
        assert!(pattern.levels_at(at(600)).green.abs() < f32::EPSILON, "the blinks are red alone");
    }
}

#[test]
fn nothing_but_the_mood_light_can_be_switched_off() {
    let off = LedPattern { lights_on: false, unsure: true, fault: Some(Fault::Camera), ..HAPPY };
    assert_eq!(off.levels_at(at(700)), Levels { camera: 1.0, ..Levels::default() });
    assert!(off.is_steady());
    let dark = LedPattern { brightness: 0.0, ..HAPPY };
    assert_eq!(dark.levels_at(at(0)), Levels { camera: 1.0, ..Levels::default() });
}

#[test]
fn a_test_shows_each_channel_whatever_else_is_wrong() {
    let faulty = LedPattern { lights_on: false, fault: Some(Fault::Broker), brightness: 0.1, ..HAPPY };
    let shown = TestLight::STEPS.map(|light| {
        let Levels { red, green, blue, camera } = LedPattern { test: Some(light), ..faulty }.levels_at(at(7));
        [red, green, blue, camera]
    });
    let expected = [[1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0], [1.0; 4]];
    assert_eq!(shown, expected);
}

#[test]
fn the_camera_light_blinks_while_somebody_looks_through_it() {
    let watched = LedPattern { camera: CameraLight::Blinks, lights_on: false, ..HAPPY };
    let lit: Vec<bool> = (0..20).map(|i| watched.levels_at(at(i * 100)).camera > 0.0).collect();
    assert_eq!(lit[..8], [true, true, false, false, true, true, false, false]);
    assert!(!watched.is_steady());
    assert!(LedPattern { camera: CameraLight::Steady, ..watched }.is_steady());
}

#[test]
fn an_empty_room_is_dark() {
    let empty = LedPattern { mood: RoomMood::Absent, ..HAPPY };
    assert_eq!(empty.levels_at(at(0)), Levels { camera: 1.0, ..Levels::default() });
}

fn pattern() -> impl Strategy<Value = LedPattern> {
    let mood = prop::sample::select(moods().into_iter().chain([RoomMood::Absent]).collect::<Vec<_>>());
    let fault = prop::option::of(prop::sample::select(&Fault::ALL));
    let test = prop::option::weighted(0.1, prop::sample::select(&TestLight::STEPS));
    let camera = prop::sample::select(&[CameraLight::Steady, CameraLight::Blinks]);
    (mood, any::<f32>(), any::<bool>(), fault, camera, any::<bool>(), any::<f32>(), test).prop_map(
        |(mood, confidence, unsure, fault, camera, lights_on, brightness, test)| LedPattern {
            mood,
            confidence,
            unsure,
            fault,
            camera,
            lights_on,
            brightness,
            test,
        },
    )
}

proptest! {
    #[test]
    fn levels_stay_from_0_to_1(pattern in pattern(), secs: u64, nanos in 0u32..1_000_000_000) {
        let Levels { red, green, blue, camera } = pattern.levels_at(Duration::new(secs, nanos));
        for level in [red, green, blue, camera] {
            prop_assert!((0.0..=1.0).contains(&level), "{}", level);
        }
    }

    #[test]
    fn a_steady_pattern_never_changes(pattern in pattern(), a in 0u64..100_000, b in 0u64..100_000) {
        if pattern.is_steady() {
            prop_assert_eq!(pattern.levels_at(at(a)), pattern.levels_at(at(b)));
        }
    }

    #[test]
    fn breathing_has_no_jumps(confidence in 0f32..=1.0, ms in 0u64..100_000) {
        let pattern = LedPattern { unsure: true, confidence, ..HAPPY };
        let step = pattern.levels_at(at(ms + 10)).red - pattern.levels_at(at(ms)).red;
        // The steepest rise of a breath is .75 pi / 4 s x 2.2: 1.3 a second, .013 in 10 ms.
        prop_assert!(step.abs() < 0.014, "{}", step);
    }
}
