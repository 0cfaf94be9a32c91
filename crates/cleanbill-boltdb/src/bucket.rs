//! Buckets: look-ups by key.

use super::entries::Entries;
use super::page::{LeafElement, Page, Pages};
use super::{BoltError, DEPTH_MAX, Defect, u64_at};

/// Bytes before the page of an inline bucket: root page id and sequence.
const BUCKET_HEADER: usize = 16;

/// Is a tree of keys with values or nested buckets.
#[derive(Clone, Copy, Debug)]
pub struct Bucket<'a> {
    pages: Pages<'a>,
    root: Root<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Root<'a> {
    Page(u64),
    /// A single leaf inside the value that holds the bucket.
    Inline(Page<'a>),
}

impl<'a> Bucket<'a> {
    pub(super) fn at_page(pages: Pages<'a>, id: u64) -> Self {
        Self {
            pages,
            root: Root::Page(id),
        }
    }

    /// Opens the nested bucket of this name. A plain value of the name counts as absent, and so
    /// does the empty name.
    ///
    /// # Errors
    ///
    /// A damaged page on the way, or a damaged header of the bucket.
    pub fn bucket(&self, name: &[u8]) -> Result<Option<Bucket<'a>>, BoltError> {
        if name.is_empty() {
            return Ok(None);
        }
        match self.find(name)? {
            Some((page, index, element)) if element.is_bucket => {
                self.open_nested(&page, index, element.value).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Returns the value of a key. A nested bucket of the name counts as absent.
    ///
    /// # Errors
    ///
    /// A damaged page on the way.
    pub fn get(&self, key: &[u8]) -> Result<Option<&'a [u8]>, BoltError> {
        let found = self.find(key)?;
        Ok(found
            .filter(|(_, _, element)| !element.is_bucket)
            .map(|(_, _, element)| element.value))
    }

    /// Iterates over everything in the bucket in key order.
    pub fn entries(&self) -> Entries<'a> {
        Entries::new(*self, &[])
    }

    /// Iterates over everything whose key is not less than `key`, in key order.
    pub fn entries_from(&self, key: &[u8]) -> Entries<'a> {
        Entries::new(*self, key)
    }

    /// Opens the bucket whose header and perhaps inline page are `value`, which is element `index`
    /// of `page`.
    pub(super) fn open_nested(
        &self,
        page: &Page<'a>,
        index: usize,
        value: &'a [u8],
    ) -> Result<Bucket<'a>, BoltError> {
        if matches!(self.root, Root::Inline(_)) {
            return Err(page.error(Defect::BucketInInline { index }));
        }
        let short = || page.error(Defect::ShortBucket { index });
        let root_id = u64_at(value, 0).ok_or_else(short)?;
        let inline = value.get(BUCKET_HEADER..).ok_or_else(short)?;
        let root = if root_id == 0 {
            Root::Inline(parse_inline(inline, page.id)?)
        } else {
            Root::Page(root_id)
        };
        Ok(Bucket {
            pages: self.pages,
            root,
        })
    }

    pub(super) fn pages(&self) -> Pages<'a> {
        self.pages
    }

    pub(super) fn root_page(&self) -> Result<Page<'a>, BoltError> {
        match self.root {
            Root::Page(id) => self.pages.page(id),
            Root::Inline(page) => Ok(page),
        }
    }

    /// Descends to the leaf element of a key.
    fn find(&self, key: &[u8]) -> Result<Option<(Page<'a>, usize, LeafElement<'a>)>, BoltError> {
        let mut page = self.root_page()?;
        for _ in 0..DEPTH_MAX {
            if page.is_leaf {
                let index = page.partition(key, false)?;
                if index == page.count {
                    return Ok(None);
                }
                let element = page.leaf_element(index)?;
                return Ok((element.key == key).then_some((page, index, element)));
            }
            let child = page.partition(key, true)?.saturating_sub(1);
            page = self.pages.page(page.branch_element(child)?.1)?;
        }
        Err(page.error(Defect::TooDeep))
    }
}

/// Parses the page of an inline bucket: a leaf that calls itself page 0.
fn parse_inline(bytes: &[u8], holder: u64) -> Result<Page<'_>, BoltError> {
    let page = Page::parse(bytes, holder, 0)?;
    if !page.is_leaf {
        return Err(page.error(Defect::UnexpectedFlags { flags: 1 }));
    }
    Ok(page)
}
