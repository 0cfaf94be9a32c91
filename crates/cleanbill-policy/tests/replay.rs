//! Tries the entry points of the fuzz targets on stable.

#[path = "../../../fuzz/replay.rs"]
mod replay;

use cleanbill_policy::fuzzing;

#[test]
fn entry_points_hold() {
    let mut targets = fuzzing::TARGETS.to_vec();
    targets.insert(1, ("policy_ignore_yaml", ignore_yaml));
    replay::replay("policy_", &targets);
}

fn ignore_yaml(data: &[u8]) {
    fuzzing::ignore_yaml(data, |text| serde_saphyr::from_str(text).ok());
}
