#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cleanbill_advisories::fuzzing::kev(data));
