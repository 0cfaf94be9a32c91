//! cleanbill
fn main() {}
