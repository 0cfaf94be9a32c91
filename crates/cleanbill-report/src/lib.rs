//! cleanbill-report
