//! Mach-O, for one architecture or several. Source: Apple's `mach-o/loader.h` and `fat.h`; what
//! counts is what Go's `debug/buildinfo` looks at: of several architectures the first.

use object::macho::{self, FatArch32, FatHeader, MachHeader32, MachHeader64};
use object::pod;
use object::read::macho::{MachHeader, Section as _, Segment as _};
use object::{BigEndian as BE, Endianness};

use super::super::source::{ReadError, Source};
use super::{Layout, Section, Segment};

const PAGE_ZERO: &[u8] = b"__PAGEZERO";

/// Reads the first of the programs in one file.
pub(super) fn read_universal(source: &Source<'_>) -> Result<Layout, ReadError> {
    let offset = size_of::<FatHeader>() as u64;
    let bytes = source.read_up_to(offset, size_of::<FatArch32>() as u64)?;
    match pod::from_bytes::<FatArch32>(&bytes) {
        Ok((first, _)) => read(source, u64::from(first.offset.get(BE))),
        Err(()) => Ok(Layout::default()),
    }
}

/// Reads the program that begins at an offset of the file.
pub(super) fn read(source: &Source<'_>, start: u64) -> Result<Layout, ReadError> {
    let magic = source.read_up_to(start, 4)?;
    match magic[..] {
        [0xce, 0xfa, 0xed, 0xfe] | [0xfe, 0xed, 0xfa, 0xce] => {
            read_class::<MachHeader32<Endianness>>(source, start)
        }
        [0xcf, 0xfa, 0xed, 0xfe] | [0xfe, 0xed, 0xfa, 0xcf] => {
            read_class::<MachHeader64<Endianness>>(source, start)
        }
        _ => Ok(Layout::default()),
    }
}

fn read_class<M: MachHeader<Endian = Endianness>>(
    source: &Source<'_>,
    start: u64,
) -> Result<Layout, ReadError> {
    let mut layout = Layout::default();
    let header_size = size_of::<M>() as u64;
    let bytes = source.read_up_to(start, header_size)?;
    let Ok(header) = M::parse(&bytes[..], 0) else {
        return Ok(layout);
    };
    let Ok(endian) = header.endian() else {
        return Ok(layout);
    };
    let size = header_size.saturating_add(u64::from(header.sizeofcmds(endian)));
    let bytes = source.read(start, size)?;
    let Ok(mut commands) = header.load_commands(endian, &bytes[..], 0) else {
        return Ok(layout);
    };
    while let Ok(Some(command)) = commands.next() {
        if let Ok(Some((segment, sections))) = M::Segment::from_command(command) {
            add_segment::<M>(segment, sections, endian, start, &mut layout);
        }
    }
    Ok(layout)
}

fn add_segment<M: MachHeader<Endian = Endianness>>(
    segment: &M::Segment,
    sections: &[u8],
    endian: Endianness,
    start: u64,
    layout: &mut Layout,
) {
    let address: u64 = segment.vmaddr(endian).into();
    let offset: u64 = segment.fileoff(endian).into();
    let size_bytes: u64 = segment.filesize(endian).into();
    if segment.name() != PAGE_ZERO {
        layout.segments.push(Segment {
            address,
            offset: offset.saturating_add(start),
            size_bytes,
        });
    }
    let writable = macho::VmProt(macho::VM_PROT_READ.0 | macho::VM_PROT_WRITE.0);
    let is_data = segment.initprot(endian) == writable && segment.maxprot(endian) == writable;
    if is_data && address != 0 && size_bytes != 0 && layout.data.is_none() {
        let size: u64 = segment.vmsize(endian).into();
        layout.data = Some(address..address.saturating_add(size));
    }
    for section in segment.sections(endian, sections).unwrap_or_default() {
        layout.sections.push(Section {
            name: section.name().to_vec(),
            address: section.addr(endian).into(),
            offset: u64::from(section.offset(endian)).saturating_add(start),
            size_bytes: section.size(endian).into(),
        });
    }
}
