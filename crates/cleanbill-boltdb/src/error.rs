//! What can be wrong with a file.

/// Says why a file, or a part of it, cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BoltError {
    /// Neither meta page is valid: not a BoltDB file, or its beginning is damaged.
    #[error("neither meta page of the {length_bytes} bytes is valid")]
    NoMeta {
        /// The length of the file.
        length_bytes: u64,
    },
    /// The file is shorter than its meta page says.
    #[error("the file has {length_bytes} bytes where its meta page promises {promised_bytes}")]
    Truncated {
        /// The length of the file.
        length_bytes: u64,
        /// The length of all pages in use.
        promised_bytes: u64,
    },
    /// A page is damaged.
    #[error("page {page}: {defect}")]
    Page {
        /// The page; for an inline bucket the page that holds it.
        page: u64,
        /// What is wrong with it.
        defect: Defect,
    },
    /// Buckets are nested more deeply than any reader would follow.
    #[error("buckets are nested too deeply")]
    BucketsTooDeep,
}

/// Says what is wrong with a page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// A pointer leads out of the file.
    #[error("lies beyond the high-water mark {high_water}")]
    BeyondHighWater {
        /// The first page that is not in use.
        high_water: u64,
    },
    /// The page's header names another page.
    #[error("its header says page {found}")]
    OtherPage {
        /// What the header says.
        found: u64,
    },
    /// The page is neither a branch nor a leaf, or not what it must be here.
    #[error("has the unexpected flags {flags:#06x}")]
    UnexpectedFlags {
        /// The flags of the header.
        flags: u16,
    },
    /// The page ends inside its header.
    #[error("is cut off inside its header")]
    ShortHeader,
    /// The array of elements does not fit.
    #[error("has no room for {count} elements")]
    ElementsOutside {
        /// The number of elements that the header promises.
        count: usize,
    },
    /// A key or a value does not lie inside the page.
    #[error("the data of element {index} lies outside")]
    DataOutside {
        /// The element.
        index: usize,
    },
    /// The data of a page's elements together is larger than the page.
    #[error("the data of element {index} overlaps that of others")]
    DataOverlaps {
        /// The element.
        index: usize,
    },
    /// The keys are not in ascending order.
    #[error("the key of element {index} is out of order")]
    KeyOrder {
        /// The element.
        index: usize,
    },
    /// A branch leads nowhere.
    #[error("is a branch without children")]
    EmptyBranch,
    /// The header of a nested bucket is cut off.
    #[error("the bucket in element {index} has no header")]
    ShortBucket {
        /// The element.
        index: usize,
    },
    /// An inline bucket holds a bucket, which the format rules out.
    #[error("the inline bucket holds a bucket in element {index}")]
    BucketInInline {
        /// The element.
        index: usize,
    },
    /// The tree is deeper than any real one: a cycle.
    #[error("lies too deep in its tree")]
    TooDeep,
    /// The tree has more pages than the file: some are reached twice.
    #[error("is reached more than once in its tree")]
    VisitedTwice,
}
