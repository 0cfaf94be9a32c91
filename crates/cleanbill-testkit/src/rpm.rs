//! Package databases of rpm: headers, and the two file formats that are rpm's own affair.
//!
//! (A SQLite database is made with SQLite: a table `Packages` with a column `blob`.)

/// Builds the header blob of one package.
///
/// Tags are written in the order in which they are added; real headers are sorted by tag.
#[derive(Clone, Debug, Default)]
pub struct RpmHeader {
    signed: Vec<Tag>,
    added: Vec<Tag>,
    is_installed: bool,
}

#[derive(Clone, Debug)]
struct Tag {
    number: u32,
    kind: u32,
    count: u32,
    data: Vec<u8>,
}

const REGION: u32 = 63;
const KIND_INT32: u32 = 4;
const KIND_STRING: u32 = 6;
const KIND_BIN: u32 = 7;
const KIND_STRING_ARRAY: u32 = 8;

impl RpmHeader {
    /// Starts a header with name, version, release and architecture (tags 1000, 1001, 1002, 1022).
    pub fn new(name: &str, version: &str, release: &str, arch: &str) -> Self {
        Self::default()
            .string(1000, name)
            .string(1001, version)
            .string(1002, release)
            .string(1022, arch)
    }

    /// Adds a string.
    #[must_use]
    pub fn string(self, tag: u32, value: &str) -> Self {
        self.tag(tag, KIND_STRING, 1, with_nul(value))
    }

    /// Adds an array of strings.
    #[must_use]
    pub fn strings(self, tag: u32, values: &[&str]) -> Self {
        let data = values.iter().flat_map(|value| with_nul(value)).collect();
        self.tag(tag, KIND_STRING_ARRAY, values.len() as u32, data)
    }

    /// Adds numbers.
    #[must_use]
    pub fn int32s(self, tag: u32, values: &[i32]) -> Self {
        let data = values
            .iter()
            .flat_map(|value| value.to_be_bytes())
            .collect();
        self.tag(tag, KIND_INT32, values.len() as u32, data)
    }

    /// Adds bytes.
    #[must_use]
    pub fn bytes(self, tag: u32, value: &[u8]) -> Self {
        self.tag(tag, KIND_BIN, value.len() as u32, value.to_vec())
    }

    /// Makes the tags that follow additions of the installation, outside the signed region.
    #[must_use]
    pub fn installed(mut self) -> Self {
        self.is_installed = true;
        self
    }

    /// Writes the header with its region.
    pub fn build(&self) -> Vec<u8> {
        let mut index = Vec::new();
        let mut data = Vec::new();
        append(&self.signed, &mut index, &mut data);
        let entries = self.signed.len() as u32 + 1;
        let mut region = entry(REGION, KIND_BIN, data.len() as u32, 16);
        data.extend(entry(REGION, KIND_BIN, (entries * 16).wrapping_neg(), 16));
        append(&self.added, &mut index, &mut data);
        region.append(&mut index);
        frame(&region, &data)
    }

    /// Writes the header as version 3 of the format did, without a region.
    pub fn build_without_region(&self) -> Vec<u8> {
        let (mut index, mut data) = (Vec::new(), Vec::new());
        append(&self.signed, &mut index, &mut data);
        append(&self.added, &mut index, &mut data);
        frame(&index, &data)
    }

    fn tag(mut self, number: u32, kind: u32, count: u32, data: Vec<u8>) -> Self {
        let tags = if self.is_installed {
            &mut self.added
        } else {
            &mut self.signed
        };
        tags.push(Tag {
            number,
            kind,
            count,
            data,
        });
        self
    }
}

fn with_nul(value: &str) -> Vec<u8> {
    let mut bytes = value.as_bytes().to_vec();
    bytes.push(0);
    bytes
}

fn append(tags: &[Tag], index: &mut Vec<u8>, data: &mut Vec<u8>) {
    for tag in tags {
        if tag.kind == KIND_INT32 {
            data.resize(data.len().next_multiple_of(4), 0);
        }
        index.extend(entry(tag.number, tag.kind, data.len() as u32, tag.count));
        data.extend(&tag.data);
    }
}

fn entry(tag: u32, kind: u32, offset: u32, count: u32) -> Vec<u8> {
    [tag, kind, offset, count]
        .into_iter()
        .flat_map(u32::to_be_bytes)
        .collect()
}

fn frame(index: &[u8], data: &[u8]) -> Vec<u8> {
    let mut blob = Vec::new();
    blob.extend((index.len() as u32 / 16).to_be_bytes());
    blob.extend((data.len() as u32).to_be_bytes());
    blob.extend(index);
    blob.extend(data);
    blob
}

/// Writes header blobs as the Berkeley DB hash file `Packages`.
#[derive(Clone, Copy, Debug)]
pub struct BerkeleyDb {
    /// Bytes of a page, a power of two from 512 on.
    pub page_size: usize,
    /// Writes all numbers big-endian, as rpm did on such machines.
    pub is_big_endian: bool,
}

impl BerkeleyDb {
    /// Writes the file.
    pub fn build(self, headers: &[Vec<u8>]) -> Vec<u8> {
        let per_page = (self.page_size - PAGE_HEADER_SIZE) / 24;
        let hash_pages = headers.len().div_ceil(per_page);
        let mut pages = vec![Vec::new(); 1 + hash_pages];
        let mut firsts = Vec::new();
        for header in headers {
            firsts.push(pages.len() as u32);
            self.append_overflow(&mut pages, header);
        }
        for (number, (chunk, firsts)) in headers
            .chunks(per_page)
            .zip(firsts.chunks(per_page))
            .enumerate()
        {
            pages[1 + number] = self.hash_page(1 + number, chunk, firsts);
        }
        pages[0] = self.metadata(pages.len() as u32 - 1);
        pages.concat()
    }

    fn metadata(self, page_number_max: u32) -> Vec<u8> {
        let mut page = vec![0; self.page_size];
        self.put_u32(&mut page, 12, 0x0006_1561);
        self.put_u32(&mut page, 16, 9);
        self.put_u32(&mut page, 20, self.page_size as u32);
        page[25] = 8;
        self.put_u32(&mut page, 32, page_number_max);
        page
    }

    fn hash_page(self, number: usize, headers: &[Vec<u8>], firsts: &[u32]) -> Vec<u8> {
        let mut page = self.page(number, 13);
        self.put_u16(&mut page, 20, 2 * headers.len() as u16);
        let mut end = self.page_size;
        for (at, (header, &first)) in headers.iter().zip(firsts).enumerate() {
            end -= 5;
            page[end] = 1;
            self.put_u16(&mut page, PAGE_HEADER_SIZE + 4 * at, end as u16);
            end -= 12;
            page[end] = 3;
            self.put_u32(&mut page, end + 4, first);
            self.put_u32(&mut page, end + 8, header.len() as u32);
            self.put_u16(&mut page, PAGE_HEADER_SIZE + 4 * at + 2, end as u16);
        }
        page
    }

    fn append_overflow(self, pages: &mut Vec<Vec<u8>>, header: &[u8]) {
        let mut chunks = header.chunks(self.page_size - PAGE_HEADER_SIZE).peekable();
        while let Some(chunk) = chunks.next() {
            let mut page = self.page(pages.len(), 7);
            if chunks.peek().is_some() {
                self.put_u32(&mut page, 16, pages.len() as u32 + 1);
            }
            self.put_u16(&mut page, 22, chunk.len() as u16);
            page[PAGE_HEADER_SIZE..][..chunk.len()].copy_from_slice(chunk);
            pages.push(page);
        }
    }

    fn page(self, number: usize, kind: u8) -> Vec<u8> {
        let mut page = vec![0; self.page_size];
        self.put_u32(&mut page, 8, number as u32);
        page[25] = kind;
        page
    }

    fn put_u16(self, page: &mut [u8], offset: usize, value: u16) {
        let bytes = if self.is_big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        };
        page[offset..][..2].copy_from_slice(&bytes);
    }

    fn put_u32(self, page: &mut [u8], offset: usize, value: u32) {
        let bytes = if self.is_big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        };
        page[offset..][..4].copy_from_slice(&bytes);
    }
}

const PAGE_HEADER_SIZE: usize = 26;

/// Writes header blobs as the NDB file `Packages.db`, with one slot page.
///
/// # Panics
///
/// There are more than 254 headers.
pub fn ndb(headers: &[Vec<u8>]) -> Vec<u8> {
    const SLOTS: usize = 4096 / 16 - 2;
    assert!(
        headers.len() <= SLOTS,
        "one slot page holds {SLOTS} packages"
    );
    let words = |words: [u32; 3]| words.into_iter().flat_map(u32::to_le_bytes);
    let mut file = b"RpmP".to_vec();
    file.extend(words([0, 1, 1]));
    file.resize(32, 0);
    let mut blobs: Vec<u8> = Vec::new();
    for slot in 0..SLOTS {
        file.extend(b"Slot");
        let Some(header) = headers.get(slot) else {
            file.extend(words([0, 0, 0]));
            continue;
        };
        let number = slot as u32 + 1;
        let offset = (4096 + blobs.len()) as u32 / 16;
        blobs.extend(b"BlbS");
        blobs.extend(words([number, 0, header.len() as u32]));
        blobs.extend(header);
        blobs.resize(blobs.len().next_multiple_of(16) + 16, 0);
        let end = (4096 + blobs.len()) as u32 / 16;
        file.extend(words([number, offset, end - offset]));
    }
    file.extend(blobs);
    file
}
