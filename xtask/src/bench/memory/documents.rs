//! Documents that list packages and are too large: their size is of what says nothing about a
//! package.

use std::io::{self, Write};
use std::ops::Range;

use super::{LayerWriter, MEGABYTE};

type Layer<'a> = LayerWriter<&'a mut dyn Write>;

/// Writes a list of JSON values until a document has a size.
fn list(
    out: &mut Vec<u8>,
    size: usize,
    mut item: impl FnMut(&mut Vec<u8>, usize) -> io::Result<()>,
) -> io::Result<()> {
    for number in 0.. {
        if out.len() >= size {
            break;
        }
        if number > 0 {
            out.extend(b",\n");
        }
        item(out, number)?;
    }
    Ok(())
}

const SPDX: &str =
    "{\"SPDXID\":\"SPDXRef-DOCUMENT\",\"spdxVersion\":\"SPDX-2.3\",\"name\":\"made up\",\n";

fn spdx_package(out: &mut Vec<u8>, number: usize, more: &str) -> io::Result<()> {
    write!(
        out,
        "{{\"SPDXID\":\"SPDXRef-Package-{number}\",\"name\":\"package-{number}\",\
         \"versionInfo\":\"1.{number}.0\",\"licenseDeclared\":\"MIT\",\"externalRefs\":[\
         {{\"referenceCategory\":\"PACKAGE-MANAGER\",\"referenceType\":\"purl\",\
         \"referenceLocator\":\"pkg:npm/package-{number}@1.{number}.0\"}}]{more}}}"
    )
}

/// A thousand packages; the rest are files with their digests, and which package holds which.
pub(super) fn spdx_of_files(layer: &mut Layer<'_>, scale: usize) -> io::Result<()> {
    let mut text = SPDX.as_bytes().to_vec();
    text.extend(b"\"packages\":[\n");
    for number in 0..1_000 {
        if number > 0 {
            text.extend(b",\n");
        }
        spdx_package(&mut text, number, "")?;
    }
    text.extend(b"],\n\"files\":[\n");
    let mut count = 0;
    list(&mut text, 80 * MEGABYTE / scale, |out, number| {
        count = number;
        write!(
            out,
            "{{\"SPDXID\":\"SPDXRef-File-{number}\",\"fileName\":\"usr/share/doc/file-{number}.txt\",\
             \"checksums\":[{{\"algorithm\":\"SHA1\",\"checksumValue\":\"{number:040x}\"}}],\
             \"copyrightText\":\"NOASSERTION\"}}"
        )
    })?;
    text.extend(b"],\n\"relationships\":[\n");
    list(&mut text, 122 * MEGABYTE / scale, |out, number| {
        let (package, file) = (number % 1_000, number % (count + 1));
        write!(
            out,
            "{{\"spdxElementId\":\"SPDXRef-Package-{package}\",\"relatedSpdxElement\":\
             \"SPDXRef-File-{file}\",\"relationshipType\":\"CONTAINS\"}}"
        )
    })?;
    text.extend(b"]}\n");
    layer.file("opt/sbom/files.spdx.json", &text)
}

/// 30,000 packages with four thousand characters of annotations each.
pub(super) fn spdx_of_annotations(layer: &mut Layer<'_>, scale: usize) -> io::Result<()> {
    let note = format!("{{\"comment\":\"{}\"}}", "annotation ".repeat(35));
    let notes = format!(",\"annotations\":[{}]", vec![note; 9].join(","));
    let mut text = SPDX.as_bytes().to_vec();
    text.extend(b"\"packages\":[\n");
    list(&mut text, 122 * MEGABYTE / scale, |out, number| {
        spdx_package(out, number, &notes)
    })?;
    text.extend(b"]}\n");
    layer.file("opt/sbom/notes.spdx.json", &text)
}

/// 160,000 packages and hardly anything else.
pub(super) fn spdx_of_packages(layer: &mut Layer<'_>, scale: usize) -> io::Result<()> {
    let mut text = SPDX.as_bytes().to_vec();
    text.extend(b"\"packages\":[\n");
    for number in 0..160_000 / scale {
        if number > 0 {
            text.extend(b",\n");
        }
        spdx_package(&mut text, number, "")?;
    }
    text.extend(b"]}\n");
    layer.file("opt/sbom/packages.spdx.json", &text)
}

const CYCLONEDX: &str =
    "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"version\":1,\n\"components\":[\n";

/// 20,000 components of six thousand characters.
pub(super) fn cyclonedx_of_components(layer: &mut Layer<'_>, scale: usize) -> io::Result<()> {
    let mut text = CYCLONEDX.as_bytes().to_vec();
    let mut evidence = Vec::new();
    list(&mut text, 112 * MEGABYTE / scale, |out, number| {
        evidence.clear();
        for line in 0..50 {
            let occurrence = number * 50 + line;
            write!(
                evidence,
                "{{\"location\":\"usr/lib/node_modules/package-{number}/dist/{occurrence:x}.js\",\
                 \"symbol\":\"{occurrence:040x}\"}},"
            )?;
        }
        evidence.pop();
        let evidence = String::from_utf8_lossy(&evidence);
        write!(
            out,
            "{{\"bom-ref\":\"package-{number}\",\"type\":\"library\",\"name\":\"package-{number}\",\
             \"version\":\"1.{number}.0\",\"purl\":\"pkg:npm/package-{number}@1.{number}.0\",\
             \"properties\":[{{\"name\":\"made:up\",\"value\":\"1\"}}],\
             \"evidence\":{{\"occurrences\":[{evidence}]}}}}"
        )
    })?;
    text.extend(b"],\n\"dependencies\":[\n");
    list(&mut text, 120 * MEGABYTE / scale, |out, number| {
        let (a, b) = (number % 15_000, number % 14_999);
        write!(
            out,
            "{{\"ref\":\"package-{a}\",\"dependsOn\":[\"package-{b}\",\"package-0\"]}}"
        )
    })?;
    text.extend(b"]}\n");
    layer.file("opt/sbom/components.cdx.json", &text)
}

/// As many components as fit.
pub(super) fn cyclonedx_of_nothing(layer: &mut Layer<'_>, scale: usize) -> io::Result<()> {
    let mut text = CYCLONEDX.as_bytes().to_vec();
    while text.len() < 120 * MEGABYTE / scale {
        text.extend(b"{},");
    }
    text.extend(b"{}]}\n");
    layer.file("opt/sbom/nothing.cdx.json", &text)
}

/// 20,000 packages of six thousand characters.
pub(super) fn composer(layer: &mut Layer<'_>, scale: usize) -> io::Result<()> {
    let mut text = b"{\"packages\":[\n".to_vec();
    let description = "described ".repeat(550);
    list(&mut text, 120 * MEGABYTE / scale, |out, number| {
        let needed = number / 2;
        write!(
            out,
            "{{\n\"name\":\"made-up/package-{number}\",\"version\":\"v1.{number}.0\",\n\
             \"require\":{{\"php\":\">=8\",\"made-up/package-{needed}\":\"^1\",\"absent/{number}\":\"*\"}},\n\
             \"license\":[\"MIT\"],\"description\":\"{description} {number}\"}}"
        )
    })?;
    text.extend(b"]}\n");
    layer.file("srv/vendor/composer/installed.json", &text)
}

/// 20,000 libraries of six thousand characters.
pub(super) fn deps_json(layer: &mut Layer<'_>, scale: usize) -> io::Result<()> {
    let mut text = b"{\"runtimeTarget\":{\"name\":\".NETCoreApp,Version=v8.0\"},\n\
        \"targets\":{\".NETCoreApp,Version=v8.0\":{\n"
        .to_vec();
    let mut count = 0;
    list(&mut text, 115 * MEGABYTE / scale, |out, number| {
        count = number + 1;
        write!(
            out,
            "\"Library.{number}/1.{number}.0\":{{\"dependencies\":{{"
        )?;
        let needed = number / 2;
        write!(
            out,
            "\"Library.{needed}\":\"1.{needed}.0\"}},\"runtime\":{{"
        )?;
        for file in 0..60 {
            write!(
                out,
                "\"lib/net8.0/Library.{number}.Part{file}.dll\":{{\"assemblyVersion\":\"1.0.0.0\",\
                 \"fileVersion\":\"1.{number}.0.0\"}},"
            )?;
        }
        out.pop();
        write!(out, "}}}}")
    })?;
    text.extend(b"}},\n\"libraries\":{\n");
    for number in 0..count {
        if number > 0 {
            text.extend(b",\n");
        }
        write!(
            text,
            "\"Library.{number}/1.{number}.0\":{{\n\"type\":\"package\",\"serviceable\":true,\
             \"sha512\":\"{number:0128x}\"}}"
        )?;
    }
    text.extend(b"}}\n");
    layer.file("srv/app/app.deps.json", &text)
}

/// One package that describes itself at length.
pub(super) fn package_json(layer: &mut Layer<'_>, scale: usize) -> io::Result<()> {
    let mut text = b"{\"name\":\"made-up\",\"version\":\"1.0.0\",\"keywords\":[\n".to_vec();
    list(&mut text, 120 * MEGABYTE / scale, |out, number| {
        write!(out, "\"keyword-{number}\"")
    })?;
    text.extend(b"]}\n");
    layer.file("srv/node_modules/made-up/package.json", &text)
}

/// More packages of npm than any image has, each in a file of its own.
pub(super) fn package_jsons(layer: &mut Layer<'_>, scale: usize) -> io::Result<()> {
    write_package_jsons(layer, 0..150_000 / scale)
}

pub(super) fn lower_package_jsons(layer: &mut Layer<'_>, scale: usize) -> io::Result<()> {
    write_package_jsons(layer, 0..75_000 / scale)
}

pub(super) fn upper_package_jsons(layer: &mut Layer<'_>, scale: usize) -> io::Result<()> {
    write_package_jsons(layer, 75_000 / scale..150_000 / scale)
}

fn write_package_jsons(layer: &mut Layer<'_>, numbers: Range<usize>) -> io::Result<()> {
    for number in numbers {
        let path = format!("usr/lib/node_modules/package-{number:06}/package.json");
        let text = format!(
            "{{\"name\":\"package-{number:06}\",\"version\":\"1.{number}.0\",\"license\":\"MIT\"}}\n"
        );
        layer.file(&path, text.as_bytes())?;
    }
    Ok(())
}
