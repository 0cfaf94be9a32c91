//! Archives of every make.

use cleanbill_core::Limits;
use cleanbill_core::inventory::LayerInventory;
use cleanbill_core::java::{JavaArchive, JavaIdentity};
use cleanbill_testkit::zip::{Sizes, ZipBuilder, ZipEntry};
use proptest::prelude::*;

use super::JavaArchives;
use crate::extractor::Extractor as _;
use crate::testing::{FakeLayer, applications_of, extract, extract_with_limits};

fn properties(group: &str, artifact: &str, version: &str) -> String {
    format!("version={version}\ngroupId={group}\nartifactId={artifact}\n")
}

/// An archive that Maven made: `g:<artifact>` 1.0.
fn maven(artifact: &str) -> ZipBuilder {
    ZipBuilder::new()
        .file("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\n\r\n")
        .file("a/B.class", "bytes")
        .entry(
            ZipEntry::new(
                &format!("META-INF/maven/g/{artifact}/pom.properties"),
                properties("g", artifact, "1.0"),
            )
            .sizes(Sizes::After),
        )
}

/// Forces archives to be read as they pass.
fn streaming() -> Limits {
    Limits {
        buffered_file_size_bytes_max: 100,
        ..Limits::default()
    }
}

/// Shows what a layer has: packages as `path name version`, then what must be asked.
fn shown(inventory: &LayerInventory) -> Vec<String> {
    let packages = inventory.applications.iter().flat_map(|application| {
        let name = |package: &cleanbill_core::Package| {
            format!("{} {} {}", package.file_path, package.name, package.version)
        };
        application.packages.iter().map(name)
    });
    let problems = inventory.problems.iter();
    let problems = problems.map(|problem| format!("! {} {}", problem.kind, problem.message));
    let mut lines: Vec<String> = packages.collect();
    for archive in inventory.java_archives.iter() {
        show_archive(&archive, &mut lines);
    }
    lines.extend(problems);
    lines
}

fn show_archive(archive: &JavaArchive, lines: &mut Vec<String>) {
    use cleanbill_core::java::JavaItem;
    for item in &archive.items {
        match item {
            JavaItem::Artifact(found) => {
                lines.push(format!(
                    "{} {} {}",
                    archive.path,
                    found.name(),
                    found.version
                ));
            }
            JavaItem::Archive(inner) => show_archive(inner, lines),
        }
    }
    if let JavaIdentity::Ask(clues) = &archive.identity {
        let claimed = clues
            .manifest
            .as_ref()
            .map(|m| format!(" {} {}", m.name(), m.version));
        let name = clues
            .file_name
            .as_ref()
            .map(|(name, version)| format!(" {name}-{version}"));
        lines.push(format!(
            "{} ?{}{}",
            archive.path,
            claimed.unwrap_or_default(),
            name.unwrap_or_default()
        ));
    }
}

/// Reads a file in memory and as it passes.
#[track_caller]
fn check(path: &str, content: &ZipBuilder, expected: &[&str]) {
    let content = content.build();
    let in_memory = extract(&JavaArchives, path, &content);
    assert_eq!(shown(&in_memory), expected);
    let passing = extract_with_limits(&JavaArchives, path, &content, streaming());
    assert_eq!(passing, in_memory, "as it passes");
}

#[test]
fn archives_are_wanted_by_extension() {
    for (path, expected) in [
        ("a/b.jar", true),
        ("a/b.WAR", true),
        ("b.ear", true),
        ("b.par", true),
        ("b.jar.bak", false),
        ("jar", false),
    ] {
        assert_eq!(JavaArchives.wants(path, 1), expected, "{path}");
    }
    assert!(!JavaArchives.wants("b.jar", 0));
}

#[test]
fn an_archive_of_maven_names_itself() {
    check("lib/x-1.0.jar", &maven("x"), &["lib/x-1.0.jar g:x 1.0"]);
    // Under another name it may be anything that holds g:x.
    check(
        "lib/y.jar",
        &maven("x"),
        &["lib/y.jar g:x 1.0", "lib/y.jar ?"],
    );
    check(
        "x-1.0.war",
        &maven("x"),
        &["x-1.0.war g:x 1.0", "x-1.0.war ?"],
    );
}

#[test]
fn a_manifest_or_a_name_are_clues() {
    let manifest =
        "Implementation-Vendor-Id: g\nImplementation-Title: x\nImplementation-Version: 2\n";
    let archive = ZipBuilder::new()
        .file("old/MANIFEST.MF", "Implementation-Title: old\n")
        .file("META-INF/MANIFEST.MF", manifest);
    check("x-3.jar", &archive, &["x-3.jar ? g:x 2 x-3"]);
    check("x.par", &ZipBuilder::new(), &["x.par ?"]);
}

#[test]
fn archives_in_archives_are_read() {
    let ejb = ZipBuilder::new()
        .stored("lib/x-1.0.jar", maven("x").build())
        .build();
    let ear = ZipBuilder::new()
        .file(
            "web.war",
            maven("w")
                .file("WEB-INF/lib/y-1.0.jar", maven("y").build())
                .build(),
        )
        .stored("ejb.jar", &ejb)
        .file("not/read.par", maven("z").build())
        .file("empty.jar", "");
    check(
        "app.ear",
        &ear,
        &[
            "app.ear/web.war g:w 1.0",
            "app.ear/web.war/WEB-INF/lib/y-1.0.jar g:y 1.0",
            "app.ear/web.war ?",
            "app.ear/ejb.jar/lib/x-1.0.jar g:x 1.0",
            "app.ear/ejb.jar ?",
            "app.ear ?",
        ],
    );
}

#[test]
fn names_that_lead_out_of_the_archive_are_ignored() {
    let archive = maven("x")
        .file("../../etc/y-1.0.jar", maven("y").build())
        .file("a/../z-1.0.jar", maven("z").build());
    check(
        "opt/x-1.0.jar",
        &archive,
        &["opt/x-1.0.jar g:x 1.0", "opt/x-1.0.jar/z-1.0.jar g:z 1.0"],
    );
}

#[test]
fn an_inner_archive_that_cannot_be_read_is_told() {
    let archive = maven("x")
        .file("lib/broken.jar", "no archive at all")
        .entry(ZipEntry::new("lib/secret.jar", maven("y").build()).encrypted());
    check(
        "x-1.0.jar",
        &archive,
        &[
            "x-1.0.jar g:x 1.0",
            "! unreadable-file lib/broken.jar inside it cannot be read: it is no zip archive: there is no end record",
            "! unreadable-file lib/secret.jar inside it cannot be read: an entry is encrypted",
        ],
    );
}

#[test]
fn a_broken_part_of_its_own_makes_an_archive_unreadable() {
    let archive = maven("x").entry(ZipEntry::new("pom.properties", "a").crc32(1));
    check(
        "x-1.0.jar",
        &archive,
        &[
            "! unreadable-file the Java archive cannot be read: pom.properties: an entry has another checksum than the archive states",
        ],
    );
    let inventory = extract(&JavaArchives, "a.jar", b"123");
    assert_eq!(
        shown(&inventory),
        [
            "! unreadable-file the Java archive cannot be read: it is no zip archive: there is no end record"
        ]
    );
}

#[test]
fn nesting_has_an_end() {
    let deep = (0..40).fold(maven("x").build(), |inner, _| {
        ZipBuilder::new().stored("a.jar", inner).build()
    });
    for limits in [Limits::default(), streaming()] {
        let inventory = extract_with_limits(&JavaArchives, "a.jar", &deep, limits);
        let lines = shown(&inventory);
        assert_eq!(lines.iter().filter(|line| line.ends_with('?')).count(), 16);
        assert!(
            lines.iter().any(|line| line.contains("archive_depth_max")),
            "{lines:?}"
        );
    }
}

#[test]
fn a_cycle_ends_at_the_limits() {
    // A stored entry whose stated content is the whole archive: it holds itself, ever again.
    let mut bytes = ZipBuilder::new().stored("a.jar", "").build();
    let size = u32::try_from(bytes.len()).unwrap();
    let directory = bytes
        .windows(4)
        .position(|four| four == b"PK\x01\x02")
        .unwrap();
    for (at, value) in [(20, size), (24, size), (42, 0)] {
        for (offset, byte) in value.to_le_bytes().iter().enumerate() {
            *bytes.get_mut(directory + at + offset).unwrap() = *byte;
        }
    }
    for limits in [Limits::default(), streaming()] {
        let inventory = extract_with_limits(&JavaArchives, "a.jar", &bytes, limits);
        assert!(!inventory.problems.is_empty());
    }
}

#[test]
fn every_level_of_a_bomb_spends_the_same_budget() {
    let zeros = vec![0; 1 << 20];
    let charge = ZipBuilder::new().file("LICENSE", &zeros).build();
    let bomb = (0..8).fold(ZipBuilder::new(), |zip, n| {
        zip.file(&format!("{n}.jar"), &charge)
    });
    let limits = Limits {
        archive_unpacked_size_bytes_max: 4 << 20,
        ..Limits::default()
    };
    let inventory = extract_with_limits(&JavaArchives, "a.jar", &bomb.build(), limits);
    assert!(
        inventory
            .problems
            .iter()
            .any(|problem| problem.message.contains("archive_unpacked_size_bytes_max")),
        "{:?}",
        inventory.problems
    );
}

#[test]
fn entries_that_overlap_are_told_and_cost_nothing_else() {
    // Both directories of the inner archives name the same content.
    let mut bytes = ZipBuilder::new()
        .file("a.jar", maven("x").build())
        .file("b.jar", maven("y").build())
        .entry(ZipEntry::new("c/pom.properties", properties("g", "z", "2")))
        .build();
    let directories: Vec<_> = (0..bytes.len())
        .filter(|at| bytes.get(*at..).unwrap().starts_with(b"PK\x01\x02"))
        .collect();
    let [a, b, _] = directories.as_slice() else {
        panic!("three entries");
    };
    // Everything that the directory says of the first but its name.
    bytes.copy_within(*a..*a + 46, *b);
    let inventory = extract(&JavaArchives, "o.jar", &bytes);
    let lines = shown(&inventory);
    let overlaps = "! unreadable-file b.jar inside it cannot be read: an entry lies in another one, \
        as in an archive that is made to exhaust its readers";
    assert!(lines.iter().any(|line| line == overlaps), "{lines:?}");
    for found in ["o.jar/a.jar g:x 1.0", "o.jar g:z 2"] {
        assert!(lines.iter().any(|line| line == found), "{lines:?}");
    }
}

#[test]
fn many_small_bombs_spend_one_budget() {
    let zeros = vec![0; 1 << 20];
    let bomb = ZipBuilder::new().file("LICENSE", &zeros).build();
    let limits = Limits {
        archives_unpacked_from_bytes: 3 << 20,
        ..Limits::default()
    };
    let layer = (0..8).fold(FakeLayer::new(), |layer, n| {
        layer.file(&format!("{n}.jar"), &bomb)
    });
    let inventory = layer.inventory_within(limits.clone());
    let problems = inventory.problems.iter();
    let exceeded = problems.filter(|one| one.message.contains("archives_unpacked_ratio_max"));
    assert!(exceeded.count() >= 5, "{:?}", inventory.problems);
    // Many honest archives are read, however little is allowed before the ratio counts.
    let limits = Limits {
        archives_unpacked_from_bytes: 0,
        ..limits
    };
    let layer = (0..50).fold(FakeLayer::new(), |layer, n| {
        let war = ZipBuilder::new().file("WEB-INF/lib/x.jar", maven("x").build());
        layer.file(&format!("{n}.war"), &war.build())
    });
    let inventory = layer.inventory_within(limits);
    assert_eq!(inventory.problems, []);
    assert_eq!(inventory.java_archives.len(), 50);
}

#[test]
fn fields_and_counts_are_bounded() {
    let long = properties("g", &"x".repeat(5_000), "1");
    let inventory = extract(
        &JavaArchives,
        "a.jar",
        &ZipBuilder::new().file("pom.properties", long).build(),
    );
    assert!(
        inventory
            .problems
            .iter()
            .any(|p| p.message.contains("package_field_size_bytes_max"))
    );
    let many = (0..50).fold(ZipBuilder::new(), |zip, n| {
        zip.file(
            &format!("{n}/pom.properties"),
            properties("g", &format!("a{n}"), "1"),
        )
    });
    let limits = Limits {
        packages_per_layer_max: 20,
        ..Limits::default()
    };
    let inventory = extract_with_limits(&JavaArchives, "a.jar", &many.build(), limits);
    assert!(inventory.java_archives.is_empty());
    assert!(
        inventory
            .problems
            .iter()
            .any(|p| p.message.contains("packages_per_layer_max"))
    );
}

#[test]
fn texts_that_are_kept_are_bounded() {
    let pom = format!(
        "<project><licenses><license><name>{}</name></license></licenses></project>",
        "n".repeat(10_000)
    );
    let entries = |content: &str, name: fn(usize) -> String| {
        let zip = (0..50).fold(maven("x"), |zip, n| zip.file(&name(n), content));
        zip.build()
    };
    let poms = entries(&pom, |n| format!("META-INF/maven/g/a{n}/pom.xml"));
    let properties = entries(&properties("g", &"a".repeat(10_000), "1"), |n| {
        format!("{n}/pom.properties")
    });
    for limits in [Limits::default(), streaming()] {
        let limits = Limits {
            packages_size_bytes_max: 200_000,
            ..limits
        };
        for archive in [&poms, &properties] {
            let inventory =
                extract_with_limits(&JavaArchives, "x-1.0.jar", archive, limits.clone());
            let problems = inventory.problems.iter();
            assert!(
                problems
                    .map(|problem| &problem.message)
                    .any(|message| message.contains("packages_size_bytes_max")),
                "{:?}",
                inventory.problems
            );
        }
    }
}

#[test]
fn a_pom_that_is_too_large_is_told() {
    let archive = maven("x").file(
        "META-INF/maven/g/x/pom.xml",
        vec![b' '; (super::manifest::SIZE_BYTES_MAX + 1) as usize],
    );
    check(
        "x-1.0.jar",
        &archive,
        &[
            "x-1.0.jar g:x 1.0",
            "! limit-exceeded META-INF/maven/g/x/pom.xml inside it cannot be read: a text file in \
             an archive has more than 10485760 bytes",
        ],
    );
}

#[test]
fn a_long_path_is_not_written_out_for_all_that_lies_there() {
    let archive = (0..100).fold(maven("x"), |zip, n| {
        let artifact = properties("g", &format!("a{n}"), "1");
        zip.file(&format!("{n}/pom.properties"), artifact)
    });
    let path = format!("{}/x-1.0.jar", "d".repeat(5_000));
    let limits = crate::testing::little_room();
    let inventory = extract_with_limits(&JavaArchives, &path, &archive.build(), limits);
    assert_eq!(applications_of(&inventory), []);
    assert!(
        inventory.problems[0]
            .message
            .contains("packages_size_bytes_max")
    );
}

#[test]
fn licences_are_kept_as_facts() {
    let pom = "<project><licenses><license><name>MIT</name></license></licenses></project>";
    let archive = maven("x")
        .file("META-INF/maven/g/x/pom.xml", pom)
        .file("LICENSE", "Apache License Version 2.0, January 2004 TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION 3. Grant of Patent License.");
    let licenses = |path: &str, archive: &ZipBuilder| {
        let inventory = extract(&JavaArchives, path, &archive.build());
        let packages = inventory.applications.iter().flat_map(|a| a.packages);
        packages
            .flat_map(|p| p.licenses.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(licenses("x-1.0.jar", &archive), ["MIT"]);
    let unnamed = maven("x").file("META-INF/LICENSE.txt", "Apache License Version 2.0, January 2004 TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION 3. Grant of Patent License.");
    assert_eq!(licenses("x-1.0.jar", &unnamed), ["Apache-2.0"]);
    let two = unnamed.file("COPYRIGHT", "c");
    assert!(licenses("x-1.0.jar", &two).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn damaged_archives_are_survived(
        at in any::<u16>(), value in any::<u8>(), cut in any::<u16>(), is_cut in any::<bool>(),
    ) {
        let mut bytes = maven("x").stored("lib/y-1.0.jar", maven("y").build()).build();
        let at = usize::from(at) % bytes.len();
        if let Some(byte) = bytes.get_mut(at) {
            *byte = value;
        }
        if is_cut {
            bytes.truncate(usize::from(cut) % bytes.len());
        }
        for limits in [Limits::default(), streaming()] {
            let inventory = extract_with_limits(&JavaArchives, "x-1.0.jar", &bytes, limits);
            let is_silent = inventory.problems.is_empty()
                && inventory.applications.is_empty()
                && inventory.java_archives.is_empty();
            prop_assert!(!is_silent);
        }
    }
}
