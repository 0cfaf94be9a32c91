//! Writes BoltDB files: multi-level trees, overflow pages, nested and inline buckets.
//!
//! Each tree is built from sorted keys in one go, page after page, so that a file with a million
//! keys takes seconds. Pages are filled to the brim, which bbolt allows and itself never does.
//!
//! Source: spec 01 section 2; bbolt 1.5 `node.go`, `bucket.go`.

mod page;

use std::collections::BTreeMap;

use page::{Element, encode_page, encoded_size};

/// Bytes of a bucket's header: root page id and sequence.
const BUCKET_HEADER: usize = 16;
/// Flag of a leaf element that holds a bucket.
const FLAG_BUCKET: u32 = 1;

/// Is a bucket in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BoltBucket {
    entries: BTreeMap<Vec<u8>, BoltEntry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum BoltEntry {
    Value(Vec<u8>),
    Bucket(BoltBucket),
}

impl BoltBucket {
    /// Sets a value, in place of whatever had the key.
    pub fn put(&mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> &mut Self {
        self.entries
            .insert(key.into(), BoltEntry::Value(value.into()));
        self
    }

    /// Returns the nested bucket of this name, made on first use.
    ///
    /// # Panics
    ///
    /// The name belongs to a value.
    pub fn bucket(&mut self, name: impl Into<Vec<u8>>) -> &mut BoltBucket {
        let entry = self
            .entries
            .entry(name.into())
            .or_insert_with(|| BoltEntry::Bucket(BoltBucket::default()));
        match entry {
            BoltEntry::Bucket(bucket) => bucket,
            BoltEntry::Value(_) => panic!("the name of the bucket belongs to a value"),
        }
    }
}

/// Writes files.
#[derive(Clone, Copy, Debug)]
pub struct BoltWriter {
    page_size: usize,
}

impl Default for BoltWriter {
    fn default() -> Self {
        Self::new(4096)
    }
}

impl BoltWriter {
    /// Sets the size of a page in bytes: a power of two from 1,024 on.
    pub fn new(page_size: usize) -> Self {
        assert!(page_size.is_power_of_two() && page_size >= 1024);
        Self { page_size }
    }

    /// Writes a file whose top level is `root`.
    pub fn write(&self, root: &BoltBucket) -> Vec<u8> {
        let mut file = File {
            page_size: self.page_size,
            bytes: vec![0; 2 * self.page_size],
        };
        let freelist = file.append(page::FLAG_FREELIST, &[]);
        let root = file.write_tree(root);
        let high_water = file.next_id();
        for transaction in 0..2 {
            let meta = page::encode_meta(self.page_size, root, freelist, high_water, transaction);
            let start = transaction as usize * self.page_size;
            file.bytes[start..start + meta.len()].copy_from_slice(&meta);
        }
        file.bytes
    }
}

struct File {
    page_size: usize,
    bytes: Vec<u8>,
}

impl File {
    fn next_id(&self) -> u64 {
        (self.bytes.len() / self.page_size) as u64
    }

    /// Appends a page, with as many overflow pages as it needs, and returns its id.
    fn append(&mut self, flags: u16, elements: &[Element<'_>]) -> u64 {
        let id = self.next_id();
        let size = encoded_size(elements);
        let overflow = size.div_ceil(self.page_size) - 1;
        encode_page(&mut self.bytes, id, flags, overflow as u32, elements);
        self.bytes
            .resize((id as usize + overflow + 1) * self.page_size, 0);
        id
    }

    /// Writes the nested buckets of a bucket and then its own tree. Returns the root page.
    fn write_tree(&mut self, bucket: &BoltBucket) -> u64 {
        let mut elements = Vec::with_capacity(bucket.entries.len());
        for (key, entry) in &bucket.entries {
            elements.push(match entry {
                BoltEntry::Value(value) => Element::leaf(0, key, value),
                BoltEntry::Bucket(nested) => {
                    Element::leaf(FLAG_BUCKET, key, self.bucket_value(nested))
                }
            });
        }
        let mut level = self.append_all(page::FLAG_LEAF, &elements, 1);
        while level.len() > 1 {
            let children: Vec<_> = level
                .iter()
                .map(|(first_key, child)| Element::branch(first_key, *child))
                .collect();
            level = self.append_all(page::FLAG_BRANCH, &children, 2);
        }
        level[0].1
    }

    /// Returns what a nested bucket's element holds: the bucket itself if it is small, otherwise
    /// where it was written.
    fn bucket_value(&mut self, bucket: &BoltBucket) -> Vec<u8> {
        if let Some(inline) = inline_bucket(bucket, self.page_size / 4) {
            return inline;
        }
        let root = self.write_tree(bucket);
        let mut value = root.to_le_bytes().to_vec();
        value.resize(BUCKET_HEADER, 0);
        value
    }

    /// Spreads elements over pages of `count_min` elements at least. Returns the first key and the
    /// id of each page.
    fn append_all<'a>(
        &mut self,
        flags: u16,
        elements: &[Element<'a>],
        count_min: usize,
    ) -> Vec<(&'a [u8], u64)> {
        let groups = self.split(elements, count_min);
        let mut pages = Vec::with_capacity(groups.len());
        for group in groups {
            let first_key = group.first().map_or(&[][..], |element| element.key);
            pages.push((first_key, self.append(flags, group)));
        }
        pages
    }

    fn split<'s, 'a>(
        &self,
        elements: &'s [Element<'a>],
        count_min: usize,
    ) -> Vec<&'s [Element<'a>]> {
        let mut groups = Vec::new();
        let mut rest = elements;
        loop {
            let mut count = self.count_that_fits(rest).max(count_min).min(rest.len());
            let left = rest.len() - count;
            if left > 0 && left < count_min {
                count = (rest.len() - count_min).max(1);
            }
            let (group, others) = rest.split_at(count);
            groups.push(group);
            if others.is_empty() {
                return groups;
            }
            rest = others;
        }
    }

    fn count_that_fits(&self, elements: &[Element<'_>]) -> usize {
        let mut size = encoded_size(&[]);
        elements
            .iter()
            .take(usize::from(u16::MAX) - 1)
            .take_while(|element| {
                size += element.size();
                size <= self.page_size
            })
            .count()
    }
}

/// Encodes a bucket into the value that holds it, if it is small and holds no buckets.
fn inline_bucket(bucket: &BoltBucket, size_max: usize) -> Option<Vec<u8>> {
    let mut elements = Vec::with_capacity(bucket.entries.len());
    for (key, entry) in &bucket.entries {
        match entry {
            BoltEntry::Value(value) => elements.push(Element::leaf(0, key, value)),
            BoltEntry::Bucket(_) => return None,
        }
    }
    if encoded_size(&elements) > size_max {
        return None;
    }
    let mut value = vec![0; BUCKET_HEADER];
    encode_page(&mut value, 0, page::FLAG_LEAF, 0, &elements);
    Some(value)
}
