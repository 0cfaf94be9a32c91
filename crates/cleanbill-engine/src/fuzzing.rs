//! Entry points for fuzz targets and their replay: arbitrary bytes in, broken promises out as a
//! panic. Not part of the crate's interface.

use crate::{read_base_list, write_base_list};

/// An entry point with the name of its target.
pub type Target = (&'static str, fn(&[u8]));

/// Every entry point of the crate, by the name of its folder in `fuzz/corpus`.
pub const TARGETS: &[Target] = &[("engine_base_list", base_list)];

/// Reads a list of base images. What was read can be written and read again.
pub fn base_list(data: &[u8]) {
    let Ok(chains) = read_base_list(data) else {
        return;
    };
    let text = write_base_list(&chains);
    let again = read_base_list(text.as_bytes()).expect("what is written can be read");
    assert_eq!(again, chains);
}
