//! The settings of `watch`: one table of names, and everything that follows from it.
//!
//! [`table::SETTINGS`] says of each setting what it is called (flag, environment, file, the name
//! of the older tools), what it may hold, what it holds unless told otherwise. Flags, environment,
//! secret files, `.env`, configuration file, JSON Schema, the page of the documentation and
//! `config show` are all read from there, so none can lack a setting.
//!
//! [`Loader`] gathers what was given, in the order flag, environment, secret file, `.env`,
//! configuration file, default, checks it, and returns [`WatchSettings`]: plain values that cannot
//! be wrong. It can be asked again while the program runs ([`Reloader`]).

mod channels;
mod default;
mod docs;
mod env_file;
mod file;
mod given;
mod ignore_list;
mod kind;
mod loader;
mod origin;
mod problem;
mod reload;
mod resolve;
mod schema;
mod show;
mod suggest;
mod table;
mod text;
mod value;
mod watch_settings;
mod yaml;

#[cfg(test)]
mod tests;

pub(crate) use channels::{ChannelSettings, ChannelTarget, Route, SmtpEncryption, SmtpSettings};
pub(crate) use docs::page;
pub(crate) use env_file::EnvFile;
pub(crate) use given::Given;
pub(crate) use kind::{Dialect, Kind};
pub(crate) use loader::{Call, Loaded, Loader};
pub(crate) use problem::SettingsError;
pub(crate) use reload::Reloader;
pub(crate) use resolve::read_file;
pub(crate) use schema::json_schema;
pub(crate) use show::{as_json, as_text};
pub(crate) use suggest::nearest;
pub(crate) use table::{SETTINGS, Setting};
pub(crate) use text::parse_duration as parse_long_duration;
pub(crate) use value::{REDACTED, Schedule, Value};
pub(crate) use watch_settings::WatchSettings;
pub(crate) use yaml::{Content, parse as parse_yaml};
