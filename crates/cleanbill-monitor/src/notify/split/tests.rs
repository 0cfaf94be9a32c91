use proptest::prelude::*;

use super::{lengths, split};
use crate::notify::message::{Failure, ImageLine, Notification, Part, VulnerabilityGroup};

fn message(failures: usize, groups: usize, images: usize) -> Notification {
    let name = |number: usize| number.to_string();
    Notification {
        id: "m".to_owned(),
        failures: (0..failures)
            .map(|number| Failure {
                image: name(number),
                ..Failure::default()
            })
            .collect(),
        vulnerabilities: (0..groups)
            .map(|number| VulnerabilityGroup {
                id: name(number),
                ..VulnerabilityGroup::default()
            })
            .collect(),
        images: (0..images)
            .map(|number| ImageLine {
                image: name(number),
                ..ImageLine::default()
            })
            .collect(),
        vulnerabilities_left_out: 7,
        ..Notification::default()
    }
}

#[test]
fn what_fits_is_not_split() {
    let whole = message(1, 2, 3);
    assert_eq!(
        split(whole.clone(), 10, |part| lengths(part).iter().sum()),
        [whole]
    );
}

#[test]
fn parts_are_numbered_and_have_keys_of_their_own() {
    let parts = split(message(0, 5, 0), 10, |_| 2);
    let numbers: Vec<Part> = parts.iter().map(|part| part.part).collect();
    assert_eq!(numbers, [1, 2, 3].map(|number| Part { number, of: 3 }));
    let keys: Vec<String> = parts.iter().map(Notification::key).collect();
    assert_eq!(keys, ["m/1", "m/2", "m/3"]);
    assert!(parts.iter().all(|part| part.id == "m"));
}

#[test]
fn a_service_that_shows_nothing_still_comes_to_an_end() {
    assert_eq!(split(message(1, 40, 2), 10, |_| 0).len(), 10);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nothing_is_lost_and_nothing_doubled(
        failures in 0..6_usize, groups in 0..30_usize, images in 0..9_usize, shown in 1..12_usize,
    ) {
        let whole = message(failures, groups, images);
        let parts = split(whole.clone(), 10, |_| shown);
        prop_assert!(parts.len() <= 10);
        let joined = |count: fn(&Notification) -> Vec<String>| -> Vec<String> {
            parts.iter().flat_map(count).collect()
        };
        let names = |part: &Notification| {
            part.vulnerabilities.iter().map(|group| group.id.clone()).collect()
        };
        prop_assert_eq!(joined(names), names(&whole));
        let names = |part: &Notification| part.images.iter().map(|line| line.image.clone()).collect();
        prop_assert_eq!(joined(names), names(&whole));
        let left_out: u64 = parts.iter().map(|part| part.vulnerabilities_left_out).sum();
        prop_assert_eq!(left_out, 7);
        for part in parts.iter().rev().skip(1) {
            prop_assert_eq!(lengths(part).iter().sum::<usize>(), shown);
        }
    }
}
