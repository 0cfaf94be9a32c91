#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cleanbill_monitor::fuzzing::baseline(data));
