//! Package databases that are too large: what packages own, and packages themselves.

use std::io::{self, Write};

use super::LayerWriter;
use super::MEGABYTE;

type Layer<'a> = LayerWriter<&'a mut dyn Write>;

/// A package whose list of files has 200 MB.
pub(super) fn dpkg_files(layer: &mut Layer<'_>, scale: usize) -> io::Result<()> {
    let mut list = Vec::new();
    for number in 0.. {
        if list.len() >= 200 * MEGABYTE / scale {
            break;
        }
        // In no order, as `dpkg` writes them.
        let directory = number * 7_919 % 50_000;
        writeln!(
            list,
            "{number:032x}  usr/share/doc/directory-{directory:05}/file-{number:07}.txt"
        )?;
    }
    // A list that is larger than the limit is told; this one is cut where it would be.
    for (part, lines) in list.chunks(100 * MEGABYTE).enumerate() {
        let end = lines.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
        let begin = match part {
            0 => 0,
            _ => lines.iter().position(|byte| *byte == b'\n').unwrap_or(0) + 1,
        };
        let whole = lines.get(begin..=end).unwrap_or_default();
        layer.file(&format!("var/lib/dpkg/info/package-{part}.md5sums"), whole)?;
    }
    let mut status = Vec::new();
    for part in 0..2 {
        package(&mut status, &format!("package-{part}"), "1-1")?;
    }
    layer.file("var/lib/dpkg/status", &status)
}

/// A package of apk that owns five million files.
pub(super) fn apk_files(layer: &mut Layer<'_>, scale: usize) -> io::Result<()> {
    let mut list = b"P:package\nV:1.0-r0\nA:x86_64\n".to_vec();
    for number in 0.. {
        if list.len() >= 200 * MEGABYTE / scale {
            break;
        }
        if number % 100 == 0 {
            writeln!(list, "F:usr/share/doc/directory-{number:07}")?;
        }
        writeln!(list, "R:file-{number:07}.txt\nZ:Q1{number:027}=")?;
    }
    list.push(b'\n');
    layer.file("lib/apk/db/installed", &list)
}

/// More packages than any distribution has.
pub(super) fn dpkg_packages(layer: &mut Layer<'_>, scale: usize) -> io::Result<()> {
    let mut status = Vec::new();
    for number in 0..160_000 / scale {
        let (name, version) = (format!("package-{number:06}"), format!("1.{number}-1"));
        package(&mut status, &name, &version)?;
    }
    layer.file("var/lib/dpkg/status", &status)
}

fn package(status: &mut Vec<u8>, name: &str, version: &str) -> io::Result<()> {
    write!(
        status,
        "Package: {name}\nStatus: install ok installed\nMaintainer: Debian Maintainers <a@debian.org>\n\
         Architecture: amd64\nVersion: {version}\nSource: source-of-{name}\nDepends: libc6 (>= 2.4)\n\
         Description: made up\n\n"
    )
}
