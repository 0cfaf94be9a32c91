#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cleanbill_report::fuzzing::trivy(data));
