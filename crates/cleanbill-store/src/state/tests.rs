//! The state, in and out.

mod kit;
mod use_cases;
