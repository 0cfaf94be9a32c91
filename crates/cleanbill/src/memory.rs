//! Giving memory back.

/// Gives what was freed back to the system: a process that waits for the next day keeps as little
/// as it can. The GNU C library keeps what lies between two pieces that are in use, some 100 MB
/// after a pass over 500 images, until it is asked; others give it back by themselves.
pub(crate) fn give_back() {
    #[cfg(target_env = "gnu")]
    trim();
}

#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "no crate of ours wraps malloc_trim")]
fn trim() {
    unsafe extern "C" {
        /// malloc_trim(3).
        fn malloc_trim(pad: usize) -> std::ffi::c_int;
    }
    // SAFETY: it takes a number, may be called by any thread at any time, and changes nothing that
    // is in use.
    unsafe { malloc_trim(0) };
}
