//! The size of a layer's tar stream, from the log that the engine keeps of it.
//!
//! A layer that is read from its directory has no tar stream to count. The engine can put it
//! together again, byte for byte, from `tar-split.json.gz`: one JSON object a line, in the order
//! of the stream, either a segment (headers and padding, base64) or a file (its size only).
//!
//! Source: vbatts/tar-split `tar/storage/entry.go`, `tar/storage/packer.go`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;

use crate::ReadContext;

const KIND_FILE: u8 = 1;
const KIND_SEGMENT: u8 = 2;

/// Bytes of a line that are kept. A segment holds a header with its extended headers; the end of
/// an archive that was padded to whole blocks comes in one segment.
const LINE_SIZE_BYTES_MAX: u64 = 32 << 20;

/// One line of the log.
#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(rename = "type")]
    kind: u8,
    #[serde(rename = "size", default)]
    size_bytes: u64,
    /// A segment: its bytes. A file: its checksum, which is of no interest here. Base64 needs no
    /// escapes, so the text can be borrowed.
    #[serde(borrow, default)]
    payload: Option<&'a str>,
}

/// Computes the bytes of the uncompressed tar stream of a layer.
///
/// # Errors
///
/// The log cannot be read or makes no sense, or the scan was stopped.
pub(super) fn stream_size_bytes(path: &Path, context: &ReadContext) -> io::Result<u64> {
    size_bytes(
        BufReader::with_capacity(64 << 10, File::open(path)?),
        context,
    )
}

fn size_bytes(compressed: impl BufRead, context: &ReadContext) -> io::Result<u64> {
    let mut lines = BufReader::with_capacity(64 << 10, MultiGzDecoder::new(compressed));
    let mut line = Vec::new();
    let mut total: u64 = 0;
    loop {
        context.check()?;
        line.clear();
        lines
            .by_ref()
            .take(LINE_SIZE_BYTES_MAX)
            .read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(total);
        }
        let entry: Entry<'_> = serde_json::from_slice(&line)?;
        let bytes = match entry.kind {
            KIND_FILE => entry.size_bytes,
            KIND_SEGMENT => decoded_size(entry.payload.unwrap_or_default())
                .ok_or_else(|| invalid("a segment is no base64"))?,
            // Kinds that a later version may add cannot be counted.
            kind => return Err(invalid(&format!("entry of unknown type {kind}"))),
        };
        total = total
            .checked_add(bytes)
            .ok_or_else(|| invalid("sizes overflow"))?;
    }
}

fn invalid(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

/// Returns how many bytes a base64 text stands for, without decoding it.
fn decoded_size(text: &str) -> Option<u64> {
    let padding = text.len() - text.trim_end_matches('=').len();
    if !text.len().is_multiple_of(4) || padding > 2 {
        return None;
    }
    Some((text.len() / 4 * 3).checked_sub(padding)? as u64)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn size(text: &str) -> io::Result<u64> {
        size_bytes(gzip(text).as_slice(), &ReadContext::default())
    }

    #[test]
    fn segments_and_files_are_added_up() {
        let log = concat!(
            "{\"type\":2,\"payload\":\"YWJj\",\"position\":0}\n",
            "{\"type\":1,\"name\":\"a\",\"size\":1000,\"payload\":\"AAAAAAAAAAA=\",\"position\":1}\n",
            "{\"type\":2,\"payload\":\"YQ==\",\"position\":2}\n",
            "{\"type\":1,\"name_raw\":\"/w==\",\"payload\":null,\"position\":3}\n",
            "{\"type\":2,\"payload\":\"\",\"position\":4}\n",
            "{\"type\":2,\"position\":5}\n",
        );
        assert_eq!(size(log).unwrap(), 3 + 1000 + 1);
        assert_eq!(size("").unwrap(), 0);
    }

    #[test]
    fn nonsense_is_an_error() {
        for log in [
            "{",
            "[]",
            "{\"type\":3}",
            "{\"type\":2,\"payload\":\"YQ\"}",
            "{\"type\":2,\"payload\":7}",
            "{\"type\":2,\"payload\":\"====\"}",
            "{\"type\":1,\"size\":-1}",
            "{\"type\":1,\"size\":18446744073709551615}\n{\"type\":1,\"size\":1}",
        ] {
            assert!(size(log).is_err(), "{log}");
        }
        let whole = gzip("{\"type\":2,\"payload\":\"YWJj\"}\n");
        let cut = whole.get(..whole.len() - 9).unwrap();
        assert!(size_bytes(cut, &ReadContext::default()).is_err());
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(128))]

        #[test]
        fn whatever_the_log_holds_nothing_panics(text in "[ -~\\n]{0,200}", bytes: Vec<u8>) {
            let _ = size(&text);
            let _ = size(&format!("{{\"type\":2,\"payload\":\"{text}\"}}"));
            let _ = size_bytes(bytes.as_slice(), &ReadContext::default());
        }

        #[test]
        fn sizes_are_those_of_the_decoded_segments(segment: Vec<u8>) {
            use base64::Engine as _;
            let payload = base64::engine::general_purpose::STANDARD.encode(&segment);
            let log = format!("{{\"type\":2,\"payload\":\"{payload}\"}}");
            proptest::prop_assert_eq!(size(&log).unwrap(), segment.len() as u64);
        }
    }

    #[test]
    fn a_stopped_scan_stops_here_too() {
        let context = ReadContext::default();
        context
            .cancelled
            .store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(size_bytes(gzip("").as_slice(), &context).is_err());
    }
}
