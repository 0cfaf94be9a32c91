//! cleanbill-store
