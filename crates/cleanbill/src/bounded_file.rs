//! Reads whole files, each with a bound: no file that somebody names may fill the memory.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context as _, ensure};

/// Reads a file of at most so many bytes.
///
/// # Errors
///
/// It cannot be read, or is larger.
pub(crate) fn bytes(file: &Path, size_bytes_max: u64) -> anyhow::Result<Vec<u8>> {
    let opened = File::open(file)?;
    // A file that states its size need not be read to be refused.
    let size_bytes = opened.metadata()?.len();
    ensure!(
        size_bytes <= size_bytes_max,
        "it has {size_bytes} bytes, more than the {} that are read",
        words(size_bytes_max)
    );
    read(opened, size_bytes, size_bytes_max)
}

/// The same; `-` is standard input.
pub(crate) fn bytes_or_stdin(file: &Path, size_bytes_max: u64) -> anyhow::Result<Vec<u8>> {
    match file == Path::new("-") {
        true => read(std::io::stdin().lock(), 0, size_bytes_max),
        false => bytes(file, size_bytes_max),
    }
}

/// Reads a text of at most so many bytes.
///
/// # Errors
///
/// It cannot be read, is larger, or is not UTF-8.
pub(crate) fn text(file: &Path, size_bytes_max: u64) -> anyhow::Result<String> {
    String::from_utf8(bytes(file, size_bytes_max)?).context("it is not UTF-8 text")
}

/// Prints a bound as people say it.
fn words(bytes: u64) -> String {
    let units = [(1_u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let unit = units
        .into_iter()
        .find(|(one, _)| bytes >= *one && bytes.is_multiple_of(*one));
    match unit {
        Some((one, name)) => format!("{} {name}", bytes / one),
        None => format!("{bytes} bytes"),
    }
}

fn read(source: impl Read, expected: u64, size_bytes_max: u64) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or(0));
    source.take(size_bytes_max + 1).read_to_end(&mut bytes)?;
    ensure!(
        bytes.len() as u64 <= size_bytes_max,
        "it has more than the {} that are read",
        words(size_bytes_max)
    );
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_said_as_people_say_it() {
        assert_eq!(words(512 << 20), "512 MiB");
        assert_eq!(words(1 << 30), "1 GiB");
        assert_eq!(words(1_500), "1500 bytes");
    }

    #[test]
    fn a_file_has_a_bound_whether_it_states_its_size_or_not() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        std::fs::write(&file, "four").unwrap();
        assert_eq!(text(&file, 4).unwrap(), "four");
        let refused = |file: &Path| bytes(file, 3).unwrap_err().to_string();
        assert_eq!(
            refused(&file),
            "it has 4 bytes, more than the 3 bytes that are read"
        );
        assert_eq!(
            refused(Path::new("/dev/zero")),
            "it has more than the 3 bytes that are read"
        );
        std::fs::write(&file, [0xff]).unwrap();
        assert_eq!(
            text(&file, 4).unwrap_err().to_string(),
            "it is not UTF-8 text"
        );
    }
}
