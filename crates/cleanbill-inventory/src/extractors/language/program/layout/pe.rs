//! PE. Source: Microsoft's PE format; what counts is what Go's `debug/buildinfo` looks at.

use object::pe::{self, ImageDosHeader, ImageFileHeader, ImageSectionHeader};
use object::{LittleEndian as LE, pod};

use super::super::source::{ReadError, Source};
use super::{Layout, Section, Segment, until_nul};

const SIGNATURE: &[u8] = b"PE\0\0";
/// The flags of initialised data that may be read and written.
const DATA: u32 =
    pe::IMAGE_SCN_CNT_INITIALIZED_DATA.0 | pe::IMAGE_SCN_MEM_READ.0 | pe::IMAGE_SCN_MEM_WRITE.0;
/// Where the optional header has the address that the program is loaded to, of either class.
const IMAGE_BASE_32: usize = 28;
const IMAGE_BASE_64: usize = 24;

pub(super) fn read(source: &Source<'_>) -> Result<Layout, ReadError> {
    let mut layout = Layout::default();
    let dos = source.read_up_to(0, size_of::<ImageDosHeader>() as u64)?;
    let Ok((dos, _)) = pod::from_bytes::<ImageDosHeader>(&dos) else {
        return Ok(layout);
    };
    let offset = u64::from(dos.e_lfanew.get(LE));
    if source.read_up_to(offset, SIGNATURE.len() as u64)? != SIGNATURE {
        return Ok(layout);
    }
    let offset = offset + SIGNATURE.len() as u64;
    let header = source.read(offset, size_of::<ImageFileHeader>() as u64)?;
    let (header, _) =
        pod::from_bytes::<ImageFileHeader>(&header).map_err(|()| ReadError::PastEnd)?;
    let offset = offset + size_of::<ImageFileHeader>() as u64;
    let optional_size = u64::from(header.size_of_optional_header.get(LE));
    let base = image_base(&source.read(offset, optional_size)?);
    let count = u64::from(header.number_of_sections.get(LE));
    let size = count * size_of::<ImageSectionHeader>() as u64;
    let bytes = source.read(offset + optional_size, size)?;
    let headers =
        pod::slice_from_all_bytes::<ImageSectionHeader>(&bytes).map_err(|()| ReadError::PastEnd)?;
    for header in headers {
        add_section(header, base, &mut layout);
    }
    Ok(layout)
}

fn image_base(optional_header: &[u8]) -> u64 {
    let magic = optional_header
        .first_chunk()
        .map(|magic| u16::from_le_bytes(*magic));
    let at = |offset| optional_header.get(offset..).unwrap_or_default();
    let base = match magic {
        Some(pe::IMAGE_NT_OPTIONAL_HDR64_MAGIC) => at(IMAGE_BASE_64)
            .first_chunk()
            .map(|base| u64::from_le_bytes(*base)),
        Some(pe::IMAGE_NT_OPTIONAL_HDR32_MAGIC) => at(IMAGE_BASE_32)
            .first_chunk()
            .map(|base| u64::from(u32::from_le_bytes(*base))),
        _ => None,
    };
    base.unwrap_or(0)
}

fn add_section(header: &ImageSectionHeader, base: u64, layout: &mut Layout) {
    let address = u64::from(header.virtual_address.get(LE)).saturating_add(base);
    let offset = u64::from(header.pointer_to_raw_data.get(LE));
    let size_bytes = u64::from(header.size_of_raw_data.get(LE));
    layout.sections.push(Section {
        name: until_nul(&header.name).to_vec(),
        address,
        offset,
        size_bytes,
    });
    if offset == 0 {
        return;
    }
    layout.segments.push(Segment {
        address,
        offset,
        size_bytes,
    });
    let flags = header.characteristics.get(LE).0 & !pe::IMAGE_SCN_ALIGN_32BYTES.0;
    let is_data = flags == DATA && size_bytes != 0 && header.virtual_address.get(LE) != 0;
    if is_data && layout.data.is_none() {
        let size = u64::from(header.virtual_size.get(LE));
        layout.data = Some(address..address.saturating_add(size));
    }
}
