//! `cleanbill notify retry`: messages that were given up are sent again.

use std::fmt::Write as _;

use cleanbill_report::text::clean;
use cleanbill_store::state::{MessageNumber, MessageState, StateStore};
use jiff::Timestamp;

use super::super::{Setting, print};
use crate::commands::status::{state_directory, unreadable};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::settings::Call;

pub(super) fn run(setting: &Setting, numbers: &[i64], call: Call) -> Result<Exit, CommandError> {
    let state = StateStore::join(&state_directory(setting, call)?).map_err(unreadable)?;
    let dead = state
        .read()
        .outbox_list(Some(MessageState::Dead), usize::MAX)
        .map_err(unreadable)?;
    if let Some(other) = numbers
        .iter()
        .find(|number| !dead.iter().any(|row| row.number.0 == **number))
    {
        // Nothing is sent again if one of them is a mistake.
        let error = CommandError::usage_text(format!("no message {other} was given up"));
        return Err(error.hint("the numbers are in: cleanbill notify list"));
    }
    let mut chosen: Vec<(MessageNumber, &str)> = dead
        .iter()
        .filter(|row| numbers.is_empty() || numbers.contains(&row.number.0))
        .map(|row| (row.number, row.channel.as_str()))
        .collect();
    // What happened first is told first.
    chosen.sort();
    let now = Timestamp::now().as_millisecond();
    let mut text = String::new();
    for (number, channel) in &chosen {
        state.outbox_requeue(*number, now).map_err(unreadable)?;
        let _ = writeln!(text, "Message {number} goes to {} again.", clean(channel));
    }
    text.push_str(match chosen.as_slice() {
        [] => "No message was given up.\n",
        _ => "cleanbill watch sends them, within a minute if it runs.\n",
    });
    print(text.as_bytes())
}
