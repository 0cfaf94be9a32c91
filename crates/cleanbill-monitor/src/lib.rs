//! The monitor: looks at images on a schedule and when something happens to them, finds out what
//! changed, and tells people.

pub mod baseline_file;
mod deliver;
pub mod file_names;
#[doc(hidden)]
pub mod fuzzing;
mod host;
mod look;
mod monitor;
pub mod notes;
pub mod notify;
mod replace_file;
pub mod retention;
pub mod scan_log;
mod schedule;
mod watchlist;

pub use deliver::Delivery;
pub use host::{Grounds, Host, HostError, Look, StoredImage};
pub use look::{Circumstances, image_state};
pub use monitor::{
    Channels, Clock, Event, JournalSettings, Monitor, MonitorError, MonitorObserver,
    MonitorSettings, NoObserver, Parts, PassOutcome, Wakes,
};
pub use replace_file::replace_file;
pub use schedule::{Schedule, ScheduleError};
pub use watchlist::{
    LABEL_ENABLE, LABEL_NOTIFY, LABEL_SEVERITY, ListedContainer, ListedImage, Listing, WatchRules,
    WatchedImage, Watchlist, watchlist,
};
