//! Programs that lie.

use proptest::prelude::*;

use super::super::Program;
use super::super::testing::{
    Class, Elf, audit_data, inline_build_info, problems, read, read_passing,
};
use super::{AUDIT, MODULES, with_pointers};
use crate::testing::{applications_of, check_bounded, extract_with_limits, little_room};

#[test]
fn build_information_that_is_cut_is_a_problem() {
    let mut info = inline_build_info("go1.22.3", MODULES);
    info.truncate(60);
    let inventory = read(&Elf::common().data(".go.buildinfo", &info).build());
    assert_eq!(applications_of(&inventory), []);
    let [problem] = &problems(&inventory)[..] else {
        panic!("{:?}", inventory.problems);
    };
    assert!(
        problem.starts_with("Go's build information lies beyond the end"),
        "{problem}"
    );
}

#[test]
fn a_length_beyond_all_bounds_is_a_problem() {
    let mut info = b"\xff Go buildinf:\x08\x02".to_vec();
    info.resize(32, 0);
    info.extend([0xff; 9]);
    info.push(0x7f);
    let program = Elf::common().data(".go.buildinfo", &info).build();
    assert_eq!(problems(&read(&program)).len(), 1);
    assert_eq!(problems(&read_passing(&program)).len(), 1);
}

#[test]
fn module_lines_that_make_no_sense_are_a_problem() {
    let info = inline_build_info("go1.22.3", "mod\tonly-a-path\ndep\ta.b/c\tv1.0.0\n");
    let inventory = read(&Elf::common().data(".go.buildinfo", &info).build());
    assert_eq!(
        problems(&inventory),
        ["Go's build information makes no sense: line 1: a module has no 2 or 3 columns"]
    );
}

#[test]
fn audit_data_is_bounded_and_checked() {
    let check = |data: &[u8], expected: &str| {
        let inventory = read(&Elf::common().constants(".dep-v0", data).build());
        let found = problems(&inventory);
        assert!(found.len() == 1 && found[0].contains(expected), "{found:?}");
        assert_eq!(applications_of(&inventory), []);
    };
    let bomb = format!("{{\"packages\":[]{}}}", " ".repeat(40 << 20));
    check(&audit_data(&bomb), "program_data_size_bytes_max");
    check(b"\x78\x9cgarbage", "Rust's audit data");
    check(&audit_data("[1"), "Rust's audit data");
    check(
        &audit_data(r#"{"packages":[{"name":"a","dependencies":[7]}]}"#),
        "no package 7",
    );
}

#[test]
fn one_long_id_is_not_written_out_for_all_that_need_it() {
    let check = |program: &[u8], package_count: usize| {
        let inventory = extract_with_limits(&Program, "app/tool", program, little_room());
        check_bounded(&inventory, package_count);
    };
    let long = "1".repeat(4_096);
    let others = vec![r#"{"name":"p","version":"1","dependencies":[0]}"#; 100].join(",");
    let audit = format!(r#"{{"packages":[{{"name":"long","version":"{long}"}},{others}]}}"#);
    let program = Elf::common().constants(".dep-v0", &audit_data(&audit));
    check(&program.build(), 101);
    // Modules with the id of the main one need what that needs.
    let version = format!("v1.0.0-{}", "1".repeat(500));
    let modules = format!(
        "path\ta.b/c\nmod\ta.b/c\t{version}\t\n{}",
        format!("dep\ta.b/c\t{version}\t\n").repeat(100)
    );
    let info = inline_build_info("go1.22.3", &modules);
    check(&Elf::common().data(".go.buildinfo", &info).build(), 102);
}

#[test]
fn a_table_of_sections_beyond_the_end_is_a_problem() {
    let mut program = Elf::common()
        .data(".data", &inline_build_info("go1.22.3", MODULES))
        .build();
    program[40..48].copy_from_slice(&(1_u64 << 40).to_le_bytes());
    let inventory = read(&program);
    assert_eq!(
        applications_of(&inventory).len(),
        1,
        "the kernel runs it without sections"
    );
    assert_eq!(
        problems(&inventory),
        ["the program's table of sections lies beyond the end of the program"]
    );
}

#[test]
fn tables_that_state_any_size_are_taken() {
    for program in super::of_other_systems(&inline_build_info("go1.22.3", MODULES)) {
        // Every number of the headers is the largest there is, one after the other.
        for place in (0..program.len().min(400)).step_by(4) {
            let mut forged = program.clone();
            forged[place..place + 4].copy_from_slice(&[0xff; 4]);
            let (whole, passing) = (read(&forged), read_passing(&forged));
            assert!(whole.applications == passing.applications || !passing.problems.is_empty());
        }
    }
}

#[test]
fn other_files_are_left_alone() {
    for content in [
        &b"#!/bin/sh\n"[..],
        b"",
        b"MZ",
        b"\x7fELF",
        b"MZ\x90\0garbage",
        b"PK\x03\x04",
        b"\xca\xfe\xba\xbe\0\0\0\x41\0\0\0\0\0\0\0\0",
        b"\xcf\xfa\xed\xfe",
    ] {
        for inventory in [read(content), read_passing(content)] {
            assert_eq!(applications_of(&inventory), []);
            assert_eq!(problems(&inventory), [""; 0], "{content:?}");
        }
    }
}

/// Programs of every kind, small enough to damage any byte of interest.
fn programs() -> Vec<Vec<u8>> {
    let class = Class::new(true, false);
    vec![
        Elf::new(class)
            .data(".go.buildinfo", &inline_build_info("go1.22.3", MODULES))
            .build(),
        Elf::new(class)
            .constants(".dep-v0", &audit_data(AUDIT))
            .build(),
        with_pointers(Class::new(false, true), 16),
        Elf::new(class)
            .constants(".rodata", b"v1.4.2\0")
            .data(
                ".data",
                &inline_build_info("go1.22.3", "mod\ta.b/c\t(devel)\n"),
            )
            .symbols(&[("a.b/c/version.Version.str", 0, 0, 6)])
            .build(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn damage_is_taken(
        index in 0_usize..4,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let mut program = programs().swap_remove(index);
        for (place, byte) in changes {
            let place = place.index(program.len());
            program[place] = byte;
        }
        // What passes by is read like what is at hand, unless it says why not.
        let (whole, passing) = (read(&program), read_passing(&program));
        prop_assert!(whole.applications == passing.applications || !passing.problems.is_empty());
    }

    #[test]
    fn damaged_tables_are_taken(
        index in 0_usize..4,
        from_end in any::<bool>(),
        changes in prop::collection::vec((0_usize..400, any::<u8>()), 1..6),
    ) {
        let mut program = programs().swap_remove(index);
        let length = program.len();
        for (place, byte) in changes {
            let place = if from_end { length - 1 - place } else { place };
            program[place] = byte;
        }
        let (whole, passing) = (read(&program), read_passing(&program));
        prop_assert!(whole.applications == passing.applications || !passing.problems.is_empty());
    }

    #[test]
    fn any_bytes_are_taken(format in 0_usize..6, rest in prop::collection::vec(any::<u8>(), 0..400)) {
        let magics: [&[u8]; 6] = [
            b"\x7fELF\x02\x01\x01", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe\0\0\0\x01",
            b"\0asm\x01\0\0\0", b"\x7fELF\x01\x02\x01",
        ];
        let program = [magics[format], &rest].concat();
        read(&program);
        read_passing(&program);
    }
}
