//! Programs made for tests: nothing in them can run, but their tables are right.

use std::io::Write as _;

use cleanbill_core::Limits;
use cleanbill_core::inventory::LayerInventory;
use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::Program;
use crate::testing::extract_with_limits;

/// The address of the first byte of every program.
const BASE: u64 = 0x40_0000;

/// What brackets the module text.
const BRACKETS: [[u8; 16]; 2] = [
    *b"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6",
    *b"\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2",
];

/// Returns a Go program.
pub(crate) fn sample() -> Vec<u8> {
    let modules = "mod\texample.org/tool\tv1.2.3\ndep\tgolang.org/x/text\tv0.3.7\n";
    let info = inline_build_info("go1.22.3", modules);
    Elf::common().data(".go.buildinfo", &info).build()
}

/// Reads a program that is at hand.
pub(super) fn read(program: &[u8]) -> LayerInventory {
    extract_with_limits(&Program, "app/tool", program, Limits::default())
}

/// Reads a program that passes once.
pub(super) fn read_passing(program: &[u8]) -> LayerInventory {
    let limits = Limits {
        buffered_file_size_bytes_max: 0,
        ..Limits::default()
    };
    extract_with_limits(&Program, "app/tool", program, limits)
}

/// Lists what was found: relationship, id and dependencies of each package.
pub(super) fn listed(inventory: &LayerInventory) -> Vec<String> {
    let packages = inventory.applications.iter().flat_map(|application| {
        let kind = application.kind;
        application.packages.iter().map(move |package| {
            let needs = package.depends_on.join(" ");
            let relationship = package.relationship.name();
            format!("{kind} {relationship} {} [{needs}]", package.id)
        })
    });
    packages.collect()
}

/// Lists what could not be read.
pub(super) fn problems(inventory: &LayerInventory) -> Vec<String> {
    let problems = inventory.problems.iter();
    problems.map(|problem| problem.message.clone()).collect()
}

/// Makes the build information of Go 1.18 and later.
pub(super) fn inline_build_info(go_version: &str, modules: &str) -> Vec<u8> {
    let mut info = b"\xff Go buildinf:\x08\x02".to_vec();
    info.resize(32, 0);
    for text in [go_version.as_bytes().to_vec(), bracketed(modules)] {
        let mut length = text.len();
        while length > 0x7f {
            info.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        info.push(length as u8);
        info.extend(text);
    }
    info.resize(info.len() + 16, 0);
    info
}

pub(super) fn bracketed(modules: &str) -> Vec<u8> {
    [&BRACKETS[0][..], modules.as_bytes(), &BRACKETS[1][..]].concat()
}

/// Makes the audit data of Rust programs.
pub(super) fn audit_data(json: &str) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(json.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// How an ELF program writes its numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Class {
    pub(super) is_64: bool,
    pub(super) is_big_endian: bool,
}

impl Class {
    pub(super) const ALL: [Class; 4] = [
        Class::new(true, false),
        Class::new(true, true),
        Class::new(false, false),
        Class::new(false, true),
    ];

    pub(super) const fn new(is_64: bool, is_big_endian: bool) -> Self {
        Self {
            is_64,
            is_big_endian,
        }
    }

    /// Writes a number of some bytes.
    pub(super) fn number(self, value: u64, size: usize) -> Vec<u8> {
        let bytes = value.to_be_bytes();
        let mut bytes = bytes[8 - size..].to_vec();
        if !self.is_big_endian {
            bytes.reverse();
        }
        bytes
    }

    /// Writes a number as wide as an address.
    pub(super) fn word(self, value: u64) -> Vec<u8> {
        self.number(value, if self.is_64 { 8 } else { 4 })
    }
}

/// A part of an ELF program.
#[derive(Clone, Debug)]
struct Part {
    name: String,
    content: Vec<u8>,
    kind: u64,
    is_writable: bool,
    link: u64,
}

/// Makes ELF programs.
#[derive(Clone, Debug)]
pub(super) struct Elf {
    class: Class,
    parts: Vec<Part>,
}

impl Elf {
    pub(super) fn new(class: Class) -> Self {
        Self {
            class,
            parts: Vec::new(),
        }
    }

    /// The layout that most tests need.
    pub(super) fn common() -> Self {
        Self::new(Class::new(true, false))
    }

    pub(super) fn constants(self, name: &str, content: &[u8]) -> Self {
        self.part(name, content, 1, false, 0)
    }

    pub(super) fn data(self, name: &str, content: &[u8]) -> Self {
        self.part(name, content, 1, true, 0)
    }

    /// Adds bytes that mean nothing.
    pub(super) fn code(self, size: usize) -> Self {
        let mut state = 1_u32;
        let bytes = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        });
        let content: Vec<u8> = bytes.take(size).collect();
        self.constants(".text", &content)
    }

    /// Adds a table of symbols: name, part, offset in the part, size.
    pub(super) fn symbols(self, symbols: &[(&str, usize, u64, u64)]) -> Self {
        let class = self.class;
        let mut names = vec![0];
        let mut table = vec![0; if class.is_64 { 24 } else { 16 }];
        for (name, part, inside, size) in symbols {
            let at = names.len() as u64;
            names.extend(name.as_bytes());
            names.push(0);
            let address = BASE + self.offset_of(*part) + inside;
            let section = class.number(*part as u64 + 1, 2);
            table.extend(class.number(at, 4));
            if class.is_64 {
                table.extend([&[0, 0][..], &section].concat());
                table.extend([class.word(address), class.word(*size)].concat());
            } else {
                table.extend([class.word(address), class.word(*size)].concat());
                table.extend([&[0, 0][..], &section].concat());
            }
        }
        let names_index = self.parts.len() as u64 + 2;
        self.part(".symtab", &table, 2, false, names_index)
            .part(".strtab", &names, 3, false, 0)
    }

    fn part(mut self, name: &str, content: &[u8], kind: u64, is_writable: bool, link: u64) -> Self {
        self.parts.push(Part {
            name: name.to_owned(),
            content: content.to_vec(),
            kind,
            is_writable,
            link,
        });
        self
    }

    /// Returns the address of a part that is there or will be added next.
    pub(super) fn address_of(&self, part: usize) -> u64 {
        BASE + self.offset_of(part)
    }

    fn offset_of(&self, part: usize) -> u64 {
        let before = self.parts.iter().take(part);
        let sizes = before.map(|part| (part.content.len() as u64).next_multiple_of(16));
        4_096 + sizes.sum::<u64>()
    }

    /// Writes the program, the table of sections at its end.
    pub(super) fn build(&self) -> Vec<u8> {
        let class = self.class;
        let mut names = vec![0];
        let mut headers = vec![0; if class.is_64 { 64 } else { 40 }];
        let mut programs = Vec::new();
        let strings = Part {
            name: ".shstrtab".to_owned(),
            content: Vec::new(),
            kind: 3,
            is_writable: false,
            link: 0,
        };
        for (index, part) in self.parts.iter().chain([&strings]).enumerate() {
            let offset = self.offset_of(index);
            let name = names.len() as u64;
            names.extend(part.name.as_bytes());
            names.push(0);
            let size = match part.name.as_str() {
                ".shstrtab" => names.len() as u64,
                _ => part.content.len() as u64,
            };
            let words = |words: &[u64]| -> Vec<u8> {
                words.iter().flat_map(|word| class.word(*word)).collect()
            };
            headers.extend(class.number(name, 4));
            headers.extend(class.number(part.kind, 4));
            headers.extend(words(&[0, BASE + offset, offset, size]));
            headers.extend(class.number(part.link, 4));
            headers.extend(class.number(0, 4));
            headers.extend(words(&[16, 0]));
            if part.kind == 1 {
                programs.push((part.is_writable, offset, size));
            }
        }
        let program_size = if class.is_64 { 56 } else { 32 };
        let header_size = if class.is_64 { 64 } else { 52 };
        let sections_offset =
            (self.offset_of(self.parts.len()) + names.len() as u64).next_multiple_of(16);
        let mut file = b"\x7fELF".to_vec();
        file.extend([
            1 + u8::from(class.is_64),
            1 + u8::from(class.is_big_endian),
            1,
        ]);
        file.resize(16, 0);
        for half in [2, 62] {
            file.extend(class.number(half, 2));
        }
        file.extend(class.number(1, 4));
        for word in [BASE, header_size, sections_offset] {
            file.extend(class.word(word));
        }
        file.extend(class.number(0, 4));
        let count = self.parts.len() as u64 + 2;
        let section_size = if class.is_64 { 64 } else { 40 };
        for half in [
            header_size,
            program_size,
            programs.len() as u64,
            section_size,
            count,
            count - 1,
        ] {
            file.extend(class.number(half, 2));
        }
        for (is_writable, offset, size) in programs {
            let flags = class.number(if is_writable { 6 } else { 4 }, 4);
            let places = [offset, BASE + offset, BASE + offset, size, size];
            file.extend(class.number(1, 4));
            if class.is_64 {
                file.extend(&flags);
            }
            file.extend(places.iter().flat_map(|place| class.word(*place)));
            if !class.is_64 {
                file.extend(&flags);
            }
            file.extend(class.word(16));
        }
        for (index, part) in self.parts.iter().enumerate() {
            file.resize(self.offset_of(index) as usize, 0);
            file.extend(&part.content);
        }
        file.resize(self.offset_of(self.parts.len()) as usize, 0);
        file.extend(names);
        file.resize(sections_offset as usize, 0);
        file.extend(headers);
        file
    }
}
