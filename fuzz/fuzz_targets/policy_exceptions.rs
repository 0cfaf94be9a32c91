#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cleanbill_policy::fuzzing::exceptions(data));
