#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cleanbill_engine::fuzzing::base_list(data));
