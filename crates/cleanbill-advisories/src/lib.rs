//! cleanbill-advisories
