//! Path patterns as users write them for `--skip-dirs`, `--skip-files` and in ignore files:
//! doublestar patterns.
