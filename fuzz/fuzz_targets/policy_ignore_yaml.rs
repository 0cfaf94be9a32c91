#![no_main]

use cleanbill_policy::fuzzing::ignore_yaml;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    ignore_yaml(data, |text| serde_saphyr::from_str(text).ok());
});
