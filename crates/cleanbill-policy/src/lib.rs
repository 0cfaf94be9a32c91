//! cleanbill-policy
