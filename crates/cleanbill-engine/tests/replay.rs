//! Tries the entry points of the fuzz targets on stable.

#[path = "../../../fuzz/replay.rs"]
mod replay;

use cleanbill_engine::fuzzing::TARGETS;

#[test]
fn entry_points_hold() {
    replay::replay("engine_", TARGETS);
}
