#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cleanbill_image::fuzzing::containerd(data));
