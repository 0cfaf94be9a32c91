//! cleanbill-inventory
