//! cleanbill-testkit
