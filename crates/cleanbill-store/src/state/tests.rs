//! The state, in and out, and in every kind of trouble.

mod activity;
mod damage;
mod faults;
mod gone;
mod kill;
mod kit;
mod model;
mod place;
mod pruning;
mod round_trip;
mod speed;
mod use_cases;
