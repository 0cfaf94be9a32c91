//! cleanbill-version
