//! Whole programs, at hand and passing by.

mod hostile;

use super::testing::{
    Class, Elf, audit_data, inline_build_info, listed, problems, read, read_passing,
};

const MODULES: &str = "path\texample.org/tool/cmd/tool\nmod\texample.org/tool\t(devel)\t\n\
    dep\tgolang.org/x/text\tv0.3.7\th1:a=\ndep\texample.org/old\tv1.0.0\n\
    =>\texample.org/new\tv1.0.1\th1:b=\nbuild\tCGO_ENABLED=0\n";

const LISTED: [&str; 4] = [
    "gobinary root example.org/tool [example.org/new@v1.0.1 golang.org/x/text@v0.3.7 \
     stdlib@v1.22.3]",
    "gobinary direct stdlib@v1.22.3 []",
    "gobinary  example.org/new@v1.0.1 []",
    "gobinary  golang.org/x/text@v0.3.7 []",
];

const AUDIT: &str = r#"{"packages":[
    {"name":"tool","version":"0.1.0","source":"local","dependencies":[1,2],"root":true},
    {"name":"cc","version":"1.0.0","source":"crates.io","kind":"build"},
    {"name":"libc","version":"0.2.1","source":"crates.io"}]}"#;

#[track_caller]
fn check(program: &[u8], expected: &[&str]) {
    for inventory in [read(program), read_passing(program)] {
        assert_eq!(listed(&inventory), expected);
        assert_eq!(problems(&inventory), [""; 0]);
        assert!(inventory.applications.iter().all(|application| {
            application.path == "app/tool"
                && application.packages.iter().all(|package| {
                    package.file_path.is_empty() && package.analyzed_by == application.kind
                })
        }));
    }
}

#[test]
fn modules_of_go_programs_are_found_in_every_class() {
    for class in Class::ALL {
        for section in [".go.buildinfo", ".data"] {
            let elf = Elf::new(class).code(300).data(
                section,
                &inline_build_info("go1.22.3 X:boringcrypto", MODULES),
            );
            check(&elf.build(), &LISTED);
        }
    }
}

#[test]
fn a_copy_of_the_mark_among_constants_is_no_build_information() {
    let decoy = inline_build_info("go1.2.3", "mod\tdecoy\tv1.0.0\n");
    let elf = Elf::common()
        .constants(".rodata", &decoy)
        .data(".data", &[&[0; 8][..], &decoy].concat())
        .data(".go.buildinfo", &inline_build_info("go1.22.3", MODULES));
    check(&elf.build(), &LISTED);
    check(&Elf::common().constants(".rodata", &decoy).build(), &[]);
}

/// Makes a program as Go 1.17 did: pointers to strings that lie elsewhere.
fn with_pointers(class: Class, padding: usize) -> Vec<u8> {
    let version = b"unrelatedgo1.17.13text";
    let modules = super::testing::bracketed(MODULES);
    let elf = Elf::new(class)
        .code(padding)
        .constants(".rodata", version)
        .constants(".text2", &modules);
    let width = if class.is_64 { 8 } else { 4 };
    let mut info = b"\xff Go buildinf:".to_vec();
    info.extend([width as u8, u8::from(class.is_big_endian)]);
    let data = elf.address_of(3) + 4_096;
    info.extend([class.word(data), class.word(data + 2 * width)].concat());
    info.resize(4_096, 0);
    for (address, length) in [
        (elf.address_of(1) + 9, 9),
        (elf.address_of(2), modules.len() as u64),
    ] {
        info.extend([class.word(address), class.word(length)].concat());
    }
    elf.data(".data", &info).build()
}

#[test]
fn pointers_of_old_go_programs_are_followed() {
    let expected: Vec<String> = LISTED
        .iter()
        .map(|line| line.replace("1.22.3", "1.17.13"))
        .collect();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    for class in Class::ALL {
        check(&with_pointers(class, 300), &expected);
    }
}

#[test]
fn a_version_set_when_linking_is_read_from_the_symbols() {
    let text = b"padding-v1.4.2\0padding";
    for class in Class::ALL {
        let elf = Elf::new(class)
            .constants(".rodata", text)
            .data(
                ".go.buildinfo",
                &inline_build_info("go1.22.3", "mod\ta.b/c\t(devel)\n"),
            )
            .symbols(&[
                ("runtime.text", 0, 0, 40),
                ("a.b/c/version.Version.str", 0, 8, 7),
                ("a.b/c/version.Name.str", 0, 8, 7),
                ("a.b/c/late.Version.str", 0, 4_000, 7),
            ]);
        check(
            &elf.build(),
            &[
                "gobinary root a.b/c@v1.4.2 [stdlib@v1.22.3]",
                "gobinary direct stdlib@v1.22.3 []",
            ],
        );
    }
}

#[test]
fn crates_of_rust_programs_are_found() {
    let expected = [
        "rustbinary root tool@0.1.0 [libc@0.2.1]",
        "rustbinary  libc@0.2.1 []",
    ];
    for class in Class::ALL {
        let elf = Elf::new(class)
            .code(5_000)
            .constants(".dep-v0", &audit_data(AUDIT));
        check(&elf.build(), &expected);
    }
    let twins = r#"{"packages":[{"name":"a","version":"1","dependencies":[1]},
        {"name":"b","version":"2"},{"name":"a","version":"1"}]}"#;
    check(
        &Elf::common()
            .constants(".dep-v0", &audit_data(twins))
            .build(),
        &[
            "rustbinary  a@1 [b@2]",
            "rustbinary  a@1 [b@2]",
            "rustbinary  b@2 []",
        ],
    );
    let old = Elf::common().constants(".rust-deps-v0", &audit_data(AUDIT));
    check(&old.build(), &expected);
    check(
        &Elf::common()
            .constants(".dep-v1", &audit_data(AUDIT))
            .build(),
        &[],
    );
}

/// Makes programs of the other systems, with data that begins with the build information.
fn of_other_systems(info: &[u8]) -> Vec<Vec<u8>> {
    let size = info.len() as u32;
    let mut pe = b"MZ".to_vec();
    pe.resize(60, 0);
    pe.extend(64_u32.to_le_bytes());
    pe.extend(b"PE\0\0\x64\x86\x01\0");
    pe.resize(64 + 24, 0);
    pe.extend(b".data\0\0\0");
    for word in [size, 4_096, size, 512, 0, 0, 0, 0xc000_0040] {
        pe.extend(word.to_le_bytes());
    }
    pe.resize(512, 0);

    let mut mach_o = Vec::new();
    for word in [0xfeed_facf_u32, 0x0100_000c, 0, 2, 1, 72, 0, 0, 0x19, 72] {
        mach_o.extend(word.to_le_bytes());
    }
    mach_o.extend(b"__DATA\0\0\0\0\0\0\0\0\0\0");
    for word in [0x1_0000_0000_u64, u64::from(size), 512, u64::from(size)] {
        mach_o.extend(word.to_le_bytes());
    }
    for word in [3_u32, 3, 0, 0] {
        mach_o.extend(word.to_le_bytes());
    }
    mach_o.resize(512, 0);

    let mut plan9 = vec![0, 0, 0x8a, 0x97];
    plan9.extend([(512_u32 - 40).to_be_bytes(), size.to_be_bytes()].concat());
    plan9.resize(512, 0);

    let mut xcoff = vec![1, 0xf7, 0, 1];
    xcoff.resize(24 + 16, 0);
    for word in [0x2000_0000_u64, u64::from(size), 512, 0, 0, 0, 0x40 << 32] {
        xcoff.extend(word.to_be_bytes());
    }
    xcoff.resize(512, 0);

    let programs = [pe, mach_o.clone(), plan9, xcoff];
    let mut programs: Vec<_> = programs.map(|program| [&program, info].concat()).into();
    let mut universal = vec![0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 1];
    for word in [0x0100_000c_u32, 0, 4_096, 512 + size, 12] {
        universal.extend(word.to_be_bytes());
    }
    universal.resize(4_096, 0);
    programs.push([&universal, &mach_o[..], info].concat());
    programs
}

#[test]
fn modules_are_found_in_programs_of_other_systems() {
    for program in of_other_systems(&inline_build_info("go1.22.3", MODULES)) {
        check(&program, &LISTED);
    }
}

#[test]
fn a_large_program_passes_like_a_small_one() {
    let padding = 24 << 20;
    let expected: Vec<String> = LISTED
        .iter()
        .map(|line| line.replace("1.22.3", "1.17.13"))
        .collect();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    check(&with_pointers(Class::new(true, false), padding), &expected);
    let elf = Elf::common()
        .code(1_000)
        .constants(".rodata", b"v1.4.2\0")
        .constants(".dep-v0", &audit_data(AUDIT))
        .data(
            ".go.buildinfo",
            &inline_build_info("go1.22.3", "mod\ta.b/c\t(devel)\n"),
        )
        .code(padding)
        .symbols(&[("a.b/c/version.Version.str", 1, 0, 6)]);
    check(
        &elf.build(),
        &[
            "gobinary root a.b/c@v1.4.2 [stdlib@v1.22.3]",
            "gobinary direct stdlib@v1.22.3 []",
            "rustbinary root tool@0.1.0 [libc@0.2.1]",
            "rustbinary  libc@0.2.1 []",
        ],
    );
}

/// Makes a module of WebAssembly of sections: a name, or none, and content.
fn wasm(sections: &[(&str, &[u8])]) -> Vec<u8> {
    let number = |mut value: usize| {
        let mut bytes = Vec::new();
        while value > 0x7f {
            bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        bytes.push(value as u8);
        bytes
    };
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    for (name, content) in sections {
        let head = match *name {
            "" => Vec::new(),
            name => [number(name.len()), name.as_bytes().to_vec()].concat(),
        };
        module.push(if name.is_empty() { 10 } else { 0 });
        module.extend(number(head.len() + content.len()));
        module.extend(head);
        module.extend(*content);
    }
    module
}

#[test]
fn a_large_module_passes_like_a_small_one() {
    let expected = [
        "rustbinary root tool@0.1.0 [libc@0.2.1]",
        "rustbinary  libc@0.2.1 []",
    ];
    let data = audit_data(AUDIT);
    for padding in [0, 300, 256 * 1024 - 40, 8 << 20] {
        let code = vec![1; padding];
        let module = wasm(&[
            ("", &code),
            ("name", b"x"),
            (".dep-v0", &data),
            ("", &code),
            ("", &[]),
        ]);
        check(&module, &expected);
    }
    // A module of something else is no problem either.
    check(&wasm(&[("", &vec![1; 8 << 20]), ("name", b"x")]), &[]);
}

#[test]
fn what_was_not_kept_is_a_problem() {
    let elf = Elf::common()
        .code(1 << 20)
        .constants(".dep-v0", &audit_data(AUDIT)[..40])
        .code(24 << 20);
    let mut program = elf.build();
    // Bytes that are no zlib stream are not kept.
    program[4_096 + (1 << 20)] = 0;
    let inventory = read_passing(&program);
    assert_eq!(
        problems(&inventory),
        [
            "Rust's audit data cannot be read of a program that is larger than \
          buffered_file_size_bytes_max and passes once"
        ]
    );
}
