//! ELF. Source: the System V ABI, chapters 4 and 5; what counts is what Go's `debug/buildinfo`
//! looks at.

use object::Endianness;
use object::elf::{self, FileHeader32, FileHeader64};
use object::pod;
use object::read::elf::{FileHeader, ProgramHeader as _, SectionHeader as _};

use super::super::source::{ReadError, Source};
use super::{Layout, Section, Segment, SymbolTable, until_nul};

/// The number of sections from which on it does not stand in the header.
const EXTENDED_FROM: u64 = elf::SHN_LORESERVE as u64;

pub(super) fn read(source: &Source<'_>) -> Result<Layout, ReadError> {
    let class = source.read_up_to(4, 1)?;
    if class == [elf::ELFCLASS32.0] {
        read_class::<FileHeader32<Endianness>>(source)
    } else {
        read_class::<FileHeader64<Endianness>>(source)
    }
}

fn read_class<E: FileHeader<Endian = Endianness>>(
    source: &Source<'_>,
) -> Result<Layout, ReadError> {
    let bytes = source.read_up_to(0, size_of::<E>() as u64)?;
    let Ok(header) = E::parse(&bytes[..]) else {
        return Ok(Layout::default());
    };
    let Ok(endian) = header.endian() else {
        return Ok(Layout::default());
    };
    let mut layout = Layout::default();
    read_segments(source, header, endian, &mut layout)?;
    if let Err(error) = read_sections(source, header, endian, &mut layout) {
        layout.damage = Some(error);
    }
    Ok(layout)
}

fn read_segments<E: FileHeader<Endian = Endianness>>(
    source: &Source<'_>,
    header: &E,
    endian: Endianness,
    layout: &mut Layout,
) -> Result<(), ReadError> {
    let count = usize::from(header.e_phnum(endian));
    if usize::from(header.e_phentsize(endian)) != size_of::<E::ProgramHeader>() || count == 0 {
        return Ok(());
    }
    let size = count as u64 * size_of::<E::ProgramHeader>() as u64;
    let bytes = source.read(header.e_phoff(endian).into(), size)?;
    let (programs, _) = pod::slice_from_bytes::<E::ProgramHeader>(&bytes, count)
        .map_err(|()| ReadError::PastEnd)?;
    for program in programs {
        let address: u64 = program.p_vaddr(endian).into();
        layout.segments.push(Segment {
            address,
            offset: program.p_offset(endian).into(),
            size_bytes: program.p_filesz(endian).into(),
        });
        let flags = program.p_flags(endian).0 & (elf::PF_X.0 | elf::PF_W.0);
        let is_data = program.p_type(endian) == elf::PT_LOAD && flags == elf::PF_W.0;
        if is_data && layout.data.is_none() {
            let size: u64 = program.p_memsz(endian).into();
            layout.data = Some(address..address.saturating_add(size));
        }
    }
    Ok(())
}

fn read_sections<E: FileHeader<Endian = Endianness>>(
    source: &Source<'_>,
    header: &E,
    endian: Endianness,
    layout: &mut Layout,
) -> Result<(), ReadError> {
    let offset: u64 = header.e_shoff(endian).into();
    if offset == 0 {
        return Ok(());
    }
    let entry_size = size_of::<E::SectionHeader>() as u64;
    if u64::from(header.e_shentsize(endian)) != entry_size {
        return Err(ReadError::PastEnd);
    }
    let mut count = u64::from(header.e_shnum(endian));
    let mut names_index = u64::from(header.e_shstrndx(endian).0);
    if count == 0 {
        let first = source.read(offset, entry_size)?;
        let (first, _) =
            pod::from_bytes::<E::SectionHeader>(&first).map_err(|()| ReadError::PastEnd)?;
        count = first.sh_size(endian).into();
        if names_index == u64::from(elf::SHN_XINDEX.0) {
            names_index = u64::from(first.sh_link(endian));
        }
        if count < EXTENDED_FROM {
            return Err(ReadError::PastEnd);
        }
    }
    let size = count.checked_mul(entry_size).ok_or(ReadError::PastEnd)?;
    let bytes = source.read(offset, size)?;
    let headers =
        pod::slice_from_all_bytes::<E::SectionHeader>(&bytes).map_err(|()| ReadError::PastEnd)?;
    let sections = headers.iter().map(|header| Section {
        name: Vec::new(),
        address: header.sh_addr(endian).into(),
        offset: header.sh_offset(endian).into(),
        size_bytes: match header.sh_type(endian) {
            elf::SHT_NOBITS => 0,
            _ => header.sh_size(endian).into(),
        },
    });
    layout.sections = sections.collect();
    layout.symbols = find_symbols::<E>(headers, endian, &layout.sections);
    if names_index == 0 {
        return Ok(());
    }
    let names = at(&layout.sections, names_index).ok_or(ReadError::PastEnd)?;
    let names = source.read(names.offset, names.size_bytes)?;
    for (section, header) in layout.sections.iter_mut().zip(headers) {
        let start = usize::try_from(header.sh_name(endian)).unwrap_or(usize::MAX);
        let name = names.get(start..).ok_or(ReadError::PastEnd)?;
        section.name = until_nul(name).to_vec();
    }
    Ok(())
}

fn find_symbols<E: FileHeader<Endian = Endianness>>(
    headers: &[E::SectionHeader],
    endian: Endianness,
    sections: &[Section],
) -> Option<SymbolTable> {
    let index = headers
        .iter()
        .position(|header| header.sh_type(endian) == elf::SHT_SYMTAB)?;
    let table = sections.get(index)?;
    let names = at(sections, u64::from(headers.get(index)?.sh_link(endian)))?;
    Some(SymbolTable {
        is_64: E::is_type_64_sized(),
        endian,
        table: table.range(),
        names: names.range(),
    })
}

fn at(sections: &[Section], index: u64) -> Option<&Section> {
    sections.get(usize::try_from(index).ok()?)
}
