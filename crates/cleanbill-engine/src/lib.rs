//! cleanbill-engine
