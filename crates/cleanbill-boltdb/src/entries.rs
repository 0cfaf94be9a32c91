//! Iteration over a bucket in key order.

use super::bucket::Bucket;
use super::page::Page;
use super::{BoltError, DEPTH_MAX, Defect};

/// Holds one key of a bucket and what lies there.
#[derive(Debug)]
pub struct Entry<'a> {
    /// The key.
    pub key: &'a [u8],
    /// A value or a nested bucket.
    pub content: Content<'a>,
}

/// Is what lies at a key.
#[derive(Debug)]
pub enum Content<'a> {
    /// A plain value.
    Value(&'a [u8]),
    /// A nested bucket, or why it cannot be opened.
    Bucket(Result<Bucket<'a>, BoltError>),
}

/// Iterates over a bucket in key order. Ends after the first error.
///
/// Terminates on any file: a tree may visit as many pages as the file has, and the keys and values
/// of a page may together be no larger than the page. So the work, and what a caller can collect,
/// is bounded by the length of the file.
#[derive(Debug)]
pub struct Entries<'a> {
    bucket: Bucket<'a>,
    start: Start,
    stack: Vec<Frame<'a>>,
    /// Pages that may still be visited.
    page_budget: u64,
    last_key: Option<&'a [u8]>,
}

#[derive(Debug)]
enum Start {
    /// The first key to return.
    At(Vec<u8>),
    Done,
}

/// Holds the way from the root down to the current leaf.
#[derive(Debug)]
struct Frame<'a> {
    page: Page<'a>,
    next: usize,
    /// Bytes of keys and values that the page can still hold.
    data_budget: usize,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, BoltError>;

    fn next(&mut self) -> Option<Self::Item> {
        let result = self.advance();
        if result.is_err() {
            self.stack.clear();
        }
        result.transpose()
    }
}

impl<'a> Entries<'a> {
    pub(super) fn new(bucket: Bucket<'a>, key: &[u8]) -> Self {
        Self {
            bucket,
            start: Start::At(key.to_vec()),
            stack: Vec::new(),
            page_budget: bucket.pages().high_water,
            last_key: None,
        }
    }

    fn advance(&mut self) -> Result<Option<Entry<'a>>, BoltError> {
        if let Start::At(key) = std::mem::replace(&mut self.start, Start::Done) {
            self.descend_to(&key)?;
        }
        while let Some(frame) = self.stack.last_mut() {
            let index = frame.next;
            if index >= frame.page.count {
                self.stack.pop();
                continue;
            }
            frame.next += 1;
            let page = frame.page;
            if page.is_leaf {
                return self.entry(page, index).map(Some);
            }
            let child = self.child(page, index)?;
            self.push(child, 0)?;
        }
        Ok(None)
    }

    /// Opens a child of a branch. Look-ups trust the branch's keys, so a key that is greater than
    /// one below it, or not greater than one before it, would hide what lies there.
    fn child(&self, page: Page<'a>, index: usize) -> Result<Page<'a>, BoltError> {
        let (key, id) = page.branch_element(index)?;
        let child = self.bucket.pages().page(id)?;
        let is_too_great = index > 0 && child.count > 0 && child.key(0)? < key;
        let is_too_small = self.last_key.is_some_and(|last| last >= key);
        if is_too_great || is_too_small {
            return Err(page.error(Defect::KeyOrder { index }));
        }
        Ok(child)
    }

    /// Fills the stack with the way to the first key that is not less than `key`.
    fn descend_to(&mut self, key: &[u8]) -> Result<(), BoltError> {
        let mut page = self.bucket.root_page()?;
        loop {
            if page.is_leaf {
                let index = page.partition(key, false)?;
                return self.push(page, index);
            }
            let index = page.partition(key, true)?.saturating_sub(1);
            self.push(page, index + 1)?;
            page = self.child(page, index)?;
        }
    }

    fn push(&mut self, page: Page<'a>, next: usize) -> Result<(), BoltError> {
        if self.stack.len() >= DEPTH_MAX {
            return Err(page.error(Defect::TooDeep));
        }
        let page_count = (page.bytes.len() as u64).div_ceil(self.bucket.pages().page_size);
        self.page_budget = self
            .page_budget
            .checked_sub(page_count)
            .ok_or_else(|| page.error(Defect::VisitedTwice))?;
        self.stack.push(Frame {
            page,
            next,
            data_budget: page.bytes.len(),
        });
        Ok(())
    }

    fn entry(&mut self, page: Page<'a>, index: usize) -> Result<Entry<'a>, BoltError> {
        let element = page.leaf_element(index)?;
        if self.last_key.is_some_and(|last| last >= element.key) {
            return Err(page.error(Defect::KeyOrder { index }));
        }
        self.last_key = Some(element.key);
        if let Some(frame) = self.stack.last_mut() {
            frame.data_budget = frame
                .data_budget
                .checked_sub(element.key.len())
                .and_then(|left| left.checked_sub(element.value.len()))
                .ok_or_else(|| page.error(Defect::DataOverlaps { index }))?;
        }
        let content = if element.is_bucket {
            Content::Bucket(self.bucket.open_nested(&page, index, element.value))
        } else {
            Content::Value(element.value)
        };
        Ok(Entry {
            key: element.key,
            content,
        })
    }
}
