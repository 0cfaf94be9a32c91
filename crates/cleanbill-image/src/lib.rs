//! cleanbill-image
