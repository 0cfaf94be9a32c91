//! The ignore list: a file of images to leave out, one a line.

use std::path::Path;

use super::resolve::read_file;

/// Bytes that an ignore list may have.
const SIZE_BYTES_MAX: u64 = 4 << 20;

/// Reads an ignore list; `None` if there is no such file. What follows a `#` is a remark.
///
/// # Errors
///
/// The file is there and cannot be read, is larger than 4 MiB or is no UTF-8 text.
pub(super) fn read(path: &Path) -> Result<Option<Vec<String>>, String> {
    // A list that cannot be reached is not one that is absent: what it leaves out would be told.
    if !path.try_exists().map_err(|error| error.to_string())? {
        return Ok(None);
    }
    let text = read_file(path, SIZE_BYTES_MAX)?;
    let lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty());
    Ok(Some(lines.map(str::to_owned).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_name_or_a_pattern_and_may_have_a_remark() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("list");
        assert_eq!(read(&path), Ok(None));
        std::fs::write(&path, "# all\r\n a:1 \n\nshop/*  # not these\n#\n").unwrap();
        let expected = ["a:1", "shop/*"].map(str::to_owned);
        assert_eq!(read(&path), Ok(Some(expected.to_vec())));
    }

    #[test]
    fn what_is_no_text_is_an_error_and_not_an_empty_list() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("list");
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(read(&path).unwrap_err().contains("not UTF-8"));
        // Docker makes a directory where a file that is to be mounted is missing.
        assert!(read(directory.path()).unwrap_err().contains("no regular"));
    }
}
