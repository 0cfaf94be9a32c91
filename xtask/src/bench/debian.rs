//! The Debian part of the benchmark's image: a package database that could be real.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::content::Texture;
use super::layer::{LayerPlan, LayerWriter};

/// Names, versions and sources of packages of Debian 12: name, version, architecture, section,
/// priority, source.
const PACKAGES: &str = include_str!("packages.tsv");

/// Files that a package lists.
const FILES_PER_PACKAGE: usize = 60;

/// Parts of a line of the list.
pub(crate) struct Row<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    architecture: &'a str,
    section: &'a str,
    priority: &'a str,
    source: &'a str,
}

impl<'a> Row<'a> {
    /// Returns name and version of the source package.
    pub(crate) fn source(&self) -> (&'a str, &'a str) {
        if self.source.is_empty() {
            return (self.name, self.version);
        }
        match self.source.split_once(" (") {
            Some((name, version)) => (name, version.trim_end_matches(')')),
            None => (self.source, self.version),
        }
    }
}

/// Returns the lines of the list.
pub(crate) fn rows() -> impl Iterator<Item = Row<'static>> {
    PACKAGES.lines().filter_map(|line| {
        let mut fields = line.split('\t');
        let mut next = || fields.next();
        Some(Row {
            name: next()?,
            version: next()?,
            architecture: next()?,
            section: next()?,
            priority: next()?,
            source: next().unwrap_or_default(),
        })
    })
}

/// Returns the names of the source packages, which advisories are about.
pub(crate) fn sources() -> impl Iterator<Item = (&'static str, &'static str)> {
    rows().map(|row| {
        let source = row.source.split(' ').next().unwrap_or_default();
        (
            if source.is_empty() { row.name } else { source },
            row.version,
        )
    })
}

/// Writes the database of the first packages of the list, and their files.
pub(crate) fn write<W: Write>(
    layer: &mut LayerWriter<W>,
    plan: &LayerPlan,
    package_count: usize,
) -> io::Result<()> {
    layer.file("etc/debian_version", b"12.5\n")?;
    layer.file(
        "etc/os-release",
        b"PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nID=debian\n",
    )?;
    let mut status = String::new();
    let mut description = Vec::new();
    for row in rows().take(package_count) {
        layer.content.write(Texture::Text, 600, &mut description);
        paragraph(&mut status, &row, &String::from_utf8_lossy(&description));
    }
    layer.file("var/lib/dpkg/status", status.as_bytes())?;
    for row in rows().take(package_count) {
        package(layer, plan, &row)?;
    }
    Ok(())
}

fn paragraph(status: &mut String, row: &Row<'_>, description: &str) {
    let source = if row.source.is_empty() {
        String::new()
    } else {
        format!("Source: {}\n", row.source)
    };
    // Writing to a string does not fail.
    let _ = write!(
        status,
        "Package: {}\nStatus: install ok installed\nPriority: {}\nSection: {}\n\
         Installed-Size: 1234\nMaintainer: Debian Developers <debian-devel@lists.debian.org>\n\
         Architecture: {}\nMulti-Arch: same\n{source}Version: {}\n\
         Depends: libc6 (>= 2.36), libgcc-s1 (>= 3.0), zlib1g (>= 1:1.1.4)\n\
         Description: a package of the benchmark\n",
        row.name, row.priority, row.section, row.architecture, row.version
    );
    for line in description
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        let _ = writeln!(status, " {line}");
    }
    status.push('\n');
}

/// Writes the files of a package, its copyright, and the lists of what it owns.
fn package<W: Write>(
    layer: &mut LayerWriter<W>,
    plan: &LayerPlan,
    row: &Row<'_>,
) -> io::Result<()> {
    let documents = format!("usr/share/doc/{}", row.name);
    let mut list = format!("/.\n/{documents}\n/{documents}/copyright\n");
    let mut sums = format!("{:032x}  {documents}/copyright\n", 0);
    for number in 0..FILES_PER_PACKAGE {
        let path = format!("{}/{}/file-{number:04}", plan.directory, row.name);
        let _ = writeln!(list, "/{path}");
        let _ = writeln!(sums, "{number:032x}  {path}");
    }
    layer.directory(&documents)?;
    layer.file(
        &format!("{documents}/copyright"),
        b"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\
          Files: *\nCopyright: 2020 Somebody\nLicense: GPL-2+\n",
    )?;
    layer.file(
        &format!("var/lib/dpkg/info/{}.list", row.name),
        list.as_bytes(),
    )?;
    layer.file(
        &format!("var/lib/dpkg/info/{}.md5sums", row.name),
        sums.as_bytes(),
    )
}
