//! Giving memory back.

/// Gives what was freed back to the system: a process that waits for the next day keeps as little
/// as it can. The GNU C library keeps what lies between two pieces that are in use, some 100 MB
/// after a pass over 500 images, until it is asked; others give it back by themselves.
pub(crate) fn give_back() {
    #[cfg(target_env = "gnu")]
    trim();
}

/// Lets the threads of a process that lives for months share what the allocator keeps. By itself the
/// GNU C library gives each new thread one of up to eight heaps for each processor, and whatever
/// comes and goes fills them all in time: a host where settings and databases changed all day took a
/// megabyte more every minute.
pub(crate) fn share_between_threads() {
    #[cfg(target_env = "gnu")]
    bound_heaps();
}

#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "no crate of ours wraps mallopt")]
fn bound_heaps() {
    /// `M_ARENA_MAX` of malloc.h.
    const ARENA_MAX: std::ffi::c_int = -8;

    unsafe extern "C" {
        /// mallopt(3).
        fn mallopt(parameter: std::ffi::c_int, value: std::ffi::c_int) -> std::ffi::c_int;
    }
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let heaps = std::ffi::c_int::try_from(processors.max(2)).unwrap_or(std::ffi::c_int::MAX);
    // SAFETY: it takes two numbers, may be called by any thread at any time, and changes nothing
    // that is in use.
    unsafe { mallopt(ARENA_MAX, heaps) };
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
