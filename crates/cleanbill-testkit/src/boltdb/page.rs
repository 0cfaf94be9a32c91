//! Pages as bytes.

use std::borrow::Cow;

pub(super) const FLAG_BRANCH: u16 = 0x01;
pub(super) const FLAG_LEAF: u16 = 0x02;
const FLAG_META: u16 = 0x04;
pub(super) const FLAG_FREELIST: u16 = 0x10;

const HEADER: usize = 16;
const ELEMENT: usize = 16;
const MAGIC: u32 = 0xED0C_DAED;
const VERSION: u32 = 2;

/// Is one element of a branch or leaf page.
pub(super) struct Element<'a> {
    pub(super) key: &'a [u8],
    content: Content<'a>,
}

enum Content<'a> {
    Leaf { flags: u32, value: Cow<'a, [u8]> },
    Branch { child: u64 },
}

impl<'a> Element<'a> {
    pub(super) fn leaf(flags: u32, key: &'a [u8], value: impl Into<Cow<'a, [u8]>>) -> Self {
        let value = value.into();
        Self {
            key,
            content: Content::Leaf { flags, value },
        }
    }

    pub(super) fn branch(key: &'a [u8], child: u64) -> Self {
        Self {
            key,
            content: Content::Branch { child },
        }
    }

    /// Returns the bytes that the element takes in its page.
    pub(super) fn size(&self) -> usize {
        ELEMENT + self.key.len() + self.value().len()
    }

    fn value(&self) -> &[u8] {
        match &self.content {
            Content::Leaf { value, .. } => value,
            Content::Branch { .. } => &[],
        }
    }

    /// Appends the element's fixed part; its data starts `position` bytes after it.
    fn encode(&self, bytes: &mut Vec<u8>, position: usize) {
        let position = (position as u32).to_le_bytes();
        let key_size = (self.key.len() as u32).to_le_bytes();
        match &self.content {
            Content::Leaf { flags, value } => {
                bytes.extend(flags.to_le_bytes());
                bytes.extend(position);
                bytes.extend(key_size);
                bytes.extend((value.len() as u32).to_le_bytes());
            }
            Content::Branch { child } => {
                bytes.extend(position);
                bytes.extend(key_size);
                bytes.extend(child.to_le_bytes());
            }
        }
    }
}

/// Returns the bytes of a page with these elements, before it is filled up.
pub(super) fn encoded_size(elements: &[Element<'_>]) -> usize {
    HEADER + elements.iter().map(Element::size).sum::<usize>()
}

/// Appends a page without filling it up.
pub(super) fn encode_page(
    bytes: &mut Vec<u8>,
    id: u64,
    flags: u16,
    overflow: u32,
    elements: &[Element<'_>],
) {
    encode_header(bytes, id, flags, elements.len() as u16, overflow);
    let mut data_offset = elements.len() * ELEMENT;
    for (index, element) in elements.iter().enumerate() {
        element.encode(bytes, data_offset - index * ELEMENT);
        data_offset += element.size() - ELEMENT;
    }
    for element in elements {
        bytes.extend(element.key);
        bytes.extend(element.value());
    }
}

/// Returns a meta page without what fills it up.
pub(super) fn encode_meta(
    page_size: usize,
    root: u64,
    freelist: u64,
    high_water: u64,
    transaction: u64,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_header(&mut bytes, transaction % 2, FLAG_META, 0, 0);
    bytes.extend(MAGIC.to_le_bytes());
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend((page_size as u32).to_le_bytes());
    bytes.extend(0_u32.to_le_bytes());
    for number in [root, 0, freelist, high_water, transaction] {
        bytes.extend(number.to_le_bytes());
    }
    let checksum = fnv1a(&bytes[HEADER..]);
    bytes.extend(checksum.to_le_bytes());
    bytes
}

fn encode_header(bytes: &mut Vec<u8>, id: u64, flags: u16, count: u16, overflow: u32) {
    bytes.extend(id.to_le_bytes());
    bytes.extend(flags.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend(overflow.to_le_bytes());
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
