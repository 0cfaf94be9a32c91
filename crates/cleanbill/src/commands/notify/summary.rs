//! `cleanbill notify CHANNEL --scan-results FILE`: what saved reports say, as one message.

use std::collections::BTreeSet;

use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::report::{ImageReport, ScanReport};
use cleanbill_image::Secret;
use cleanbill_monitor::baseline_file::BaselineDirectory;
use cleanbill_monitor::notify::{SummaryOptions, summary};
use cleanbill_policy::SeverityFilter;
use jiff::Timestamp;

use super::super::{Setting, print, report};
use super::sending::{Outcome, choose, composing, kind};
use crate::channels;
use crate::ci_run::CiRun;
use crate::cli::{Occasion, SummaryArgs};
use crate::commands::baseline::Known;
use crate::commands::judging::{Judgement, judge};
use crate::commands::status::settings;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::settings::{Call, ChannelSettings, ChannelTarget, WatchSettings};
use crate::stop;

/// The flag that names the address of the generic webhook, and of whichever channel is told here.
const WEBHOOK_URL: &str = "notify.webhook.url";

pub(super) fn run(setting: &Setting, arguments: SummaryArgs) -> Result<Exit, CommandError> {
    stop::after(arguments.patience.timeout);
    let name = arguments.channel.unwrap_or_default();
    let call = with_address(arguments.settings.call, &name)?;
    let mut settings = settings(setting, call)?;
    let wanted = kind(&name);
    let is_meant =
        |channel: &ChannelSettings| channel.name == name || Some(channel.name.as_str()) == wanted;
    let channels = &mut settings.notify.channels;
    // What is wrong with another channel is nothing to this call.
    if channels.iter().any(is_meant) {
        channels.retain(is_meant);
    } else if let Some(stand_in) = wanted.filter(|_| arguments.dry_run).and_then(stand_in) {
        *channels = vec![stand_in];
    }
    let open = channels::open(&settings, &setting.environment, &stop::flag())?;
    let (name, channel) = choose(&open, &name)?;
    let mut saved = report::read_all(&arguments.scan_results)?;
    let judgement = judge(&arguments.judging, &mut saved, None)?;
    let occasion = arguments.only_on;
    if !is_occasion(occasion, &saved.report, judgement.as_ref(), &settings)? {
        return print(b"Nothing to tell.\n");
    }
    let id = uuid::Uuid::now_v7().to_string();
    let mut composing = composing(&settings, name);
    if composing.report.is_empty() {
        composing.report = CiRun::url(&setting.environment).unwrap_or_default();
    }
    let options = SummaryOptions {
        id: &id,
        time: Timestamp::now(),
        settings: &composing,
    };
    let mut outcome = Outcome::new(arguments.dry_run);
    outcome.send(name, channel, summary(&saved.report, &options));
    outcome.print()
}

/// Returns a channel without an address, for those who want to see what one would get before there is
/// one. Only kinds that need nothing else have one.
fn stand_in(kind: &str) -> Option<ChannelSettings> {
    let webhook_url = Secret::new("https://example.invalid/");
    let target = match kind {
        "slack" => ChannelTarget::Slack { webhook_url },
        "teams" => ChannelTarget::Teams { webhook_url },
        "discord" => ChannelTarget::Discord { webhook_url },
        "mattermost" => ChannelTarget::Mattermost { webhook_url },
        "webhook" => ChannelTarget::Webhook {
            url: webhook_url,
            signing_key: None,
            authorization: None,
        },
        _ => return None,
    };
    Some(ChannelSettings {
        name: kind.to_owned(),
        target,
    })
}

/// Lets `--webhook-url` mean the address of the channel that is told.
fn with_address(mut call: Call, name: &str) -> Result<Call, CommandError> {
    let field = match kind(name) {
        Some("webhook") => return Ok(call),
        Some("slack") => "notify.slack.webhook_url",
        Some("teams") => "notify.teams.webhook_url",
        Some("discord") => "notify.discord.webhook_url",
        Some("mattermost") => "notify.mattermost.webhook_url",
        Some("ntfy") => "notify.ntfy.url",
        Some("gotify") => "notify.gotify.url",
        _ if !call.flags.contains_key(WEBHOOK_URL) => return Ok(call),
        _ => {
            return Err(CommandError::usage_text(format!(
                "--webhook-url: '{name}' is no kind of channel that has an address"
            )));
        }
    };
    if let Some(address) = call.flags.remove(WEBHOOK_URL) {
        call.flags.insert(field, address);
    }
    Ok(call)
}

/// Says whether there is reason to send something.
fn is_occasion(
    occasion: Occasion,
    report: &ScanReport,
    judgement: Option<&Judgement>,
    settings: &WatchSettings,
) -> Result<bool, CommandError> {
    match occasion {
        Occasion::Always => Ok(true),
        Occasion::Failure => Ok(match judgement {
            Some(judgement) => judgement.has_failed(),
            None => report.images.iter().any(is_failure),
        }),
        Occasion::Change => {
            let directory = BaselineDirectory::new(&settings.baseline.directory);
            let filter: SeverityFilter = settings.scan.severities.iter().copied().collect();
            for image in &report.images {
                if is_changed(image, &directory, filter)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}

fn is_failure(image: &ImageReport) -> bool {
    image.status != AssessmentStatus::Complete || image.findings().next().is_some()
}

/// Compares an image with its baseline, and with nothing if it has none.
fn is_changed(
    image: &ImageReport,
    directory: &BaselineDirectory,
    filter: SeverityFilter,
) -> Result<bool, CommandError> {
    let known = Known::of_report(image, filter);
    if known.status != AssessmentStatus::Complete {
        return Ok(true);
    }
    let baseline = directory
        .read(&known.image, Timestamp::now())
        .map_err(CommandError::usage)?;
    Ok(match baseline {
        Some((_, baseline)) => known.compare(&baseline).is_changed(),
        None => known.passing != BTreeSet::new(),
    })
}
